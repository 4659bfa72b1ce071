/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/reassembly.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { BEHIND_MOST = 1 << 20, SKIP_MOST = INT32_MAX / 2 };

struct reassembly_pool {
	uint8_t *bytes;
	size_t count, used;
	uint32_t *free; /* stack of buffer numbers */
	size_t free_count;
};

struct reassembly_pool *reassembly_pool_create(size_t buffers)
{
	struct reassembly_pool *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->count = buffers;
	p->free = calloc(buffers, sizeof(*p->free));
	p->bytes = mmap(NULL, buffers * DISSECT_BUFFER, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p->bytes == MAP_FAILED)
		p->bytes = NULL;
	if (!p->free || !p->bytes) {
		reassembly_pool_destroy(p);
		return NULL;
	}
	return p;
}

void reassembly_pool_destroy(struct reassembly_pool *p)
{
	if (!p)
		return;
	if (p->bytes)
		munmap(p->bytes, p->count * DISSECT_BUFFER);
	free(p->free);
	free(p);
}

static bool get_buffer(struct reassembly_pool *p, struct reassembly *s)
{
	if (s->buffer)
		return true;
	if (p->free_count)
		s->buffer = p->bytes + (size_t)p->free[--p->free_count] * DISSECT_BUFFER;
	else if (p->used < p->count)
		s->buffer = p->bytes + p->used++ * DISSECT_BUFFER;
	return s->buffer != NULL;
}

static void put_buffer(struct reassembly_pool *p, struct reassembly *s)
{
	if (!s->buffer)
		return;
	p->free[p->free_count++] = (uint32_t)((size_t)(s->buffer - p->bytes) / DISSECT_BUFFER);
	s->buffer = NULL;
}

void reassembly_init(struct reassembly *s, uint32_t sequence)
{
	*s = (struct reassembly){ .started = true, .base = sequence };
}

void reassembly_finish(struct reassembly_pool *pool, struct reassembly *s)
{
	put_buffer(pool, s);
	s->started = false;
}

/* Forgets all that is kept and goes on at `sequence`. */
static void jump(struct reassembly_pool *pool, struct reassembly *s, uint32_t sequence)
{
	s->base = sequence;
	s->skipped = 0;
	s->ready = 0;
	s->early_count = 0;
	s->gap = true;
	s->gaps++;
	put_buffer(pool, s);
}

static void join_early(struct reassembly *s)
{
	for (size_t i = 0; i < s->early_count;) {
		struct reassembly_range *r = &s->early[i];
		if (r->from > s->ready) {
			i++;
			continue;
		}
		if (r->to > s->ready)
			s->ready = r->to;
		*r = s->early[--s->early_count];
		i = 0;
	}
}

/* Notes [from, to) as present, merged with what it touches. */
static bool note_early(struct reassembly *s, uint32_t from, uint32_t to)
{
	for (size_t i = 0; i < s->early_count;) {
		struct reassembly_range *r = &s->early[i];
		if (to < r->from || r->to < from) {
			i++;
			continue;
		}
		from = r->from < from ? r->from : from;
		to = r->to > to ? r->to : to;
		*r = s->early[--s->early_count];
		i = 0;
	}
	if (s->early_count == REASSEMBLY_RANGES)
		return false;
	s->early[s->early_count++] = (struct reassembly_range){ from, to };
	return true;
}

/* Keeps bytes at an offset from base; false when there is no room for them. */
static bool keep(struct reassembly_pool *pool, struct reassembly *s, uint32_t offset,
		 struct cursor bytes)
{
	uint32_t n = (uint32_t)cursor_left(&bytes);

	if (offset > DISSECT_BUFFER || n > DISSECT_BUFFER - offset || !get_buffer(pool, s))
		return false;
	memcpy(s->buffer + offset, bytes.at, n);
	if (offset > s->ready)
		return note_early(s, offset, offset + n);
	if (offset + n > s->ready)
		s->ready = offset + n;
	join_early(s);
	return true;
}

static bool show_kept(struct reassembly *s, struct cursor *out)
{
	*out = cursor_of(s->buffer, s->ready);
	return s->ready > 0;
}

/* The other end has what lies in the hole; we never shall. Goes on at the first
 * byte that is there: of what came early, or of the packet at hand. */
static void pass_hole(struct reassembly_pool *pool, struct reassembly *s, uint32_t packet_offset)
{
	uint32_t least = packet_offset;

	for (size_t i = 0; i < s->early_count; i++)
		if (s->early[i].from < least)
			least = s->early[i].from;
	if (s->early_count == 0 || least == packet_offset) {
		jump(pool, s, s->base + packet_offset);
		return;
	}
	uint32_t most = 0;
	for (size_t i = 0; i < s->early_count; i++) {
		s->early[i].from -= least;
		s->early[i].to -= least;
		most = s->early[i].to > most ? s->early[i].to : most;
	}
	memmove(s->buffer, s->buffer + least, most);
	s->base += least;
	s->ready = 0;
	s->gap = true;
	s->gaps++;
	join_early(s);
}

