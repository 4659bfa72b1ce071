/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/cli_views.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "collector/cli_text.h"
#include "schema/names.h"

const char *row_text(const json_t *row, const char *name)
{
	const char *text = json_string_value(json_object_get(row, name));
	return text ? text : "";
}

uint64_t row_number(const json_t *row, const char *name)
{
	json_int_t v = json_integer_value(json_object_get(row, name));
	return v > 0 ? (uint64_t)v : 0;
}

void view_count(size_t n, const char *noun, struct buf *out)
{
	char digits[24];
	int length = snprintf(digits, sizeof(digits), "%zu", n);

	for (int i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			buf_char(out, ',');
		buf_char(out, digits[i]);
	}
	buf_format(out, " %s%s", noun, n == 1 ? "" : "s");
}

void view_time(const char *text, size_t from, struct buf *out)
{
	struct usec t;

	if (strlen(text) < 20 || text[10] != 'T' || !clock_parse(text, &t)) {
		buf_text(out, text);
		return;
	}
	char shown[CLOCK_TEXT];
	clock_text(t, shown);
	shown[10] = ' ';
	shown[19] = '\0';
	buf_text(out, shown + from);
}

/* "10.30.1.5 [imaging]"; the port only where it says something. */
static void put_endpoint(const json_t *end, bool with_port, struct buf *out)
{
	const char *ip = row_text(end, "ip"), *segment = row_text(end, "segment");
	const json_t *port = json_object_get(end, "port");

	if (with_port && json_is_integer(port))
		buf_format(out, strchr(ip, ':') ? "[%s]:%lld" : "%s:%lld", ip,
			   (long long)json_integer_value(port));
	else
		buf_text(out, ip);
	if (*segment)
		buf_format(out, "%s[%s]", out->len ? " " : "", segment);
}

static const char *text_of(const struct buf *b)
{
	return b->data ? b->data : "";
}

static void cell_endpoint(struct table *t, const json_t *end, bool with_port)
{
	struct buf text = { 0 };

	put_endpoint(end, with_port, &text);
	table_cell(t, text_of(&text), COLOUR_NONE);
	buf_finish(&text);
}

/* The day that all rows' `name` fall on, or NULL. */
static const char *common_day(const json_t *rows, const char *name)
{
	const char *day = NULL;
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		const char *text = row_text(row, name);
		if (strlen(text) < 20 || (day && strncmp(text, day, 10)))
			return NULL;
		day = text;
	}
	return day;
}

static void flow_row(struct table *t, const json_t *row, size_t from, bool narrow)
{
	const json_t *bytes = json_object_get(row, "bytes");
	const char *severity = row_text(row, "severity"), *app = row_text(row, "app");
	char count[TEXT_COUNT];
	struct buf time = { 0 };

	view_time(row_text(row, "start"), from, &time);
	table_cell(t, text_of(&time), COLOUR_NONE);
	buf_finish(&time);
	cell_endpoint(t, json_object_get(row, "client"), false);
	cell_endpoint(t, json_object_get(row, "server"), true);
	table_cell(t, *app ? app : row_text(row, "protocol"), COLOUR_NONE);
	if (narrow) {
		table_cell(t, row_text(row, "verdict"), colour_of_severity(severity));
		return;
	}
	table_cell(
		t,
		text_count(row_number(bytes, "to_server") + row_number(bytes, "to_client"), count),
		COLOUR_NONE);
	table_cell(t, row_text(row, "verdict"), colour_of_severity(severity));
	table_cell(t, severity, colour_of_severity(severity));
	table_cell(t, row_text(row, "reason"), COLOUR_NONE);
}

void view_flows(const json_t *answer, const struct style *style, struct buf *out)
{
	static const struct table_column columns[] = {
		{ "TIME" },
		{ "CLIENT" },
		{ "SERVER" },
		{ "APP" },
		{ "BYTES", .right = true },
		{ "VERDICT" },
		{ "SEVERITY" },
		{ "REASON", .least = 24, .optional = true },
	};
	static const struct table_column few[] = {
		{ "TIME" },    { "CLIENT", .least = 16 }, { "SERVER", .least = 22 }, { "APP" },
		{ "VERDICT" },
	};
	bool narrow = style->width && style->width < 100;
	const json_t *rows = json_object_get(answer, "rows"), *row;
	const char *day = common_day(rows, "start");
	struct table t;
	size_t i;

	if (narrow)
		table_init(&t, few, sizeof(few) / sizeof(few[0]));
	else
		table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	json_array_foreach(rows, i, row) flow_row(&t, row, day ? 11 : 0, narrow);
	if (day)
		buf_format(out, "%.10s, times in UTC\n", day);
	bool whole = table_print(&t, style, out);
	table_finish(&t);
	buf_char(out, '\n');
	view_count(json_array_size(rows), "flow", out);
	buf_text(out, day ? "" : ", times in UTC");
	buf_text(out, narrow  ? "; a wider terminal also shows bytes, severities and reasons\n"
		      : whole ? "\n"
			      : "; a wider terminal also shows the reasons\n");
}

