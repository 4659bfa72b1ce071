/* SPDX-License-Identifier: Apache-2.0
 *
 * The section `segments`: names, impact, and what belongs to each. */
#include "site/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/nearest.h"

enum { SEGMENTS_MOST = 60000 };

static const char *const reserved[] = { "unknown-internal", "external" };

static void read_impact(const struct yaml_node *map, struct segment *out)
{
	const char *word = NULL;
	struct nearest near;

	if (!yaml_read_text(map, "impact", &word))
		return;
	if (!word) {
		yaml_problem(map, "a segment has no impact; life-critical, care-critical, "
				  "operational, administrative or guest would be right");
		return;
	}
	int impact = impact_of(word);
	if (impact > IMPACT_NONE) {
		out->impact = (enum impact)impact;
		return;
	}
	near = nearest_to(word);
	for (int i = IMPACT_NONE + 1; i < IMPACT_COUNT; i++)
		nearest_offer(&near, impact_name((enum impact)i));
	if (near.best)
		yaml_problem(yaml_get(map, "impact"), "impact is \"%.64s\"; \"%s\" would be right",
			     word, near.best);
	else
		yaml_problem(yaml_get(map, "impact"),
			     "impact is \"%.64s\"; life-critical, care-critical, operational, "
			     "administrative or guest would be right",
			     word);
}

static void claim_vlan(struct reader *r, const struct yaml_node *list, size_t i,
		       const struct segment *segment)
{
	const struct yaml_node *at = yaml_element(list, i);
	const char *text = item_text(list, i, "a VLAN");
	unsigned long vlan = text ? strtoul(text, NULL, 10) : 0;
	uint16_t *owner;

	if (!text)
		return;
	if (text[strspn(text, "0123456789")] || vlan < 1 || vlan >= VLAN_COUNT) {
		yaml_problem(at, "VLAN \"%.64s\" cannot be; a number from 1 to 4094 would be right",
			     text);
		return;
	}
	owner = &r->site->vlans[vlan];
	if (*owner == segment->index)
		yaml_problem(at, "VLAN %lu stands twice in this segment; keep one of them", vlan);
	else if (*owner != NO_SEGMENT)
		yaml_problem(
			at,
			"VLAN %lu belongs to segment \"%s\" already; leave it to one of the two",
			vlan, r->site->segments[*owner].name);
	else
		*owner = segment->index;
}

/* 00:09:5c, 00-09-5c or 00095c; -1 for anything else. */
static long parse_oui(const char *text)
{
	unsigned byte[3];
	int used = 0;

	if (strspn(text, "0123456789abcdefABCDEF:-") != strlen(text))
		return -1;
	if (sscanf(text, "%2x:%2x:%2x%n", &byte[0], &byte[1], &byte[2], &used) != 3 &&
	    sscanf(text, "%2x-%2x-%2x%n", &byte[0], &byte[1], &byte[2], &used) != 3 &&
	    sscanf(text, "%2x%2x%2x%n", &byte[0], &byte[1], &byte[2], &used) != 3)
		return -1;
	bool long_enough = strlen(text) == 8 || strlen(text) == 6;
	if (!long_enough || text[used])
		return -1;
	return (long)(byte[0] << 16 | byte[1] << 8 | byte[2]);
}

static void claim_oui(struct reader *r, const struct yaml_node *list, size_t i,
		      const struct segment *segment)
{
	const struct yaml_node *at = yaml_element(list, i);
	const char *text = item_text(list, i, "an OUI");
	long number = text ? parse_oui(text) : -1;
	char canonical[32];

	if (!text)
		return;
	if (number < 0) {
		yaml_problem(
			at,
			"OUI \"%.64s\" cannot be; the first three bytes of a MAC address would be "
			"right, as \"00:09:5c\"",
			text);
		return;
	}
	snprintf(canonical, sizeof(canonical), "%02lx:%02lx:%02lx", number >> 16,
		 number >> 8 & 0xff, number & 0xff);
	const char *kept = keep_text(r, canonical);
	if (kept)
		names_add(r, &r->ouis, kept, at, segment->index);
}

