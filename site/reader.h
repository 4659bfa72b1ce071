/* SPDX-License-Identifier: Apache-2.0
 *
 * What the sections of a site file share while they are read and checked. Every
 * mistake is noted; a section goes on behind it, so that all are found. */
#pragma once

#include "site/model.h"

/* Names that were declared, for look-up and against doubles. */
struct names {
	struct name {
		const char *text;
		const struct yaml_node *at; /* where it was declared */
		size_t index;               /* of what it names */
	} * list; /* in order of declaration until names_sort(), by text then */
	size_t count, room;
};

/* A prefix that somebody claims, kept until all are known. */
struct claim {
	struct ip_prefix prefix;
	const struct yaml_node *at;
	bool vendor;
	size_t owner; /* index of the segment or vendor */
};

struct claims {
	struct claim *list;
	size_t count, room;
};

struct reader {
	struct site *site;
	struct problems *problems;
	struct usec now;
	size_t findings;
	bool short_of_memory;
	struct names segments, services, rules, conduits, vendors, lifelines, states;
	struct names ouis, asns, domains; /* index: of the owner */
	struct claims claims;
};

struct site_counts {
	bool readable; /* the file was read and is YAML */
	const char *name;
	char revision[SITE_REVISION];
	size_t segments, services, conduits, exceptions, vendors, lifelines;
	size_t mistakes, findings;
};

/* Reads a site from a file (bytes == NULL) or from memory. `counts`, when it is
 * not NULL, is filled in any case, its name in memory of `problems`. NULL when
 * the site has mistakes. */
struct site *site_read(const char *path, const void *bytes, size_t n, struct usec now,
		       struct problems *problems, struct site_counts *counts);

/* The sections, in the order in which they need each other. */
void read_segments(struct reader *r, const struct yaml_node *root);
void read_services(struct reader *r, const struct yaml_node *root);
void read_rules(struct reader *r, const struct yaml_node *root);
void read_vendors(struct reader *r, const struct yaml_node *root);
void read_lifelines(struct reader *r, const struct yaml_node *root);
void read_expectations(struct reader *r, const struct yaml_node *root);
/* Once all prefixes are known: overlaps, and the tables made of them. */
void compile_claims(struct reader *r);

/* Fills a rule from a conduit's or an exception's map. */
void read_rule(struct reader *r, const struct yaml_node *at, bool exception, struct rule *out);

/* Something to look at that does not make the site unusable. */
void note_finding(struct reader *r, const struct yaml_node *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Zeroed memory of the site; NULL notes the shortage. */
void *take_memory(struct reader *r, size_t count, size_t size);
/* Grows a list of malloc's; false notes the shortage. */
bool make_room(struct reader *r, void **list, size_t *room, size_t count, size_t size);
const char *keep_text(struct reader *r, const char *text);

/* A section's or a key's value as a list: its number of elements. Any other kind
 * is a mistake; nothing there is none. `right` shows what a list looks like. */
size_t list_length(const struct yaml_node *map, const char *key, const char *right);
/* A list's element as text, or NULL with the mistake noted. */
const char *item_text(const struct yaml_node *list, size_t i, const char *what);

/* A list's element as a prefix, or false with the mistake noted. */
bool item_prefix(const struct yaml_node *list, size_t i, struct ip_prefix *out);
/* The prefix that is a list's element, for a segment or vendor. */
void claims_add(struct reader *r, const struct yaml_node *list, size_t i, bool vendor,
		size_t owner);

/* Nothing, or an empty text, stands under a key. */
bool is_missing(const struct yaml_node *map, const char *key);
/* A text of at most 200 printable bytes under a key; NULL when there is none, or
 * when it is wrong, which is noted. The copy is the site's. */
const char *read_free_text(struct reader *r, const struct yaml_node *map, const char *key);

/* True for [a-z0-9][a-z0-9-]{0,62}; notes a mistake otherwise. `what`: "a segment's name". */
bool check_name(const struct yaml_node *at, const char *text, const char *what);
/* The name under `key`, which must be there and right; NULL otherwise. */
const char *read_name(struct reader *r, const struct yaml_node *map, const char *key,
		      const char *what);

/* Declares a name; names_sort() notes the later ones of those declared twice,
 * unless `what` is NULL. Look-ups are for sorted names. */
void names_add(struct reader *r, struct names *n, const char *text, const struct yaml_node *at,
	       size_t index);
void names_sort(struct names *n, const char *what, const char *remedy);
const struct name *names_find(const struct names *n, const char *text);
/* Notes that `text` at `at` names nothing, with the nearest that would. */
void names_note_unknown(struct reader *r, const struct names *n, const struct yaml_node *at,
			const char *text, const char *what);

/* A list of services' names under "services"; `needed`: none is a mistake. */
void read_service_names(struct reader *r, const struct yaml_node *map, const char *what,
			bool needed, struct service_list *out);
/* The segment of a name, `external` and `unknown-internal` among them; NULL noted. */
const struct segment *find_segment(struct reader *r, const struct yaml_node *at, const char *name);

/* An app's nearest known name when it is clearly a slip, else NULL. */
const char *app_correction(const char *name);
