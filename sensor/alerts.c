/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/alerts.h"

#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/line.h"

enum { RESERVE = 64 }; /* entries for alerts without addresses */

struct entry {
	struct record_alert alert;
	char id[RECORD_ID];
	char reason[256];
	char flows[RECORD_ALERT_FLOWS][RECORD_ID];
};

struct alerts {
	struct entry *entries;
	size_t most, count;
	uint32_t *places; /* by key: an entry's number, plus one; 0: free */
	size_t mask;
	struct counters *counters;
	record_sink *sink;
	void *context;
};

struct alerts *alerts_create(size_t most, struct counters *counters, record_sink *sink,
			     void *context)
{
	struct alerts *a = calloc(1, sizeof(*a));
	size_t places = 16;

	if (!a)
		return NULL;
	while (places < (most + RESERVE) * 2)
		places *= 2;
	a->mask = places - 1;
	a->entries = calloc(most + RESERVE, sizeof(*a->entries));
	a->most = most;
	a->counters = counters;
	a->sink = sink;
	a->context = context;
	a->places = calloc(places, sizeof(*a->places));
	if (!a->entries || !a->places) {
		alerts_destroy(a);
		return NULL;
	}
	return a;
}

void alerts_destroy(struct alerts *a)
{
	if (!a)
		return;
	free(a->entries);
	free(a->places);
	free(a);
}

/* What an alert is told by: gathered, and hashed at once. Only what is too long for that
 * goes piece by piece. */
struct identity {
	size_t n;
	bool overflowed;
	XXH3_state_t state; /* of what overflowed */
	char bytes[512];
};

static void make_room(struct identity *i)
{
	if (!i->overflowed)
		XXH3_128bits_reset(&i->state);
	i->overflowed = true;
	XXH3_128bits_update(&i->state, i->bytes, i->n);
	i->n = 0;
}

static void put(struct identity *i, const char *text, const char *behind)
{
	for (size_t part = 0; part < 2; part++) {
		const char *t = part ? behind : text;
		size_t n = t ? strlen(t) : 0;
		if (n > sizeof(i->bytes) - i->n)
			make_room(i);
		if (n > sizeof(i->bytes)) {
			XXH3_128bits_update(&i->state, t, n);
			continue;
		}
		memcpy(i->bytes + i->n, t ? t : "", n);
		i->n += n;
	}
}

static XXH128_hash_t digest(struct identity *i)
{
	if (!i->overflowed)
		return XXH3_128bits(i->bytes, i->n);
	make_room(i);
	return XXH3_128bits_digest(&i->state);
}

static const char *who(const struct record_endpoint *e, char ip[IP_TEXT])
{
	return e->no_ip ? e->segment : ip_text(&e->ip, ip);
}

/* The same event gives the same id, on any sensor run and after any resend. */
static uint64_t identify(const struct record_flow *f, const char *kind, char id[RECORD_ID])
{
	char ip[IP_TEXT], numbers[32];
	struct line l = line_in(numbers, sizeof(numbers));
	struct identity i;

	i.n = 0;
	i.overflowed = false;
	put(&i, f->sensor, "\n");
	put(&i, f->exercise, "\n");
	put(&i, kind, "\n");
	put(&i, who(&f->client, ip), "\n");
	put(&i, who(&f->server, ip), "\n");
	line_u64(&l, f->protocol);
	line_bytes(&l, "\n", 1);
	line_u64(&l, f->server.port);
	line_bytes(&l, "\n", 1);
	put(&i, numbers, NULL);
	put(&i, f->app, "\n");
	put(&i, f->rule, NULL);
	XXH128_hash_t h = digest(&i);
	l = line_in(id, RECORD_ID);
	line_hex64(&l, h.high64);
	line_hex64(&l, h.low64);
	return h.low64;
}

/* Where an id's entry is noted, or would be. */
static uint32_t *find(const struct alerts *a, uint64_t key, const char *id)
{
	size_t at = key & a->mask;

	while (a->places[at] && strcmp(a->entries[a->places[at] - 1].id, id) != 0)
		at = (at + 1) & a->mask;
	return &a->places[at];
}