/* The names are sorted as text, hence as numbers. */
static void compile_ouis(struct reader *r)
{
	struct site *s = r->site;

	names_sort(&r->ouis, "OUI", "leave it to one place");
	s->ouis = take_memory(r, r->ouis.count, sizeof(*s->ouis));
	for (; s->ouis && s->oui_count < r->ouis.count; s->oui_count++) {
		const struct name *name = &r->ouis.list[s->oui_count];
		s->ouis[s->oui_count] =
			(struct oui){ (uint32_t)parse_oui(name->text), (uint16_t)name->index };
	}
}

static void read_match(struct reader *r, const struct yaml_node *map, const struct segment *segment)
{
	static const char *const keys[] = { "prefixes", "vlans", "ouis", NULL };
	const struct yaml_node *match = yaml_get(map, "match");

	if (yaml_kind(match) != YAML_ABSENT)
		yaml_only_keys(match, "a segment's match", keys);
	size_t prefixes = list_length(match, "prefixes", "[10.20.0.0/16]");
	size_t vlans = list_length(match, "vlans", "[20, 21]");
	size_t ouis = list_length(match, "ouis", "[\"00:09:5c\"]");
	for (size_t i = 0; i < prefixes; i++)
		claims_add(r, yaml_get(match, "prefixes"), i, false, segment->index);
	for (size_t i = 0; i < vlans; i++)
		claim_vlan(r, yaml_get(match, "vlans"), i, segment);
	for (size_t i = 0; i < ouis; i++)
		claim_oui(r, yaml_get(match, "ouis"), i, segment);
	if (!prefixes && !vlans && !ouis)
		note_finding(r, map,
			     "nothing belongs to this segment; give it a match with "
			     "prefixes, vlans or ouis");
}

static void check_not_reserved(const struct yaml_node *map, const char *name)
{
	if (strcmp(name, "unknown") && strcmp(name, reserved[0]) && strcmp(name, reserved[1]))
		return;
	yaml_problem(
		yaml_get(map, "name"),
		"a segment cannot be called \"%s\", which Vigie uses itself; choose another name",
		name);
}

static void read_segment(struct reader *r, const struct yaml_node *map, struct segment *out)
{
	static const char *const keys[] = { "name", "impact", "match", NULL };

	yaml_only_keys(map, "a segment", keys);
	if (yaml_kind(map) != YAML_MAP)
		return;
	const char *name = read_name(r, map, "name", "a segment's name");
	if (name) {
		check_not_reserved(map, name);
		out->name = name;
		names_add(r, &r->segments, name, yaml_get(map, "name"), out->index);
	}
	read_impact(map, out);
	read_match(r, map, out);
}

void read_segments(struct reader *r, const struct yaml_node *root)
{
	struct site *s = r->site;
	const struct yaml_node *list = yaml_get(root, "segments");
	size_t count = list_length(root, "segments", "\"- {name: icu, impact: life-critical}\"");

	if (count > SEGMENTS_MOST) {
		yaml_problem(list, "there are %zu segments; at most %d would be right", count,
			     SEGMENTS_MOST);
		count = 0;
	}
	s->segments = take_memory(r, count + 2, sizeof(*s->segments));
	if (!s->segments)
		return;
	s->segment_count = count + 2;
	for (size_t i = 0; i < count + 2; i++)
		s->segments[i] = (struct segment){ .name = i < count ? "" : reserved[i - count],
						   .index = (uint16_t)i };
	s->unknown_internal = &s->segments[count];
	s->external = &s->segments[count + 1];
	for (size_t i = 0; i < count; i++)
		read_segment(r, yaml_element(list, i), &s->segments[i]);
	compile_ouis(r);
	names_sort(&r->segments, "segment", "give each its own name");
}

const struct segment *find_segment(struct reader *r, const struct yaml_node *at, const char *name)
{
	const struct name *found = names_find(&r->segments, name);
	const struct segment *const built_in[] = { r->site->unknown_internal, r->site->external };

	if (found)
		return &r->site->segments[found->index];
	for (size_t i = 0; i < 2; i++)
		if (built_in[i] && !strcmp(name, built_in[i]->name))
			return built_in[i];
	if (!strcmp(name, "unknown"))
		yaml_problem(at, "there is no segment \"unknown\"; \"unknown-internal\" or "
				 "\"external\" would be right");
	else
		names_note_unknown(r, &r->segments, at, name, "segment");
	return NULL;
}
