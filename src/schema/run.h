/* SPDX-License-Identifier: MIT */
#ifndef MCP_SCHEMA_RUN_H
#define MCP_SCHEMA_RUN_H

#include "base/json.h"
#include "schema/node.h"

/* One validation: what it may still spend, and what it has found. */
struct place {			/* of a value in the instance, one step a level */
	const struct place *parent;	/* NULL: this is the root */
	const char *name;		/* NULL: an element */
	size_t index;
};

struct scope {			/* the dynamic scope, innermost resource first */
	const struct schema_resource *resource;
	const struct scope *outer;
};

struct run {
	struct buf *faults;
	unsigned n_faults;
	unsigned quiet;			/* above 0: nobody asks why */
	size_t steps;			/* left */
	unsigned depth;
	enum mcp_err err;		/* MCP_OK, or it cannot be told whether the value is valid: ELIMIT, ENOMEM */
	const char *why;		/* in the first case */
	const struct scope *scope;
	struct pattern_run patterns;
};

/* What may be taken back of a report. */
struct report_mark {
	size_t len;
	unsigned n_faults;
	enum mcp_err status;
};

/* Pay for work; false when there is nothing left or the run has ended. */
bool run_spend(struct run *r, size_t steps);

/* End the run without a verdict, the first reason counts. Returns false. */
bool run_stop(struct run *r, enum mcp_err err, const char *why);

/* Whether "good" is false and nobody would hear of further faults. */
bool run_enough(const struct run *r, bool good);

/*
 * A fault at a place by a keyword (NULL: the schema itself). report_begin() counts it and, if it is to be told, begins
 * its line and returns true; then the caller appends the sentence to r->faults and calls report_end(). report() does
 * all of it and returns false.
 */
bool report_begin(struct run *r, const struct place *at);
void report_end(struct run *r, const struct schema_node *n, const char *keyword);
bool report(struct run *r, const struct place *at, const struct schema_node *n, const char *keyword, const char *fmt,
    ...) MCP_PRINTF(5, 6);

/* Remember how far the report is; go back there. */
struct report_mark report_mark(const struct run *r);
void report_take_back(struct run *r, const struct report_mark *mark);

/*
 * What a node says of the value alone: type, enum, const, and the keywords for strings and numbers and of counting.
 * *type_fits tells whether more should be looked at. False is reported.
 */
bool assert_value(struct run *r, const struct schema_node *n, const struct json_object *value, const struct place *at,
    bool *type_fits);

/* uniqueItems of an array. False is reported, or the run ended. */
bool assert_unique(struct run *r, const struct schema_node *n, const struct json_object *value,
    const struct place *at);

#endif
