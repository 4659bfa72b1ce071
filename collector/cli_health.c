/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/cli_views.h"

#include <stdio.h>
#include <string.h>

#include "collector/cli_text.h"

/* Clear of doubt, however quiet: only a mirror that lives can show silence. */
bool row_is_healthy(const json_t *row)
{
	const char *state = row_text(row, "state");

	return !strcmp(state, "seen") ||
	       (!strcmp(state, "quiet") && !strstr(row_text(row, "reasons"), "never-seen"));
}

static enum colour colour_of_state(const char *state)
{
	if (!strcmp(state, "blind") || !strcmp(state, "mirror-dead") || !strcmp(state, "silent"))
		return COLOUR_CRITICAL;
	return !strcmp(state, "partial") ? COLOUR_HIGH : COLOUR_NONE;
}

/* "0.2 %"; nothing where nothing is missing, and never "0.0 %" of something. */
static void cell_share(struct table *t, const json_t *row, const char *name)
{
	double v = json_number_value(json_object_get(row, name)) * 100;
	char text[32] = "";

	if (v > 0)
		snprintf(text, sizeof(text), v < 0.1 ? "<0.1 %%" : "%.1f %%", v);
	table_cell(t, text, v >= 50 ? COLOUR_CRITICAL : v >= 0.1 ? COLOUR_HIGH : COLOUR_NONE);
}

/* "2026-01-02 03:04"; reports are by the minute. */
static void cell_minute(struct table *t, const json_t *row, const char *name)
{
	char text[17];

	snprintf(text, sizeof(text), "%.16s", row_text(row, name));
	if (strlen(text) > 10)
		text[10] = ' ';
	table_cell(t, text, COLOUR_NONE);
}

static void put_note(const char *head, const char *text, const struct style *style, struct buf *out)
{
	struct buf line = { 0 }, clean = { 0 };

	if (!*text)
		return;
	buf_format(&line, "%s: %s", head, text);
	text_clean(line.data ? line.data : "", &clean);
	text_wrap(clean.data ? clean.data : "", 2, style->width, out);
	buf_finish(&line);
	buf_finish(&clean);
}

static void coverage_row(struct table *t, const json_t *row)
{
	const char *state = row_text(row, "state"), *worst = row_text(row, "worst");

	table_cell(t, row_text(row, "segment"), COLOUR_NONE);
	table_cell(t, row_text(row, "sensor"), COLOUR_NONE);
	table_cell(t, state, colour_of_state(state));
	cell_minute(t, row, "since");
	table_cell(t, worst, colour_of_state(worst));
	cell_share(t, row, "lost_share");
	cell_share(t, row, "missed_share");
}

static void coverage_notes(const json_t *rows, const struct style *style, struct buf *out)
{
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		char head[160];
		if (!strcmp(row_text(row, "state"), "quiet") && row_is_healthy(row))
			continue;
		snprintf(head, sizeof(head), "%s (%s)", row_text(row, "segment"),
			 row_text(row, "sensor"));
		put_note(head, row_text(row, "reason"), style, out);
	}
}

void view_coverage(const json_t *answer, const struct style *style, struct buf *out)
{
	static const struct table_column columns[] = {
		{ "SEGMENT", .least = 12 },
		{ "SENSOR", .least = 8 },
		{ "STATE" },
		{ "SINCE" },
		{ "WORST" },
		{ "LOST", .right = true },
		{ "MISSED", .right = true },
	};
	const json_t *rows = json_object_get(answer, "rows"), *row;
	size_t i, unhealthy = 0, count = json_array_size(rows);
	struct table t;

	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	json_array_foreach(rows, i, row)
	{
		coverage_row(&t, row);
		unhealthy += !row_is_healthy(row);
	}
	table_print(&t, style, out);
	table_finish(&t);
	buf_char(out, '\n');
	coverage_notes(rows, style, out);
	if (count)
		buf_char(out, '\n');
	view_count(count, "segment", out);
	buf_format(out, ", %zu not well seen; times in UTC\n", unhealthy);
}

