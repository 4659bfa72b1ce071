/* SPDX-License-Identifier: Apache-2.0
 *
 * YAML files whose every node knows where it stands, and a list of mistakes
 * with places. libfyaml reads; nothing else of it shows. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"

/* Mistakes found in a file, in order of place. */
struct problem {
	const char *file;
	unsigned line, column; /* from 1; 0 when the file as a whole is meant */
	const char *text;      /* "what is wrong; what would be right" */
};

struct problems {
	struct problem *list;
	size_t count, room;
	struct arena memory; /* holds the texts */
};

void problems_finish(struct problems *p);
/* Prints "file:line:column: text" lines, sorted by place. */
void problems_print(const struct problems *p, struct buf *out);
/* The same to standard error; true when there are any. */
bool problems_tell(const struct problems *p);
/* Notes a mistake; line 0 means the file as a whole. Control characters in the
 * text become '?'. The entry numbered PROBLEMS_MOST says that there are more,
 * and is the last. `file` is lent for p's life. */
void problems_note(struct problems *p, const char *file, unsigned line, unsigned column,
		   const char *format, ...) __attribute__((format(printf, 5, 6)));

enum { PROBLEMS_MOST = 10000 };

struct yaml;      /* one file, open */
struct yaml_node; /* borrowed from its file; NULL is "not there" */

enum { YAML_FILE_MOST = 16 << 20, YAML_DEPTH_MOST = 64, YAML_NODES_MOST = 1 << 20 };

/* Reads a file (at most YAML_FILE_MOST bytes). NULL when it cannot be read or is
 * not YAML: then `problems` says why and where. Anchors, aliases and complex
 * keys are mistakes here: what stands in the file is what is meant. `problems`
 * must outlive the file, whose later mistakes go there too. */
struct yaml *yaml_open(const char *path, struct problems *problems);
/* The same from memory; `name` stands for the file in messages. */
struct yaml *yaml_parse(const char *name, const void *bytes, size_t n, struct problems *problems);
void yaml_close(struct yaml *y);                         /* accepts NULL */
const struct yaml_node *yaml_root(const struct yaml *y); /* never NULL */

/* YAML_ABSENT: not there, or there without a value ("key:", "key: null"). */
enum yaml_kind { YAML_ABSENT, YAML_TEXT, YAML_LIST, YAML_MAP };
enum yaml_kind yaml_kind(const struct yaml_node *n);

/* Notes a mistake at a node's place; `at` is not NULL. */
void yaml_problem(const struct yaml_node *at, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

size_t yaml_count(const struct yaml_node *n); /* members or elements; 0 else */
const struct yaml_node *yaml_element(const struct yaml_node *list, size_t i);
const struct yaml_node *yaml_key_at(const struct yaml_node *map, size_t i);
const struct yaml_node *yaml_value_at(const struct yaml_node *map, size_t i);
/* The value of a key, or NULL. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);
/* The text of a scalar, NUL-terminated, borrowed from the file; NULL for any
 * other kind. */
const char *yaml_text(const struct yaml_node *n);

/* Where a node stands, counted from 1. */
unsigned yaml_line(const struct yaml_node *n);
unsigned yaml_column(const struct yaml_node *n);

/* Notes every key of `map` that is not in the NULL-terminated list, with the
 * nearest known key as the remedy, and every key that stands twice; notes a
 * node that is no map. `what` names the map in messages: "a segment". */
void yaml_only_keys(const struct yaml_node *map, const char *what, const char *const *keys);

/* Typed reading: each notes a mistake and returns false when the value is
 * there but not right; returns true and leaves *out alone when it is absent. */
bool yaml_read_text(const struct yaml_node *map, const char *key, const char **out);
bool yaml_read_u64(const struct yaml_node *map, const char *key, uint64_t least, uint64_t most,
		   uint64_t *out);
bool yaml_read_bool(const struct yaml_node *map, const char *key, bool *out);
bool yaml_read_span(const struct yaml_node *map, const char *key, struct usec *out); /* 90s, 1h */
bool yaml_read_size(const struct yaml_node *map, const char *key, uint64_t *out); /* 64MiB, 1GiB */
