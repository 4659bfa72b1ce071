/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/cli_views.h"

#include <stdio.h>
#include <string.h>

#include "collector/cli_text.h"
#include "schema/names.h"

static const char *text_of(const struct buf *b)
{
	return b->data ? b->data : "";
}

static void separate(struct buf *out)
{
	if (out->len)
		buf_text(out, ", ");
}

/* Says how a host is reached, not what it is there for: that comes behind. */
static bool is_of_access(const json_t *role)
{
	return !strncmp(row_text(role, "role"), "remote-access-", strlen("remote-access-"));
}

static void put_roles_of(const json_t *roles, bool of_access, struct buf *out)
{
	const json_t *role;
	size_t i;

	json_array_foreach(roles, i, role)
	{
		const char *confidence = row_text(role, "confidence");
		if (is_of_access(role) != of_access || (i && !strcmp(confidence, "low")))
			continue;
		separate(out);
		buf_text(out, row_text(role, "role"));
		if (*confidence)
			buf_format(out, " (%s)", confidence);
	}
}

/* "modality (high)"; those of no more than low confidence only where there is no other. */
static void put_roles(const json_t *row, struct buf *out)
{
	const json_t *roles = json_object_get(row, "roles");

	put_roles_of(roles, false, out);
	put_roles_of(roles, true, out);
}

/* Of the facts of a name, the surest, and of those the newest: it stands first. */
static const json_t *best_fact(const json_t *row, const char *name)
{
	const json_t *facts = json_object_get(row, "facts"), *fact, *best = NULL;
	int sure = -1;
	size_t i;

	json_array_foreach(facts, i, fact)
	{
		const char *word = row_text(fact, "confidence");
		int confidence = *word ? confidence_of(word) : CONFIDENCE_COUNT;
		if (strcmp(row_text(fact, "name"), name) != 0 || confidence <= sure)
			continue;
		best = fact;
		sure = confidence;
	}
	return best;
}

/* "HP LaserJet, windows, OpenSSH_9.2"; a hint is marked as one. */
static void put_system(const json_t *row, struct buf *out)
{
	static const char *const names[] = { "model", "os", "software" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const json_t *fact = best_fact(row, names[i]);
		if (!fact)
			continue;
		separate(out);
		buf_text(out, row_text(fact, "value"));
		if (!strcmp(row_text(fact, "confidence"), "low"))
			buf_char(out, '?');
	}
}

/* "2026-01-02 03:04": flows are told of when they end, seconds would say nothing. */
static void cell_time(struct table *t, const json_t *row, const char *name)
{
	struct buf time = { 0 };
	char minute[17];

	view_time(row_text(row, name), 0, &time);
	snprintf(minute, sizeof(minute), "%s", text_of(&time));
	table_cell(t, minute, COLOUR_NONE);
	buf_finish(&time);
}

static void host_row(struct table *t, const json_t *row, bool narrow)
{
	struct buf roles = { 0 }, system = { 0 };

	put_roles(row, &roles);
	put_system(row, &system);
	table_cell(t, *row_text(row, "ip") ? row_text(row, "ip") : "-", COLOUR_NONE);
	table_cell(t, row_text(row, "mac"), COLOUR_NONE);
	if (!narrow)
		table_cell(t, row_text(row, "mac_vendor"), COLOUR_NONE);
	table_cell(t, row_text(row, "segment"), COLOUR_NONE);
	table_cell(t, text_of(&roles), COLOUR_NONE);
	if (!narrow) {
		table_cell(t, text_of(&system), COLOUR_NONE);
		cell_time(t, row, "first_seen");
	}
	cell_time(t, row, "last_seen");
	buf_finish(&roles);
	buf_finish(&system);
}

