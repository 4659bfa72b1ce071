/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/cli_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "collector/cli_text.h"

enum { GAP = 2 };

void colour_put(const struct style *style, enum colour colour, struct buf *out)
{
	static const char *const sequences[] = {
		[COLOUR_NONE] = "\033[0m",  [COLOUR_BOLD] = "\033[1m",
		[COLOUR_FAINT] = "\033[2m", [COLOUR_LOW] = "\033[36m",
		[COLOUR_HIGH] = "\033[33m", [COLOUR_CRITICAL] = "\033[1;31m",
	};

	if (style->colour)
		buf_text(out, sequences[colour]);
}

enum colour colour_of_severity(const char *word)
{
	return !word                       ? COLOUR_NONE
	       : !strcmp(word, "critical") ? COLOUR_CRITICAL
	       : !strcmp(word, "high")     ? COLOUR_HIGH
	       : !strcmp(word, "low")      ? COLOUR_LOW
					   : COLOUR_NONE;
}

void table_init(struct table *t, const struct table_column *columns, size_t count)
{
	assert(count <= TABLE_COLUMNS);
	*t = (struct table){ .columns = columns, .column_count = count };
}

void table_finish(struct table *t)
{
	arena_finish(&t->memory);
	free(t->cells);
	*t = (struct table){ 0 };
}

static bool grow(struct table *t)
{
	if (t->cell_count < t->room)
		return true;
	size_t room = t->room ? t->room * 2 : 256;
	struct table_cell *cells = realloc(t->cells, room * sizeof(*cells));
	if (!cells)
		return false;
	t->cells = cells;
	t->room = room;
	return true;
}

void table_cell(struct table *t, const char *text, enum colour colour)
{
	struct buf clean = { 0 };

	text_clean(text ? text : "", &clean);
	char *kept = clean.failed ? NULL
				  : arena_text(&t->memory, clean.data ? clean.data : "", clean.len);
	buf_finish(&clean);
	if (!kept || !grow(t)) {
		t->failed = true;
		return;
	}
	t->cells[t->cell_count++] = (struct table_cell){ kept, colour };
}

static void measure(const struct table *t, size_t widths[TABLE_COLUMNS])
{
	for (size_t c = 0; c < t->column_count; c++)
		widths[c] = text_width(t->columns[c].title);
	for (size_t i = 0; i < t->cell_count; i++) {
		size_t n = text_width(t->cells[i].text);
		if (n > widths[i % t->column_count])
			widths[i % t->column_count] = n;
	}
}

static size_t total(const struct table *t, const size_t widths[TABLE_COLUMNS])
{
	size_t sum = 0;

	for (size_t c = 0; c < t->column_count; c++)
		sum += widths[c] ? widths[c] + GAP : 0;
	return sum ? sum - GAP : 0;
}

/* Cuts columns from the right until the row fits; then leaves optional ones
 * out (width 0), and lets the others have their full width back. */
static bool fit(const struct table *t, size_t width, size_t widths[TABLE_COLUMNS])
{
	size_t full[TABLE_COLUMNS];

	memcpy(full, widths, sizeof(full));
	for (size_t c = t->column_count; c-- && total(t, widths) > width;) {
		size_t over = total(t, widths) - width, least = t->columns[c].least;
		if (!least || widths[c] <= least)
			continue;
		widths[c] = widths[c] - least > over ? widths[c] - over : least;
	}
	if (total(t, widths) <= width)
		return true;
	for (size_t c = t->column_count; c--;) {
		if (!t->columns[c].optional || !full[c])
			continue;
		memcpy(widths, full, sizeof(full));
		widths[c] = 0;
		fit(t, width, widths);
		return false;
	}
	return true;
}

static void row(const struct table *t, const struct style *style, const size_t *widths,
		const struct table_cell *cells, struct buf *out)
{
	size_t last = 0;

	for (size_t c = 0; c < t->column_count; c++)
		if (widths[c] && cells[c].text[0])
			last = c;
	for (size_t c = 0; c <= last; c++) {
		bool right = t->columns[c].right;
		if (!widths[c])
			continue;
		if (cells[c].colour)
			colour_put(style, cells[c].colour, out);
		/* No blanks at a line's end. */
		size_t n = text_width(cells[c].text);
		text_pad(cells[c].text, c == last && !right && n < widths[c] ? n : widths[c], right,
			 out);
		if (cells[c].colour)
			colour_put(style, COLOUR_NONE, out);
		if (c < last)
			buf_text(out, "  ");
	}
	buf_char(out, '\n');
}

bool table_print(const struct table *t, const struct style *style, struct buf *out)
{
	size_t widths[TABLE_COLUMNS] = { 0 };
	struct table_cell heads[TABLE_COLUMNS];
	bool whole = true;

	measure(t, widths);
	if (style->width)
		whole = fit(t, style->width, widths);
	for (size_t c = 0; c < t->column_count; c++)
		heads[c] = (struct table_cell){ t->columns[c].title, COLOUR_BOLD };
	row(t, style, widths, heads, out);
	for (size_t i = 0; i + t->column_count <= t->cell_count; i += t->column_count)
		row(t, style, widths, t->cells + i, out);
	if (t->failed)
		out->failed = true;
	return whole;
}
