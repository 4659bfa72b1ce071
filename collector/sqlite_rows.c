/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/store_sqlite.h"

#include <errno.h>
#include <string.h>

/* Texts and addresses that are not known are empty, numbers that are not are NULL.
 * Enumerations are kept as their numbers: words are only ever added at the end. */
struct column {
	const char *name, *type;
};

#define ENDPOINT(side) \
	{ side "_ip", "BLOB NOT NULL" }, { side "_port", "INTEGER" }, { side "_mac", "BLOB" }, \
		{ side "_segment", "TEXT NOT NULL" }, { side "_impact", "INTEGER NOT NULL" }, \
		{ side "_asn", "INTEGER NOT NULL" }, \
	{ \
		side "_country", "TEXT NOT NULL" \
	}

/* clang-format off */
static const struct column flow_columns[] = {
	{ "id", "TEXT NOT NULL" }, { "sensor", "TEXT NOT NULL" },
	{ "site_revision", "TEXT NOT NULL" }, { "exercise", "TEXT NOT NULL" },
	{ "start", "INTEGER NOT NULL" }, { "end", "INTEGER NOT NULL" },
	{ "interim", "INTEGER NOT NULL" }, { "end_reason", "INTEGER NOT NULL" },
	{ "protocol", "INTEGER NOT NULL" }, { "community_id", "TEXT NOT NULL" },
	{ "realm", "TEXT NOT NULL" },
	ENDPOINT("client"), ENDPOINT("server"),
	{ "orientation", "INTEGER NOT NULL" },
	{ "packets_to_server", "INTEGER NOT NULL" }, { "packets_to_client", "INTEGER NOT NULL" },
	{ "bytes_to_server", "INTEGER NOT NULL" }, { "bytes_to_client", "INTEGER NOT NULL" },
	{ "path", "TEXT NOT NULL" },
	{ "copies_mirror", "INTEGER NOT NULL" }, { "copies_routed", "INTEGER NOT NULL" },
	{ "tcp_flags_to_server", "INTEGER" }, { "tcp_flags_to_client", "INTEGER" },
	{ "rtt_client_us", "INTEGER" }, { "rtt_server_us", "INTEGER" },
	{ "retransmissions", "INTEGER" }, { "missed_bytes", "INTEGER" },
	{ "midstream", "INTEGER" },
	{ "icmp_type", "INTEGER" }, { "icmp_code", "INTEGER" },
	{ "tunnel", "TEXT NOT NULL" }, { "dscp", "INTEGER NOT NULL" },
	{ "app", "TEXT NOT NULL" }, { "app_source", "INTEGER NOT NULL" },
	{ "app_confidence", "INTEGER NOT NULL" }, { "encrypted", "INTEGER NOT NULL" },
	{ "attributes", "TEXT NOT NULL" },
	{ "verdict", "INTEGER NOT NULL" }, { "rule", "TEXT NOT NULL" },
	{ "reason", "TEXT NOT NULL" }, { "vendor", "TEXT NOT NULL" },
	{ "severity", "INTEGER NOT NULL" }, { "shed", "INTEGER NOT NULL" },
};

static const struct column alert_columns[] = {
	{ "id", "TEXT NOT NULL" }, { "kind", "TEXT NOT NULL" }, { "sensor", "TEXT NOT NULL" },
	{ "site_revision", "TEXT NOT NULL" }, { "exercise", "TEXT NOT NULL" },
	{ "severity", "INTEGER NOT NULL" },
	{ "first_seen", "INTEGER NOT NULL" }, { "last_seen", "INTEGER NOT NULL" },
	{ "count", "INTEGER NOT NULL" },
	ENDPOINT("client"), ENDPOINT("server"),
	{ "protocol", "INTEGER NOT NULL" }, { "app", "TEXT NOT NULL" },
	{ "rule", "TEXT NOT NULL" }, { "reason", "TEXT NOT NULL" },
	{ "vendor", "TEXT NOT NULL" }, { "technique", "TEXT NOT NULL" },
	{ "flows", "TEXT NOT NULL" },
	{ "received", "INTEGER NOT NULL" },
};