static void put_wrapped(const struct buf *line, const struct style *style, struct buf *out)
{
	struct buf clean = { 0 };

	if (line->len) {
		text_clean(line->data, &clean);
		text_wrap(text_of(&clean), 2, style->width, out);
	}
	buf_finish(&clean);
}

/* What stands in an alert's second line: who, with whom, over what. */
static void alert_ends(const json_t *row, const struct style *style, struct buf *out)
{
	const json_t *client = json_object_get(row, "client");
	const json_t *server = json_object_get(row, "server");
	struct buf text = { 0 };

	if (client)
		put_endpoint(client, false, &text);
	if (client && server)
		buf_text(&text, " -> ");
	if (server) {
		struct buf end = { 0 };
		put_endpoint(server, true, &end);
		buf_text(&text, text_of(&end));
		buf_finish(&end);
	}
	if (*row_text(row, "app"))
		buf_format(&text, "  %s", row_text(row, "app"));
	put_wrapped(&text, style, out);
	buf_finish(&text);
}

static void alert_head(const json_t *row, const struct style *style, struct buf *out)
{
	const char *severity = row_text(row, "severity");
	const char *first = row_text(row, "first_seen"), *last = row_text(row, "last_seen");
	struct buf clean = { 0 }, line = { 0 };

	text_clean(severity, &clean);
	colour_put(style, colour_of_severity(severity), out);
	text_pad(text_of(&clean), 8, false, out);
	if (style->colour)
		colour_put(style, COLOUR_NONE, out);
	buf_format(&line, "  %s  ", row_text(row, "kind"));
	view_time(first, 0, &line);
	if (strncmp(first, last, 19)) {
		buf_text(&line, " to ");
		view_time(last, strncmp(first, last, 10) ? 0 : 11, &line);
	}
	if (row_number(row, "count") > 1)
		buf_format(&line, ", %" JSON_INTEGER_FORMAT " times",
			   (json_int_t)row_number(row, "count"));
	text_clean(text_of(&line), out);
	buf_char(out, '\n');
	buf_finish(&clean);
	buf_finish(&line);
}

/* The rule that a vendor's flow broke is mostly the vendor itself. */
static bool is_said(const json_t *row, const char *name)
{
	return !strcmp(name, "rule") && !strcmp(row_text(row, "rule"), row_text(row, "vendor"));
}

static void alert_facts(const json_t *row, const struct style *style, struct buf *out)
{
	static const char *const names[] = { "vendor",   "rule",   "technique",
					     "exercise", "sensor", "id" };
	struct buf line = { 0 };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (*row_text(row, names[i]) && !is_said(row, names[i]))
			buf_format(&line, "%s%s %s", line.len ? ", " : "", names[i],
				   row_text(row, names[i]));
	colour_put(style, COLOUR_FAINT, out);
	put_wrapped(&line, style, out);
	colour_put(style, COLOUR_NONE, out);
	buf_finish(&line);
}

static void alert_block(const json_t *row, const struct style *style, struct buf *out)
{
	struct buf reason = { 0 };

	alert_head(row, style, out);
	alert_ends(row, style, out);
	buf_text(&reason, row_text(row, "reason"));
	put_wrapped(&reason, style, out);
	buf_finish(&reason);
	alert_facts(row, style, out);
	buf_char(out, '\n');
}

void view_alerts(const json_t *answer, const struct style *style, struct buf *out)
{
	const json_t *rows = json_object_get(answer, "rows"), *row;
	size_t by_severity[SEVERITY_COUNT] = { 0 };
	const char *between = ": ";
	size_t i;

	json_array_foreach(rows, i, row)
	{
		alert_block(row, style, out);
		int severity = severity_of(row_text(row, "severity"));
		if (severity >= 0)
			by_severity[severity]++;
	}
	view_count(json_array_size(rows), "alert", out);
	for (int s = SEVERITY_COUNT; s-- > 0;) {
		if (!by_severity[s])
			continue;
		buf_format(out, "%s%zu %s", between, by_severity[s],
			   severity_name((enum severity)s));
		between = ", ";
	}
	buf_char(out, '\n');
}

static void put_number(const json_t *value, bool exact, struct buf *out)
{
	json_int_t v = json_integer_value(value);
	char count[TEXT_COUNT];

	if (json_is_real(value))
		buf_format(out, exact ? "%.15g" : "%.4g", json_real_value(value));
	else if (exact || v < 0)
		buf_format(out, "%" JSON_INTEGER_FORMAT, v);
	else
		buf_text(out, text_count((uint64_t)v, count));
}

