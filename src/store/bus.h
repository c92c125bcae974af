/* SPDX-License-Identifier: MIT */
#ifndef MCP_STORE_BUS_H
#define MCP_STORE_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"

/*
 * STATE_DIR/bus.db: what processes have to tell each other soon, and may forget. Events for clients that listen,
 * answers of clients for a process that waits for them (mail), and what is known of sessions (notes). Disposable, like
 * limits.db: a file that is damaged or not ours is replaced. Opened by the first use. Thread-safe.
 *
 * Every function below that returns enum mcp_err returns MCP_EDB (the file cannot be used: locked for half a second,
 * read-only, full), MCP_EPERM, MCP_EIO or MCP_ENOMEM besides what it names itself. Nothing has changed then.
 */
struct bus;
struct wake;

/* "dir" is copied. MCP_OK with *out new, MCP_ENOMEM with *out NULL. */
enum mcp_err bus_new(const char *dir, struct bus **out) MCP_MUST_CHECK;

/* As wake_free(). */
void bus_free(struct bus *b);

/* For waiting until there may be something new; the bus's own. Each change below that others wait for touches it. */
struct wake *bus_wake(struct bus *b);

/* Events. The last BUS_EVENTS_MAX are kept, for BUS_EVENTS_S. */
#define BUS_EVENTS_MAX 1000
#define BUS_EVENTS_S 60
#define BUS_URI_MAX 8192

enum bus_kind { BUS_TOOLS_CHANGED, BUS_PROMPTS_CHANGED, BUS_RESOURCES_CHANGED, BUS_RESOURCE_UPDATED };

struct bus_event {
	int64_t seq;		/* grows with each event, also when the file was replaced */
	enum bus_kind kind;
	const char *uri;	/* of BUS_RESOURCE_UPDATED; "" otherwise */
};

/* "uri": NULL but for BUS_RESOURCE_UPDATED. MCP_ELIMIT: longer than BUS_URI_MAX. */
enum mcp_err bus_publish(struct bus *b, int64_t now_s, enum bus_kind kind, const char *uri) MCP_MUST_CHECK;

/* Where the events are: those published after this call returned come after *seq, those before it do not. */
enum mcp_err bus_cursor(struct bus *b, int64_t *seq) MCP_MUST_CHECK;

/*
 * Visit the events after *seq in their order, and move *seq behind the last one. visit() must not call bus_*(); what it
 * gets is borrowed for the time of the call.
 */
enum mcp_err bus_read(struct bus *b, int64_t *seq, void (*visit)(void *ctx, const struct bus_event *event),
    void *ctx) MCP_MUST_CHECK;

/*
 * Mail: one who waits opens a box, whose key only he whose answer it is can know or make (a digest of principal,
 * session and the request's id); another process puts the answer into it. A box takes one answer. BUS_MAIL_MAX boxes at
 * most are open at a time, BUS_MAIL_OF_ONE_MAX of them for one principal (its digest), so that nobody takes those of
 * others (MCP_ELIMIT); each until "until_s" at the latest. Where a principal has no more to open, its answers that
 * nobody came for give way.
 */
#define BUS_MAIL_MAX 4096
#define BUS_MAIL_OF_ONE_MAX 128
#define BUS_MAIL_BYTES_MAX (128 * 1024 * 1024)
#define BUS_MAIL_BYTES_OF_ONE_MAX (32 * 1024 * 1024)	/* one answer may be HTTP_RESPONSE_BODY_MAX */
enum mcp_err bus_mail_open(struct bus *b, const unsigned char key[DIGEST_SHA256_LEN],
    const unsigned char principal[DIGEST_SHA256_LEN], int64_t now_s, int64_t until_s) MCP_MUST_CHECK;

/*
 * MCP_ENOENT: there is no such box, it is over, it has its answer, or too many bytes lie in boxes already, all together
 * or the principal's.
 */
enum mcp_err bus_mail_put(struct bus *b, const unsigned char key[DIGEST_SHA256_LEN], int64_t now_s, const char *text,
    size_t len) MCP_MUST_CHECK;

/* Append what came to "out". MCP_EAGAIN: nothing yet; MCP_ENOENT: there is no such box (any more). */
enum mcp_err bus_mail_take(struct bus *b, const unsigned char key[DIGEST_SHA256_LEN],
    struct buf *out) MCP_MUST_CHECK;

/* Nobody waits any more. */
enum mcp_err bus_mail_close(struct bus *b, const unsigned char key[DIGEST_SHA256_LEN]) MCP_MUST_CHECK;

/*
 * Notes about a session (any owner, by its key): that it has ended, its log level, its subscriptions. Each has a name,
 * whose first word is its kind, and a value, and is good until "until_s". An owner has BUS_NOTES_OF_ONE_MAX of a kind
 * at most (MCP_ELIMIT). Of those of one principal (its digest) the last BUS_NOTES_OF_PRINCIPAL_MAX are kept, and of all
 * the last BUS_NOTES_MAX.
 */
#define BUS_NOTES_MAX 100000
#define BUS_NOTES_OF_ONE_MAX 256
#define BUS_NOTES_OF_PRINCIPAL_MAX 1024
#define BUS_NOTE_NAME_MAX (BUS_URI_MAX + 32)

/* Replaces the note of the name. "value" is short text, bounded as a name is. MCP_ELIMIT also for what is too long. */
enum mcp_err bus_note_set(struct bus *b, const unsigned char owner[DIGEST_SHA256_LEN],
    const unsigned char principal[DIGEST_SHA256_LEN], const char *name, const char *value, int64_t now_s,
    int64_t until_s) MCP_MUST_CHECK;

/* The same with an empty value and in the place of all notes that the owner has, however many. */
enum mcp_err bus_note_last(struct bus *b, const unsigned char owner[DIGEST_SHA256_LEN],
    const unsigned char principal[DIGEST_SHA256_LEN], const char *name, int64_t now_s,
    int64_t until_s) MCP_MUST_CHECK;

/* Append the value to "out" (NULL: not wanted). MCP_ENOENT: there is none, or it is over. */
enum mcp_err bus_note_get(struct bus *b, const unsigned char owner[DIGEST_SHA256_LEN], const char *name, int64_t now_s,
    struct buf *out) MCP_MUST_CHECK;

/* One that is not there is fine. */
enum mcp_err bus_note_delete(struct bus *b, const unsigned char owner[DIGEST_SHA256_LEN],
    const char *name) MCP_MUST_CHECK;

#endif
