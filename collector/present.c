/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/present.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const flow_names[] = {
	"id",
	"sensor",
	"site_revision",
	"exercise",
	"start",
	"end",
	"interim",
	"end_reason",
	"protocol",
	"community_id",
	"realm",
	"client.ip",
	"client.port",
	"client.mac",
	"client.segment",
	"client.impact",
	"client.asn",
	"client.country",
	"server.ip",
	"server.port",
	"server.mac",
	"server.segment",
	"server.impact",
	"server.asn",
	"server.country",
	"orientation",
	"packets.to_server",
	"packets.to_client",
	"bytes.to_server",
	"bytes.to_client",
	"path",
	"copies.mirror",
	"copies.routed",
	"tcp.flags_to_server",
	"tcp.flags_to_client",
	"tcp.rtt_client_us",
	"tcp.rtt_server_us",
	"tcp.retransmissions",
	"tcp.missed_bytes",
	"tcp.midstream",
	"icmp.type",
	"icmp.code",
	"tunnel",
	"dscp",
	"app",
	"app_source",
	"app_confidence",
	"encrypted",
	"attributes",
	"verdict",
	"rule",
	"reason",
	"severity",
	"vendor",
	"shed",
	NULL,
};

static const char *const alert_names[] = {
	"id",
	"kind",
	"severity",
	"sensor",
	"site_revision",
	"exercise",
	"first_seen",
	"last_seen",
	"count",
	"protocol",
	"client.ip",
	"client.port",
	"client.mac",
	"client.segment",
	"client.impact",
	"client.asn",
	"client.country",
	"server.ip",
	"server.port",
	"server.mac",
	"server.segment",
	"server.impact",
	"server.asn",
	"server.country",
	"app",
	"rule",
	"reason",
	"vendor",
	"technique",
	"flows",
	NULL,
};

static const char *const coverage_names[] = {
	"sensor",    "site_revision", "exercise",      "segment",         "minute",
	"state",     "packets",       "bytes",         "one_sided_flows", "missed_bytes",
	"truncated", "mirror_copies", "routed_copies", "shed_max",        "clock_jumps",
	"oversized", "frames",        "drops",         "reasons",         NULL,
};

static const char *const host_names[] = {
	"ip",         "mac",       "mac_vendor", "realm",         "segment",  "impact", "roles",
	"first_seen", "last_seen", "sensor",     "site_revision", "exercise", "facts",  NULL,
};

static const char *const *record_names(enum store_question question)
{
	switch (question) {
	case STORE_FLOWS:
		return flow_names;
	case STORE_ALERTS:
		return alert_names;
	case STORE_COVERAGE:
		return coverage_names;
	case STORE_HOSTS:
		return host_names;
	case STORE_TOP:
	case STORE_MATRIX:
	case STORE_SENSORS:
	case STORE_SEGMENTS:
		break;
	}
	return NULL;
}

/* RFC 4180: quoted where it holds a comma, a quote or a line end. */
static void csv_cell(struct buf *out, const char *text)
{
	if (!text[strcspn(text, ",\"\r\n")]) {
		buf_text(out, text);
		return;
	}
	buf_char(out, '"');
	for (; *text; text++) {
		if (*text == '"')
			buf_char(out, '"');
		buf_char(out, *text);
	}
	buf_char(out, '"');
}

static void csv_header(struct presenter *p)
{
	for (size_t i = 0; i < p->column_count; i++) {
		if (i)
			buf_char(p->out, ',');
		csv_cell(p->out, p->columns[i]);
	}
	buf_text(p->out, "\r\n");
}

static void json_head(struct presenter *p)
{
	struct json j = { .out = p->out };

	json_open(&j, NULL, '{');
	json_open(&j, "columns", '[');
	for (size_t i = 0; i < p->column_count; i++)
		json_text(&j, NULL, p->columns[i]);
	json_close(&j, ']');
	json_open(&j, "rows", '[');
}

static int take_columns(void *context, const char *const *names, size_t count)
{
	struct presenter *p = context;

	p->columns = arena_alloc(&p->names, count * sizeof(*p->columns));
	for (size_t i = 0; p->columns && i < count; i++)
		if (!(p->columns[i] = arena_text(&p->names, names[i], strlen(names[i]))))
			return -ENOMEM;
	if (!p->columns && count)
		return -ENOMEM;
	p->column_count = count;
	if (p->format == FORMAT_CSV && !p->started)
		csv_header(p);
	else if (p->format == FORMAT_JSON)
		json_head(p);
	p->started = true;
	return p->out->failed ? -ENOMEM : 0;
}

void present_open(struct presenter *p, enum store_question question)
{
	const char *const *names = record_names(question);
	size_t count = 0;

	while (names && names[count])
		count++;
	if (names && take_columns(p, names, count))
		p->out->failed = true;
}

static void before_row(struct presenter *p)
{
	if (p->format == FORMAT_JSON)
		buf_text(p->out, p->rows ? ",\n" : "\n");
	p->rows++;
}

