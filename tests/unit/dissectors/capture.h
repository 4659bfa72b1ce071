/* SPDX-License-Identifier: Apache-2.0
 *
 * Feeds the TCP or UDP payloads of a capture to one dissector: a naive reader (no
 * fragments, no tunnels, data in the order captured) for tests of dissectors
 * alone. The sensor's own reader is tested elsewhere. */
#pragma once

#include <pcap/pcap.h>

#include "tests/unit/dissectors/stream.h"

enum { CAPTURE_FLOWS = 1 << 14 };

struct capture_flow {
	uint8_t key[37]; /* version and protocol, then address and port of the first speaker and of
			    the other */
	uint32_t next[2];
	bool started[2];
	bool done;                   /* refused in both directions: `stream` is gone */
	struct conversation *stream; /* NULL: none */
};

struct capture {
	const struct dissector *dissector;
	size_t piece; /* payloads are fed in pieces of so many bytes; 0: whole */
	size_t count;
	struct capture_flow flows[CAPTURE_FLOWS];
	uint16_t slots[CAPTURE_FLOWS * 2]; /* hash to flow, plus one */
};

struct capture_segment {
	uint8_t key[37];
	enum transport transport;
	uint32_t sequence;
	bool syn;
	struct cursor payload;
	size_t lost; /* bytes of the payload behind the captured ones */
};

static inline bool capture_ethertype(struct cursor *c, int link, uint16_t *type)
{
	switch (link) {
	case DLT_EN10MB:
		cursor_skip(c, 12);
		*type = cursor_be16(c);
		while (*type == 0x8100 || *type == 0x88a8) {
			cursor_skip(c, 2);
			*type = cursor_be16(c);
		}
		return !c->failed;
	case DLT_LINUX_SLL:
		cursor_skip(c, 14);
		*type = cursor_be16(c);
		return !c->failed;
	case DLT_NULL:
		cursor_skip(c, 4);
		break;
	case DLT_RAW:
	case DLT_IPV4:
	case DLT_IPV6:
		break;
	default:
		return false;
	}
	*type = cursor_peek(c, 0) >> 4 == 6 ? 0x86dd : 0x0800;
	return cursor_left(c) > 0;
}

enum { CAPTURE_TCP = 6, CAPTURE_UDP = 17 };

static inline bool capture_protocol(uint8_t protocol)
{
	return protocol == CAPTURE_TCP || protocol == CAPTURE_UDP;
}

/* From the IP header on; `wire` is what the IP header says is behind it. */
static inline bool capture_ip(struct cursor *c, uint16_t type, uint8_t key[37], size_t *wire)
{
	struct cursor ip = *c;

	memset(key, 0, 37);
	uint8_t first = cursor_u8(&ip);
	if (type == 0x0800 && first >> 4 == 4) {
		size_t header = (first & 15) * 4u;
		cursor_skip(&ip, 1);
		uint16_t total = cursor_be16(&ip);
		cursor_skip(&ip, 2);
		uint16_t fragment = cursor_be16(&ip);
		cursor_skip(&ip, 1);
		uint8_t protocol = cursor_u8(&ip);
		cursor_skip(&ip, 2);
		const uint8_t *addresses = cursor_take(&ip, 8);
		cursor_skip(c, header);
		if (!addresses || c->failed || header < 20 || !capture_protocol(protocol) ||
		    fragment & 0x3fff)
			return false;
		memcpy(key + 1, addresses, 4);
		memcpy(key + 19, addresses + 4, 4);
		key[0] = (uint8_t)(protocol << 3 | 4);
		*wire = total > header ? total - header : cursor_left(c);
		return true;
	}
	if (type != 0x86dd || first >> 4 != 6)
		return false;
	cursor_skip(&ip, 3);
	uint16_t length = cursor_be16(&ip);
	uint8_t protocol = cursor_u8(&ip);
	cursor_skip(&ip, 1);
	const uint8_t *addresses = cursor_take(&ip, 32);
	if (!addresses || !capture_protocol(protocol))
		return false;
	memcpy(key + 1, addresses, 16);
	memcpy(key + 19, addresses + 16, 16);
	key[0] = (uint8_t)(protocol << 3 | 6);
	*c = ip;
	*wire = length ? length : cursor_left(c);
	return true;
}