/* A segment so far behind the base that no reordering explains it: the base was
 * led astray by a stray number. Without this all of the stream would be old. */
static bool is_astray(const struct reassembly *s, uint32_t behind)
{
	return behind > s->skipped && behind - s->skipped > BEHIND_MOST;
}

static bool overflow(struct reassembly_pool *pool, struct reassembly *s, uint32_t sequence,
		     struct cursor payload, struct cursor *out)
{
	s->overflows++;
	jump(pool, s, sequence);
	*out = payload;
	return cursor_left(out) > 0;
}

bool reassembly_offer(struct reassembly_pool *pool, struct reassembly *s, uint32_t sequence,
		      struct cursor payload, uint32_t wire_length, bool ack_known,
		      uint32_t lost_below, struct cursor *out)
{
	int32_t ahead = (int32_t)(sequence - s->base);
	bool passed = false;

	if (ahead < 0) {
		size_t old = (size_t) - (int64_t)ahead;
		if (is_astray(s, (uint32_t)old))
			return overflow(pool, s, sequence, payload, out);
		if (old >= wire_length)
			return false;
		cursor_skip(&payload, old < cursor_left(&payload) ? old : cursor_left(&payload));
		wire_length -= (uint32_t)old;
		sequence = s->base;
		ahead = 0;
	}
	if ((uint32_t)ahead > s->ready && ack_known &&
	    (int32_t)(lost_below - (s->base + s->ready)) > 0) {
		pass_hole(pool, s, (uint32_t)ahead);
		passed = true;
		ahead = (int32_t)(sequence - s->base);
	}
	bool cut = cursor_left(&payload) < wire_length; /* snap length */
	if (ahead == 0 && s->ready == 0 && s->early_count == 0) {
		*out = payload;
		s->gap |= cut && cursor_left(out) == 0;
		if (cursor_left(out))
			return true;
		s->base += wire_length;
		return false;
	}
	if (!keep(pool, s, (uint32_t)ahead, payload))
		return overflow(pool, s, sequence, payload, out);
	return ((uint32_t)ahead <= s->ready || passed) && show_kept(s, out);
}

static void move_base(struct reassembly_pool *pool, struct reassembly *s, uint32_t by)
{
	uint32_t most = s->ready > by ? s->ready : 0;

	for (size_t i = 0; i < s->early_count;) {
		struct reassembly_range *r = &s->early[i];
		if (r->to <= by) {
			*r = s->early[--s->early_count];
			continue;
		}
		most = r->to > most ? r->to : most;
		i++;
	}
	s->base += by;
	if (most && by)
		memmove(s->buffer, s->buffer + by, most - by);
	s->ready = s->ready > by ? s->ready - by : 0;
	for (size_t i = 0; i < s->early_count; i++) {
		struct reassembly_range *r = &s->early[i];
		r->from = r->from > by ? r->from - by : 0;
		r->to -= by;
	}
	if (s->early_count) {
		uint32_t before = s->ready;
		join_early(s);
		s->due = s->ready > before;
	}
	if (!s->ready && !s->early_count)
		put_buffer(pool, s);
}

void reassembly_taken(struct reassembly_pool *pool, struct reassembly *s, struct cursor shown,
		      size_t taken, uint64_t skip)
{
	size_t n = cursor_left(&shown);
	bool direct = shown.at != s->buffer;

	s->gap = false;
	if (skip > SKIP_MOST) {
		skip = SKIP_MOST;
		s->gap = true; /* what comes then is not what was asked for */
	}
	if (taken || skip)
		s->skipped = taken + skip > n ? (uint32_t)(taken + skip - n) : 0;
	if (direct && taken + skip < n) {
		/* What is left of the packet goes to the buffer's start. */
		struct cursor rest = shown;
		cursor_skip(&rest, taken + (size_t)skip);
		s->base += (uint32_t)(taken + skip);
		if (!keep(pool, s, 0, rest)) {
			s->overflows++;
			jump(pool, s, s->base + (uint32_t)cursor_left(&rest));
		}
		return;
	}
	if (taken == 0 && skip == 0 && n >= DISSECT_BUFFER) {
		s->overflows++;
		jump(pool, s, s->base + (uint32_t)n);
		return;
	}
	if (taken + skip)
		move_base(pool, s, (uint32_t)(taken + skip));
}

bool reassembly_again(struct reassembly *s, struct cursor *out)
{
	return show_kept(s, out);
}

bool reassembly_more(struct reassembly *s, struct cursor *out)
{
	bool due = s->due && s->ready;

	s->due = false;
	return due && show_kept(s, out);
}

void reassembly_hold(struct reassembly_pool *pool, struct reassembly *s, const uint8_t *from,
		     size_t n)
{
	assert(n <= DISSECT_BUFFER);
	s->ready = 0;
	if (!n) {
		put_buffer(pool, s);
		return;
	}
	if (!get_buffer(pool, s)) {
		s->overflows++;
		return;
	}
	memmove(s->buffer, from, n);
	s->ready = (uint32_t)n;
}
