/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/cli_views.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/cli_text.h"
#include "schema/names.h"

/* A cell is a count and a mark, behind two blanks, or one where that lets all
 * segments stand side by side. */
enum {
	CELL = 5,
	COLUMN_MOST = CELL + 2,
	COLUMN_LEAST = CELL + 1,
	HEAD_MOST = COLUMN_MOST - 1,
	LABEL_MOST = 20,
	LABEL_LEAST = 12,
	SEGMENTS_MOST = 1024,
};

struct pair {
	uint64_t flows;
	enum severity worst;
};

struct matrix {
	const char *names[SEGMENTS_MOST]; /* of the answer; sorted */
	size_t label, column;             /* widths */
	char heads[SEGMENTS_MOST][HEAD_MOST + 1];
	struct pair *pairs; /* client * count + server */
	size_t count;
	/* Those with flows out of them have a line, those with flows into them a column. */
	size_t clients[SEGMENTS_MOST], servers[SEGMENTS_MOST];
	size_t client_count, server_count;
};

/* The two that every site has stand last. */
static int rank(const char *name)
{
	return !strcmp(name, "external") ? 2 : !strcmp(name, "unknown-internal") ? 1 : 0;
}

static int compare_names(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;
	int ranks = rank(x) - rank(y);

	return ranks ? ranks : strcmp(x, y);
}

static void add_name(struct matrix *m, const char *name)
{
	for (size_t i = 0; i < m->count; i++)
		if (!strcmp(m->names[i], name))
			return;
	if (m->count < SEGMENTS_MOST)
		m->names[m->count++] = name;
}

static size_t index_of(const struct matrix *m, const char *name)
{
	size_t i = 0;

	while (i < m->count && strcmp(m->names[i], name))
		i++;
	return i;
}

static enum severity severity_at(const json_t *row)
{
	int v = severity_of(row_text(row, "severity"));
	return v < 0 ? SEVERITY_INFO : (enum severity)v;
}

static bool gather(struct matrix *m, const json_t *rows)
{
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		add_name(m, row_text(row, "client_segment"));
		add_name(m, row_text(row, "server_segment"));
	}
	qsort(m->names, m->count, sizeof(m->names[0]), compare_names);
	m->pairs = calloc(m->count * m->count + 1, sizeof(*m->pairs));
	if (!m->pairs)
		return false;
	json_array_foreach(rows, i, row)
	{
		size_t client = index_of(m, row_text(row, "client_segment"));
		size_t server = index_of(m, row_text(row, "server_segment"));
		if (client == m->count || server == m->count)
			continue;
		struct pair *p = &m->pairs[client * m->count + server];
		p->flows += row_number(row, "flows");
		if (severity_at(row) > p->worst)
			p->worst = severity_at(row);
	}
	return true;
}

static const struct pair *pair_at(const struct matrix *m, size_t client, size_t server)
{
	return &m->pairs[client * m->count + server];
}

static bool is_used(const struct pair *p)
{
	return p->flows || p->worst;
}

static void find_used(struct matrix *m)
{
	for (size_t i = 0; i < m->count; i++) {
		bool client = false, server = false;
		for (size_t k = 0; k < m->count; k++) {
			client |= is_used(pair_at(m, i, k));
			server |= is_used(pair_at(m, k, i));
		}
		if (client)
			m->clients[m->client_count++] = i;
		if (server)
			m->servers[m->server_count++] = i;
	}
}

/* A long name's head: its first letters; of "unknown-internal" "unk-in". Code
 * points outside ASCII are left out, so that a byte is a column. */
static void abbreviate(const char *name, size_t most, char *head)
{
	const char *dash = strchr(name, '-');
	size_t n = 0;

	for (const char *p = name; *p && n < most; p++) {
		if (dash && dash[1] && p < dash && p - name >= 3)
			p = dash;
		if (*p > ' ' && *p < 0x7f)
			head[n++] = *p;
	}
	head[n] = '\0';
}

static bool is_plain(const char *name)
{
	for (; *name; name++)
		if (*name <= ' ' || *name >= 0x7f)
			return false;
	return true;
}

