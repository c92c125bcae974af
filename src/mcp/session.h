/* SPDX-License-Identifier: MIT */
#ifndef MCP_MCP_SESSION_H
#define MCP_MCP_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"

struct json_object;
struct mcp_message;
struct mcp_service;
struct rpc;

/*
 * Sessions of the legacy era. The id says all that is known of one: version, the client's capabilities, when it was
 * begun; sealed, and bound to the principal, so that any process can read it and nobody makes one. It lasts a day.
 * Without a session the server serves as well, but asks a client nothing and keeps nothing for it. What is kept of a
 * session are notes on the bus: that it was ended, the level of its log messages, its subscriptions. Source: MCP
 * 2025-11-25 basic/transports "Session Management".
 */
struct session {
	bool open;
	const char *version;		/* static: the protocol version that was agreed on */
	struct json_object *capabilities;	/* owned, of the client: what it can be asked */
	int64_t ends_s;
	unsigned char key[DIGEST_SHA256_LEN];	/* owner of its notes */
	unsigned char principal[DIGEST_SHA256_LEN];	/* whose they are */
};

/* Names of notes. A subscription's is followed by the URI. */
#define SESSION_ENDED "ended"
#define SESSION_LEVEL "level"
#define SESSION_SUBSCRIPTION "subscription "

/*
 * Begin a session for a client with these capabilities, which speaks x->version: its id goes to reply->session_id.
 * Without keys (or memory) there is none, which the log says.
 */
void session_begin(struct rpc *x, const struct json_object *capabilities);

/*
 * Read the message's session, if it has one, into x->session. Returns 0; or -1 with the answer: it is not one of the
 * principal's, is over, or was ended (404), or that cannot be found out (503). session_clear() follows in both cases;
 * all zero is fine.
 */
int session_open(struct rpc *x);
void session_clear(struct session *s);

/*
 * End the message's session (DELETE). Returns the HTTP status: 204; 400: its protocol version is none; 404: it is no
 * session, or was ended already; 503: that cannot be found out, or not be kept.
 */
int session_end(const struct mcp_service *service, const struct mcp_message *message);

/*
 * The box on the bus that only this session can open, for what "id" names among things of one "kind" (static, one
 * word). Returns MCP_OK with "box" filled, MCP_ENOMEM, MCP_ELIMIT (an id beyond some hundred bytes).
 */
enum mcp_err session_box(const struct rpc *x, const char *kind, const char *id,
    unsigned char box[DIGEST_SHA256_LEN]) MCP_MUST_CHECK;

/* Answer logging/setLevel. Returns -1. */
int session_set_level(struct rpc *x);

/* Have x->notify send what the session has asked for; nothing without a session. */
void session_apply_level(struct rpc *x);

/*
 * Note that the client wants to hear of changes of "uri", or no longer. Returns 0, or -1 with the answer when there is
 * no session, or it cannot be kept.
 */
int session_subscribe(struct rpc *x, const char *uri, bool wanted);

#endif
