/* SPDX-License-Identifier: MIT */
/*
 * One issuer's keys over time, for all threads: the rules of keylease (who may fetch when) and keyset (the set in use)
 * under a lock, with the network, state.db and the file around them.
 *
 * Life of a set: 1. taken from state.db, where some process has put the last good one, or from the operator's file; 2.
 * held as a snapshot, so that threads use it without a lock; 3. refreshed shortly before its soft TTL ends, after an
 * answer and by one process; while that fails the old set goes on; 4. dropped at the hard TTL.
 *
 * Inside a process one thread fetches and the others wait for it, unless fetching failed before: an outage must not
 * collect waiting threads. Where state.db cannot be used each process keeps to its own stamps.
 *
 * Nothing here looks at signatures: a bad signature under a known kid comes here as a question that the set answers.
 */
#include "oauth/keystore.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/ending.h"
#include "base/log.h"
#include "base/text.h"
#include "oauth/discovery.h"
#include "oauth/keyfetch.h"
#include "oauth/keylease.h"
#include "oauth/keyset.h"
#include "store/state.h"

#define SOFT_TTL_MIN_S 300	/* whatever Cache-Control says */
#define SOFT_TTL_MAX_S 21600
#define LOOK_S 2		/* how often state.db or the file is looked at without need */
#define FOLLOW_MS 5500		/* how long one waits for somebody else's fetch */
#define FOLLOW_STEP_MS 50
#define WAITING_MAX 3		/* threads that may wait because of an unknown kid while there is a set */
#define LOG_PERIOD_S 60

struct keystore {
	/* One of them is NULL. With "discovery" the URI is its issuer with a mark: a name for state.db and the log. */
	char *uri, *file;
	struct discovery *discovery;
	const struct fetch_policy *fetch;
	struct state *state;
	int64_t cooldown_s, soft_ttl_s;

	pthread_mutex_t lock;	/* of all that follows; never held while the network or the database is asked */
	pthread_cond_t done;	/* "busy" became false */
	struct keyset set;
	int64_t generation;	/* the row of state.db that was looked at last */
	struct keyfetch_stamp stamp;
	struct keylease lease;
	bool busy;		/* a thread fetches, or follows another process's fetch */
	bool must_fetch;	/* keystore_invalidate() */
	bool asked;		/* somebody has wanted a key */
	bool looked;
	int64_t looked_s;
	unsigned waiting;
	int64_t fetches, failures;
	char last_fault[KEYFETCH_FAULT_MAX];
	struct log_throttle fault_throttle, state_throttle;
};

static int64_t
clamp(int64_t n, int64_t min, int64_t max)
{
	return n < min ? min : n > max ? max : n;
}

/* The name of where keys come from, NULL for a file or when memory is short. */
static char *
source_name(const struct keystore_options *options)
{
	struct buf b;

	if (options->file)
		return NULL;
	buf_init(&b, 8192);
	if (options->uri)
		buf_puts(&b, options->uri);
	else
		buf_printf(&b, "%s (by its metadata)", discovery_issuer(options->discovery));
	return buf_steal(&b, NULL);
}

enum mcp_err
keystore_new(const struct keystore_options *options, struct keystore **out)
{
	struct keystore *k = calloc(1, sizeof(*k));
	pthread_condattr_t attributes;

	*out = NULL;
	if (!options->file && !options->uri && !options->discovery) {
		free(k);
		return MCP_EINVAL;
	}
	if (!k)
		return MCP_ENOMEM;
	k->uri = source_name(options);
	if (options->file)
		k->file = text_dup(options->file, strlen(options->file));
	else if (!options->uri)
		k->discovery = options->discovery;
	if (!k->file && !k->uri) {
		free(k);
		return MCP_ENOMEM;
	}
	k->fetch = options->fetch;
	k->state = options->state;
	k->cooldown_s = options->cooldown_s ? options->cooldown_s : 30;
	k->soft_ttl_s = options->soft_ttl_s ? options->soft_ttl_s : 3600;
	k->set.hard_ttl_s = k->file ? 0 : options->hard_ttl_s ? options->hard_ttl_s : 86400;
	pthread_mutex_init(&k->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&k->done, &attributes);
	pthread_condattr_destroy(&attributes);
	*out = k;
	return MCP_OK;
}

