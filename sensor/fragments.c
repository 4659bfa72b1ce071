/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/fragments.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <xxhash.h>

enum { UNIT = 8, UNITS = FRAGMENT_DATAGRAM / UNIT };

enum state { FREE, FILLING, COMPLETE, ABANDONED };

struct slot {
	struct fragment_key key;
	struct fragment_facts facts;
	enum state state;
	uint8_t protocol;
	uint32_t end;  /* bytes of the datagram; 0 until its last piece came */
	uint32_t most; /* end of the furthest piece */
	uint32_t units;
	struct usec since;
	struct slot *chain;         /* next of the same hash */
	struct slot *older, *newer; /* by last use */
};

/* Where the bytes go, and which units of 8 are there. */
struct room {
	uint8_t bytes[FRAGMENT_DATAGRAM];
	uint64_t there[UNITS / 64];
};

struct fragments {
	struct counters *counters;
	size_t count;
	size_t heads_mask;
	uint64_t seed; /* against chosen collisions; results do not depend on it */
	struct slot *oldest, *newest;
	struct slot *slots;
	struct slot **heads;
	struct room *rooms;
};

static void append(struct fragments *f, struct slot *s)
{
	s->older = f->newest;
	s->newer = NULL;
	*(f->newest ? &f->newest->newer : &f->oldest) = s;
	f->newest = s;
}

static void detach(struct fragments *f, struct slot *s)
{
	*(s->older ? &s->older->newer : &f->oldest) = s->newer;
	*(s->newer ? &s->newer->older : &f->newest) = s->older;
}

struct fragments *fragments_create(size_t slots, struct counters *counters)
{
	struct fragments *f = calloc(1, sizeof(*f));
	size_t heads = 16;

	if (!f)
		return NULL;
	if (slots < FRAGMENT_SLOTS_LEAST)
		slots = FRAGMENT_SLOTS_LEAST;
	while (heads < slots)
		heads *= 2;
	f->counters = counters;
	f->count = slots;
	f->heads_mask = heads - 1;
	f->slots = calloc(slots, sizeof(*f->slots));
	f->heads = calloc(heads, sizeof(struct slot *));
	f->rooms = mmap(NULL, slots * sizeof(*f->rooms), PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (f->rooms == MAP_FAILED)
		f->rooms = NULL;
	if (!f->slots || !f->heads || !f->rooms ||
	    getrandom(&f->seed, sizeof(f->seed), 0) != sizeof(f->seed)) {
		fragments_destroy(f);
		return NULL;
	}
	for (size_t i = 0; i < slots; i++)
		append(f, &f->slots[i]);
	return f;
}

void fragments_destroy(struct fragments *f)
{
	if (!f)
		return;
	if (f->rooms)
		munmap(f->rooms, f->count * sizeof(*f->rooms));
	free(f->heads);
	free(f->slots);
	free(f);
}

static struct slot **head_of(struct fragments *f, const struct fragment_key *key)
{
	return &f->heads[XXH3_64bits_withSeed(key, sizeof(*key), f->seed) & f->heads_mask];
}

static struct room *room_of(struct fragments *f, const struct slot *s)
{
	return &f->rooms[s - f->slots];
}

static void begin(struct fragments *f, struct slot *s, struct usec now)
{
	s->facts = (struct fragment_facts){ 0 };
	s->state = FILLING;
	s->end = s->most = s->units = 0;
	s->since = now;
	memset(room_of(f, s)->there, 0, sizeof(f->rooms->there));
}

static void give_up(struct fragments *f, struct slot *s)
{
	if (s->state == FILLING)
		f->counters->fragments_expired++;
}

static bool expired(const struct slot *s, struct usec now)
{
	return now.v - s->since.v > (int64_t)FRAGMENT_SECONDS * USEC_PER_SECOND;
}

static struct slot *take_oldest(struct fragments *f, const struct fragment_key *key,
				struct slot **head)
{
	struct slot *s = f->oldest;

	if (s->state != FREE) {
		struct slot **link = head_of(f, &s->key);
		while (*link != s)
			link = &(*link)->chain;
		*link = s->chain;
		give_up(f, s);
	}
	s->key = *key;
	s->chain = *head;
	*head = s;
	return s;
}

static struct slot *find(struct fragments *f, const struct fragment_key *key, struct usec now)
{
	struct slot **head = head_of(f, key);
	struct slot *s = *head;

