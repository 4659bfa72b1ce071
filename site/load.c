/* SPDX-License-Identifier: Apache-2.0 */
#include "site/reader.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "site/revision.h"

static const char *const no_revision = "0000000000000000";

static struct site *create(void)
{
	static atomic_uint_fast64_t created;
	struct site *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->serial = atomic_fetch_add(&created, 1) + 1;
	s->name = "";
	memcpy(s->revision, no_revision, SITE_REVISION);
	for (size_t i = 0; i < VLAN_COUNT; i++)
		s->vlans[i] = NO_SEGMENT;
	return s;
}

static void read_sections(struct reader *r, const struct yaml_node *root)
{
	static const char *const keys[] = { "site",       "segments", "services",  "conduits",
					    "exceptions", "vendors",  "lifelines", "states",
					    "expect",     NULL };

	yaml_only_keys(root, "a site file", keys);
	revision_of(root, r->site->revision);
	if (yaml_kind(root) != YAML_MAP)
		return;
	const char *name = read_name(r, root, "site", "the site's name");
	if (name)
		r->site->name = name;
	read_segments(r, root);
	if (!r->site->segments)
		return; /* nothing can be found without them; the shortage is noted */
	read_services(r, root);
	read_rules(r, root);
	read_vendors(r, root);
	read_lifelines(r, root);
	read_expectations(r, root);
	compile_claims(r);
}

static void count(const struct reader *r, size_t mistakes, struct site_counts *out)
{
	const struct site *s = r->site;

	*out = (struct site_counts){
		.readable = true,
		.segments = s->segment_count ? s->segment_count - 2 : 0,
		.services = s->service_count ? s->service_count - 1 : 0,
		.conduits = s->conduits.count,
		.exceptions = s->exceptions.count,
		.vendors = s->vendor_count,
		.lifelines = r->lifelines.count,
		.mistakes = mistakes,
		.findings = r->findings,
	};
	out->name = arena_text(&r->problems->memory, s->name, strlen(s->name));
	memcpy(out->revision, s->revision, SITE_REVISION);
}

static void finish(struct reader *r)
{
	struct names *all[] = { &r->segments,  &r->services, &r->rules, &r->conduits, &r->vendors,
				&r->lifelines, &r->states,   &r->ouis,  &r->asns,     &r->domains };

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		free(all[i]->list);
	free(r->claims.list);
}

static struct site *compile(const struct yaml_node *root, struct usec now,
			    struct problems *problems, struct site_counts *counts)
{
	struct reader r = { .site = create(), .problems = problems, .now = now };
	size_t before = problems->count;

	if (!r.site) {
		yaml_problem(root, "there is no memory to read this site; free some and try again");
		return NULL;
	}
	read_sections(&r, root);
	if (r.short_of_memory)
		yaml_problem(root, "there is no memory to read this site; free some and try again");
	size_t mistakes = problems->count - before - r.findings;
	/* A full list may have lost mistakes behind findings. */
	if (problems->count >= PROBLEMS_MOST && !mistakes)
		mistakes = 1;
	if (counts)
		count(&r, mistakes, counts);
	finish(&r);
	if (!mistakes)
		return r.site;
	site_free(r.site);
	return NULL;
}

struct site *site_read(const char *path, const void *bytes, size_t n, struct usec now,
		       struct problems *problems, struct site_counts *counts)
{
	struct yaml *y = bytes ? yaml_parse(path, bytes, n, problems) : yaml_open(path, problems);
	struct site *s = NULL;

	if (counts)
		*counts = (struct site_counts){ 0 };
	if (y)
		s = compile(yaml_root(y), now, problems, counts);
	yaml_close(y);
	return s;
}

struct site *site_load(const char *path, struct usec now, struct problems *problems)
{
	return site_read(path, NULL, 0, now, problems, NULL);
}

struct site *site_empty(void)
{
	static const char nothing[] = "site: none\n";
	struct problems problems = { 0 };
	struct site *s =
		site_read("none", nothing, strlen(nothing), (struct usec){ 0 }, &problems, NULL);

	problems_finish(&problems);
	if (!s)
		return NULL;
	s->empty = true;
	s->name = "";
	memcpy(s->revision, no_revision, SITE_REVISION);
	return s;
}

void site_free(struct site *s)
{
	if (!s)
		return;
	lpm_destroy(s->places);
	lpm_destroy(s->vendor_prefixes);
	lpm_destroy(s->ways_in);
	arena_finish(&s->memory);
	free(s);
}

const char *site_name(const struct site *s)
{
	return s->name;
}

const char *site_revision(const struct site *s)
{
	return s->revision;
}

size_t site_segment_count(const struct site *s)
{
	return s->segment_count;
}

const struct segment *site_segment(const struct site *s, size_t index)
{
	return index < s->segment_count ? &s->segments[index] : NULL;
}

const struct segment *site_segment_named(const struct site *s, const char *name)
{
	for (size_t i = 0; i < s->segment_count; i++)
		if (!strcmp(s->segments[i].name, name))
			return &s->segments[i];
	return NULL;
}