void
keystore_free(struct keystore *k)
{
	if (!k)
		return;
	keyset_drop(&k->set);
	pthread_cond_destroy(&k->done);
	pthread_mutex_destroy(&k->lock);
	free(k->uri);
	free(k->file);
	free(k);
}

/* ---- looking at what others left --------------------------------------------------------------------------------- */

static void
look_at_file(struct keystore *k, int64_t now_s)
{
	char fault[KEYFETCH_FAULT_MAX];
	struct jwks *set;
	enum mcp_err err;

	pthread_mutex_lock(&k->lock);
	err = keyfetch_file(k->file, &k->stamp, &set, fault);
	if (set) {
		keyset_adopt(&k->set, set, now_s, k->soft_ttl_s);
		k->last_fault[0] = '\0';
	} else if (err) {
		snprintf(k->last_fault, sizeof(k->last_fault), "%s", fault);
		if (log_throttle_open(&k->fault_throttle, now_s, LOG_PERIOD_S, NULL))
			log_error("keys: %s cannot be used: %s; %s", k->file, fault,
			    k->set.set ? "the keys read before stay" : "there are no keys, tokens get 503");
	}
	pthread_mutex_unlock(&k->lock);
}

static void
look_at_state(struct keystore *k, int64_t now_s)
{
	struct state_keys row = { 0 };
	enum mcp_err err = MCP_OK;
	struct jwks *set = NULL;
	bool wanted;

	if (state_keys_get(k->state, k->uri, &row)) {
		pthread_mutex_lock(&k->lock);
		if (log_throttle_open(&k->state_throttle, now_s, LOG_PERIOD_S, NULL))
			log_warning("keys: the state database cannot be read; this process fetches for itself");
		pthread_mutex_unlock(&k->lock);
		return;
	}
	row.fetched_s = clamp(row.fetched_s, 0, INT64_MAX);
	pthread_mutex_lock(&k->lock);
	keylease_learn(&k->lease, &row, now_s);
	wanted = row.jwks && row.generation != k->generation && !k->must_fetch;
	pthread_mutex_unlock(&k->lock);
	/* What is in the file is read as strictly as what comes from the network. */
	if (wanted)
		err = jwks_parse(row.jwks, strlen(row.jwks), &set, NULL);
	if (err == MCP_ENOMEM || err == MCP_ECRYPTO)
		wanted = false;		/* no fault of the file: another time */
	else if (err)
		log_warning("keys: the key set kept for %s is damaged and not used", k->uri);
	if (wanted) {
		pthread_mutex_lock(&k->lock);
		k->generation = row.generation;
		/* One of ours that lies in the future is of the time before the clock was put back. */
		if (set && !k->must_fetch && (row.fetched_s >= k->set.fetched_s ||
		    k->set.fetched_s > now_s + KEYLEASE_S || !keyset_is_usable(&k->set, now_s))) {
			keyset_adopt(&k->set, set, row.fetched_s, row.soft_ttl_s);
			set = NULL;
		}
		pthread_mutex_unlock(&k->lock);
	}
	jwks_unref(set);
	state_keys_clear(&row);
}

/* See whether somebody else knows more; every LOOK_S, or now with "must". */
static void
look(struct keystore *k, int64_t now_s, bool must)
{
	bool due;

	pthread_mutex_lock(&k->lock);
	due = must || !k->looked || clock_distance_s(now_s, k->looked_s) >= LOOK_S;
	if (due) {
		k->looked = true;
		k->looked_s = now_s;
	}
	pthread_mutex_unlock(&k->lock);
	if (due && k->file)
		look_at_file(k, now_s);
	else if (due && k->state)
		look_at_state(k, now_s);
}

