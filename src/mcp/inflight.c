/* SPDX-License-Identifier: MIT */
#include "mcp/inflight.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "mcp/rpc.h"
#include "oauth/principal_digest.h"
#include "store/bus.h"

#define KEY_TEXT_MAX (64 * 1024)
#define NOTE "cancelled"	/* the name of a request's note on the bus; its value is when, on the monotonic clock */
#define NOTE_MAX 32
#define LOOK_EVERY_MS 200

/* All of this process, whichever configuration they began under. */
static struct {
	pthread_mutex_t lock;
	struct inflight *first;
} requests = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Make the key of a request with "id" of the caller of "x". Returns false without memory, or when there is no id. */
static bool
make_key(const struct rpc *x, const struct json_object *id, unsigned char key[DIGEST_SHA256_LEN])
{
	const struct principal *p = x->message->principal;
	const char *session = x->message->session_id ? x->message->session_id : "";
	const char *client = p && p->client_id ? p->client_id : "";
	struct buf text;
	bool made;

	if (!id || !p || !p->issuer || !p->subject)
		return false;
	buf_init(&text, KEY_TEXT_MAX);
	/* With the lengths, so that no two requests are written alike whatever their parts have in them. */
	buf_printf(&text, "%zu %zu %zu %zu %s%s%s%s", strlen(p->issuer), strlen(p->subject), strlen(client),
	    strlen(session), p->issuer, p->subject, client, session);
	json_render(id, &text);
	made = buf_status(&text) == MCP_OK && digest_sha256(text.data, text.len, key) == MCP_OK;
	buf_clear(&text);
	return made;
}

void
inflight_add(struct rpc *x)
{
	struct inflight *f = &x->inflight;

	if (!make_key(x, x->in.id, f->key))
		return;
	pthread_mutex_lock(&requests.lock);
	f->listed = true;
	f->since_ms = clock_monotonic_ms();
	atomic_store(&f->looked_ms, f->since_ms);
	f->prev = NULL;
	f->next = requests.first;
	if (f->next)
		f->next->prev = f;
	requests.first = f;
	pthread_mutex_unlock(&requests.lock);
}

void
inflight_remove(struct rpc *x)
{
	struct inflight *f = &x->inflight;

	if (!f->listed)
		return;
	pthread_mutex_lock(&requests.lock);
	*(f->prev ? &f->prev->next : &requests.first) = f->next;
	if (f->next)
		f->next->prev = f->prev;
	f->listed = false;
	pthread_mutex_unlock(&requests.lock);
}

/* Mark the requests with the key as cancelled. Returns whether there was one. */
static bool
cancel(const unsigned char key[DIGEST_SHA256_LEN])
{
	bool found = false;

	pthread_mutex_lock(&requests.lock);
	for (struct inflight *f = requests.first; f; f = f->next)
		if (memcmp(f->key, key, DIGEST_SHA256_LEN) == 0) {
			atomic_store(&f->cancelled, true);
			found = true;
		}
	pthread_mutex_unlock(&requests.lock);
	return found;
}

bool
inflight_is_cancelled(struct rpc *x)
{
	struct inflight *f = &x->inflight;
	int64_t now_ms = clock_monotonic_ms();
	struct buf at;

	if (atomic_load(&f->cancelled) || !f->listed || !x->service->bus
	    || now_ms - atomic_load(&f->looked_ms) < LOOK_EVERY_MS)
		return atomic_load(&f->cancelled);
	atomic_store(&f->looked_ms, now_ms);
	buf_init(&at, NOTE_MAX);
	/* The clock is that of the host, so of all processes. An id may have been used before, also before a boot. */
	if (bus_note_get(x->service->bus, f->key, NOTE, x->message->now_s, &at) == MCP_OK
	    && strtoll(at.data, NULL, 10) >= f->since_ms && strtoll(at.data, NULL, 10) <= clock_monotonic_ms())
		atomic_store(&f->cancelled, true);
	buf_clear(&at);
	return atomic_load(&f->cancelled);
}

/* Tell the other processes. */
static void
tell(const struct rpc *x, const unsigned char key[DIGEST_SHA256_LEN])
{
	const int64_t until_s = x->message->now_s + x->service->tool_timeout_ms / 1000 + 1;
	unsigned char principal[DIGEST_SHA256_LEN];
	char at[NOTE_MAX];
	enum mcp_err err = principal_digest(x->message->principal, principal);

	snprintf(at, sizeof(at), "%lld", (long long)clock_monotonic_ms());
	if (!err)
		err = bus_note_set(x->service->bus, key, principal, NOTE, at, x->message->now_s, until_s);
	if (err)
		log_warning("request %s: a cancellation is lost: %s", x->message->request_id, mcp_strerror(err));
}

int
inflight_cancelled(struct rpc *x)
{
	unsigned char key[DIGEST_SHA256_LEN];
	struct json_object *id;

	/* What is wrong with it is nobody's to hear: the sender asked for no answer. */
	if (json_get(x->in.params, "requestId", &id) == MCP_OK && make_key(x, id, key) && !cancel(key)
	    && x->service->bus)
		tell(x, key);
	return rpc_accepted(x);
}
