/* SPDX-License-Identifier: Apache-2.0
 *
 * The section `expect`: who may speak how, to hold clinical events against. */
#include "site/reader.h"

#include <stdlib.h>
#include <string.h>

#include "schema/attributes.h"

enum { LEARN_HOURS = 24, BULK_IMAGES = 500, HOUR_SECONDS = 3600 };

/* What a text in a list must look like, and how to say so. */
struct shape {
	const char *key, *what, *right;
	enum grammar grammar;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* An HL7 sender is an application, or an application and its facility. */
static bool fits(const struct shape *shape, const char *text)
{
	const char *end = text + strlen(text);
	const char *caret = shape->grammar == GRAMMAR_HL7_NAME ? strchr(text, '^') : NULL;

	if (caret && !grammar_accepts(shape->grammar, caret + 1, (size_t)(end - caret - 1)))
		return false;
	return grammar_accepts(shape->grammar, text, (size_t)((caret ? caret : end) - text));
}

static void read_texts(struct reader *r, const struct yaml_node *map, const struct shape *shape,
		       struct expected_texts *out)
{
	size_t n = list_length(map, shape->key, shape->right);
	const struct yaml_node *list = yaml_get(map, shape->key);
	const char **texts = n ? take_memory(r, n, sizeof(*texts)) : NULL;

	for (size_t i = 0; texts && i < n; i++) {
		const char *text = item_text(list, i, shape->what);
		if (!text)
			continue;
		if (!fits(shape, text)) {
			yaml_problem(yaml_element(list, i),
				     "\"%.64s\" is not %s; %s would be right", text, shape->what,
				     shape->right);
			continue;
		}
		text = keep_text(r, text);
		if (text)
			texts[out->count++] = text;
	}
	if (texts)
		qsort(texts, out->count, sizeof(*texts), by_text);
	out->list = texts;
}

static void read_building(struct reader *r, const struct yaml_node *map, struct expectations *out)
{
	size_t n = list_length(map, "building", "[building-automation]");
	const struct yaml_node *list = yaml_get(map, "building");
	const struct segment **segments = n ? take_memory(r, n, sizeof(*segments)) : NULL;

	for (size_t i = 0; segments && i < n; i++) {
		const char *name = item_text(list, i, "a segment");
		const struct segment *s =
			name ? find_segment(r, yaml_element(list, i), name) : NULL;
		if (s)
			segments[out->building_count++] = s;
	}
	out->building = segments;
}

static void read_resolvers(struct reader *r, const struct yaml_node *map, struct expectations *out)
{
	size_t n = list_length(map, "resolvers", "[10.60.1.53]");
	const struct yaml_node *list = yaml_get(map, "resolvers");
	struct ip_prefix *prefixes = n ? take_memory(r, n, sizeof(*prefixes)) : NULL;

	for (size_t i = 0; prefixes && i < n; i++)
		out->resolver_count += item_prefix(list, i, &prefixes[out->resolver_count]);
	out->resolvers = prefixes;
}

void read_expectations(struct reader *r, const struct yaml_node *root)
{
	static const char *const keys[] = { "learn",       "ae_titles", "hl7_senders", "hl7_types",
					    "bulk_images", "building",  "resolvers",   NULL };
	static const struct shape ae_titles = { "ae_titles", "an AE title", "[CT_1, PACS]",
						GRAMMAR_AE_TITLE },
				  senders = { "hl7_senders", "an HL7 application",
					      "[ADT_HIS, \"LIS^LAB\"]", GRAMMAR_HL7_NAME },
				  types = { "hl7_types", "an HL7 message type",
					    "[ADT, \"ORU^R01\"]", GRAMMAR_HL7_TYPE };
	const struct yaml_node *map = yaml_get(root, "expect");
	struct expectations *out = &r->site->expect;

	out->learn.v = (int64_t)LEARN_HOURS * HOUR_SECONDS * USEC_PER_SECOND;
	out->bulk_images = BULK_IMAGES;
	if (yaml_kind(map) == YAML_ABSENT)
		return;
	yaml_only_keys(map, "what is expected", keys);
	if (yaml_kind(map) != YAML_MAP)
		return;
	yaml_read_span(map, "learn", &out->learn);
	yaml_read_u64(map, "bulk_images", 1, UINT32_MAX, &out->bulk_images);
	read_texts(r, map, &ae_titles, &out->ae_titles);
	read_texts(r, map, &senders, &out->hl7_senders);
	read_texts(r, map, &types, &out->hl7_types);
	read_building(r, map, out);
	read_resolvers(r, map, out);
}

const struct expectations *site_expectations(const struct site *s)
{
	return &s->expect;
}

bool expected_has(const struct expected_texts *t, const char *text)
{
	return t->count && bsearch(&text, t->list, t->count, sizeof(*t->list), by_text);
}

bool site_expects_resolver(const struct site *s, const struct ip_addr *ip)
{
	for (size_t i = 0; i < s->expect.resolver_count; i++)
		if (ip_prefix_has(&s->expect.resolvers[i], ip))
			return true;
	return false;
}

bool site_expects_control_from(const struct site *s, const struct segment *from)
{
	for (size_t i = 0; i < s->expect.building_count; i++)
		if (s->expect.building[i] == from)
			return true;
	return false;
}