/* ---- fetching ---------------------------------------------------------------------------------------------------- */

/* Needs the lock. */
static enum keylease_plan
make_plan(const struct keystore *k, int64_t now_s, int64_t cooldown_s)
{
	if (!k->uri)
		return KEYLEASE_NOTHING;
	return k->must_fetch ? KEYLEASE_FETCH : keylease_plan(&k->lease, now_s, cooldown_s);
}

static void
log_fetched(struct keystore *k, bool after_trouble, size_t keys)
{
	if (after_trouble)
		log_info("keys: %s answers again", k->uri);
	log_info("keys: %zu from %s", keys, k->uri);
}

static void
log_not_fetched(struct keystore *k, int64_t now_s, const char *fault, bool usable, int64_t age_s)
{
	unsigned long held = 0;
	bool open;

	pthread_mutex_lock(&k->lock);
	open = log_throttle_open(&k->fault_throttle, now_s, LOG_PERIOD_S, &held);
	pthread_mutex_unlock(&k->lock);
	if (!open)
		return;
	if (usable)
		log_warning("keys: %s cannot be fetched: %s; the set of %" PRId64 " s ago stays", k->uri, fault, age_s);
	else
		log_error("keys: %s cannot be fetched: %s; there are no keys, tokens get 503", k->uri, fault);
}

/* Fetch, and tell everybody how it went. The thread that does this has set k->busy. */
static void
refresh(struct keystore *k, int64_t now_s)
{
	char fault[KEYFETCH_FAULT_MAX];
	struct jwks *set = NULL;
	int64_t max_age_s, ttl_s, age_s;
	bool was_troubled, usable;
	enum mcp_err err;
	struct buf text;
	size_t keys;

	pthread_mutex_lock(&k->lock);
	was_troubled = k->lease.troubled;
	keylease_begin(&k->lease, now_s);
	k->fetches++;
	pthread_mutex_unlock(&k->lock);

	buf_init(&text, JWKS_BYTES_MAX);
	if (k->discovery)
		err = keyfetch_discovered(k->discovery, k->fetch, now_s, &set, &text, &max_age_s, fault);
	else
		err = keyfetch_url(k->uri, k->fetch, &set, &text, &max_age_s, fault);
	if (!err && buf_status(&text)) {
		err = buf_status(&text);
		snprintf(fault, sizeof(fault), "%s", mcp_strerror(err));
	}
	ttl_s = max_age_s < 0 ? k->soft_ttl_s : clamp(max_age_s, SOFT_TTL_MIN_S, SOFT_TTL_MAX_S);
	keys = set ? jwks_count(set) : 0;

	pthread_mutex_lock(&k->lock);
	keylease_end(&k->lease, err != MCP_OK);
	if (!err) {
		keyset_adopt(&k->set, set, now_s, ttl_s);
		set = NULL;
		k->last_fault[0] = '\0';
	} else {
		k->failures++;
		snprintf(k->last_fault, sizeof(k->last_fault), "%s", fault);
	}
	usable = keyset_is_usable(&k->set, now_s);
	age_s = clock_distance_s(now_s, k->set.fetched_s);
	pthread_mutex_unlock(&k->lock);

	/* What was cut off says nothing of the issuer: the lease runs out, and another process fetches. */
	if (k->state && err != MCP_ECLOSED && state_keys_end(k->state, k->uri, err ? NULL : text.data, now_s, ttl_s))
		log_warning("keys: the state database cannot be written; other processes fetch for themselves");
	if (err)
		log_not_fetched(k, now_s, fault, usable, age_s);
	else
		log_fetched(k, was_troubled, keys);
	jwks_unref(set);
	buf_clear(&text);
}

/* Whether another process's fetch still runs. */
static bool
is_running_elsewhere(struct keystore *k, int64_t now_s)
{
	bool running;

	look(k, now_s, true);
	pthread_mutex_lock(&k->lock);
	running = keylease_is_running(&k->lease, now_s);
	pthread_mutex_unlock(&k->lock);
	return running;
}

