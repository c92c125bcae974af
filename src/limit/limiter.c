/* SPDX-License-Identifier: MIT */
/*
 * The rate limit. The way of a charge:
 *
 * 1. The request becomes a ticket with one part for each policy that applies to it.
 * 2. What is remembered (recall.h) may answer: a spent key refuses, a reservation grants. So the table is asked for the
 *    first request of a window, then about once for each tenth of the limit, more often as its end comes near.
 * 3. Otherwise the ticket queues. One thread leads: it takes what has queued, charges all of it in one transaction
 *    (budget.h), and hands out the answers; who came meanwhile queues, and the first of them leads next. So a busy
 *    process pays one commit for many requests.
 *
 * Requests of one key in one transaction are counted together and granted in the order of the queue.
 */
#include "limit/limiter.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "http/address.h"
#include "limit/budget.h"
#include "limit/recall.h"

#define POLICIES 2
#define BATCH_MAX 32			/* tickets in one transaction */
/* The largest reservation is the limit divided by this, so of limits below twice that nothing is reserved. */
#define BLOCKS_A_LIMIT 10

/* The first byte of a key says what the rest is. */
enum key_kind { KEY_UNKNOWN = 'u', KEY_IPV4 = '4', KEY_IPV6 = '6', KEY_PRINCIPAL = 'p' };

struct part {
	struct budget_key key;
	enum limit_policy policy;
	bool may_reserve;		/* the memory has room for a reservation, and none yet */
	size_t charge;			/* which of the batch's charges it belongs to */
	bool settled;			/* the figures below are set */
	bool granted;
	int64_t left, ends_s;
};

enum ticket_kind { TICKET_CHARGE, TICKET_PEEK, TICKET_FIGURES };

struct ticket {
	enum ticket_kind kind;
	int64_t now_s;
	struct part part[POLICIES];
	size_t parts;
	struct limiter_figures *figures;
	/* The queue: */
	struct ticket *next;
	sem_t turn;			/* posted once "done" or "leads" is set; then the ticket is its owner's alone */
	bool done, leads;
};

struct limiter {
	struct limit_rate rate[POLICIES];
	struct network *exempt;
	size_t exempts;
	struct budget *budget;		/* used by the leader only */
	pthread_mutex_t lock;		/* guards what follows, and is not held while the leader uses the budget */
	struct recall *recall;
	int64_t asked_s;		/* when the table was asked last */
	struct ticket *first, *last;	/* tickets that wait; a leader's batch is not among them */
	bool is_led;
	_Atomic int64_t admitted, refused, last_now_s;
};

static enum mcp_err
parse_settings(struct limiter *l, const struct limit_settings *settings)
{
	const char *address = settings->rate_address ? settings->rate_address : LIMIT_RATE_ADDRESS_DEFAULT;
	const char *principal = settings->rate_principal ? settings->rate_principal : LIMIT_RATE_PRINCIPAL_DEFAULT;

	if (limit_rate_parse(address, &l->rate[LIMIT_ADDRESS]) ||
	    limit_rate_parse(principal, &l->rate[LIMIT_PRINCIPAL]))
		return MCP_EINVAL;
	if (settings->exempt.n == 0)
		return MCP_OK;
	l->exempt = calloc(settings->exempt.n, sizeof *l->exempt);
	if (!l->exempt)
		return MCP_ENOMEM;
	for (; l->exempts < settings->exempt.n; l->exempts++)
		if (network_parse(settings->exempt.v[l->exempts], &l->exempt[l->exempts]) != MCP_OK)
			return MCP_EINVAL;
	return MCP_OK;
}

enum mcp_err
limiter_new(const struct limit_settings *settings, const char *state_dir, struct limiter **out)
{
	struct limiter *l = calloc(1, sizeof *l);
	enum mcp_err err;

	*out = NULL;
	if (!l)
		return MCP_ENOMEM;
	pthread_mutex_init(&l->lock, NULL);
	err = parse_settings(l, settings);
	if (!err)
		err = budget_new(state_dir, settings->max_rows, &l->budget);
	if (!err)
		err = recall_new(state_dir, &l->recall);
	if (err) {
		limiter_free(l);
		return err;
	}
	*out = l;
	return MCP_OK;
}

