/* SPDX-License-Identifier: Apache-2.0
 *
 * A whole packet path for tests: shots go in, records come out as JSON. */
#pragma once

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sensor/pipeline.h"
#include "sensor/tcp.h"

enum { METERING_RECORDS = 4096, SHOT_BYTES = 4096 };

#define SECOND ((int64_t)USEC_PER_SECOND)
#define T0 (1700000000 * SECOND)

struct metering {
	struct counters counters;
	struct realms realms;
	struct pipeline_options options;
	struct output *output;
	struct pipeline *pipeline;
	struct site *site;
	int fd;
	json_t *records[METERING_RECORDS];
	size_t count;
};

/* One packet; hosts are the last byte of 10.0.0.x or 2001:db8::x. */
struct shot {
	int64_t at; /* us, from T0 */
	uint8_t from, to;
	uint8_t protocol; /* 0: TCP */
	bool v6;
	uint16_t source, dest;
	uint8_t flags;
	uint32_t seq, ack;
	const void *bytes;
	size_t n;
	uint16_t id; /* IPv4 identification */
	uint8_t ttl; /* 0: 64 */
	uint8_t mac; /* last byte of the sender's; 0: as `from` */
	uint16_t vlan;
	uint16_t fragment; /* field as on the wire; then `bytes` is all behind IP */
	uint8_t icmp_type, icmp_code;
	uint32_t captured; /* 0: all */
};

static inline void metering_prepare(struct metering *m)
{
	memset(m, 0, sizeof(*m));
	realms_init(&m->realms);
	m->site = site_empty();
	m->options = (struct pipeline_options){
		.flows = 1024,
		.fragments = 16,
		.alerts = 64,
		.names = 64,
		.dedup = true,
		.seed = 1,
		.timeouts = { { 300 * SECOND },
			      { 60 * SECOND },
			      { 30 * SECOND },
			      { 5 * SECOND },
			      { 30 * SECOND },
			      { 300 * SECOND } },
		.dissection = { .contexts = 64, .buffers = 16, .dpi_flows = 0 },
		.setting = { .sensor = "test", .site = m->site, .realms = &m->realms },
	};
}

static inline void metering_open(struct metering *m)
{
	struct outlet_options to = { .json = true, .sensor = "test" };
	char why[256] = "";

	m->fd = memfd_create("records", 0);
	cr_assert(m->fd >= 0 && dup2(m->fd, STDOUT_FILENO) == STDOUT_FILENO);
	m->output = output_alone(&to, &(struct output_options){ 0 }, &m->counters, why);
	cr_assert(m->output, "%s", why);
	m->pipeline = pipeline_create(&m->options, &m->counters, m->output, why);
	cr_assert(m->pipeline, "%s", why);
}

static inline void metering_begin(struct metering *m)
{
	metering_prepare(m);
	metering_open(m);
}

/* Takes what has come out so far, as records of their own. */
static inline void metering_read(struct metering *m)
{
	cr_assert_eq(output_flush(m->output), 0);
	FILE *in = fdopen(dup(m->fd), "r");
	cr_assert(in);
	rewind(in);
	for (size_t i = 0; i < m->count; i++)
		json_decref(m->records[i]);
	m->count = 0;
	json_t *r;
	while (m->count < METERING_RECORDS &&
	       (r = json_loadf(in, JSON_DISABLE_EOF_CHECK, NULL)) != NULL)
		m->records[m->count++] = r;
	fclose(in);
}

/* Ends the input; whatever was shown, the accounts must be right. */
static inline void metering_flush(struct metering *m)
{
	pipeline_flush(m->pipeline, END_END_OF_INPUT);
	metering_read(m);
	cr_assert(counters_add_up(&m->counters));
	cr_assert_eq(m->counters.flows, m->counters.flows_closed);
}

static inline void metering_end(struct metering *m)
{
	for (size_t i = 0; i < m->count; i++)
		json_decref(m->records[i]);
	pipeline_destroy(m->pipeline);
	output_destroy(m->output);
	site_free(m->site);
	close(m->fd);
}

/* --- what came out --- */

/* A member by its path: "client/ip". */
static inline json_t *at(json_t *r, const char *path)
{
	char part[64];

	for (const char *p = path; r; p++) {
		size_t n = strcspn(p, "/");
		snprintf(part, sizeof(part), "%.*s", (int)n, p);
		r = json_object_get(r, part);
		p += n;
		if (!*p)
			break;
	}
	return r;
}

static inline json_int_t number(json_t *r, const char *path)
{
	cr_assert(json_is_integer(at(r, path)), "no number %s", path);
	return json_integer_value(at(r, path));
}

static inline const char *text(json_t *r, const char *path)
{
	const char *found = json_string_value(at(r, path));
	return found ? found : "";
}

static inline json_t *nth(const struct metering *m, const char *type, size_t n)
{
	for (size_t i = 0; i < m->count; i++)
		if (!strcmp(text(m->records[i], "type"), type) && n-- == 0)
			return m->records[i];
	return NULL;
}

static inline json_t *flow(const struct metering *m, size_t n)
{
	json_t *r = nth(m, "flow", n);
	cr_assert(r, "there is no flow %zu", n);
	return r;
}

static inline size_t count_of(const struct metering *m, const char *type)
{
	size_t n = 0;

	while (nth(m, type, n))
		n++;
	return n;
}

/* Over all flow records. */
static inline json_int_t sum(const struct metering *m, const char *path)
{
	json_int_t all = 0;

	for (size_t i = 0; i < count_of(m, "flow"); i++)
		all += number(flow(m, i), path);
	return all;
}