/* Room for the names on the left, and for a column: narrower where that lets
 * all segments stand side by side. */
static void choose_widths(struct matrix *m, const struct style *style)
{
	size_t most = 0;

	for (size_t i = 0; i < m->client_count; i++)
		if (text_width(m->names[m->clients[i]]) > most)
			most = text_width(m->names[m->clients[i]]);
	if (most > LABEL_MOST)
		most = LABEL_MOST;
	m->label = most;
	m->column = COLUMN_MOST;
	for (size_t column = COLUMN_MOST; style->width && column >= COLUMN_LEAST; column--) {
		size_t cells = m->server_count * column;
		size_t least = most < LABEL_LEAST ? most : LABEL_LEAST;
		if (least + cells > style->width)
			continue;
		m->column = column;
		if (most + cells > style->width)
			m->label = style->width - cells;
		return;
	}
}

static void make_heads(struct matrix *m)
{
	size_t most = m->column - 1;

	for (size_t i = 0; i < m->count; i++) {
		char *head = m->heads[i];
		if (strlen(m->names[i]) <= most && is_plain(m->names[i]))
			snprintf(head, sizeof(m->heads[i]), "%s", m->names[i]);
		else
			abbreviate(m->names[i], most, head);
		for (size_t k = 0, next = 2; k < i;) {
			if (strcmp(m->heads[k], head)) {
				k++;
				continue;
			}
			char digits[8];
			snprintf(digits, sizeof(digits), "%zu", next++ % 10000);
			size_t keep = most - strlen(digits);
			size_t n = strlen(head) < keep ? strlen(head) : keep;
			snprintf(head + n, sizeof(m->heads[i]) - n, "%s", digits);
			k = 0;
		}
	}
}

static void put_cell(const struct pair *p, size_t width, const struct style *style, struct buf *out)
{
	static const char marks[] = { ' ', '-', '+', '!' };
	static const enum colour colours[] = { COLOUR_NONE, COLOUR_LOW, COLOUR_HIGH,
					       COLOUR_CRITICAL };
	char count[TEXT_COUNT];

	text_pad("", width - CELL, false, out);
	if (!is_used(p)) {
		colour_put(style, COLOUR_FAINT, out);
		buf_text(out, "   . ");
		colour_put(style, COLOUR_NONE, out);
		return;
	}
	if (p->worst)
		colour_put(style, colours[p->worst], out);
	text_pad(text_count(p->flows, count), CELL - 1, true, out);
	buf_char(out, marks[p->worst]);
	if (p->worst)
		colour_put(style, COLOUR_NONE, out);
}

static void put_name(const char *name, size_t width, struct buf *out)
{
	struct buf clean = { 0 };

	text_clean(*name ? name : "(none)", &clean);
	text_pad(clean.data ? clean.data : "", width, false, out);
	buf_finish(&clean);
}

static void trim_line(struct buf *out)
{
	while (out->len && out->data[out->len - 1] == ' ')
		out->data[--out->len] = '\0';
	buf_char(out, '\n');
}

/* The columns `from` up to `to`, with all lines. */
static void put_block(const struct matrix *m, size_t from, size_t to, const struct style *style,
		      struct buf *out)
{
	size_t label = m->label;

	colour_put(style, COLOUR_BOLD, out);
	text_pad("", label, false, out);
	for (size_t s = from; s < to; s++) {
		buf_char(out, ' ');
		text_pad(m->heads[m->servers[s]], m->column - 1, true, out);
	}
	colour_put(style, COLOUR_NONE, out);
	buf_char(out, '\n');
	for (size_t c = 0; c < m->client_count; c++) {
		put_name(m->names[m->clients[c]], label, out);
		for (size_t s = from; s < to; s++)
			put_cell(pair_at(m, m->clients[c], m->servers[s]), m->column, style, out);
		trim_line(out);
	}
}