void
limiter_free(struct limiter *l)
{
	if (!l)
		return;
	recall_free(l->recall);
	budget_free(l->budget);
	free(l->exempt);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

static struct part *
add_part(struct ticket *t, enum limit_policy policy, enum key_kind kind)
{
	struct part *p = &t->part[t->parts++];

	p->policy = policy;
	p->key.bytes[0] = (uint8_t)kind;
	return p;
}

/* The part for the address, unless that is not limited. Returns false if the request is exempt from everything. */
static bool
add_address(const struct limiter *l, struct ticket *t, const char *text)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct address a;
	bool known = text && address_parse(text, strlen(text), &a) == MCP_OK;
	struct part *p;

	for (size_t i = 0; known && i < l->exempts; i++)
		if (network_has(&l->exempt[i], &a))
			return false;
	if (!l->rate[LIMIT_ADDRESS].limit)
		return true;
	if (!known) {
		add_part(t, LIMIT_ADDRESS, KEY_UNKNOWN);
	} else if (memcmp(a.bytes, mapped, sizeof mapped) == 0) {
		p = add_part(t, LIMIT_ADDRESS, KEY_IPV4);
		memcpy(p->key.bytes + 1, a.bytes + 12, 4);
	} else {
		p = add_part(t, LIMIT_ADDRESS, KEY_IPV6);
		memcpy(p->key.bytes + 1, a.bytes, 8);
	}
	return true;
}

static void
add_principal(const struct limiter *l, struct ticket *t, const char *principal)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	struct part *p;

	if (!principal || !l->rate[LIMIT_PRINCIPAL].limit ||
	    digest_sha256(principal, strlen(principal), digest) != MCP_OK)
		return;
	p = add_part(t, LIMIT_PRINCIPAL, KEY_PRINCIPAL);
	memcpy(p->key.bytes + 1, digest, BUDGET_KEY_BYTES - 1);
}

/* What is left of the whole budget, reservations included; 0 is a spent one. */
static int64_t
left_of(const struct limiter *l, enum limit_policy policy, const struct recall_entry *e)
{
	int64_t limit = l->rate[policy].limit, left = limit - e->used + e->reserved;

	return left < 0 ? 0 : left > limit ? limit : left;
}

static void
settle(struct part *p, bool granted, int64_t left, int64_t ends_s)
{
	p->settled = true;
	p->granted = granted;
	p->left = left;
	p->ends_s = ends_s;
}

/*
 * Answer the ticket from memory, as far as that goes. Returns whether nothing is left to ask. The first charge in a
 * second goes to the table even so: that finds out that it cannot be used any more, or can again.
 */
static bool
answer_from_memory(struct limiter *l, struct ticket *t)
{
	struct recall_place place[POLICIES];
	bool is_spent = false;
	size_t settled = 0;

	if (t->kind == TICKET_FIGURES || !recall_lock(l->recall, t->now_s, false))
		return false;
	for (size_t i = 0; i < t->parts && !is_spent; i++) {
		struct part *p = &t->part[i];
		const struct recall_entry *e = &place[i].entry;

		recall_look(l->recall, &p->key, l->rate[p->policy].window_s, t->now_s, &place[i]);
		p->may_reserve = place[i].at >= 0 && e->reserved == 0;
		is_spent = e->ends_s && left_of(l, p->policy, e) == 0;
		if (is_spent)
			settle(p, false, 0, e->ends_s);
	}
	for (size_t i = 0; i < t->parts && !is_spent; i++) {
		struct part *p = &t->part[i];
		struct recall_entry *e = &place[i].entry;

		if (!e->ends_s || (t->kind == TICKET_CHARGE && (e->reserved <= 0 || t->now_s != l->asked_s)))
			continue;
		if (t->kind == TICKET_CHARGE) {
			e->reserved--;
			recall_write(l->recall, &place[i]);
		}
		settle(p, true, left_of(l, p->policy, e), e->ends_s);
		settled++;
	}
	recall_unlock(l->recall);
	return is_spent || settled == t->parts;
}

/* The batch of a leader, and the charges it makes of it. */
struct batch {
	struct ticket *ticket[BATCH_MAX];
	size_t tickets;
	int64_t now_s;			/* the latest of its tickets */
	struct budget_charge charge[BATCH_MAX * POLICIES];
	enum limit_policy policy[BATCH_MAX * POLICIES];
	size_t charges;
};

static void
take_batch(struct limiter *l, struct batch *b)
{
	b->tickets = b->charges = 0;
	b->now_s = l->first->now_s;
	while (l->first && b->tickets < BATCH_MAX) {
		struct ticket *t = l->first;

		l->first = t->next;
		b->ticket[b->tickets++] = t;
		if (t->now_s > b->now_s)
			b->now_s = t->now_s;
	}
	if (!l->first)
		l->last = NULL;
}