void view_hosts(const json_t *answer, const struct style *style, struct buf *out)
{
	static const struct table_column columns[] = {
		{ "IP" },
		{ "MAC" },
		{ "VENDOR", .least = 10 },
		{ "SEGMENT" },
		{ "ROLE", .least = 24 },
		{ "SYSTEM", .least = 10, .optional = true },
		{ "FIRST SEEN" },
		{ "LAST SEEN" },
	};
	static const struct table_column few[] = {
		{ "IP" },        { "MAC" }, { "SEGMENT", .least = 8 }, { "ROLE", .least = 12 },
		{ "LAST SEEN" },
	};
	bool narrow = style->width && style->width < 120;
	const json_t *rows = json_object_get(answer, "rows"), *row;
	struct table t;
	size_t i;

	if (narrow)
		table_init(&t, few, sizeof(few) / sizeof(few[0]));
	else
		table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	json_array_foreach(rows, i, row) host_row(&t, row, narrow);
	table_print(&t, style, out);
	table_finish(&t);
	buf_char(out, '\n');
	view_count(json_array_size(rows), "host", out);
	buf_text(out, "; times in UTC; --ip ADDRESS shows all that is known\n");
}

/* --- one address --- */

static void put_line(const struct buf *line, const struct style *style, struct buf *out)
{
	struct buf clean = { 0 };

	text_clean(text_of(line), &clean);
	text_wrap(text_of(&clean), 2, style->width, out);
	buf_finish(&clean);
}

static void tenant_head(const json_t *row, const struct style *style, struct buf *out)
{
	struct buf line = { 0 };

	colour_put(style, COLOUR_BOLD, out);
	text_clean(*row_text(row, "ip") ? row_text(row, "ip") : row_text(row, "mac"), out);
	colour_put(style, COLOUR_NONE, out);
	if (*row_text(row, "segment"))
		buf_format(&line, " [%s]", row_text(row, "segment"));
	if (*row_text(row, "mac"))
		buf_format(&line, "  %s", row_text(row, "mac"));
	if (*row_text(row, "mac_vendor"))
		buf_format(&line, "  %s", row_text(row, "mac_vendor"));
	text_clean(text_of(&line), out);
	buf_char(out, '\n');
	buf_clear(&line);
	view_time(row_text(row, "first_seen"), 0, &line);
	buf_text(&line, " to ");
	view_time(row_text(row, "last_seen"), 0, &line);
	buf_format(&line, ", realm %s, sensor %s", row_text(row, "realm"), row_text(row, "sensor"));
	put_line(&line, style, out);
	buf_finish(&line);
}

static void tenant_roles(const json_t *row, const struct style *style, struct buf *out)
{
	const json_t *roles = json_object_get(row, "roles"), *role;
	struct buf line = { 0 };
	size_t i;

	json_array_foreach(roles, i, role)
	{
		separate(&line);
		buf_format(&line, "%s (%s, from %s)", row_text(role, "role"),
			   row_text(role, "confidence"), row_text(role, "from"));
	}
	if (line.len)
		put_line(&line, style, out);
	buf_finish(&line);
}

static void tenant_facts(const json_t *row, const struct style *style, struct buf *out)
{
	static const struct table_column columns[] = {
		{ "  FACT" },    { "VALUE", .least = 16 },
		{ "FROM" },      { "FIRST SEEN", .least = 10, .optional = true },
		{ "LAST SEEN" },
	};
	const json_t *facts = json_object_get(row, "facts"), *fact;
	struct table t;
	size_t i;

	if (!json_array_size(facts))
		return;
	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	json_array_foreach(facts, i, fact)
	{
		struct buf name = { 0 };
		buf_format(&name, "  %s", row_text(fact, "name"));
		if (*row_text(fact, "confidence"))
			buf_format(&name, " (%s)", row_text(fact, "confidence"));
		table_cell(&t, text_of(&name), COLOUR_NONE);
		table_cell(&t, row_text(fact, "value"), COLOUR_NONE);
		table_cell(&t, row_text(fact, "from"), COLOUR_NONE);
		cell_time(&t, fact, "first_seen");
		cell_time(&t, fact, "last_seen");
		buf_finish(&name);
	}
	table_print(&t, style, out);
	table_finish(&t);
}

void view_tenants(const json_t *answer, const struct style *style, struct buf *out)
{
	const json_t *rows = json_object_get(answer, "rows"), *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		tenant_head(row, style, out);
		tenant_roles(row, style, out);
		tenant_facts(row, style, out);
		buf_char(out, '\n');
	}
	view_count(json_array_size(rows), "host", out);
	buf_text(out, "; times in UTC\n");
}