	while (s && memcmp(&s->key, key, sizeof(*key)) != 0)
		s = s->chain;
	if (!s) {
		s = take_oldest(f, key, head);
		begin(f, s, now);
	} else if (expired(s, now)) {
		give_up(f, s);
		begin(f, s, now);
	}
	detach(f, s);
	append(f, s);
	return s;
}

/* How many of the units from `first` on are there already. */
static uint32_t count_there(const struct room *room, uint32_t first, uint32_t n)
{
	uint32_t found = 0;

	for (uint32_t i = first; i < first + n; i++)
		found += room->there[i / 64] >> (i % 64) & 1;
	return found;
}

static bool same_bytes(const struct room *room, const struct fragment *piece, size_t n)
{
	return memcmp(room->bytes + piece->offset, piece->bytes.at, n) == 0;
}

static void store(struct slot *s, struct room *room, const struct fragment *piece, uint32_t n)
{
	uint32_t first = piece->offset / UNIT, units = (n + UNIT - 1) / UNIT;

	memcpy(room->bytes + piece->offset, piece->bytes.at, n);
	for (uint32_t i = first; i < first + units; i++)
		room->there[i / 64] |= UINT64_C(1) << (i % 64);
	s->units += units;
	if (piece->offset == 0)
		s->protocol = piece->protocol;
	if (piece->offset + n > s->most)
		s->most = piece->offset + n;
	if (!piece->more)
		s->end = piece->offset + n;
}

enum fit { FITS, IS_COPY, OVERLAPS, IS_WRONG };

/* A piece is wrong when it is empty, not in units although others follow, past
 * what a datagram can have, or not wholly captured. */
static enum fit try_fit(const struct slot *s, const struct room *room, const struct fragment *piece)
{
	size_t n = cursor_left(&piece->bytes);

	if (n == 0 || piece->cut || piece->offset + n > UINT16_MAX || (piece->more && n % UNIT))
		return IS_WRONG;
	uint32_t end = piece->offset + (uint32_t)n;
	uint32_t units = ((uint32_t)n + UNIT - 1) / UNIT;
	uint32_t there = count_there(room, piece->offset / UNIT, units);
	bool last_fits = piece->more ? !s->end || end < s->end : s->end ? end == s->end : true;
	if (there == units && last_fits && end <= s->most && same_bytes(room, piece, n))
		return IS_COPY;
	if (there || !last_fits || (!piece->more && end < s->most))
		return OVERLAPS;
	return FITS;
}

/* Makes the slot's state what it is with this piece; true when it completes. */
static bool add_piece(struct fragments *f, struct slot *s, const struct fragment *piece,
		      const struct fragment_facts *first, struct usec now)
{
	struct room *room = room_of(f, s);
	enum fit fit = try_fit(s, room, piece);

	/* The identification is in use again, for another datagram. */
	if (s->state == COMPLETE && fit != IS_COPY) {
		begin(f, s, now);
		fit = try_fit(s, room, piece);
	}
	if (first->known)
		s->facts = *first;
	if (s->state != FILLING || fit == IS_COPY)
		return false;
	if (fit != FITS) {
		f->counters->fragments_overlap += fit == OVERLAPS;
		s->state = ABANDONED;
		return false;
	}
	store(s, room, piece, (uint32_t)cursor_left(&piece->bytes));
	if (!s->end || s->units != (s->end + UNIT - 1) / UNIT)
		return false;
	s->state = COMPLETE;
	f->counters->fragments_reassembled++;
	return true;
}

struct fragment_state fragments_add(struct fragments *f, const struct fragment_key *key,
				    struct usec now, const struct fragment *piece,
				    const struct fragment_facts *first)
{
	struct slot *s = find(f, key, now);
	struct fragment_state state = { 0 };

	assert(piece->offset % UNIT == 0 && piece->offset <= UINT16_MAX);
	state.complete = add_piece(f, s, piece, first, now);
	state.facts = s->facts;
	if (state.complete) {
		state.protocol = s->protocol;
		state.whole = cursor_of(room_of(f, s)->bytes, s->end);
	}
	return state;
}
