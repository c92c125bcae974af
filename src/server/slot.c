/* SPDX-License-Identifier: MIT */
/*
 * The current server of a process. Life: 1. server_slot_new() loads the configuration; 2. each request borrows the
 * current server; 3. at most once a second the thread that asks looks whether the file is another one than at the last
 * look; 4. if so it builds a new server while the others go on with the old one, and puts it in its place when it is
 * good.
 */
#include "server/server.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "mcp/registry.h"
#include "server/exchange.h"
#include "server/refusal_log.h"
#include "store/bus.h"

#define LOOK_EVERY_MS 1000

struct server_slot {
	pthread_mutex_t lock;	/* never held while building */
	struct server *current;
	int64_t looked_ms;
	bool building;
	char *path;		/* as given by --config, or NULL */
	char *const *environ_;
	struct server_process process;
	struct server_config_version seen;	/* touched only by the one thread that looks */
	/* The thread that does what is due after an answer; under the lock: */
	pthread_t late;
	bool late_made;		/* there is one to join */
	bool late_runs;
};

static bool
same(const struct server_config_version *a, const struct server_config_version *b)
{
	return a->exists == b->exists && a->device == b->device && a->inode == b->inode && a->size == b->size
	    && a->modified.tv_sec == b->modified.tv_sec && a->modified.tv_nsec == b->modified.tv_nsec;
}

/*
 * Load the configuration, of "path" unless that is NULL, and build a server; *seen is the version of the file just
 * before it was read.
 */
static enum mcp_err
load(const struct server_slot *slot, const char *path, struct report *report, struct server_config_version *seen,
    struct server **out)
{
	struct server_config *config;
	enum mcp_err err;

	*out = NULL;
	memset(seen, 0, sizeof *seen);
	err = server_config_load(path, slot->environ_, report, &config);
	if (err)
		return err;
	*seen = config->version;
	return server_new(config, &slot->process, report, out);
}

static void
open_log(const struct server *s)
{
	const struct server_settings *set = server_settings(s);
	enum log_level level = LOG_LEVEL_INFO;

	if (set->log_level)
		(void)!log_level_parse(set->log_level, &level);
	if (log_open(level, set->log_to ? set->log_to : "stderr"))
		log_error("LOG_TO %s cannot be opened: %m", set->log_to);
}

enum mcp_err
server_slot_new(const char *path, char *const *environ_, const struct server_process *process, struct report *report,
    struct server_slot **out)
{
	struct server_slot *slot = calloc(1, sizeof *slot);
	enum mcp_err err = MCP_ENOMEM;

	*out = NULL;
	if (!slot)
		return MCP_ENOMEM;
	pthread_mutex_init(&slot->lock, NULL);
	slot->environ_ = environ_;
	slot->process = *process;
	slot->looked_ms = clock_monotonic_ms();
	if (path && !(slot->path = text_dup(path, strlen(path))))
		goto out;
	err = load(slot, slot->path, report, &slot->seen, &slot->current);
	if (err)
		goto out;
	open_log(slot->current);
	*out = slot;
	slot = NULL;
out:
	server_slot_free(slot);
	return err;
}

void
server_slot_free(struct server_slot *slot)
{
	if (!slot)
		return;
	if (slot->late_made)
		pthread_join(slot->late, NULL);
	server_unref(slot->current);
	pthread_mutex_destroy(&slot->lock);
	free(slot->path);
	free(slot);
}

static bool
same_list(const struct server *a, const struct server *b, enum registry_kind kind)
{
	size_t n = registry_count(a->registry, kind), a_len, b_len;
	const char *a_text, *b_text;

	if (n != registry_count(b->registry, kind) || n == 0)
		return n == registry_count(b->registry, kind);
	a_text = registry_list_text(a->registry, kind, REGISTRY_FULL, 0, n, &a_len);
	b_text = registry_list_text(b->registry, kind, REGISTRY_FULL, 0, n, &b_len);
	return a_len == b_len && memcmp(a_text, b_text, a_len) == 0;
}