/* Wait until another process's fetch has ended, or for so long as one can last. */
static void
follow(struct keystore *k, int64_t now_s)
{
	const struct timespec step = { 0, FOLLOW_STEP_MS * 1000000L };
	int64_t end_ms = clock_monotonic_ms() + FOLLOW_MS;

	while (is_running_elsewhere(k, now_s) && clock_monotonic_ms() < end_ms
	    && clock_monotonic_ms() < ending_ms())
		nanosleep(&step, NULL);
}

/*
 * Carry out a plan made with the lock held; the lock is released meanwhile. With "patient" another process's fetch is
 * waited for. "cooldown_s" as the plan had it.
 */
static void
carry_out(struct keystore *k, enum keylease_plan plan, int64_t now_s, int64_t cooldown_s, bool patient)
{
	bool mine = true;
	int64_t apart_s = k->must_fetch ? 0 : keylease_apart_s(&k->lease, cooldown_s);

	k->busy = true;
	k->must_fetch = false;
	pthread_mutex_unlock(&k->lock);
	/* With a database in trouble the stamps of this process are what there is. */
	if (plan == KEYLEASE_FETCH && k->state && state_keys_begin(k->state, k->uri, now_s, apart_s, &mine))
		mine = true;
	if (plan == KEYLEASE_FETCH && mine)
		refresh(k, now_s);
	else if (patient)
		follow(k, now_s);
	pthread_mutex_lock(&k->lock);
	k->busy = false;
	pthread_cond_broadcast(&k->done);
}

/* Wait for the thread that is busy, for as long as it can take. Needs the lock. */
static void
wait_for_thread(struct keystore *k)
{
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += FOLLOW_MS / 1000 + 1;
	k->waiting++;
	while (k->busy && pthread_cond_timedwait(&k->done, &k->lock, &end) == 0)
		continue;
	k->waiting--;
}

/* ---- questions --------------------------------------------------------------------------------------------------- */

enum need {
	NEED_NOTHING,		/* the set answers the question */
	NEED_FRESH,		/* it does, but nobody has refreshed it for long */
	NEED_KID,		/* the kid is not in the set */
	NEED_SET		/* there is no usable set */
};

/* Whether this server was idle: no answer, so no refresh after one; keys may be withdrawn by now. Needs the lock. */
static bool
was_idle(const struct keystore *k, int64_t now_s)
{
	return k->uri && !k->busy && keyset_is_forgotten(&k->set, now_s) &&
	    keylease_is_idle(&k->lease, now_s, k->cooldown_s);
}

/* Ask the set. With NEED_NOTHING *answer is set and, with KEYSTORE_FOUND, *set has a reference; with NEED_FRESH too. */
static enum need
consult(struct keystore *k, const char *kid, const char *alg, int64_t now_s, enum keystore_answer *answer,
    struct jwks **set)
{
	enum need need = NEED_NOTHING;
	bool known = false;

	pthread_mutex_lock(&k->lock);
	k->asked = true;
	*answer = KEYSTORE_UNKNOWN;
	if (k->must_fetch || !keyset_is_usable(&k->set, now_s)) {
		need = NEED_SET;
	} else if (jwks_select(k->set.set, kid, alg, &known) || known) {
		*answer = KEYSTORE_FOUND;
		*set = jwks_ref(k->set.set);
		if (was_idle(k, now_s))
			need = NEED_FRESH;
	} else if (kid) {
		need = NEED_KID;
	}
	pthread_mutex_unlock(&k->lock);
	return need;
}

