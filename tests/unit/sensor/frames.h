/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames for tests, written from the innermost bytes outwards: each call puts a
 * header before what there is. */
#pragma once

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

struct made {
	uint8_t room[4096];
	size_t start; /* the frame is room[start..] */
};

static inline void made_begin(struct made *m, const void *payload, size_t n)
{
	m->start = sizeof(m->room) - n;
	memcpy(m->room + m->start, payload, n);
}

static inline const uint8_t *made_bytes(const struct made *m)
{
	return m->room + m->start;
}

static inline uint32_t made_length(const struct made *m)
{
	return (uint32_t)(sizeof(m->room) - m->start);
}

static inline void before(struct made *m, const void *bytes, size_t n)
{
	m->start -= n;
	memcpy(m->room + m->start, bytes, n);
}

#define BEFORE(m, ...) before(m, (uint8_t[]){ __VA_ARGS__ }, sizeof((uint8_t[]){ __VA_ARGS__ }))

#define BE16(v) (uint8_t)((v) >> 8), (uint8_t)(v)

static inline void udp_before(struct made *m, uint16_t source, uint16_t dest)
{
	uint32_t n = made_length(m) + 8;

	BEFORE(m, BE16(source), BE16(dest), BE16(n), 0, 0);
}

/* SYN or not: flags as on the wire; sequence number 0x01020304. */
static inline void tcp_before(struct made *m, uint16_t source, uint16_t dest, uint8_t flags)
{
	BEFORE(m, BE16(source), BE16(dest), 1, 2, 3, 4, 5, 6, 7, 8, 0x50, flags, 0, 1, 0, 0, 0, 0);
}

/* From 10.0.NET.1 to 10.0.NET.2; `fragment` as on the wire. */
static inline void ip4_piece_before(struct made *m, uint8_t net, uint8_t protocol, uint16_t id,
				    uint16_t fragment)
{
	uint32_t n = made_length(m) + 20;

	BEFORE(m, 0x45, 0xb8, BE16(n), BE16(id), BE16(fragment), 64, protocol, 0, 0, 10, 0, net, 1,
	       10, 0, net, 2);
}

static inline void ip4_before(struct made *m, uint8_t net, uint8_t protocol)
{
	ip4_piece_before(m, net, protocol, 0x1234, 0x4000);
}

/* From 2001:db8::NET:1 to 2001:db8::NET:2. */
static inline void ip6_before(struct made *m, uint8_t net, uint8_t next)
{
	uint32_t n = made_length(m);

	BEFORE(m, 0x6b, 0x81, 0x23, 0x45, BE16(n), next, 60, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0,
	       0, 0, 0, net, 0, 1, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, net, 0, 2);
}

/* MAC addresses 02:00:00:00:HOST:01 to :02. */
static inline void eth_before(struct made *m, uint8_t host, uint16_t type)
{
	BEFORE(m, 2, 0, 0, 0, host, 2, 2, 0, 0, 0, host, 1, BE16(type));
}

/* A tag comes between the addresses and the type: put it before the type's
 * header, and give its type to what comes before it. */
static inline void vlan_before(struct made *m, uint16_t vlan, uint16_t type)
{
	BEFORE(m, BE16(vlan), BE16(type));
}