/* Make one charge of all parts with the same key. */
static void
gather(const struct limiter *l, struct batch *b)
{
	for (size_t i = 0; i < b->tickets; i++) {
		for (size_t j = 0; b->ticket[i]->kind == TICKET_CHARGE && j < b->ticket[i]->parts; j++) {
			struct part *p = &b->ticket[i]->part[j];
			size_t c = 0;

			if (p->settled)
				continue;
			while (c < b->charges && memcmp(&b->charge[c].key, &p->key, sizeof p->key) != 0)
				c++;
			if (c == b->charges) {
				b->charges++;
				b->charge[c] = (struct budget_charge){ .key = p->key, .limit = l->rate[p->policy].limit,
				    .window_s = l->rate[p->policy].window_s };
				b->policy[c] = p->policy;
			}
			b->charge[c].wanted++;
			if (p->may_reserve)
				b->charge[c].spare = b->charge[c].limit / BLOCKS_A_LIMIT;
			p->charge = c;
		}
	}
	for (size_t c = 0; c < b->charges; c++) {
		struct budget_charge *charge = &b->charge[c];

		charge->spare = charge->spare > charge->wanted ? charge->spare - charge->wanted : 0;
	}
}

/*
 * What the table said about a key, joined with what is remembered of it. Another process may have told its own charge
 * of the same window before us, or after us; budgets only shrink.
 */
static void
join(struct limiter *l, const struct batch *b, size_t i, bool is_locked, struct recall_place *place)
{
	const struct budget_charge *c = &b->charge[i];
	struct recall_entry *e = &place->entry;

	*place = (struct recall_place){ .entry = { .key = c->key }, .at = -1 };
	if (is_locked)
		recall_look(l->recall, &c->key, c->window_s, b->now_s, place);
	if (e->ends_s != c->ends_s) {
		e->ends_s = c->ends_s;
		e->used = e->reserved = 0;
	}
	if (e->used < c->used)
		e->used = (int32_t)c->used;
	e->reserved += (int32_t)c->reserved;
}

/* Hand out what was granted, in the order of the queue, then what others have reserved; remember the rest. */
static void
hand_out(struct limiter *l, struct batch *b)
{
	struct recall_place place[BATCH_MAX * POLICIES];
	int64_t to_give[BATCH_MAX * POLICIES];
	bool has_reserved = false, is_locked;

	for (size_t i = 0; i < b->charges; i++)
		has_reserved = has_reserved || b->charge[i].reserved > 0;
	is_locked = recall_lock(l->recall, b->now_s, has_reserved);
	for (size_t i = 0; i < b->charges; i++) {
		join(l, b, i, is_locked, &place[i]);
		to_give[i] = b->charge[i].granted;
	}
	for (size_t i = 0; i < b->tickets; i++) {
		for (size_t j = 0; b->ticket[i]->kind == TICKET_CHARGE && j < b->ticket[i]->parts; j++) {
			struct part *p = &b->ticket[i]->part[j];
			struct recall_entry *e = &place[p->charge].entry;
			bool granted = to_give[p->charge] > 0 || (e->reserved > 0 && left_of(l, p->policy, e) > 0);

			if (p->settled)
				continue;
			if (to_give[p->charge] > 0)
				to_give[p->charge]--;
			else if (granted)
				e->reserved--;
			settle(p, granted, left_of(l, p->policy, e) + to_give[p->charge], e->ends_s);
		}
	}
	for (size_t i = 0; i < b->charges && is_locked; i++) {
		const struct recall_entry *e = &place[i].entry;
		struct recall_place now;

		/* Nobody peeks at a principal, so one that is neither spent nor reserved needs no room. */
		if (b->policy[i] != LIMIT_ADDRESS && e->reserved == 0 && left_of(l, b->policy[i], e) > 0)
			continue;
		/* One that was written just now may have taken the place; a newer window, of another process, stays. */
		recall_look(l->recall, &e->key, b->charge[i].window_s, b->now_s, &now);
		if (now.entry.ends_s > e->ends_s)
			continue;
		now.entry = *e;
		recall_write(l->recall, &now);
	}
	if (is_locked)
		recall_unlock(l->recall);
}

