/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/rollup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

static const int64_t minute = 60LL * USEC_PER_SECOND;
static const int64_t hour = 3600LL * USEC_PER_SECOND;

static int64_t bucket_of(enum rollup_kind kind, struct usec t)
{
	int64_t span = kind == ROLLUP_MINUTE ? minute : hour;
	int64_t rest = t.v % span;
	return t.v - (rest < 0 ? rest + span : rest);
}

static uint64_t mix_text(uint64_t h, const char *text)
{
	return text ? XXH3_64bits_withSeed(text, strlen(text), h) : h * 31;
}

static uint64_t hash_of(enum rollup_kind kind, int64_t bucket, const struct record_flow *f)
{
	uint64_t h = XXH3_64bits_withSeed(&bucket, sizeof(bucket), 1);

	h = mix_text(h, f->exercise);
	h = mix_text(h, f->client.segment);
	h = mix_text(h, f->server.segment);
	if (kind == ROLLUP_MINUTE)
		return h + (uint64_t)f->verdict * 0x9e3779b97f4a7c15;
	h = XXH3_64bits_withSeed(f->client.ip.bytes, sizeof(f->client.ip.bytes), h);
	h = XXH3_64bits_withSeed(f->server.ip.bytes, sizeof(f->server.ip.bytes), h);
	return mix_text(h, f->app);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || !strcmp(a ? a : "", b ? b : "");
}

/* Those of no address are not those of the address ::. */
static bool same_address(const struct record_endpoint *a, const struct record_endpoint *b)
{
	return a->no_ip == b->no_ip && !ip_compare(&a->ip, &b->ip);
}

static bool same_key(enum rollup_kind kind, const struct record_flow *a,
		     const struct record_flow *b)
{
	if (!same_text(a->exercise, b->exercise) ||
	    !same_text(a->client.segment, b->client.segment) ||
	    !same_text(a->server.segment, b->server.segment))
		return false;
	if (kind == ROLLUP_MINUTE)
		return a->verdict == b->verdict;
	return same_address(&a->client, &b->client) && same_address(&a->server, &b->server) &&
	       same_text(a->app, b->app);
}

static int grow_index(struct rollup *r)
{
	size_t places = r->places ? r->places * 2 : 1024;
	uint32_t *index = calloc(places, sizeof(*index));

	if (!index)
		return -ENOMEM;
	for (size_t i = 0; i < r->count; i++) {
		size_t at = r->rows[i].hash & (places - 1);
		while (index[at])
			at = (at + 1) & (places - 1);
		index[at] = (uint32_t)i + 1;
	}
	free(r->index);
	r->index = index;
	r->places = places;
	return 0;
}

static int make_room(struct rollup *r)
{
	if (r->count == r->room) {
		size_t room = r->room ? r->room * 2 : 512;
		struct rollup_row *rows = realloc(r->rows, room * sizeof(*rows));
		if (!rows)
			return -ENOMEM;
		r->rows = rows;
		r->room = room;
	}
	return r->count * 2 >= r->places ? grow_index(r) : 0;
}

/* The row of a key, new when there was none; NULL for want of memory. */
static struct rollup_row *row_of(struct rollup *r, const struct record_flow *f)
{
	int64_t bucket = bucket_of(r->kind, f->start);
	uint64_t hash = hash_of(r->kind, bucket, f);

	if (make_room(r))
		return NULL;
	size_t at = hash & (r->places - 1);
	for (; r->index[at]; at = (at + 1) & (r->places - 1)) {
		struct rollup_row *row = &r->rows[r->index[at] - 1];
		if (row->hash == hash && row->bucket == bucket && same_key(r->kind, row->flow, f))
			return row;
	}
	struct rollup_row *row = &r->rows[r->count++];
	r->index[at] = (uint32_t)r->count;
	*row = (struct rollup_row){
		.bucket = bucket, .flow = f, .hash = hash, .first = f->start, .last = f->end
	};
	return row;
}

int rollup_add(struct rollup *r, const struct record_flow *f)
{
	struct rollup_row *row = row_of(r, f);

	if (!row)
		return -ENOMEM;
	row->flows += f->interim == 0;
	row->packets += f->packets_to_server + f->packets_to_client;
	row->bytes += f->bytes_to_server + f->bytes_to_client;
	if (f->severity > row->severity)
		row->severity = f->severity;
	if (f->start.v < row->first.v)
		row->first = f->start;
	if (f->end.v > row->last.v)
		row->last = f->end;
	return 0;
}

void rollup_clear(struct rollup *r)
{
	r->count = 0;
	if (r->index)
		memset(r->index, 0, r->places * sizeof(*r->index));
}

void rollup_finish(struct rollup *r)
{
	free(r->rows);
	free(r->index);
	*r = (struct rollup){ .kind = r->kind };
}
