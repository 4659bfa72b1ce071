/* SPDX-License-Identifier: Apache-2.0
 *
 * make_flows [-s SEED] [-f FLOWS] [-n PACKETS] [-k udp|syn|flood|steady] OUT.pcap
 *
 * 64-byte frames (60 without the check sum) of many flows: `udp`, PACKETS spread
 * at random over FLOWS; `syn`, a connection request each; `flood`, one of each in
 * turns, all of flows of their own; `steady`, a datagram of each flow, then all others
 * at random, from addresses all over 10.0.0.0/9. A millionth of a second apart. The
 * same seed gives the same capture. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

enum { FRAME = 60, START = 1767225600 };

static uint64_t state;

static uint64_t next_random(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void sum(uint8_t *ip)
{
	uint32_t s = 0;

	put16(ip + 10, 0);
	for (int i = 0; i < 20; i += 2)
		s += (unsigned)(ip[i] << 8 | ip[i + 1]);
	s = (s & 0xffff) + (s >> 16);
	put16(ip + 10, (uint16_t) ~(s + (s >> 16)));
}

/* Flow number `f` between 10.0.0.0/8 and 10.200.0.0/16. */
static void build(uint8_t frame[FRAME], uint64_t f, unsigned id, bool syn)
{
	uint8_t *ip = frame + 14, *l4 = ip + 20;

	memset(frame, 0, FRAME);
	memcpy(frame, "\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x08\0", 14);
	ip[0] = 0x45;
	put16(ip + 2, 46);
	put16(ip + 4, id & 0xffff);
	ip[8] = 64;
	ip[9] = syn ? 6 : 17;
	ip[12] = 10;
	ip[13] = (uint8_t)(f >> 16 & 0x7f);
	put16(ip + 14, f & 0xffff);
	memcpy(ip + 16, "\x0a\xc8\0\x07", 4);
	sum(ip);
	put16(l4, 1024 + (unsigned)((f >> 23) * 251 % 60000));
	put16(l4 + 2, 9999);
	if (syn) {
		put16(ip + 2, 40);
		sum(ip);
		put16(l4 + 4, (unsigned)(f * 40503 & 0xffff));
		l4[12] = 0x50;
		l4[13] = 0x02;
		put16(l4 + 14, 64240);
	} else {
		put16(l4 + 4, 26);
		memset(l4 + 8, (int)(f & 0x7f) | 0x80, 18);
	}
}

enum kind { UDP, SYN, FLOOD, STEADY };

static uint64_t flow_of(enum kind kind, uint64_t i, uint64_t flows)
{
	if (kind == STEADY) { /* an odd factor: each of 2^23 addresses has one number */
		uint64_t f = i < flows ? i : next_random() % flows;
		return (f & ~0x7fffffULL) | ((f * 0x9e3779b1) & 0x7fffff);
	}
	return kind != UDP ? i : next_random() % flows;
}

static bool write_all(FILE *out, uint64_t flows, uint64_t packets, enum kind kind)
{
	static const uint32_t head[6] = { 0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1 };
	uint8_t frame[FRAME];

	fwrite(head, sizeof(head), 1, out);
	for (uint64_t i = 0; i < packets; i++) {
		uint64_t f = packets == flows && kind == UDP ? i : flow_of(kind, i, flows);
		uint32_t record[4] = { (uint32_t)(START + i / 1000000), (uint32_t)(i % 1000000),
				       FRAME, FRAME };
		build(frame, f, (unsigned)i, kind == SYN || (kind == FLOOD && i % 2));
		fwrite(record, sizeof(record), 1, out);
		fwrite(frame, FRAME, 1, out);
	}
	return !ferror(out);
}

int main(int argc, char **argv)
{
	uint64_t flows = 200000, packets = 0;
	static const char *const names[] = { "udp", "syn", "flood", "steady" };
	enum kind kind = UDP;
	bool bad = false;
	int option;

	log_init("make_flows", LOG_INFO);
	state = 1;
	while ((option = getopt(argc, argv, "s:f:n:k:")) != -1) {
		switch (option) {
		case 's':
			state = strtoull(optarg, NULL, 10);
			break;
		case 'f':
			flows = strtoull(optarg, NULL, 10);
			break;
		case 'n':
			packets = strtoull(optarg, NULL, 10);
			break;
		case 'k':
			for (kind = UDP; kind <= STEADY && strcmp(optarg, names[kind]); kind++)
				;
			bad |= kind > STEADY;
			break;
		default:
			bad = true;
		}
	}
	if (bad || argc - optind != 1 || !flows) {
		fputs("usage: make_flows [-s SEED] [-f FLOWS] [-n PACKETS] [-k "
		      "udp|syn|flood|steady] "
		      "OUT.pcap\n",
		      stderr);
		return 2;
	}
	FILE *out = fopen(argv[optind], "wb");
	bool good = out && write_all(out, flows, packets ? packets : flows, kind);
	if (!out || fclose(out) || !good) {
		log_error("%s: %s", argv[optind], strerror(errno));
		return 1;
	}
	return 0;
}