static const struct column coverage_columns[] = {
	{ "sensor", "TEXT NOT NULL" }, { "site_revision", "TEXT NOT NULL" },
	{ "exercise", "TEXT NOT NULL" }, { "segment", "TEXT NOT NULL" },
	{ "state", "TEXT NOT NULL" }, { "minute", "INTEGER NOT NULL" },
	{ "packets", "INTEGER NOT NULL" }, { "bytes", "INTEGER NOT NULL" },
	{ "one_sided_flows", "INTEGER NOT NULL" }, { "missed_bytes", "INTEGER NOT NULL" },
	{ "truncated", "INTEGER NOT NULL" }, { "mirror_copies", "INTEGER NOT NULL" },
	{ "routed_copies", "INTEGER NOT NULL" }, { "shed_max", "INTEGER NOT NULL" },
	{ "clock_jumps", "INTEGER NOT NULL" }, { "oversized", "INTEGER NOT NULL" },
	{ "frames", "INTEGER NOT NULL" }, { "drops", "INTEGER NOT NULL" },
	{ "reasons", "TEXT NOT NULL" },
};
/* clang-format on */

static void columns_text(struct buf *out, const struct column *list, size_t count, bool with_types)
{
	for (size_t i = 0; i < count; i++)
		buf_format(out, "%s\"%s\"%s%s", i ? ", " : "", list[i].name, with_types ? " " : "",
			   with_types ? list[i].type : "");
}

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

void flow_columns_text(struct buf *out, bool with_types)
{
	columns_text(out, flow_columns, COUNT(flow_columns), with_types);
}

void alert_columns_text(struct buf *out, bool with_types)
{
	columns_text(out, alert_columns, COUNT(alert_columns), with_types);
}

void coverage_columns_text(struct buf *out, bool with_types)
{
	columns_text(out, coverage_columns, COUNT(coverage_columns), with_types);
}

/* Binds one parameter after the other. */
struct binder {
	struct db_stmt *to;
	int at;
};

static void put_int(struct binder *b, int64_t v)
{
	db_bind_int(b->to, ++b->at, v);
}

static void put_count(struct binder *b, uint64_t v)
{
	db_bind_count(b->to, ++b->at, v);
}

static void put_text(struct binder *b, const char *text)
{
	db_bind_text(b->to, ++b->at, text);
}

static void put_int_if(struct binder *b, bool has, int64_t v)
{
	b->at++;
	if (has)
		db_bind_int(b->to, b->at, v);
	else
		db_bind_null(b->to, b->at);
}

static void put_endpoint(struct binder *b, const struct record_endpoint *e)
{
	db_bind_blob(b->to, ++b->at, e->ip.bytes, e->no_ip ? 0 : sizeof(e->ip.bytes));
	put_int_if(b, e->has_port, e->port);
	b->at++;
	if (e->has_mac)
		db_bind_blob(b->to, b->at, e->mac, sizeof(e->mac));
	else
		db_bind_null(b->to, b->at);
	put_text(b, e->segment);
	put_int(b, e->impact);
	put_int(b, e->asn);
	put_text(b, e->country);
}

/* A list as one text, an item per line; its offset in the scratch. */
static size_t joined(struct buf *scratch, const char *const *list, size_t count)
{
	size_t offset = scratch->len;

	for (size_t i = 0; i < count; i++) {
		if (i)
			buf_char(scratch, '\n');
		buf_text(scratch, list[i]);
	}
	buf_char(scratch, '\0');
	return offset;
}

static void put_tcp(struct binder *b, const struct record_flow *f)
{
	const struct record_tcp *t = &f->tcp;

	put_int_if(b, f->has_tcp, t->flags_to_server);
	put_int_if(b, f->has_tcp, t->flags_to_client);
	put_int_if(b, f->has_tcp && t->has_rtt_client, t->rtt_client_us);
	put_int_if(b, f->has_tcp && t->has_rtt_server, t->rtt_server_us);
	put_int_if(b, f->has_tcp, t->retransmissions);
	put_int_if(b, f->has_tcp,
		   t->missed_bytes > INT64_MAX ? INT64_MAX : (int64_t)t->missed_bytes);
	put_int_if(b, f->has_tcp, t->midstream);
}

