/* SPDX-License-Identifier: MIT */
/* Tavily's answers: from its JSON to a clean structured result, and from that to text. */
#include "tools/web_search_answer.h"

#include <stdbool.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

#define LINE_MAX_BYTES 1000		/* title, query, ids */
#define URL_MAX_BYTES 2048
#define CONTENT_MAX_BYTES 10000		/* three excerpts of 500 characters, and room */
#define RAW_MAX_BYTES 60000
#define RESULTS_MAX 20
#define IMAGES_MAX 40
#define FAULT_MAX_BYTES 300
#define CUT " [...]"

static const struct json_bounds bounds = { WEB_SEARCH_ANSWER_MAX, 16, 50000 };

/* What a result may still take, and whether anything was left out for it. */
struct budget {
	size_t left;
	bool cut;
};

/* ---- cleaning ---------------------------------------------------------------------------------------------------- */

/* Read one character of well-formed UTF-8; returns its length. */
static size_t
read_character(const char *s, uint32_t *c)
{
	const unsigned char *b = (const unsigned char *)s;

	if (b[0] < 0x80) {
		*c = b[0];
		return 1;
	}
	if (b[0] < 0xe0) {
		*c = (b[0] & 0x1fu) << 6 | (b[1] & 0x3fu);
		return 2;
	}
	if (b[0] < 0xf0) {
		*c = (b[0] & 0x0fu) << 12 | (b[1] & 0x3fu) << 6 | (b[2] & 0x3fu);
		return 3;
	}
	*c = (b[0] & 0x07u) << 18 | (b[1] & 0x3fu) << 12 | (b[2] & 0x3fu) << 6 | (b[3] & 0x3fu);
	return 4;
}

/* Controls, and what a reader does not see but a model does: bidirectional controls, tags, invisible operators. */
static bool
is_hidden(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
	    c == 0x200b ||
	    c == 0x200e || c == 0x200f || c == 0x061c || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 &&
	    c <= 0xe0fff);
}

/*
 * Append "s" without hidden characters, at most "max" bytes; line ends and tabs stay, or become blanks with "one_line".
 * Returns whether all of it fitted.
 */
static bool
clean(const char *s, size_t len, size_t max, bool one_line, struct buf *out)
{
	size_t start = out->len;

	for (size_t i = 0, n; i < len; i += n) {
		uint32_t c;

		n = read_character(s + i, &c);
		if (c == '\n' || c == '\t') {
			buf_putc(out, one_line ? ' ' : (char)c);
		} else if (!is_hidden(c)) {
			if (out->len - start + n > max)
				return false;
			buf_put(out, s + i, n);
		}
	}
	return true;
}

/* Copy string member "name" of "from" to "to", cleaned and within bounds; nothing if it is not there. */
static enum mcp_err
copy_string(const struct json_object *from, const char *name, size_t max, bool one_line, struct budget *budget,
    struct json_object *to)
{
	const char *s;
	size_t len;
	enum mcp_err err;
	struct buf b;

	if (json_get_string(from, name, &s, &len) || len == 0)
		return MCP_OK;
	if (max > budget->left)
		max = budget->left;
	buf_init(&b, max + sizeof(CUT));
	if (!clean(s, len, max, one_line, &b)) {
		buf_puts(&b, CUT);
		budget->cut = true;
	}
	budget->left -= b.len < budget->left ? b.len : budget->left;
	err = buf_status(&b) ? MCP_ENOMEM : json_set_new(to, name, json_new_string(b.data, b.len));
	buf_clear(&b);
	return err;
}

/* As copy_string(), and an empty string stands in for what is missing. */
static enum mcp_err
copy_required(const struct json_object *from, const char *name, size_t max, bool one_line, struct budget *budget,
    struct json_object *to)
{
	enum mcp_err err = json_set_new(to, name, json_new_string("", 0));

	return err ? err : copy_string(from, name, max, one_line, budget, to);
}

static enum mcp_err
copy_number(const struct json_object *from, const char *name, struct json_object *to)
{
	double n;

	return json_get_number(from, name, &n) ? MCP_OK : json_set_new(to, name, json_new_double(n));
}

/* ---- good answers ------------------------------------------------------------------------------------------------ */

/* An image is a URL, or an object with url and description. */
static enum mcp_err
copy_image(const struct json_object *from, struct budget *budget, struct json_object *to)
{
	struct json_object *wrapped = NULL;
	enum mcp_err err;
	const char *url;
	size_t len;

	if (json_as_string(from, &url, &len) == MCP_OK) {
		wrapped = json_new_object();
		err = wrapped ? json_set_new(wrapped, "url", json_new_string(url, len)) : MCP_ENOMEM;
		if (!err)
			err = copy_required(wrapped, "url", URL_MAX_BYTES, true, budget, to);
		json_free(wrapped);
		return err;
	}
	err = copy_required(from, "url", URL_MAX_BYTES, true, budget, to);
	return err ? err : copy_string(from, "description", LINE_MAX_BYTES, true, budget, to);
}

