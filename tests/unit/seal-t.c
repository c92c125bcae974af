/* SPDX-License-Identifier: MIT */
/* Sealed text: what was sealed comes back, and nothing else opens. */
#include <string.h>

#include "base/seal.h"
#include "base/text.h"
#include "tests/tap.h"

static const struct seal_key key = { 7, { 1, 2, 3 } }, other = { 7, { 1, 2, 4 } }, renumbered = { 8, { 1, 2, 3 } };
static const char plain[] = "{\"round\":2}";
static const struct seal_part bound[] = { { "state", 5 }, { "alice", 5 } };

/* Open with the key and parts of the test; tells the result, and shows that nothing is handed over with a failure. */
static enum mcp_err
try(const struct seal_key *k, const struct seal_part *parts, size_t n, const char *text, size_t len)
{
	struct buf out;
	enum mcp_err err;

	buf_init(&out, SEAL_PLAIN_MAX);
	err = seal_open(k, parts, n, text, len, &out);
	if (err && out.len)
		ok(false, "a failure hands %zu bytes over", out.len);
	buf_clear(&out);
	return err;
}

static void
test_round_trip(const struct buf *text)
{
	struct buf out, again;

	buf_init(&out, SEAL_PLAIN_MAX);
	buf_init(&again, SEAL_TEXT_MAX);
	is_int(seal_open(&key, bound, 2, text->data, text->len, &out), MCP_OK, "what was sealed opens");
	is_mem(out.data, out.len, plain, strlen(plain), "and is what it was");
	ok(text->len == strspn(text->data, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
	    "the text is base64url without padding");
	is_int(seal(&key, bound, 2, plain, strlen(plain), &again), MCP_OK, "the same again can be sealed");
	ok(strcmp(text->data, again.data) != 0, "and looks different");
	buf_reset(&out);
	buf_reset(&again);
	is_int(seal(&key, NULL, 0, NULL, 0, &again), MCP_OK, "nothing, bound to nothing, can be sealed");
	is_int(seal_open(&key, NULL, 0, again.data, again.len, &out), MCP_OK, "and opens");
	is_int((long long)out.len, 0, "and is nothing");
	buf_clear(&out);
	buf_clear(&again);
}

/* Each byte of the text replaced by each other digit, and bytes left out, put in, appended. */
static void
test_tampering(const struct buf *text)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	static const char *const garbage[] = { "A", "AA", "AAA", "AAAA", "=", "==", "-TAMPERED", "\n", " ", "." };
	int opened = 0, tried = 0;
	char copy[512];
	size_t len;

	for (size_t i = 0; i < text->len; i++) {
		for (size_t d = 0; d < sizeof digits - 1; d++) {
			memcpy(copy, text->data, text->len);
			copy[i] = digits[d];
			tried += copy[i] != text->data[i];
			opened += copy[i] != text->data[i] && !try(&key, bound, 2, copy, text->len);
		}
		memmove(copy, text->data, text->len);
		memmove(copy + i, text->data + i + 1, text->len - i - 1);
		opened += !try(&key, bound, 2, copy, text->len - 1);
		opened += !try(&key, bound, 2, text->data, i);
	}
	is_int(opened, 0, "no text with another digit (of %d), one less, or cut short opens", tried);
	opened = 0;
	for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
		memcpy(copy, text->data, text->len);
		len = text->len + strlen(garbage[i]);
		memcpy(copy + text->len, garbage[i], strlen(garbage[i]));
		opened += try(&key, bound, 2, copy, len) != MCP_EINVAL;
	}
	is_int(opened, 0, "nor one with anything appended");
	is_int(try(&key, bound, 2, "", 0), MCP_EINVAL, "nor no text at all");
}

static void
test_binding(const struct buf *text)
{
	static const struct seal_part changed[][3] = {
		{ { "stale", 5 }, { "alice", 5 } }, { { "state", 5 }, { "alicf", 5 } },
		{ { "statea", 6 }, { "lice", 4 } }, { { "alice", 5 }, { "state", 5 } },
		{ { "state", 5 }, { "", 0 } }, { { "state", 5 }, { "alice", 5 }, { "", 0 } }
	};

	for (size_t i = 0; i < sizeof changed / sizeof changed[0]; i++)
		is_int(try(&key, changed[i], i == 5 ? 3 : 2, text->data, text->len), MCP_EINVAL,
		    "bound to something else it does not open (%zu)", i);
	is_int(try(&key, bound, 1, text->data, text->len), MCP_EINVAL, "nor bound to less");
	is_int(try(&other, bound, 2, text->data, text->len), MCP_EINVAL, "nor with another key");
	is_int(try(&renumbered, bound, 2, text->data, text->len), MCP_ENOENT, "a key of another number is told");
}

static void
test_bounds(void)
{
	static char large[SEAL_PLAIN_MAX + 1], text[SEAL_TEXT_MAX + 1];
	struct buf out, opened;

	memset(large, 'x', sizeof large);
	memset(text, 'A', sizeof text);
	buf_init(&out, SEAL_TEXT_MAX);
	buf_init(&opened, SEAL_PLAIN_MAX);
	is_int(seal(&key, bound, 2, large, sizeof large, &out), MCP_ELIMIT, "more than the bound is not sealed");
	is_int(seal(&key, bound, 2, large, SEAL_PLAIN_MAX, &out), MCP_OK, "as much as the bound is");
	is_int(seal_open(&key, bound, 2, out.data, out.len, &opened), MCP_OK, "and opens");
	is_mem(opened.data, opened.len, large, SEAL_PLAIN_MAX, "whole");
	is_int(try(&key, bound, 2, text, sizeof text), MCP_EINVAL, "more text than can be is refused");
	buf_clear(&out);
	buf_init(&out, 20);
	is_int(seal(&key, bound, 2, plain, strlen(plain), &out), MCP_ELIMIT, "a bound of the output is told");
	is_int((long long)out.len, 0, "and nothing is written");
	buf_clear(&out);
	buf_clear(&opened);
	buf_init(&opened, 3);
	is_int(seal(&key, bound, 2, plain, strlen(plain), &out), MCP_ELIMIT, "it stays told");
	buf_clear(&opened);
}

int
main(void)
{
	struct buf text;

	buf_init(&text, SEAL_TEXT_MAX);
	is_int(seal(&key, bound, 2, plain, strlen(plain), &text), MCP_OK, "text can be sealed");
	test_round_trip(&text);
	test_tampering(&text);
	test_binding(&text);
	test_bounds();
	buf_clear(&text);
	return tap_done();
}