/* Lead: serve what waits, "own" first of all. Called with the lock held, left without it. */
static void
lead(struct limiter *l, const struct ticket *own)
{
	enum mcp_err err = MCP_OK;
	struct ticket *next;
	struct batch b;

	take_batch(l, &b);
	gather(l, &b);
	l->asked_s = b.now_s;
	pthread_mutex_unlock(&l->lock);
	if (b.charges)
		err = budget_charge(l->budget, b.charge, b.charges, b.now_s);
	for (size_t i = 0; i < b.tickets; i++) {
		if (b.ticket[i]->kind == TICKET_FIGURES) {
			b.ticket[i]->figures->usable = budget_usable(l->budget, b.now_s, &b.ticket[i]->figures->rows);
			b.ticket[i]->figures->faults = budget_faults(l->budget);
		}
	}
	pthread_mutex_lock(&l->lock);
	if (!err)
		hand_out(l, &b);
	next = l->first;
	l->is_led = next != NULL;
	pthread_mutex_unlock(&l->lock);
	/* Who waits is not woken while we hold the lock, and needs it no more. */
	if (next) {
		next->leads = true;
		sem_post(&next->turn);
	}
	for (size_t i = 0; i < b.tickets; i++) {
		if (b.ticket[i] == own)
			continue;
		b.ticket[i]->done = true;
		sem_post(&b.ticket[i]->turn);
	}
}

/* Have the ticket served. Called with the lock held, left without it. */
static void
serve(struct limiter *l, struct ticket *t)
{
	sem_init(&t->turn, 0, 0);
	if (l->last)
		l->last->next = t;
	else
		l->first = t;
	l->last = t;
	if (l->is_led) {
		pthread_mutex_unlock(&l->lock);
		while (sem_wait(&t->turn) != 0)
			;	/* EINTR */
		if (t->leads)
			pthread_mutex_lock(&l->lock);
	} else {
		t->leads = true;
		l->is_led = true;
	}
	if (t->leads)
		lead(l, t);
	sem_destroy(&t->turn);
}

/* What the parts add up to. */
static void
judge(const struct limiter *l, const struct ticket *t, struct limit_verdict *v)
{
	const struct part *nearest = NULL;

	for (size_t i = 0; i < t->parts; i++) {
		const struct part *p = &t->part[i];

		if (!p->settled)
			continue;
		if (!nearest || (nearest->granted && !p->granted) || (p->granted == nearest->granted &&
		    p->left < nearest->left))
			nearest = p;
	}
	memset(v, 0, sizeof *v);
	v->admitted = !nearest || nearest->granted;
	if (!nearest)
		return;
	v->limited = true;
	v->policy = nearest->policy;
	v->rate = l->rate[nearest->policy];
	v->remaining = nearest->left;
	v->reset_s = nearest->ends_s - t->now_s;
	if (v->reset_s > v->rate.window_s)
		v->reset_s = v->rate.window_s;
	if (v->reset_s < 1)
		v->reset_s = 1;
}

void
limiter_peek(struct limiter *l, const char *address, int64_t now_s, struct limit_verdict *v)
{
	struct ticket t = { .kind = TICKET_PEEK, .now_s = now_s };

	if (add_address(l, &t, address) && t.parts) {
		pthread_mutex_lock(&l->lock);
		(void)answer_from_memory(l, &t);
		pthread_mutex_unlock(&l->lock);
	}
	judge(l, &t, v);
}

void
limiter_charge(struct limiter *l, const char *address, const char *principal, int64_t now_s, struct limit_verdict *v)
{
	struct ticket t = { .kind = TICKET_CHARGE, .now_s = now_s };

	if (add_address(l, &t, address))
		add_principal(l, &t, principal);
	atomic_store_explicit(&l->last_now_s, now_s, memory_order_relaxed);
	if (t.parts) {
		pthread_mutex_lock(&l->lock);
		if (answer_from_memory(l, &t))
			pthread_mutex_unlock(&l->lock);
		else
			serve(l, &t);
	}
	judge(l, &t, v);
	atomic_fetch_add_explicit(v->admitted ? &l->admitted : &l->refused, 1, memory_order_relaxed);
}

void
limiter_figures(struct limiter *l, struct limiter_figures *out)
{
	struct ticket t = { .kind = TICKET_FIGURES, .now_s = l->last_now_s, .figures = out };

	memset(out, 0, sizeof *out);
	pthread_mutex_lock(&l->lock);
	serve(l, &t);
	out->admitted = l->admitted;
	out->refused = l->refused;
}
