/* SPDX-License-Identifier: Apache-2.0
 *
 * The sections `lifelines` and `states`: checked, so that a file that is written
 * today stays right, but not used yet. */
#include "site/reader.h"

#include <stdlib.h>
#include <string.h>

static void check_conduit(struct reader *r, const struct yaml_node *at, const char *name)
{
	if (!names_find(&r->conduits, name))
		names_note_unknown(r, &r->conduits, at, name, "conduit");
}

static void check_share(const struct yaml_node *map, const char *key)
{
	const char *text = NULL;
	char *end;

	if (!yaml_read_text(map, key, &text) || !text)
		return;
	double share = strtod(text, &end);
	bool plain = strspn(text, "0123456789.") == (size_t)(end - text) && end > text;
	if (!plain || strcmp(end, "%") || share > 100)
		yaml_problem(yaml_get(map, key), "%s is \"%.64s\"; a share as 2%% would be right",
			     key, text);
}

static void check_expectation(const struct yaml_node *lifeline)
{
	static const char *const keys[] = { "messages_per", "ack_within", "error_rate_below",
					    NULL };
	const struct yaml_node *map = yaml_get(lifeline, "expect");
	struct usec span;

	if (yaml_kind(map) == YAML_ABSENT)
		return;
	yaml_only_keys(map, "a lifeline's expectation", keys);
	yaml_read_span(map, "messages_per", &span);
	yaml_read_span(map, "ack_within", &span);
	check_share(map, "error_rate_below");
}

static void check_lifeline(struct reader *r, const struct yaml_node *map, size_t index)
{
	static const char *const keys[] = { "name", "conduit", "expect", "impact", NULL };
	const char *conduit = NULL, *impact = NULL;

	yaml_only_keys(map, "a lifeline", keys);
	if (yaml_kind(map) != YAML_MAP)
		return;
	const char *name = read_name(r, map, "name", "a lifeline's name");
	if (name)
		names_add(r, &r->lifelines, name, yaml_get(map, "name"), index);
	if (yaml_read_text(map, "conduit", &conduit) && !conduit)
		yaml_problem(map, "a lifeline has no conduit; \"conduit: adt\" would be right");
	if (conduit)
		check_conduit(r, yaml_get(map, "conduit"), conduit);
	check_expectation(map);
	if (yaml_read_text(map, "impact", &impact) && impact && impact_of(impact) <= IMPACT_NONE)
		yaml_problem(yaml_get(map, "impact"),
			     "impact is \"%.64s\"; life-critical, care-critical, operational, "
			     "administrative or guest would be right",
			     impact);
}

/* Conduits are added by id, or written out on the spot. */
static void check_changes(struct reader *r, const struct yaml_node *state, const char *key,
			  bool may_declare)
{
	size_t n = list_length(state, key, "[adt]");
	const struct yaml_node *list = yaml_get(state, key);

	for (size_t i = 0; i < n; i++) {
		const struct yaml_node *item = yaml_element(list, i);
		struct rule rule = { 0 };
		if (may_declare && yaml_kind(item) == YAML_MAP) {
			read_rule(r, item, false, &rule);
			continue;
		}
		const char *name = item_text(list, i, "a conduit");
		if (name)
			check_conduit(r, item, name);
	}
}

static void check_state(struct reader *r, const struct yaml_node *map, size_t index)
{
	static const char *const keys[] = { "name", "conduits_added", "conduits_removed", NULL };

	yaml_only_keys(map, "a state", keys);
	if (yaml_kind(map) != YAML_MAP)
		return;
	const char *name = read_name(r, map, "name", "a state's name");
	if (name)
		names_add(r, &r->states, name, yaml_get(map, "name"), index);
	if (name && !strcmp(name, "normal"))
		yaml_problem(yaml_get(map, "name"),
			     "the state \"normal\" is there already; give this one another name");
	check_changes(r, map, "conduits_added", true);
	check_changes(r, map, "conduits_removed", false);
}

void read_lifelines(struct reader *r, const struct yaml_node *root)
{
	size_t lifelines = list_length(root, "lifelines", "\"- {name: adt-feed, conduit: adt}\"");
	size_t states = list_length(root, "states", "\"- {name: downtime}\"");

	for (size_t i = 0; i < lifelines; i++)
		check_lifeline(r, yaml_element(yaml_get(root, "lifelines"), i), i);
	for (size_t i = 0; i < states; i++)
		check_state(r, yaml_element(yaml_get(root, "states"), i), i);
	names_sort(&r->lifelines, "lifeline", "give each its own name");
	names_sort(&r->states, "state", "give each its own name");
}