/* Tell who listens which lists are others now; each process that reads the file does. */
static void
tell_changes(const struct server *old, const struct server *fresh)
{
	static const struct {
		enum registry_kind kind;
		enum bus_kind event;
	} rows[] = {
		{ REGISTRY_TOOL, BUS_TOOLS_CHANGED }, { REGISTRY_PROMPT, BUS_PROMPTS_CHANGED },
		{ REGISTRY_RESOURCE, BUS_RESOURCES_CHANGED }, { REGISTRY_TEMPLATE, BUS_RESOURCES_CHANGED }
	};

	if (old->misconfigured)
		return;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (!same_list(old, fresh, rows[i].kind) &&
		    bus_publish(fresh->bus, clock_now_s(), rows[i].event, NULL) != MCP_OK)
			log_warning("that a list has changed was not told to who listens");
}

/*
 * Build from the changed file "path"; a good server takes the place of the current one, "s". A file that is gone for a
 * moment is no other configuration, unless there is no good one yet: then it is looked for as at the start.
 */
static void
replace(struct server_slot *slot, const struct server *s, const char *path)
{
	struct report report = { 0 };
	struct server *fresh = NULL, *old = NULL;
	enum mcp_err err = load(slot, s->misconfigured ? slot->path : path, &report, &slot->seen, &fresh);

	log_info("configuration %s has changed", path);
	report_log(&report);
	if (err || fresh->misconfigured) {
		log_error("the last good configuration stays in use");
		server_unref(fresh);
	} else {
		open_log(fresh);
		pthread_mutex_lock(&slot->lock);
		old = slot->current;
		slot->current = fresh;
		pthread_mutex_unlock(&slot->lock);
		tell_changes(old, fresh);
		server_unref(old);
	}
	report_clear(&report);
}

struct server *
server_slot_get(struct server_slot *slot)
{
	struct server *s;

	pthread_mutex_lock(&slot->lock);
	s = server_ref(slot->current);
	pthread_mutex_unlock(&slot->lock);
	return s;
}

/* Look at the file if it is time to and nobody else does. */
static void
refresh(struct server_slot *slot)
{
	int64_t now_ms = clock_monotonic_ms();
	struct server_config_version seen;
	struct server *s;
	bool mine;

	pthread_mutex_lock(&slot->lock);
	mine = !slot->building && now_ms - slot->looked_ms >= LOOK_EVERY_MS;
	if (mine) {
		slot->building = true;
		slot->looked_ms = now_ms;
	}
	pthread_mutex_unlock(&slot->lock);
	if (!mine)
		return;
	s = server_slot_get(slot);
	if (s->config->path) {
		seen = server_config_version(s->config->path);
		if (!same(&seen, &slot->seen))
			replace(slot, s, s->config->path);
	}
	server_unref(s);
	pthread_mutex_lock(&slot->lock);
	slot->building = false;
	pthread_mutex_unlock(&slot->lock);
}

void
server_slot_handle(void *ctx, struct http_request *req, struct http_body_source *body, struct http_response *res)
{
	struct server_slot *slot = ctx;
	struct server *s;

	refresh(slot);
	s = server_slot_get(slot);
	server_handle(s, req, body, res);
	server_unref(s);
}

static void *
maintain(void *arg)
{
	struct server_slot *slot = arg;
	struct server *s = server_slot_get(slot);

	server_maintain(s);
	server_unref(s);
	pthread_mutex_lock(&slot->lock);
	slot->late_runs = false;
	pthread_mutex_unlock(&slot->lock);
	return NULL;
}

/* Have a thread of its own maintain, unless one is at it. Returns false when there is none to be had. */
static bool
maintain_aside(struct server_slot *slot)
{
	bool aside = true;

	pthread_mutex_lock(&slot->lock);
	if (!slot->late_runs) {
		if (slot->late_made)
			pthread_join(slot->late, NULL);		/* it has ended, or is about to */
		aside = pthread_create(&slot->late, NULL, maintain, slot) == 0;
		slot->late_made = slot->late_runs = aside;
	}
	pthread_mutex_unlock(&slot->lock);
	return aside;
}

void
server_slot_after(void *ctx)
{
	struct server_slot *slot = ctx;
	struct server *s = server_slot_get(slot);

	refusal_log_settle(s->refusals, clock_now_s());
	if (server_is_due(s) && (strcmp(slot->process.mode, "cgi") == 0 || !maintain_aside(slot)))
		server_maintain(s);
	server_unref(s);
}