static void put_legend(const struct matrix *m, const struct style *style, struct buf *out)
{
	struct buf line = { 0 };

	buf_text(&line, "Flows from the segment on the left to the segment above. Worst finding: "
			"! critical, + high, - low, no mark: as declared.");
	if (m->server_count < m->count || m->client_count < m->count)
		buf_text(&line, " A segment without a column received none, one without a line "
				"began none.");
	text_wrap(line.data ? line.data : "", 0, style->width, out);
	buf_clear(&line);
	for (size_t k = 0; k < m->server_count; k++) {
		size_t i = m->servers[k];
		if (!strcmp(m->heads[i], m->names[i]))
			continue;
		buf_format(&line, "%s%s = ", line.len ? ", " : "", m->heads[i]);
		put_name(m->names[i], text_width(m->names[i]), &line);
	}
	if (line.len)
		text_wrap(line.data, 0, style->width, out);
	buf_finish(&line);
}

static int compare_findings(const void *a, const void *b)
{
	const json_t *x = *(const json_t *const *)a, *y = *(const json_t *const *)b;

	if (severity_at(x) != severity_at(y))
		return severity_at(x) > severity_at(y) ? -1 : 1;
	if (row_number(x, "flows") != row_number(y, "flows"))
		return row_number(x, "flows") > row_number(y, "flows") ? -1 : 1;
	int order = strcmp(row_text(x, "client_segment"), row_text(y, "client_segment"));
	return order ? order : strcmp(row_text(x, "server_segment"), row_text(y, "server_segment"));
}

static void put_findings_table(const json_t *const *list, size_t count, const struct style *style,
			       struct buf *out)
{
	static const struct table_column columns[] = {
		{ "SEVERITY" },
		{ "FROM" },
		{ "TO" },
		{ "VERDICT" },
		{ "FLOWS", .right = true },
		{ "BYTES", .right = true },
	};
	char text[TEXT_COUNT];
	struct table t;

	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < count; i++) {
		const char *severity = row_text(list[i], "severity");
		table_cell(&t, severity, colour_of_severity(severity));
		table_cell(&t, row_text(list[i], "client_segment"), COLOUR_NONE);
		table_cell(&t, row_text(list[i], "server_segment"), COLOUR_NONE);
		table_cell(&t, row_text(list[i], "verdict"), COLOUR_NONE);
		table_cell(&t, text_count(row_number(list[i], "flows"), text), COLOUR_NONE);
		table_cell(&t, text_count(row_number(list[i], "bytes"), text), COLOUR_NONE);
	}
	table_print(&t, style, out);
	table_finish(&t);
}

/* The worst pairs, in words: what a mark stands for. */
static void put_findings(const json_t *rows, const struct style *style, struct buf *out)
{
	enum { SHOWN = 12 };
	const json_t **list = calloc(json_array_size(rows) + 1, sizeof(*list));
	const json_t *row;
	size_t i, count = 0;

	if (!list) {
		out->failed = true;
		return;
	}
	json_array_foreach(rows, i, row) if (severity_at(row) > SEVERITY_INFO) list[count++] = row;
	qsort(list, count, sizeof(*list), compare_findings);
	if (count) {
		buf_text(out, "\nNot as declared:\n");
		put_findings_table(list, count < SHOWN ? count : SHOWN, style, out);
	}
	if (count > SHOWN)
		buf_format(out, "... %zu more, see vigie matrix --format csv\n", count - SHOWN);
	free(list);
}

void view_matrix(const json_t *answer, const struct style *style, struct buf *out)
{
	const json_t *rows = json_object_get(answer, "rows");
	struct matrix *m = calloc(1, sizeof(*m));

	if (!m || !gather(m, rows)) {
		out->failed = true;
		free(m);
		return;
	}
	find_used(m);
	if (!m->server_count) {
		buf_text(out, "no flows\n");
		goto done;
	}
	choose_widths(m, style);
	make_heads(m);
	size_t step = m->server_count;
	if (style->width)
		step = style->width > m->label + m->column ? (style->width - m->label) / m->column
							   : 1;
	for (size_t from = 0; from < m->server_count; from += step) {
		size_t to = from + step < m->server_count ? from + step : m->server_count;
		put_block(m, from, to, style, out);
		buf_char(out, '\n');
	}
	put_legend(m, style, out);
	put_findings(rows, style, out);
done:
	free(m->pairs);
	free(m);
}
