/* SPDX-License-Identifier: Apache-2.0 */
#include "config/node.h"

#include <assert.h>
#include <errno.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/nearest.h"

enum yaml_kind yaml_kind(const struct yaml_node *n)
{
	return n ? n->kind : YAML_ABSENT;
}

unsigned yaml_line(const struct yaml_node *n)
{
	return n->line;
}

unsigned yaml_column(const struct yaml_node *n)
{
	return n->column;
}

void yaml_problem(const struct yaml_node *at, const char *format, ...)
{
	char text[512];
	va_list args;

	assert(at);
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	problems_note(at->file->problems, at->file->file, at->line, at->column, "%s", text);
}

size_t yaml_count(const struct yaml_node *n)
{
	if (yaml_kind(n) == YAML_LIST)
		return n->count;
	return yaml_kind(n) == YAML_MAP ? n->count / 2 : 0;
}

const struct yaml_node *yaml_element(const struct yaml_node *list, size_t i)
{
	return yaml_kind(list) == YAML_LIST && i < list->count ? list->children[i] : NULL;
}

const struct yaml_node *yaml_key_at(const struct yaml_node *map, size_t i)
{
	return yaml_kind(map) == YAML_MAP && i < map->count / 2 ? map->children[i * 2] : NULL;
}

const struct yaml_node *yaml_value_at(const struct yaml_node *map, size_t i)
{
	return yaml_kind(map) == YAML_MAP && i < map->count / 2 ? map->children[i * 2 + 1] : NULL;
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
	for (size_t i = 0; i < yaml_count(map) && yaml_kind(map) == YAML_MAP; i++)
		if (!strcmp(map->children[i * 2]->text, key))
			return map->children[i * 2 + 1];
	return NULL;
}

const char *yaml_text(const struct yaml_node *n)
{
	return yaml_kind(n) == YAML_TEXT ? n->text : NULL;
}

static void note_unknown_key(const struct yaml_node *key, const char *what, const char *const *keys)
{
	struct nearest near = nearest_to(key->text);
	char known[256] = "";
	size_t used = 0;

	for (size_t i = 0; keys[i]; i++)
		nearest_offer(&near, keys[i]);
	if (near.best) {
		yaml_problem(key, "%s has no key \"%.64s\"; \"%s\" would be right", what, key->text,
			     near.best);
		return;
	}
	for (size_t i = 0; keys[i] && used < sizeof(known); i++) {
		int n = snprintf(known + used, sizeof(known) - used, i ? ", %s" : "%s", keys[i]);
		used += (size_t)n;
	}
	yaml_problem(key, "%s has no key \"%.64s\"; its keys are %s", what, key->text, known);
}

void yaml_only_keys(const struct yaml_node *map, const char *what, const char *const *keys)
{
	if (yaml_kind(map) != YAML_MAP) {
		yaml_problem(map, "%s is not written as keys and values; write \"%s: ...\"", what,
			     keys[0]);
		return;
	}
	for (size_t i = 0; i < map->count / 2 && map->file->problems->count < PROBLEMS_MOST; i++) {
		const struct yaml_node *key = map->children[i * 2];
		size_t known = 0;
		while (keys[known] && strcmp(keys[known], key->text))
			known++;
		if (!keys[known])
			note_unknown_key(key, what, keys);
		else if (yaml_get(map, key->text) != map->children[i * 2 + 1])
			yaml_problem(key, "key \"%s\" stands twice in %s; keep one of them",
				     key->text, what);
	}
}

/* The text of a value that is there; false when it is of another kind. */
static bool find_text(const struct yaml_node *map, const char *key, const char *right,
		      const struct yaml_node **at)
{
	*at = yaml_get(map, key);
	if (yaml_kind(*at) == YAML_ABSENT) {
		*at = NULL;
		return true;
	}
	if ((*at)->kind == YAML_TEXT)
		return true;
	yaml_problem(*at, "%s is a %s; %s would be right", key,
		     (*at)->kind == YAML_LIST ? "list" : "map", right);
	return false;
}

bool yaml_read_text(const struct yaml_node *map, const char *key, const char **out)
{
	const struct yaml_node *at;

	if (!find_text(map, key, "a single text", &at))
		return false;
	if (at)
		*out = at->text;
	return true;
}

/* A whole decimal number and nothing else before `end`. */
static bool parse_whole(const char *text, char **end, uint64_t *out)
{
	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*out = strtoull(text, end, 10);
	return errno == 0;
}

bool yaml_read_u64(const struct yaml_node *map, const char *key, uint64_t least, uint64_t most,
		   uint64_t *out)
{
	const struct yaml_node *at;
	char *end;
	uint64_t v;

	if (!find_text(map, key, "a whole number", &at))
		return false;
	if (!at)
		return true;
	if (!parse_whole(at->text, &end, &v) || *end || v < least || v > most) {
		yaml_problem(at, "%s is \"%.64s\"; a whole number from %llu to %llu would be right",
			     key, at->text, (unsigned long long)least, (unsigned long long)most);
		return false;
	}
	*out = v;
	return true;
}

bool yaml_read_bool(const struct yaml_node *map, const char *key, bool *out)
{
	const struct yaml_node *at;

	if (!find_text(map, key, "true or false", &at))
		return false;
	if (!at)
		return true;
	bool yes = !strcmp(at->text, "true");
	if (!yes && strcmp(at->text, "false")) {
		yaml_problem(at, "%s is \"%.64s\"; true or false would be right", key, at->text);
		return false;
	}
	*out = yes;
	return true;
}

bool yaml_read_span(const struct yaml_node *map, const char *key, struct usec *out)
{
	static const char right[] = "a number with its unit, as 90s, 5m, 1h or 7d,";
	const struct yaml_node *at;
	struct usec v;

	if (!find_text(map, key, right, &at))
		return false;
	if (!at)
		return true;
	if (!clock_parse_span(at->text, &v)) {
		yaml_problem(at, "%s is \"%.64s\"; %s would be right", key, at->text, right);
		return false;
	}
	*out = v;
	return true;
}

/* How far a size's unit shifts its number; -1 when there is no such unit. */
static int unit_shift(const char *unit)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };

	if (!*unit)
		return 0;
	for (int i = 0; i < 5; i++)
		if (!strcmp(unit, units[i]))
			return i * 10;
	return -1;
}

bool yaml_read_size(const struct yaml_node *map, const char *key, uint64_t *out)
{
	static const char right[] = "a number with its unit, as 512KiB, 64MiB or 2GiB,";
	const struct yaml_node *at;
	char *end;
	uint64_t v;

	if (!find_text(map, key, right, &at))
		return false;
	if (!at)
		return true;
	int shift = parse_whole(at->text, &end, &v) ? unit_shift(end) : -1;
	if (shift < 0 || v > UINT64_MAX >> shift) {
		yaml_problem(at, "%s is \"%.64s\"; %s would be right", key, at->text, right);
		return false;
	}
	*out = v << shift;
	return true;
}