static void sensor_row(struct table *t, const json_t *row)
{
	const char *state = row_text(row, "state");
	double rate = json_number_value(json_object_get(row, "packets_per_s"));
	char text[TEXT_COUNT];

	table_cell(t, row_text(row, "sensor"), COLOUR_NONE);
	table_cell(t, state, colour_of_state(state));
	cell_minute(t, row, "last_minute");
	table_cell(t, row_text(row, "version"), COLOUR_NONE);
	table_cell(t, text_count((uint64_t)rate, text), COLOUR_NONE);
	cell_share(t, row, "lost_share");
	cell_share(t, row, "lost_share_in_all");
	snprintf(text, sizeof(text), "%u", (unsigned)(row_number(row, "shed_level") & 0xff));
	table_cell(t, text, row_number(row, "shed_level") ? COLOUR_HIGH : COLOUR_NONE);
}

/* What should be looked at, of what is counted; the rest is in the other formats. */
static void sensor_counters(const json_t *counters, struct buf *out)
{
	static const char *const names[] = {
		"drops.kernel",
		"drops.interface",
		"drops.softnet",
		"frames.damaged",
		"packets.oversized",
		"packets.truncated",
		"packets.unknown-link-type",
		"clock.jump",
		"clock.steps",
		"flows.evicted",
		"spool.refused",
	};
	uint64_t packets = row_number(counters, "packets");

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		uint64_t n = row_number(counters, names[i]);
		char count[TEXT_COUNT];
		if (!n)
			continue;
		buf_format(out, "%s%s %s", out->len ? ", " : "", names[i], text_count(n, count));
		if (packets && strncmp(names[i], "clock", 5))
			buf_format(out, " (%.2g %%)",
				   (double)n * 100 / ((double)packets + (double)n));
	}
}

static void sensor_interfaces(const json_t *interfaces, struct buf *out)
{
	const json_t *p;
	size_t i;

	json_array_foreach(interfaces, i, p)
	{
		buf_format(out, "%s%s %s", out->len ? ", " : "", row_text(p, "name"),
			   row_text(p, "state"));
	}
}

static void sensor_notes(const json_t *row, const struct style *style, struct buf *out)
{
	const char *name = row_text(row, "sensor");
	struct buf text = { 0 };

	if (*row_text(row, "site_revision"))
		buf_format(&text, "site %s", row_text(row, "site_revision"));
	if (row_number(row, "epoch"))
		buf_format(&text, "%sepoch %" JSON_INTEGER_FORMAT, text.len ? ", " : "",
			   (json_int_t)row_number(row, "epoch"));
	if (row_number(row, "missing_batches"))
		buf_format(&text, ", %" JSON_INTEGER_FORMAT " batches missing",
			   (json_int_t)row_number(row, "missing_batches"));
	put_note(name, text.data ? text.data : "", style, out);
	buf_clear(&text);
	sensor_interfaces(json_object_get(row, "interfaces"), &text);
	put_note("  interfaces", text.len ? text.data : "", style, out);
	buf_clear(&text);
	sensor_counters(json_object_get(row, "last_counters"), &text);
	put_note("  last minute", text.len ? text.data : "", style, out);
	buf_clear(&text);
	sensor_counters(json_object_get(row, "counters"), &text);
	put_note("  in all", text.len ? text.data : "", style, out);
	buf_finish(&text);
}

void view_sensors(const json_t *answer, const struct style *style, struct buf *out)
{
	static const struct table_column columns[] = {
		{ "SENSOR", .least = 8 },
		{ "STATE" },
		{ "LAST REPORT" },
		{ "VERSION" },
		{ "PACKETS/S", .right = true },
		{ "LOST", .right = true },
		{ "IN ALL", .right = true },
		{ "SHED", .right = true },
	};
	const json_t *rows = json_object_get(answer, "rows"), *row;
	struct table t;
	size_t i;

	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	json_array_foreach(rows, i, row) sensor_row(&t, row);
	table_print(&t, style, out);
	table_finish(&t);
	buf_char(out, '\n');
	json_array_foreach(rows, i, row) sensor_notes(row, style, out);
	if (json_array_size(rows))
		buf_char(out, '\n');
	view_count(json_array_size(rows), "sensor", out);
	buf_text(out, "; times in UTC\n");
}
