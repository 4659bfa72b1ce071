/* SPDX-License-Identifier: Apache-2.0 */
#include "config/yaml.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MOST = 512 };

void problems_finish(struct problems *p)
{
	free(p->list);
	arena_finish(&p->memory);
	*p = (struct problems){ 0 };
}

static bool grow(struct problems *p)
{
	if (p->count < p->room)
		return true;
	size_t room = p->room ? p->room * 2 : 16;
	struct problem *list = realloc(p->list, room * sizeof(*list));
	if (!list)
		return false;
	p->list = list;
	p->room = room;
	return true;
}

static int compare(const struct problem *a, const struct problem *b)
{
	int files = strcmp(a->file, b->file);

	if (files)
		return files;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	if (a->column != b->column)
		return a->column < b->column ? -1 : 1;
	return 0;
}

static void insert(struct problems *p, struct problem added)
{
	size_t at = p->count;

	while (at && compare(&added, &p->list[at - 1]) < 0)
		at--;
	memmove(p->list + at + 1, p->list + at, (p->count - at) * sizeof(*p->list));
	p->list[at] = added;
	p->count++;
}

/* A mistyped file may hold anything; a terminal must not obey it. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if (iscntrl((unsigned char)*text))
			*text = '?';
}

__attribute__((format(printf, 2, 0))) static const char *keep(struct problems *p,
							      const char *format, va_list args)
{
	char text[TEXT_MOST];

	vsnprintf(text, sizeof(text), format, args);
	make_printable(text);
	const char *kept = arena_text(&p->memory, text, strlen(text));
	return kept ? kept : "a mistake that there is no memory to describe";
}

void problems_note(struct problems *p, const char *file, unsigned line, unsigned column,
		   const char *format, ...)
{
	va_list args;

	if (p->count >= PROBLEMS_MOST || !grow(p))
		return;
	if (p->count == PROBLEMS_MOST - 1) {
		p->list[p->count++] =
			(struct problem){ .file = file,
					  .text = "there are more mistakes; mend these first" };
		return;
	}
	va_start(args, format);
	const char *text = keep(p, format, args);
	va_end(args);
	insert(p, (struct problem){ file, line, column, text });
}

void problems_print(const struct problems *p, struct buf *out)
{
	for (size_t i = 0; i < p->count; i++) {
		const struct problem *at = &p->list[i];
		if (at->line)
			buf_format(out, "%s:%u:%u: %s\n", at->file, at->line, at->column, at->text);
		else
			buf_format(out, "%s: %s\n", at->file, at->text);
	}
}

bool problems_tell(const struct problems *p)
{
	struct buf text = { 0 };

	problems_print(p, &text);
	if (text.len)
		fputs(text.data, stderr);
	buf_finish(&text);
	return p->count > 0;
}