void flow_bind(struct db_stmt *to, const struct record_flow *f, struct buf *scratch)
{
	struct binder b = { .to = to };

	buf_clear(scratch);
	size_t path = joined(scratch, f->path, f->path_count);
	size_t tunnel = joined(scratch, f->tunnel, f->tunnel_count);
	size_t attributes = scratch->len;
	if (f->attributes_json)
		buf_text(scratch, f->attributes_json);
	else if (f->attribute_count)
		record_attributes_json(f->attributes, f->attribute_count, scratch);
	buf_char(scratch, '\0');
	const char *texts = scratch->failed ? NULL : scratch->data;

	put_text(&b, f->id);
	put_text(&b, f->sensor);
	put_text(&b, f->site_revision);
	put_text(&b, f->exercise);
	put_int(&b, f->start.v);
	put_int(&b, f->end.v);
	put_int(&b, f->interim);
	put_int(&b, f->end_reason);
	put_int(&b, f->protocol);
	put_text(&b, f->community_id);
	put_text(&b, f->realm);
	put_endpoint(&b, &f->client);
	put_endpoint(&b, &f->server);
	put_int(&b, f->orientation);
	put_count(&b, f->packets_to_server);
	put_count(&b, f->packets_to_client);
	put_count(&b, f->bytes_to_server);
	put_count(&b, f->bytes_to_client);
	put_text(&b, texts ? texts + path : NULL);
	put_count(&b, f->copies_mirror);
	put_count(&b, f->copies_routed);
	put_tcp(&b, f);
	put_int_if(&b, f->has_icmp, f->icmp_type);
	put_int_if(&b, f->has_icmp, f->icmp_code);
	put_text(&b, texts ? texts + tunnel : NULL);
	put_int(&b, f->dscp);
	put_text(&b, f->app);
	put_int(&b, f->app_source);
	put_int(&b, f->app_confidence);
	put_int(&b, f->encrypted);
	put_text(&b, texts ? texts + attributes : NULL);
	put_int(&b, f->verdict);
	put_text(&b, f->rule);
	put_text(&b, f->reason);
	put_text(&b, f->vendor);
	put_int(&b, f->severity);
	put_int(&b, f->shed);
}

void alert_bind(struct db_stmt *to, const struct record_alert *a, struct usec received,
		struct buf *scratch)
{
	struct binder b = { .to = to };

	buf_clear(scratch);
	joined(scratch, a->flows, a->flow_count);
	put_text(&b, a->id);
	put_text(&b, a->kind);
	put_text(&b, a->sensor);
	put_text(&b, a->site_revision);
	put_text(&b, a->exercise);
	put_int(&b, a->severity);
	put_int(&b, a->first_seen.v);
	put_int(&b, a->last_seen.v);
	put_count(&b, a->count);
	put_endpoint(&b, &a->client);
	put_endpoint(&b, &a->server);
	put_int(&b, a->protocol);
	put_text(&b, a->app);
	put_text(&b, a->rule);
	put_text(&b, a->reason);
	put_text(&b, a->vendor);
	put_text(&b, a->technique);
	put_text(&b, scratch->failed ? NULL : scratch->data);
	put_int(&b, received.v);
}