static void start(struct entry *e, const struct record_flow *f, const char *kind,
		  const char *technique, const char *id)
{
	struct line reason = line_in(e->reason, sizeof(e->reason));

	memcpy(e->id, id, RECORD_ID);
	line_text(&reason, f->reason);
	e->alert = (struct record_alert){
		.id = e->id,
		.kind = kind,
		.sensor = f->sensor,
		.site_revision = f->site_revision,
		.exercise = f->exercise,
		.severity = f->severity,
		.first_seen = f->start,
		.last_seen = f->end,
		.client = f->client,
		.server = f->server,
		.protocol = f->protocol,
		.app = f->app,
		.rule = f->rule,
		.reason = e->reason,
		.vendor = f->vendor,
		.technique = technique,
	};
	e->alert.client.has_port = false; /* differs from flow to flow */
	e->alert.client.port = 0;
	e->alert.client.country = NULL; /* not ours to keep */
	e->alert.server.country = NULL;
}

/* What goes on may become worse, and has something new to say. */
static void renew(struct entry *e, const struct record_flow *f)
{
	struct line reason = line_in(e->reason, sizeof(e->reason));

	line_text(&reason, f->reason);
	if (f->severity > e->alert.severity)
		e->alert.severity = f->severity;
}

static void add(struct entry *e, const struct record_flow *f, bool again)
{
	struct record_alert *a = &e->alert;

	a->count += !again;
	if (f->start.v < a->first_seen.v)
		a->first_seen = f->start;
	if (f->end.v > a->last_seen.v)
		a->last_seen = f->end;
	if (!f->id)
		renew(e, f);
	if (!f->id || a->flow_count == RECORD_ALERT_FLOWS)
		return;
	struct line id = line_in(e->flows[a->flow_count], RECORD_ID);
	line_text(&id, f->id);
	a->flows[a->flow_count] = e->flows[a->flow_count];
	a->flow_count++;
}

static void send(struct alerts *a, const struct entry *e)
{
	struct record r = { .type = RECORD_ALERT, .alert = e->alert };
	a->sink(a->context, &r);
}

static void raise(struct alerts *a, const struct record_flow *f, const char *kind,
		  const char *technique, bool again)
{
	char id[RECORD_ID];
	uint64_t key = identify(f, kind, id);
	uint32_t *place = find(a, key, id);

	a->counters->alerts += !again;
	if (!*place && a->count < a->most + (f->server.no_ip ? RESERVE : 0)) {
		start(&a->entries[a->count++], f, kind, technique, id);
		*place = (uint32_t)a->count;
	}
	if (*place) {
		add(&a->entries[*place - 1], f, again);
		return;
	}
	struct entry single;
	start(&single, f, kind, technique, id);
	add(&single, f, again);
	a->counters->alerts_table_full++;
	send(a, &single);
}

void alerts_raise(struct alerts *a, const struct record_flow *f, const char *kind,
		  const char *technique)
{
	raise(a, f, kind, technique, false);
}

static void forget_address(struct record_endpoint *e)
{
	*e = (struct record_endpoint){ .no_ip = true, .segment = e->segment, .impact = e->impact };
}

void alerts_raise_segments(struct alerts *a, const struct record_flow *f, const char *kind,
			   const char *technique)
{
	struct record_flow summed = *f;

	forget_address(&summed.client);
	forget_address(&summed.server);
	summed.vendor = NULL;
	raise(a, &summed, kind, technique, false);
}

void alerts_raise_summed(struct alerts *a, const struct record_flow *f, const char *kind,
			 const char *technique)
{
	struct record_flow summed = *f;
	char id[RECORD_ID];

	if (a->count < a->most || *find(a, identify(f, kind, id), id)) {
		raise(a, f, kind, technique, false);
		return;
	}
	a->counters->alerts_summed++;
	summed.app = NULL;
	alerts_raise_segments(a, &summed, kind, technique);
}

void alerts_raise_sensor(struct alerts *a, const struct sensor_finding *what)
{
	struct record_flow f = {
		.sensor = what->sensor,
		.site_revision = what->site_revision,
		.exercise = what->exercise,
		.start = what->at,
		.end = what->at,
		.client = { .no_ip = true },
		.server = { .no_ip = true, .segment = what->segment, .impact = what->impact },
		.severity = what->severity,
		.reason = what->reason,
	};

	raise(a, &f, what->kind, NULL, what->again);
}

void alerts_flush(struct alerts *a)
{
	for (size_t i = 0; i < a->count; i++)
		send(a, &a->entries[i]);
	a->count = 0;
	memset(a->places, 0, (a->mask + 1) * sizeof(*a->places));
}