static enum mcp_err
copy_images(const struct json_object *from, struct budget *budget, struct json_object *to)
{
	struct json_object *images, *list = NULL;
	enum mcp_err err = MCP_OK;

	if (json_get_array(from, "images", &images) || json_count(images) == 0)
		return MCP_OK;
	list = json_new_array();
	if (!list)
		return MCP_ENOMEM;
	for (size_t i = 0; i < json_count(images) && i < IMAGES_MAX && !err; i++) {
		struct json_object *image = json_new_object();

		err = image ? copy_image(json_at(images, i), budget, image) : MCP_ENOMEM;
		if (!err)
			err = json_push(list, image);
		else
			json_free(image);
	}
	if (err)
		json_free(list);
	return err ? err : json_set(to, "images", list);
}

static enum mcp_err
copy_result(const struct json_object *from, struct budget *budget, struct json_object *results)
{
	struct json_object *to = json_new_object();
	enum mcp_err err = to ? copy_required(from, "title", LINE_MAX_BYTES, true, budget, to) : MCP_ENOMEM;

	if (!err)
		err = copy_required(from, "url", URL_MAX_BYTES, true, budget, to);
	if (!err)
		err = copy_required(from, "content", CONTENT_MAX_BYTES, false, budget, to);
	if (!err)
		err = copy_number(from, "score", to);
	if (!err)
		err = copy_string(from, "published_date", LINE_MAX_BYTES, true, budget, to);
	if (!err)
		err = copy_string(from, "favicon", URL_MAX_BYTES, true, budget, to);
	if (!err)
		err = copy_string(from, "raw_content", RAW_MAX_BYTES, false, budget, to);
	if (!err)
		err = copy_images(from, budget, to);
	if (!err)
		return json_push(results, to);
	json_free(to);
	return err;
}

static enum mcp_err
copy_results(const struct json_object *from, struct budget *budget, struct json_object *to)
{
	struct json_object *given, *results;
	enum mcp_err err = MCP_OK;

	if (json_get_array(from, "results", &given))
		return MCP_EREMOTE;
	results = json_new_array();
	if (!results)
		return MCP_ENOMEM;
	for (size_t i = 0; i < json_count(given) && i < RESULTS_MAX && !err; i++) {
		if (json_kind(json_at(given, i)) == JSON_OBJECT)
			err = copy_result(json_at(given, i), budget, results);
	}
	if (!err)
		return json_set(to, "results", results);
	json_free(results);
	return err;
}

/* An object of the answer whose members are copied by "copy". */
static enum mcp_err
copy_part(const struct json_object *from, const char *name, struct budget *budget, struct json_object *to,
    enum mcp_err (*copy)(const struct json_object *part, struct budget *budget, struct json_object *to))
{
	struct json_object *part, *made;
	enum mcp_err err;

	if (json_get_object(from, name, &part))
		return MCP_OK;
	made = json_new_object();
	err = made ? copy(part, budget, made) : MCP_ENOMEM;
	if (!err)
		return json_set(to, name, made);
	json_free(made);
	return err;
}

static enum mcp_err
copy_usage(const struct json_object *part, struct budget *budget, struct json_object *to)
{
	(void)budget;
	return copy_number(part, "credits", to);
}

static enum mcp_err
copy_parameters(const struct json_object *part, struct budget *budget, struct json_object *to)
{
	enum mcp_err err = copy_string(part, "topic", LINE_MAX_BYTES, true, budget, to);

	return err ? err : copy_string(part, "search_depth", LINE_MAX_BYTES, true, budget, to);
}

/* The number of a \uXXXX escape whose "u" is at "s", or -1. */
static long
escape_number(const char *s, size_t len)
{
	long n = 0;

	if (len < 5 || s[0] != 'u')
		return -1;
	for (size_t i = 1; i < 5; i++) {
		int digit = text_hex_value(s[i]);

		if (digit < 0)
			return -1;
		n = n << 4 | digit;
	}
	return n;
}

/* Replace escapes that no text of ours may hold by that of U+FFFD, which is as long. */
static void
mend_escapes(char *text, size_t len)
{
	for (size_t i = 0; i + 1 < len; i++) {
		long n, low;

		if (text[i] != '\\')
			continue;
		i++;
		n = escape_number(text + i, len - i);
		if (n < 0)
			continue;
		low = -1;
		if (n >= 0xd800 && n < 0xdc00 && i + 6 < len && text[i + 5] == '\\')
			low = escape_number(text + i + 6, len - i - 6);
		if (low >= 0xdc00 && low < 0xe000)
			i += 6;
		else if (n == 0 || (n >= 0xd800 && n < 0xe000))
			memcpy(text + i, "ufffd", 5);
		i += 4;
	}
}