void coverage_bind(struct db_stmt *to, const struct record_coverage *c, struct buf *scratch)
{
	struct binder b = { .to = to };

	buf_clear(scratch);
	joined(scratch, c->reasons, c->reason_count);
	put_text(&b, c->sensor);
	put_text(&b, c->site_revision);
	put_text(&b, c->exercise);
	put_text(&b, c->segment);
	put_text(&b, c->state);
	put_int(&b, c->minute.v);
	put_count(&b, c->packets);
	put_count(&b, c->bytes);
	put_count(&b, c->one_sided_flows);
	put_count(&b, c->missed_bytes);
	put_count(&b, c->truncated);
	put_count(&b, c->mirror_copies);
	put_count(&b, c->routed_copies);
	put_count(&b, c->shed_max);
	put_count(&b, c->clock_jumps);
	put_count(&b, c->oversized);
	put_count(&b, c->frames);
	put_count(&b, c->drops);
	put_text(&b, scratch->failed ? NULL : scratch->data);
}

/* Reads one column after the other; `failed` is sticky. */
struct reader {
	const struct db_stmt *from;
	int at;
	bool failed;
};

static int64_t get_int(struct reader *r)
{
	return db_column_int(r->from, r->at++);
}

static uint64_t get_count(struct reader *r)
{
	return (uint64_t)get_int(r);
}

static const char *get_text(struct reader *r)
{
	return db_column_text(r->from, r->at++);
}

static bool is_set(const struct reader *r)
{
	return db_column_type(r->from, r->at) != DB_NULL;
}

static bool get_bytes(struct reader *r, void *out, size_t want)
{
	size_t n;
	const void *bytes = db_column_blob(r->from, r->at++, &n);

	if (!bytes || n != want)
		return false;
	memcpy(out, bytes, n);
	return true;
}

static void get_endpoint(struct reader *r, struct record_endpoint *e)
{
	size_t n;

	db_column_blob(r->from, r->at, &n);
	e->no_ip = !n;
	if (!get_bytes(r, e->ip.bytes, sizeof(e->ip.bytes)) && !e->no_ip)
		r->failed = true;
	e->has_port = is_set(r);
	e->port = (uint16_t)get_int(r);
	e->has_mac = get_bytes(r, e->mac, sizeof(e->mac));
	e->segment = get_text(r);
	e->impact = (enum impact)get_int(r);
	e->asn = (uint32_t)get_int(r);
	e->country = get_text(r);
}

static size_t get_list(struct reader *r, struct arena *arena, const char **out, size_t most)
{
	const char *text = get_text(r);
	size_t count = 0;

	if (!*text)
		return 0;
	char *copy = arena_text(arena, text, strlen(text));
	if (!copy) {
		r->failed = true;
		return 0;
	}
	while (copy && count < most)
		out[count++] = strsep(&copy, "\n");
	return count;
}

static void get_tcp(struct reader *r, struct record_flow *f)
{
	struct record_tcp *t = &f->tcp;

	f->has_tcp = is_set(r);
	t->flags_to_server = (uint8_t)get_int(r);
	t->flags_to_client = (uint8_t)get_int(r);
	t->has_rtt_client = is_set(r);
	t->rtt_client_us = (uint32_t)get_int(r);
	t->has_rtt_server = is_set(r);
	t->rtt_server_us = (uint32_t)get_int(r);
	t->retransmissions = (uint32_t)get_int(r);
	t->missed_bytes = get_count(r);
	t->midstream = get_int(r);
}