static void after_row(struct presenter *p)
{
	if (p->format == FORMAT_NDJSON)
		buf_char(p->out, '\n');
	else if (p->format == FORMAT_CSV)
		buf_text(p->out, "\r\n");
}

/* The value under a dotted name, or NULL. */
static const json_t *find(const json_t *object, const char *name)
{
	const char *dot = strchr(name, '.');
	char first[32];

	if (!dot)
		return json_object_get(object, name);
	snprintf(first, sizeof(first), "%.*s", (int)(dot - name), name);
	return json_object_get(json_object_get(object, first), dot + 1);
}

static void csv_value(struct buf *out, const json_t *v)
{
	if (json_is_string(v)) {
		buf_text(out, json_string_value(v));
	} else if (json_is_integer(v)) {
		buf_format(out, "%lld", (long long)json_integer_value(v));
	} else if (json_is_boolean(v)) {
		buf_text(out, json_is_true(v) ? "true" : "false");
	} else if (json_is_object(v) || json_is_object(json_array_get(v, 0))) {
		char *text = json_dumps(v, JSON_COMPACT);
		buf_text(out, text ? text : "");
		free(text);
	} else if (json_is_array(v)) {
		for (size_t i = 0; i < json_array_size(v); i++) {
			if (i)
				buf_char(out, ' ');
			csv_value(out, json_array_get(v, i));
		}
	}
}

/* By way of the JSON, so that both forms say the same. */
static int csv_record(struct presenter *p, const struct record *r)
{
	struct buf cell = { 0 };

	buf_clear(&p->line);
	record_json(r, &p->line);
	json_t *object = p->line.failed ? NULL : json_loadb(p->line.data, p->line.len, 0, NULL);
	if (!object)
		return -ENOMEM;
	for (size_t i = 0; i < p->column_count; i++) {
		buf_clear(&cell);
		buf_text(&cell, "");
		csv_value(&cell, find(object, p->columns[i]));
		if (i)
			buf_char(p->out, ',');
		csv_cell(p->out, cell.data && !cell.failed ? cell.data : "");
	}
	json_decref(object);
	buf_finish(&cell);
	return 0;
}

static int take_record(void *context, const struct record *r)
{
	struct presenter *p = context;
	int error = 0;

	before_row(p);
	if (p->format == FORMAT_CSV)
		error = csv_record(p, r);
	else
		record_json(r, p->out);
	after_row(p);
	return error ? error : p->out->failed ? -ENOMEM : 0;
}

static void json_value(struct json *j, const char *name, const struct store_value *v)
{
	char real[32];

	switch (v->type) {
	case STORE_NULL:
		break; /* what is not known is absent */
	case STORE_INTEGER:
		json_i64(j, name, v->integer);
		break;
	case STORE_REAL:
		snprintf(real, sizeof(real), "%.15g", v->real);
		if (isfinite(v->real))
			json_raw(j, name, real);
		break;
	case STORE_TEXT:
		json_text(j, name, v->text);
		break;
	case STORE_JSON:
		json_raw(j, name, v->text);
		break;
	}
}

static void csv_row(struct presenter *p, const struct store_value *values, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (i)
			buf_char(p->out, ',');
		if (values[i].type == STORE_INTEGER)
			buf_format(p->out, "%lld", (long long)values[i].integer);
		else if (values[i].type == STORE_REAL)
			buf_format(p->out, "%.15g", values[i].real);
		else if (values[i].type != STORE_NULL)
			csv_cell(p->out, values[i].text);
	}
}

static int take_row(void *context, const struct store_value *values, size_t count)
{
	struct presenter *p = context;
	struct json j = { .out = p->out };

	before_row(p);
	if (p->format == FORMAT_CSV) {
		csv_row(p, values, count);
	} else {
		json_open(&j, NULL, '{');
		for (size_t i = 0; i < count; i++)
			json_value(&j, p->columns[i], &values[i]);
		json_close(&j, '}');
	}
	after_row(p);
	return p->out->failed ? -ENOMEM : 0;
}

struct store_sink present_sink(struct presenter *p)
{
	return (struct store_sink){
		.context = p, .record = take_record, .columns = take_columns, .row = take_row
	};
}

void present_close(struct presenter *p, const struct store_answer *answer)
{
	struct json j = { .out = p->out, .comma = true };

	if (p->format != FORMAT_JSON)
		return;
	buf_text(p->out, p->rows ? "\n" : "");
	json_close(&j, ']');
	if (answer->next[0])
		json_text(&j, "next", answer->next);
	if (answer->cut)
		json_bool(&j, "truncated", true);
	if (answer->from[0])
		json_text(&j, "from", answer->from);
	if (answer->until[0])
		json_text(&j, "until", answer->until);
	json_close(&j, '}');
	buf_char(p->out, '\n');
}

void present_finish(struct presenter *p)
{
	arena_finish(&p->names);
	buf_finish(&p->line);
}
