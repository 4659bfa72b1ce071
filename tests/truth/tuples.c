/* SPDX-License-Identifier: Apache-2.0
 *
 * Adds up a capture's packets and IP bytes per 5-tuple, straight behind the
 * decoder: no flow table, no time-outs, no de-duplication. Prints the part of
 * flow records that compare_flows.py reads; so a difference between this and the
 * sensor is the flow table's.
 *
 * usage: tuples FILE */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "schema/names.h"
#include "sensor/capture.h"
#include "schema/community_id.h"

/* As the first packet went; compared as bytes, so zeroed first. */
struct key {
	struct ip_addr source, dest;
	uint16_t source_port, dest_port;
	uint16_t protocol;
	uint16_t icmp; /* type and code: each has a Community ID of its own */
};

struct tuple {
	struct key key;
	uint64_t packets[2], bytes[2];
};

static struct tuple *tuples;
static size_t count, room;

static struct key turned(const struct key *k)
{
	struct key t = *k;

	t.source = k->dest;
	t.dest = k->source;
	t.source_port = k->dest_port;
	t.dest_port = k->source_port;
	return t;
}

static size_t place_of(const struct key *key, int *direction)
{
	struct key other = turned(key);
	/* A request each way is two flows to Community ID, so ICMP keeps its direction. */
	bool turns = key->protocol != 1 && key->protocol != 58;

	for (size_t i = count; i-- > 0;) {
		*direction = 0;
		if (memcmp(&tuples[i].key, key, sizeof(*key)) == 0)
			return i;
		*direction = 1;
		if (turns && memcmp(&tuples[i].key, &other, sizeof(other)) == 0)
			return i;
	}
	*direction = 0;
	return count;
}

static void add(const struct packet *p)
{
	struct key key;
	int direction;

	memset(&key, 0, sizeof(key));
	key.source = p->source;
	key.dest = p->dest;
	key.source_port = p->source_port;
	key.dest_port = p->dest_port;
	key.protocol = p->protocol;
	key.icmp = (uint16_t)(p->icmp_type << 8 | p->icmp_code);
	size_t i = place_of(&key, &direction);
	if (i == count) {
		if (count == room) {
			room = room ? room * 2 : 256;
			tuples = realloc(tuples, room * sizeof(*tuples));
			if (!tuples)
				abort();
		}
		tuples[count++] = (struct tuple){ .key = key };
	}
	tuples[i].packets[direction]++;
	tuples[i].bytes[direction] += p->ip_bytes;
}

static void print(const struct tuple *t)
{
	char source[IP_TEXT], dest[IP_TEXT], id[COMMUNITY_ID_TEXT], name[4];
	const struct key *k = &t->key;
	bool icmp = k->protocol == 1 || k->protocol == 58;

	community_id((uint8_t)k->protocol, &k->source, &k->dest,
		     icmp ? k->icmp >> 8 : k->source_port, icmp ? k->icmp & 0xff : k->dest_port,
		     id);

	printf("{\"type\":\"flow\",\"protocol\":\"%s\",\"community_id\":\"%s\","
	       "\"client\":{\"ip\":\"%s\",\"port\":%u},\"server\":{\"ip\":\"%s\",\"port\":%u},"
	       "\"packets\":{\"to_server\":%" PRIu64 ",\"to_client\":%" PRIu64 "},"
	       "\"bytes\":{\"to_server\":%" PRIu64 ",\"to_client\":%" PRIu64 "}}\n",
	       protocol_name(k->protocol, name), id, ip_text(&k->source, source), k->source_port,
	       ip_text(&k->dest, dest), k->dest_port, t->packets[0], t->packets[1], t->bytes[0],
	       t->bytes[1]);
}

int main(int argc, char **argv)
{
	char why[256];
	struct counters counters = { 0 };
	struct frame frame;
	struct packet packet;
	int rc;

	if (argc != 2) {
		fprintf(stderr, "usage: tuples FILE\n");
		return 2;
	}
	struct capture *c = capture_open(argv[1], why);
	struct decoder *d = decoder_create(1024, &counters);
	if (!c || !d) {
		fprintf(stderr, "tuples: %s\n", c ? "out of memory" : why);
		capture_close(c);
		decoder_destroy(d);
		return 2;
	}
	while ((rc = capture_next(c, &frame)) == 1)
		if (decode(d, &frame, &packet) == DECODE_OK)
			add(&packet);
	for (size_t i = 0; i < count; i++)
		print(&tuples[i]);
	if (rc < 0)
		fprintf(stderr, "tuples: %s: %s\n", argv[1], capture_problem(c));
	for (size_t i = 0; i < COUNTER_COUNT; i++)
		if (counter_value(&counters, i))
			fprintf(stderr, "%s %" PRIu64 "\n", counter_infos[i].name,
				counter_value(&counters, i));
	free(tuples);
	capture_close(c);
	decoder_destroy(d);
	return rc < 0 ? 3 : 0;
}