/* Whole ones only. */
static inline bool capture_datagram(struct cursor c, size_t wire, struct capture_segment *out)
{
	bool whole = cursor_left(&c) == wire;
	const uint8_t *ports = cursor_take(&c, 4);

	cursor_skip(&c, 4);
	if (!ports || c.failed || !whole)
		return false;
	memcpy(out->key + 17, ports, 2);
	memcpy(out->key + 35, ports + 2, 2);
	out->transport = TRANSPORT_UDP;
	out->payload = c;
	out->syn = true;
	out->sequence = 0;
	out->lost = 0;
	return true;
}

static inline bool capture_segment(struct cursor c, int link, struct capture_segment *out)
{
	uint16_t type;
	size_t wire;

	if (!capture_ethertype(&c, link, &type) || !capture_ip(&c, type, out->key, &wire))
		return false;
	if (wire < cursor_left(&c))
		c = cursor_sub(&c, wire);
	if (out->key[0] >> 3 == CAPTURE_UDP)
		return capture_datagram(c, wire, out);
	struct cursor tcp = c;
	const uint8_t *ports = cursor_take(&tcp, 4);
	out->sequence = cursor_be32(&tcp);
	cursor_skip(&tcp, 4);
	size_t header = (size_t)(cursor_u8(&tcp) >> 4) * 4;
	out->syn = cursor_u8(&tcp) & 2;
	cursor_skip(&c, header);
	if (!ports || tcp.failed || c.failed || header < 20 || wire < header)
		return false;
	memcpy(out->key + 17, ports, 2);
	memcpy(out->key + 35, ports + 2, 2);
	out->transport = TRANSPORT_TCP;
	out->payload = c;
	out->lost = wire - header - cursor_left(&c);
	return true;
}

static inline void capture_init(struct conversation *s, const struct dissector *dissector,
				const uint8_t key[37])
{
	bool v4 = (key[0] & 7) == 4;

	stream_init(s, dissector, key[0] >> 3 == CAPTURE_UDP ? TRANSPORT_UDP : TRANSPORT_TCP,
		    (uint16_t)(key[17] << 8 | key[18]), (uint16_t)(key[35] << 8 | key[36]));
	for (int i = 0; i < 2; i++)
		s->ips[i] = v4 ? ip_from_v4(key + 1 + i * 18) : ip_from_v6(key + 1 + i * 18);
}

/* The flow of a segment, made if need be; *direction 0 if its first speaker's. */
static inline struct capture_flow *capture_flow(struct capture *capture, const uint8_t key[37],
						bool syn, uint8_t *direction)
{
	uint8_t back[37];
	uint32_t hash = 0;

	back[0] = key[0];
	memcpy(back + 1, key + 19, 18);
	memcpy(back + 19, key + 1, 18);
	for (size_t i = 1; i < 19; i++)
		hash = hash * 31 + (uint32_t)(key[i] + key[i + 18]);
	for (size_t slot = hash % (CAPTURE_FLOWS * 2);; slot = (slot + 1) % (CAPTURE_FLOWS * 2)) {
		if (!capture->slots[slot]) {
			if (capture->count == CAPTURE_FLOWS - 1)
				return NULL;
			capture->slots[slot] = (uint16_t)(capture->count + 1);
			struct capture_flow *flow = &capture->flows[capture->count++];
			memcpy(flow->key, key, 37);
			flow->stream = malloc(sizeof(*flow->stream));
			if (!flow->stream)
				abort();
			capture_init(flow->stream, capture->dissector, key);
			flow->stream->midstream = !syn;
			*direction = 0;
			return flow;
		}
		struct capture_flow *flow = &capture->flows[capture->slots[slot] - 1];
		*direction = memcmp(flow->key, key, 37) != 0;
		if (!*direction || !memcmp(flow->key, back, 37))
			return flow;
	}
}

