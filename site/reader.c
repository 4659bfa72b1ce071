/* SPDX-License-Identifier: Apache-2.0 */
#include "site/reader.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/nearest.h"

enum { FREE_TEXT_MOST = 200, NAME_MOST = 63, CORRECTIONS_MOST = 200 };

void note_finding(struct reader *r, const struct yaml_node *at, const char *format, ...)
{
	char text[400];
	size_t before = r->problems->count;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	yaml_problem(at, "finding: %s", text);
	r->findings += r->problems->count - before;
}

void *take_memory(struct reader *r, size_t count, size_t size)
{
	void *p = arena_alloc(&r->site->memory, count * size);

	if (!p)
		r->short_of_memory = true;
	return p;
}

bool make_room(struct reader *r, void **list, size_t *room, size_t count, size_t size)
{
	if (count < *room)
		return true;
	size_t wanted = *room ? *room * 2 : 16;
	void *p = realloc(*list, wanted * size);
	if (!p) {
		r->short_of_memory = true;
		return false;
	}
	*list = p;
	*room = wanted;
	return true;
}

const char *keep_text(struct reader *r, const char *text)
{
	const char *kept = arena_text(&r->site->memory, text, strlen(text));

	if (!kept)
		r->short_of_memory = true;
	return kept;
}

size_t list_length(const struct yaml_node *map, const char *key, const char *right)
{
	const struct yaml_node *list = yaml_get(map, key);
	enum yaml_kind kind = yaml_kind(list);

	if (kind == YAML_TEXT || kind == YAML_MAP)
		yaml_problem(list, "%s is a %s; a list would be right, as %s", key,
			     kind == YAML_TEXT ? "single text" : "map", right);
	return kind == YAML_LIST ? yaml_count(list) : 0;
}

const char *item_text(const struct yaml_node *list, size_t i, const char *what)
{
	const struct yaml_node *item = yaml_element(list, i);
	const char *text = yaml_text(item);

	if (!text || !*text) {
		yaml_problem(item, "%s is no text; write one word or number per list element",
			     what);
		return NULL;
	}
	return text;
}

bool is_missing(const struct yaml_node *map, const char *key)
{
	const struct yaml_node *at = yaml_get(map, key);
	const char *text = yaml_text(at);

	return yaml_kind(at) == YAML_ABSENT || (text && !*text);
}

static bool is_printable(const char *text)
{
	for (; *text; text++)
		if (iscntrl((unsigned char)*text))
			return false;
	return true;
}

const char *read_free_text(struct reader *r, const struct yaml_node *map, const char *key)
{
	const char *text = NULL;

	if (!yaml_read_text(map, key, &text) || !text || !*text)
		return NULL;
	if (strlen(text) <= FREE_TEXT_MOST && is_printable(text))
		return keep_text(r, text);
	yaml_problem(yaml_get(map, key),
		     "%s is too long or holds a control character; one line of at most %d bytes "
		     "would be right",
		     key, FREE_TEXT_MOST);
	return NULL;
}

static bool is_name(const char *text)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return n && n <= NAME_MOST && !text[n] && text[0] != '-';
}

bool check_name(const struct yaml_node *at, const char *text, const char *what)
{
	if (is_name(text))
		return true;
	yaml_problem(
		at,
		"%s cannot be \"%.64s\"; lower-case letters, digits and hyphens would be right, "
		"at most %d of them, the first no hyphen",
		what, text, NAME_MOST);
	return false;
}

const char *read_name(struct reader *r, const struct yaml_node *map, const char *key,
		      const char *what)
{
	const char *text = NULL;

	if (!yaml_read_text(map, key, &text))
		return NULL;
	if (!text) {
		yaml_problem(map, "%s is missing; write \"%s: ...\"", what, key);
		return NULL;
	}
	return check_name(yaml_get(map, key), text, what) ? keep_text(r, text) : NULL;
}

void names_add(struct reader *r, struct names *n, const char *text, const struct yaml_node *at,
	       size_t index)
{
	void *list = n->list;

	if (!make_room(r, &list, &n->room, n->count, sizeof(*n->list)))
		return;
	n->list = list;
	n->list[n->count++] = (struct name){ text, at, index };
}

static int by_text(const void *a, const void *b)
{
	const struct name *x = a, *y = b;
	int order = strcmp(x->text, y->text);

	if (order)
		return order;
	if (yaml_line(x->at) != yaml_line(y->at))
		return yaml_line(x->at) < yaml_line(y->at) ? -1 : 1;
	return yaml_column(x->at) < yaml_column(y->at) ? -1
						       : yaml_column(x->at) > yaml_column(y->at);
}

void names_sort(struct names *n, const char *what, const char *remedy)
{
	size_t first = 0;

	if (n->count)
		qsort(n->list, n->count, sizeof(*n->list), by_text);
	for (size_t i = 1; i < n->count; i++) {
		if (strcmp(n->list[i].text, n->list[first].text))
			first = i;
		else if (what)
			yaml_problem(n->list[i].at,
				     "%s \"%.64s\" stands twice, first in line %u; %s", what,
				     n->list[i].text, yaml_line(n->list[first].at), remedy);
	}
}

const struct name *names_find(const struct names *n, const char *text)
{
	size_t from = 0, to = n->count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		if (strcmp(n->list[middle].text, text) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from < n->count && !strcmp(n->list[from].text, text) ? &n->list[from] : NULL;
}

void names_note_unknown(struct reader *r, const struct names *n, const struct yaml_node *at,
			const char *text, const char *what)
{
	struct nearest near = nearest_to(text);

	/* Comparing everything with everything is for a few slips, not for a wrong file. */
	for (size_t i = 0; i < n->count && r->problems->count < CORRECTIONS_MOST; i++)
		nearest_offer(&near, n->list[i].text);
	if (near.best)
		yaml_problem(at, "there is no %s \"%.64s\"; \"%s\" would be right", what, text,
			     near.best);
	else
		yaml_problem(at,
			     "there is no %s \"%.64s\"; declare it, or name one that is declared",
			     what, text);
}
