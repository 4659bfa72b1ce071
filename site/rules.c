/* SPDX-License-Identifier: Apache-2.0
 *
 * The sections `conduits` and `exceptions`: who may reach whom over what. */
#include "site/reader.h"

#include <stdlib.h>
#include <string.h>

static const struct segment *read_end(struct reader *r, const struct yaml_node *map,
				      const char *key, const char *what)
{
	const char *name = NULL;

	if (!yaml_read_text(map, key, &name))
		return NULL;
	if (name)
		return find_segment(r, yaml_get(map, key), name);
	yaml_problem(map, "%s has no \"%s\"; name a segment, external or unknown-internal", what,
		     key);
	return NULL;
}

static const char *need_free_text(struct reader *r, const struct yaml_node *map, const char *key,
				  const char *right)
{
	if (!is_missing(map, key))
		return read_free_text(r, map, key);
	yaml_problem(map, "an exception has no %s; \"%s: %s\" would be right", key, key, right);
	return NULL;
}

static void read_until(struct reader *r, const struct yaml_node *map, struct rule *out)
{
	const struct yaml_node *at = yaml_get(map, "until");
	const char *text = NULL;
	char stamp[CLOCK_TEXT];

	if (!yaml_read_text(map, "until", &text))
		return;
	if (!text) {
		yaml_problem(map, "an exception has no end; \"until: 2026-12-31\" would be right");
		return;
	}
	if (!clock_parse(text, &out->until)) {
		yaml_problem(at, "until is \"%.64s\"; a date as 2026-12-31 would be right", text);
		return;
	}
	memcpy(out->until_text, clock_text(out->until, stamp), 10);
	/* A date alone: the exception holds to the end of that day. */
	if (strlen(text) == 10)
		out->until.v += 86400 * (int64_t)USEC_PER_SECOND;
	if (out->until.v <= r->now.v)
		note_finding(r, at,
			     "exception \"%s\" has expired; remove it, or extend it with its "
			     "owner's consent",
			     out->id ? out->id : "");
}

static void read_exception_part(struct reader *r, const struct yaml_node *map, struct rule *out)
{
	need_free_text(r, map, "owner", "imaging IT");
	read_until(r, map, out);
	out->reason = need_free_text(r, map, "reason", "CT3 upgrade");
}

void read_rule(struct reader *r, const struct yaml_node *map, bool exception, struct rule *out)
{
	static const char *const conduit_keys[] = { "id", "from", "to", "services", "owner", NULL };
	static const char *const exception_keys[] = { "id",    "from",  "to",     "services",
						      "owner", "until", "reason", NULL };
	const char *what = exception ? "an exception" : "a conduit";

	yaml_only_keys(map, what, exception ? exception_keys : conduit_keys);
	if (yaml_kind(map) != YAML_MAP)
		return;
	out->id = read_name(r, map, "id", exception ? "an exception's id" : "a conduit's id");
	out->from = read_end(r, map, "from", what);
	out->to = read_end(r, map, "to", what);
	if (out->from && out->from == out->to)
		yaml_problem(yaml_get(map, "to"),
			     "%s leads from \"%s\" to itself, which needs none; name two segments",
			     what, out->to->name);
	read_service_names(r, map, what, true, &out->services);
	if (exception)
		read_exception_part(r, map, out);
	else
		read_free_text(r, map, "owner");
}

static int by_ends(const void *a, const void *b)
{
	const struct rule *x = a, *y = b;

	if (x->from->index != y->from->index)
		return x->from->index < y->from->index ? -1 : 1;
	if (x->to->index != y->to->index)
		return x->to->index < y->to->index ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static void read_section(struct reader *r, const struct yaml_node *root, bool exceptions,
			 struct rule_list *out)
{
	const char *section = exceptions ? "exceptions" : "conduits";
	size_t count = list_length(root, section, "\"- {id: ..., from: ..., to: ...}\"");
	const struct yaml_node *list = yaml_get(root, section);

	out->list = take_memory(r, count, sizeof(*out->list));
	for (size_t i = 0; i < count && out->list; i++) {
		const struct yaml_node *map = yaml_element(list, i);
		struct rule rule = { .order = (uint32_t)i };
		read_rule(r, map, exceptions, &rule);
		if (rule.id) {
			names_add(r, &r->rules, rule.id, yaml_get(map, "id"), i);
			if (!exceptions)
				names_add(r, &r->conduits, rule.id, yaml_get(map, "id"), i);
		}
		if (rule.from && rule.to)
			out->list[out->count++] = rule;
	}
	if (out->list && out->count)
		qsort(out->list, out->count, sizeof(*out->list), by_ends);
}

void read_rules(struct reader *r, const struct yaml_node *root)
{
	read_section(r, root, false, &r->site->conduits);
	read_section(r, root, true, &r->site->exceptions);
	names_sort(&r->rules, "id", "give each conduit and exception its own");
	names_sort(&r->conduits, NULL, NULL);
}
