/* SPDX-License-Identifier: MIT */
#include "mcp/inflight.h"

#include <pthread.h>
#include <string.h>

#include "base/json.h"
#include "mcp/rpc.h"

#define KEY_TEXT_MAX (64 * 1024)

/* All of this process, whichever configuration they began under. */
static struct {
	pthread_mutex_t lock;
	struct inflight *first;
} requests = { .lock = PTHREAD_MUTEX_INITIALIZER };

bool
inflight_key(const struct rpc *x, const struct json_object *id, unsigned char key[DIGEST_SHA256_LEN])
{
	const struct principal *p = x->message->principal;
	const char *session = x->message->session_id ? x->message->session_id : "";
	struct buf text;
	bool made;

	if (!id || !p || !p->issuer || !p->subject)
		return false;
	buf_init(&text, KEY_TEXT_MAX);
	/* With the lengths, so that no two requests are written alike whatever their parts have in them. */
	buf_printf(&text, "%zu %zu %zu %s%s%s", strlen(p->issuer), strlen(p->subject), strlen(session), p->issuer,
	    p->subject, session);
	json_render(id, &text);
	made = buf_status(&text) == MCP_OK && digest_sha256(text.data, text.len, key) == MCP_OK;
	buf_clear(&text);
	return made;
}

void
inflight_add(struct rpc *x)
{
	struct inflight *f = &x->inflight;

	if (!inflight_key(x, x->in.id, f->key))
		return;
	pthread_mutex_lock(&requests.lock);
	f->listed = true;
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

bool
inflight_cancel(const unsigned char key[DIGEST_SHA256_LEN])
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

int
inflight_cancelled(struct rpc *x)
{
	unsigned char key[DIGEST_SHA256_LEN];
	struct json_object *id;

	/* What is wrong with it is nobody's to hear: the sender asked for no answer. */
	if (json_get(x->in.params, "requestId", &id) == MCP_OK && inflight_key(x, id, key))
		(void)inflight_cancel(key);
	return rpc_accepted(x);
}