int flow_read(const struct db_stmt *from, int at, struct arena *arena, struct record *out)
{
	struct reader r = { .from = from, .at = at };
	*out = (struct record){ .type = RECORD_FLOW };
	struct record_flow *f = &out->flow;

	f->id = get_text(&r);
	f->sensor = get_text(&r);
	f->site_revision = get_text(&r);
	f->exercise = get_text(&r);
	f->start.v = get_int(&r);
	f->end.v = get_int(&r);
	f->interim = (uint32_t)get_int(&r);
	f->end_reason = (enum end_reason)get_int(&r);
	f->protocol = (uint8_t)get_int(&r);
	f->community_id = get_text(&r);
	f->realm = get_text(&r);
	get_endpoint(&r, &f->client);
	get_endpoint(&r, &f->server);
	f->orientation = (enum orientation)get_int(&r);
	f->packets_to_server = get_count(&r);
	f->packets_to_client = get_count(&r);
	f->bytes_to_server = get_count(&r);
	f->bytes_to_client = get_count(&r);
	f->path_count = get_list(&r, arena, f->path, RECORD_PATH_MOST);
	f->copies_mirror = get_count(&r);
	f->copies_routed = get_count(&r);
	get_tcp(&r, f);
	f->has_icmp = is_set(&r);
	f->icmp_type = (uint8_t)get_int(&r);
	f->icmp_code = (uint8_t)get_int(&r);
	f->tunnel_count = get_list(&r, arena, f->tunnel, RECORD_TUNNEL_MOST);
	f->dscp = (uint8_t)get_int(&r);
	f->app = get_text(&r);
	f->app_source = (enum app_source)get_int(&r);
	f->app_confidence = (enum confidence)get_int(&r);
	f->encrypted = get_int(&r);
	const char *attributes = get_text(&r);
	f->attributes_json = *attributes ? attributes : NULL;
	f->verdict = (enum verdict)get_int(&r);
	f->rule = get_text(&r);
	f->reason = get_text(&r);
	f->vendor = get_text(&r);
	f->severity = (enum severity)get_int(&r);
	f->shed = (uint8_t)get_int(&r);
	return r.failed ? -EUCLEAN : 0;
}

int alert_read(const struct db_stmt *from, int at, struct arena *arena, struct record *out)
{
	struct reader r = { .from = from, .at = at };
	*out = (struct record){ .type = RECORD_ALERT };
	struct record_alert *a = &out->alert;

	a->id = get_text(&r);
	a->kind = get_text(&r);
	a->sensor = get_text(&r);
	a->site_revision = get_text(&r);
	a->exercise = get_text(&r);
	a->severity = (enum severity)get_int(&r);
	a->first_seen.v = get_int(&r);
	a->last_seen.v = get_int(&r);
	a->count = get_count(&r);
	get_endpoint(&r, &a->client);
	get_endpoint(&r, &a->server);
	a->protocol = (uint8_t)get_int(&r);
	a->app = get_text(&r);
	a->rule = get_text(&r);
	a->reason = get_text(&r);
	a->vendor = get_text(&r);
	a->technique = get_text(&r);
	a->flow_count = get_list(&r, arena, a->flows, RECORD_ALERT_FLOWS);
	return r.failed ? -EUCLEAN : 0;
}

int coverage_read(const struct db_stmt *from, int at, struct arena *arena, struct record *out)
{
	struct reader r = { .from = from, .at = at };
	*out = (struct record){ .type = RECORD_COVERAGE };
	struct record_coverage *c = &out->coverage;

	c->sensor = get_text(&r);
	c->site_revision = get_text(&r);
	c->exercise = get_text(&r);
	c->segment = get_text(&r);
	c->state = get_text(&r);
	c->minute.v = get_int(&r);
	c->packets = get_count(&r);
	c->bytes = get_count(&r);
	c->one_sided_flows = get_count(&r);
	c->missed_bytes = get_count(&r);
	c->truncated = get_count(&r);
	c->mirror_copies = get_count(&r);
	c->routed_copies = get_count(&r);
	c->shed_max = get_count(&r);
	c->clock_jumps = get_count(&r);
	c->oversized = get_count(&r);
	c->frames = get_count(&r);
	c->drops = get_count(&r);
	c->reason_count = get_list(&r, arena, c->reasons, RECORD_REASONS_MOST);
	return r.failed ? -EUCLEAN : 0;
}

const char *record_exercise(const struct record *r)
{
	const char *name = NULL;

	switch (r->type) {
	case RECORD_FLOW:
		name = r->flow.exercise;
		break;
	case RECORD_ALERT:
		name = r->alert.exercise;
		break;
	case RECORD_COVERAGE:
		name = r->coverage.exercise;
		break;
	case RECORD_HEALTH:
		name = r->health.exercise;
		break;
	case RECORD_ASSET:
		name = r->asset.exercise;
		break;
	case RECORD_TYPE_COUNT:
		break;
	}
	return name ? name : "";
}