static void put_value(const json_t *value, bool exact, struct buf *out)
{
	if (json_is_string(value) && exact)
		buf_text(out, json_string_value(value));
	else if (json_is_string(value))
		view_time(json_string_value(value), 0, out);
	else if (json_is_number(value))
		put_number(value, exact, out);
	else if (json_is_boolean(value))
		buf_text(out, json_is_true(value) ? "yes" : "no");
	else if (json_is_object(value) && json_object_get(value, "ip"))
		put_endpoint(value, true, out);
	else if (json_is_object(value) || json_is_array(value)) {
		char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS);
		buf_text(out, text ? text : "");
		free(text);
	}
}

/* Numbers that name something are not counts, and stay whole. */
static bool is_exact(const char *column)
{
	static const char *const names[] = { "port",  "client_port", "server_port", "asn",
					     "epoch", "client_asn",  "server_asn",  "sequence" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(column, names[i]))
			return true;
	return false;
}

struct columns {
	struct table_column table[TABLE_COLUMNS];
	const char *names[TABLE_COLUMNS];
	char titles[TABLE_COLUMNS][64];
	size_t places[TABLE_COLUMNS]; /* in the answer */
	size_t count;
};

/* A name may be a dotted one, "client.ip". */
static const json_t *value_at(const json_t *row, const struct columns *c, size_t i)
{
	const char *name = c->names[i], *dot = strchr(name, '.');
	const json_t *value = json_object_get(row, name);
	char first[64];

	if (json_is_array(row))
		return json_array_get(row, c->places[i]);
	if (value || !dot || (size_t)(dot - name) >= sizeof(first))
		return value;
	snprintf(first, sizeof(first), "%.*s", (int)(dot - name), name);
	return json_object_get(json_object_get(row, first), dot + 1);
}

static void add_column(struct columns *c, const char *name, size_t place, bool exact)
{
	struct buf clean = { 0 };
	char *title = c->titles[c->count];

	text_clean(name, &clean);
	snprintf(title, sizeof(c->titles[0]), "%s", text_of(&clean));
	buf_finish(&clean);
	for (char *p = title; *p && !exact; p++)
		*p = *p == '_' || *p == '.' ? ' ' : (char)toupper((unsigned char)*p);
	c->names[c->count] = name;
	c->places[c->count] = place;
	c->table[c->count] = (struct table_column){ .title = title };
	c->count++;
}

static bool is_shown(const json_t *value)
{
	bool nested =
		json_is_array(value) || (json_is_object(value) && !json_object_get(value, "ip"));
	return value && !json_is_null(value) && !nested;
}

/* Looks a column over: numbers stand right, and one that no row has anything
 * in that fits a cell (exercises mostly, counters) need not be shown. */
static bool look_over(struct columns *c, size_t i, const json_t *rows)
{
	const json_t *row;
	size_t k;
	bool used = json_array_size(rows) == 0;

	json_array_foreach(rows, k, row)
	{
		const json_t *value = value_at(row, c, i);
		used |= is_shown(value);
		c->table[i].right |= json_is_number(value);
	}
	return used;
}

static void find_columns(const json_t *answer, bool exact, struct columns *c)
{
	const json_t *names = json_object_get(answer, "columns"), *name;
	size_t i;

	json_array_foreach(names, i, name)
	{
		const char *text = json_string_value(name);
		if (!text || c->count == TABLE_COLUMNS ||
		    (!exact && !strcmp(text, "site_revision")))
			continue;
		add_column(c, text, i, exact);
		if (!look_over(c, c->count - 1, json_object_get(answer, "rows")) && !exact)
			c->count--;
	}
}

static void rows_table(const json_t *answer, const struct style *style, bool exact, struct buf *out)
{
	const json_t *rows = json_object_get(answer, "rows"), *row;
	struct columns c = { .count = 0 };
	struct table t;
	size_t i;

	find_columns(answer, exact, &c);
	table_init(&t, c.table, c.count);
	json_array_foreach(rows, i, row)
	{
		for (size_t k = 0; k < c.count; k++) {
			struct buf text = { 0 };
			put_value(value_at(row, &c, k), exact || is_exact(c.names[k]), &text);
			enum colour colour = exact ? COLOUR_NONE : colour_of_severity(text.data);
			table_cell(&t, text_of(&text), colour);
			buf_finish(&text);
		}
	}
	if (c.count)
		table_print(&t, style, out);
	table_finish(&t);
	buf_char(out, '\n');
	view_count(json_array_size(rows), "row", out);
	buf_char(out, '\n');
}

void view_rows(const json_t *answer, const struct style *style, struct buf *out)
{
	rows_table(answer, style, false, out);
}

void view_exact(const json_t *answer, const struct style *style, struct buf *out)
{
	rows_table(answer, style, true, out);
}