static inline void capture_forget(struct capture_flow *flow)
{
	if (flow->stream)
		stream_finish(flow->stream);
	free(flow->stream);
	flow->stream = NULL;
}

/* Of a flow that a dissector refuses it is asked again with the next one. */
static inline void capture_offer(struct capture_flow *flow, unsigned direction, struct cursor bytes)
{
	struct conversation *s = flow->stream;
	size_t n = cursor_left(&bytes);

	stream_offer(s, direction, cursor_take(&bytes, n), n);
	if (s->claimed || !s->over)
		return;
	const struct dissector *dissector = s->dissector;
	stream_finish(s);
	capture_init(s, dissector, flow->key);
}

static inline void capture_take(struct capture *capture, const struct capture_segment *segment,
				struct usec time)
{
	uint8_t direction;
	struct cursor bytes = segment->payload;
	struct capture_flow *flow = capture_flow(capture, segment->key, segment->syn, &direction);

	if (!flow || flow->done)
		return;
	struct conversation *s = flow->stream;
	s->time = time;
	if (segment->transport == TRANSPORT_UDP) {
		capture_offer(flow, direction, bytes);
		return;
	}
	uint32_t sequence = segment->sequence + segment->syn;
	if (!flow->started[direction])
		flow->next[direction] = sequence;
	flow->started[direction] = true;
	int32_t ahead = (int32_t)(sequence - flow->next[direction]);
	if (ahead < 0 && (size_t)-ahead >= cursor_left(&bytes))
		return;
	if (ahead < 0)
		cursor_skip(&bytes, (size_t)-ahead);
	if (ahead > 0)
		stream_lose(s, direction);
	size_t n = cursor_left(&bytes);
	flow->next[direction] = sequence + (uint32_t)cursor_left(&segment->payload);
	stream_chunks(s, direction, cursor_take(&bytes, n), n, capture->piece ? capture->piece : n);
	if (segment->lost) {
		stream_lose(s, direction);
		flow->next[direction] += (uint32_t)segment->lost;
	}
	if (!s->claimed && s->over) {
		capture_forget(flow);
		flow->done = true;
	}
}

/* Reads a whole file. False when it is not a capture that libpcap can open. The
 * caller frees with capture_close, in any case. */
static inline bool capture_read(struct capture *capture, const char *path)
{
	char error[PCAP_ERRBUF_SIZE];
	struct pcap_pkthdr *header;
	const u_char *frame;
	struct capture_segment segment;

	pcap_t *pcap = pcap_open_offline(path, error);
	if (!pcap)
		return false;
	while (pcap_next_ex(pcap, &header, &frame) == 1) {
		struct usec time = { header->ts.tv_sec * (int64_t)USEC_PER_SECOND +
				     header->ts.tv_usec };
		if (capture_segment(cursor_of(frame, header->caplen), pcap_datalink(pcap),
				    &segment) &&
		    capture->dissector->transports & segment.transport)
			capture_take(capture, &segment, time);
	}
	pcap_close(pcap);
	return true;
}

static inline struct capture *capture_open(const struct dissector *dissector, size_t piece)
{
	struct capture *capture = calloc(1, sizeof(*capture));

	if (!capture)
		abort();
	capture->dissector = dissector;
	capture->piece = piece;
	return capture;
}

static inline void capture_close(struct capture *capture)
{
	for (size_t i = 0; i < capture->count; i++)
		capture_forget(&capture->flows[i]);
	free(capture);
}

/* "confidence client|server|- attributes" of each claimed flow, a line each. */
static inline char *capture_text(const struct capture *capture, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < capture->count && at + 2048 < size; i++) {
		const struct conversation *s = capture->flows[i].stream;
		if (!s || !s->claimed)
			continue;
		at += (size_t)snprintf(out + at, size - at, "%s %s ",
				       confidence_name(s->confidence),
				       s->client_direction == 0   ? "client"
				       : s->client_direction == 1 ? "server"
								  : "-");
		stream_describe(s, out + at, size - at);
		at += strlen(out + at);
		at += (size_t)snprintf(out + at, size - at, "\n");
	}
	return out;
}