enum mcp_err
web_search_read(char *text, size_t len, const char *query, struct json_object **out)
{
	struct budget budget = { WEB_SEARCH_RESULT_MAX, false };
	struct json_object *answer = NULL, *to = NULL;
	enum mcp_err err;

	*out = NULL;
	mend_escapes(text, len);
	err = json_parse(text, len, &bounds, &answer, NULL);
	if (err)
		return err == MCP_ENOMEM ? err : MCP_EREMOTE;
	to = json_new_object();
	err = to ? json_set_new(to, "query", json_new_string(query, strlen(query))) : MCP_ENOMEM;
	if (!err)
		err = copy_string(answer, "answer", CONTENT_MAX_BYTES, false, &budget, to);
	if (!err)
		err = copy_results(answer, &budget, to);
	if (!err)
		err = copy_images(answer, &budget, to);
	if (!err)
		err = copy_part(answer, "auto_parameters", &budget, to, copy_parameters);
	if (!err)
		err = copy_part(answer, "usage", &budget, to, copy_usage);
	if (!err)
		err = copy_number(answer, "response_time", to);
	if (!err)
		err = copy_string(answer, "request_id", LINE_MAX_BYTES, true, &budget, to);
	if (!err && budget.cut)
		err = json_set_new(to, "truncated", json_new_bool(true));
	json_free(answer);
	if (err) {
		json_free(to);
		return err == MCP_EREMOTE ? err : MCP_ENOMEM;
	}
	*out = to;
	return MCP_OK;
}

/* ---- text -------------------------------------------------------------------------------------------------------- */

static void
render_line(const struct json_object *from, const char *name, const char *label, struct buf *out)
{
	const char *s;
	size_t len;

	if (json_get_string(from, name, &s, &len))
		return;
	buf_puts(out, label);
	buf_put(out, s, len);
	buf_putc(out, '\n');
}

static void
render_images(const struct json_object *from, struct buf *out)
{
	struct json_object *images;

	if (json_get_array(from, "images", &images))
		return;
	buf_puts(out, "Images:\n");
	for (size_t i = 0; i < json_count(images); i++) {
		render_line(json_at(images, i), "url", "- ", out);
		render_line(json_at(images, i), "description", "  ", out);
	}
}

void
web_search_render(const struct json_object *result, struct buf *out)
{
	struct json_object *results;

	if (json_get_array(result, "results", &results))
		return;
	render_line(result, "answer", "Answer: ", out);
	if (out->len)
		buf_putc(out, '\n');
	buf_puts(out, json_count(results) ? "Detailed Results:\n" : "No results were found.\n");
	for (size_t i = 0; i < json_count(results); i++) {
		const struct json_object *r = json_at(results, i);

		buf_putc(out, '\n');
		render_line(r, "title", "Title: ", out);
		render_line(r, "url", "URL: ", out);
		render_line(r, "published_date", "Published: ", out);
		render_line(r, "content", "Content: ", out);
		render_line(r, "raw_content", "Raw Content: ", out);
		render_line(r, "favicon", "Favicon: ", out);
		render_images(r, out);
	}
	if (json_get_array(result, "images", &results) == MCP_OK) {
		buf_putc(out, '\n');
		render_images(result, out);
	}
}

/* ---- errors ------------------------------------------------------------------------------------------------------ */

static void
put_fault(const char *s, size_t len, struct buf *out)
{
	size_t room = out->len < FAULT_MAX_BYTES ? FAULT_MAX_BYTES - out->len : 0;

	if (!clean(s, len, room, true, out))
		buf_puts(out, CUT);
}

/* A validation fault: {"loc": ["body", "query"], "msg": "..."}. */
static void
put_validation(const struct json_object *fault, struct buf *out)
{
	struct json_object *place;
	const char *s;
	size_t len;

	if (out->len)
		put_fault("; ", 2, out);
	if (json_get_array(fault, "loc", &place) == MCP_OK && json_count(place) > 0 &&
	    json_as_string(json_at(place, json_count(place) - 1), &s, &len) == MCP_OK) {
		put_fault(s, len, out);
		put_fault(": ", 2, out);
	}
	if (json_get_string(fault, "msg", &s, &len) == MCP_OK)
		put_fault(s, len, out);
}

void
web_search_read_error(char *text, size_t len, struct buf *out, int64_t *retry_after_s)
{
	struct json_object *answer = NULL, *part;
	int64_t seconds;
	const char *s;
	size_t s_len;

	mend_escapes(text, len);
	if (json_parse(text, len, &bounds, &answer, NULL))
		return;
	if (json_get_string(answer, "detail", &s, &s_len) == MCP_OK || json_get_string(answer, "error", &s,
	    &s_len) == MCP_OK)
		put_fault(s, s_len, out);
	else if (json_get_object(answer, "detail", &part) == MCP_OK && json_get_string(part, "error", &s,
	    &s_len) == MCP_OK)
		put_fault(s, s_len, out);
	else if (json_get_array(answer, "detail", &part) == MCP_OK)
		for (size_t i = 0; i < json_count(part) && i < 3; i++)
			put_validation(json_at(part, i), out);
	if (json_get_object(answer, "error", &part) == MCP_OK) {
		if (json_get_string(part, "message", &s, &s_len) == MCP_OK)
			put_fault(s, s_len, out);
		if (json_get_int(part, "retry_after_seconds", &seconds) == MCP_OK && seconds >= 0)
			*retry_after_s = seconds;
	}
	json_free(answer);
}