/* --- what goes in --- */

static inline uint8_t *put16(uint8_t *p, uint16_t v)
{
	*p++ = (uint8_t)(v >> 8);
	*p++ = (uint8_t)v;
	return p;
}

static inline uint8_t *put32(uint8_t *p, uint32_t v)
{
	return put16(put16(p, (uint16_t)(v >> 16)), (uint16_t)v);
}

static inline uint8_t *put_mac(uint8_t *p, uint8_t host)
{
	memcpy(p, (uint8_t[]){ 2, 0, 0, 0, 0, host }, 6);
	return p + 6;
}

static inline uint8_t *put_ip(uint8_t *p, const struct shot *s, uint8_t protocol, size_t n)
{
	uint8_t ttl = s->ttl ? s->ttl : 64;

	if (s->v6) {
		static const uint8_t net[15] = { 0x20, 1, 0x0d, 0xb8 };
		p = put16(put32(p, 6u << 28 | s->id), (uint16_t)n);
		*p++ = protocol;
		*p++ = ttl;
		memcpy(p, net, 15);
		p[15] = s->from;
		memcpy(p + 16, net, 15);
		p[31] = s->to;
		return p + 32;
	}
	p = put16(p, 0x4500);
	p = put16(put16(put16(p, (uint16_t)(n + 20)), s->id), s->fragment);
	*p++ = ttl;
	*p++ = protocol;
	p = put16(p, 0);
	return put32(put32(p, 0x0a000000u | s->from), 0x0a000000u | s->to);
}

static inline uint8_t *put_transport(uint8_t *p, const struct shot *s, uint8_t protocol)
{
	if (s->fragment)
		return p;
	if (protocol == 6) {
		p = put32(put32(put16(put16(p, s->source), s->dest), s->seq), s->ack);
		*p++ = 0x50;
		*p++ = s->flags;
		return put32(put16(p, 8192), 0);
	}
	if (protocol == 17)
		return put16(put16(put16(put16(p, s->source), s->dest), (uint16_t)(s->n + 8)), 0);
	if (protocol == 1 || protocol == 58) {
		*p++ = s->icmp_type;
		*p++ = s->icmp_code;
		return put32(put16(p, 0), 0x00010001);
	}
	return p;
}

/* The frame's bytes; its length. */
static inline size_t shot_bytes(const struct shot *s, uint8_t frame[SHOT_BYTES])
{
	uint8_t protocol = s->protocol ? s->protocol : 6;
	uint8_t upper[SHOT_BYTES];
	uint8_t *end = put_transport(upper, s, protocol), *p = frame;
	size_t n = (size_t)(end - upper);

	p = put_mac(put_mac(p, s->to), s->mac ? s->mac : s->from);
	if (s->vlan)
		p = put16(put16(p, 0x8100), s->vlan);
	p = put_ip(put16(p, s->v6 ? 0x86dd : 0x0800), s, protocol, n + s->n);
	memcpy(p, upper, n);
	if (s->n)
		memcpy(p + n, s->bytes, s->n);
	return (size_t)(p - frame) + n + s->n;
}

static inline void shoot(struct metering *m, struct shot s)
{
	uint8_t frame[SHOT_BYTES];
	uint32_t n = (uint32_t)shot_bytes(&s, frame);
	uint32_t captured = s.captured && s.captured < n ? s.captured : n;
	uint8_t *exact = malloc(captured);

	cr_assert(exact);
	memcpy(exact, frame, captured);
	pipeline_frame(m->pipeline, &(struct frame){ .bytes = exact,
						     .captured = captured,
						     .wire = n,
						     .time = { T0 + s.at },
						     .link_type = 1 });
	free(exact);
}

/* --- a connection, whose numbers count themselves --- */

struct talk {
	struct metering *m;
	int64_t at; /* of the next packet; 1 ms later each time */
	uint8_t hosts[2];
	uint16_t ports[2];
	uint32_t next[2]; /* sequence numbers; 0 is the client */
	uint16_t id;
	bool v6;
};

static inline struct shot talk_shot(struct talk *t, unsigned side, uint8_t flags, const void *bytes,
				    size_t n)
{
	struct shot s = {
		.at = t->at,
		.from = t->hosts[side],
		.to = t->hosts[!side],
		.source = t->ports[side],
		.dest = t->ports[!side],
		.flags = flags,
		.seq = t->next[side],
		.ack = flags & TCP_ACK ? t->next[!side] : 0,
		.bytes = bytes,
		.n = n,
		.id = ++t->id,
		.v6 = t->v6,
	};
	t->at += 1000;
	t->next[side] += (uint32_t)n + ((flags & TCP_SYN) != 0) + ((flags & TCP_FIN) != 0);
	return s;
}

static inline void say(struct talk *t, unsigned side, uint8_t flags, const void *bytes, size_t n)
{
	shoot(t->m, talk_shot(t, side, flags, bytes, n));
}

static inline void greet(struct talk *t)
{
	say(t, 0, TCP_SYN, NULL, 0);
	say(t, 1, TCP_SYN | TCP_ACK, NULL, 0);
	say(t, 0, TCP_ACK, NULL, 0);
}

static inline void part(struct talk *t)
{
	say(t, 0, TCP_FIN | TCP_ACK, NULL, 0);
	say(t, 1, TCP_FIN | TCP_ACK, NULL, 0);
	say(t, 0, TCP_ACK, NULL, 0);
}