/* Get what is needed, if it is time for that. */
static void
obtain(struct keystore *k, enum need need, int64_t now_s)
{
	bool must_wait, crowded;
	enum keylease_plan plan;

	pthread_mutex_lock(&k->lock);
	plan = make_plan(k, now_s, k->cooldown_s);
	must_wait = k->busy || plan == KEYLEASE_FOLLOW;
	crowded = need == NEED_KID && k->waiting >= WAITING_MAX;
	if (must_wait && (need == NEED_FRESH || k->lease.troubled || crowded))
		plan = KEYLEASE_NOTHING;
	if (plan != KEYLEASE_NOTHING && k->busy)
		wait_for_thread(k);
	else if (plan != KEYLEASE_NOTHING)
		carry_out(k, plan, now_s, k->cooldown_s, true);
	pthread_mutex_unlock(&k->lock);
}

enum keystore_answer
keystore_find(struct keystore *k, const char *kid, const char *alg, int64_t now_s, struct jwks **set)
{
	enum keystore_answer answer;
	enum need need;
	bool failed;

	*set = NULL;
	look(k, now_s, false);
	need = consult(k, kid, alg, now_s, &answer, set);
	for (int step = 0; step < 2 && need != NEED_NOTHING; step++) {
		jwks_unref(*set);
		*set = NULL;
		if (step == 0)
			look(k, now_s, true);	/* others may know more already */
		else
			obtain(k, need, now_s);
		need = consult(k, kid, alg, now_s, &answer, set);
	}
	if (need == NEED_NOTHING || need == NEED_FRESH)
		return answer;
	if (need == NEED_SET)
		return KEYSTORE_UNAVAILABLE;
	/*
	 * An unknown kid: if the last fetch was good, nobody has this key; else nobody can say. A thread that is busy
	 * is about to fetch, or does, or waits for who does.
	 */
	pthread_mutex_lock(&k->lock);
	failed = k->uri && (k->busy || k->lease.failed || k->lease.running);
	pthread_mutex_unlock(&k->lock);
	return failed ? KEYSTORE_UNAVAILABLE : KEYSTORE_UNKNOWN;
}

/* Nothing can be served without keys, and maintaining delays nobody: then it tries more often. Needs the lock. */
static int64_t
maintaining_cooldown(const struct keystore *k, int64_t now_s)
{
	return keyset_is_usable(&k->set, now_s) ? k->cooldown_s : clamp(k->cooldown_s / 3, 1, k->cooldown_s);
}

/* Needs the lock. */
static bool
is_due(const struct keystore *k, int64_t now_s)
{
	return k->asked && !k->busy && keyset_is_aged(&k->set, now_s) &&
	    make_plan(k, now_s, maintaining_cooldown(k, now_s)) == KEYLEASE_FETCH;
}

bool
keystore_is_due(struct keystore *k, int64_t now_s)
{
	bool due;

	look(k, now_s, false);
	pthread_mutex_lock(&k->lock);
	due = is_due(k, now_s);
	pthread_mutex_unlock(&k->lock);
	return due;
}

void
keystore_maintain(struct keystore *k, int64_t now_s)
{
	look(k, now_s, false);
	pthread_mutex_lock(&k->lock);
	if (is_due(k, now_s))
		carry_out(k, KEYLEASE_FETCH, now_s, maintaining_cooldown(k, now_s), false);
	pthread_mutex_unlock(&k->lock);
}

void
keystore_invalidate(struct keystore *k)
{
	pthread_mutex_lock(&k->lock);
	keyset_drop(&k->set);
	k->generation = 0;
	k->looked = false;
	k->stamp = (struct keyfetch_stamp){ 0 };
	k->must_fetch = k->uri != NULL;
	pthread_mutex_unlock(&k->lock);
}

void
keystore_figures(struct keystore *k, int64_t now_s, struct keystore_figures *out)
{
	pthread_mutex_lock(&k->lock);
	out->usable = keyset_is_usable(&k->set, now_s);
	out->is_file = k->file != NULL;
	out->keys = k->set.set ? jwks_count(k->set.set) : 0;
	out->age_s = k->set.set ? clock_distance_s(now_s, k->set.fetched_s) : -1;
	out->fetches = k->fetches;
	out->failures = k->failures;
	memcpy(out->last_fault, k->last_fault, sizeof(out->last_fault));
	pthread_mutex_unlock(&k->lock);
}
