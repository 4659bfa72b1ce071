/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/handover.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { LEAST = 256 * 1024, NAME_MOST = 256 };

enum kind {
	KIND_PACKET,
	KIND_NAME,
	KIND_TO_BEGIN, /* the rest of the room up to the end is not used */
};

struct message {
	alignas(16) uint32_t size; /* with this header */
	uint32_t kind;
	union {
		struct packet packet;
		struct ip_addr ip;
	};
	/* a packet's captured bytes, or a name */
};

/* `head` and `tail` only grow; the room is theirs modulo its size. */
struct handover {
	uint8_t *room;
	size_t size;
	alignas(64) atomic_size_t head; /* the giver's: behind what was given */
	alignas(64) atomic_size_t tail; /* the taker's: before what is still used */
	size_t taken;                   /* the taker's: behind what was taken */
	atomic_bool asleep;
};

struct handover *handover_create(size_t bytes)
{
	struct handover *h = aligned_alloc(64, sizeof(*h));
	size_t size = LEAST;

	if (!h)
		return NULL;
	*h = (struct handover){ 0 };
	while (size < bytes)
		size *= 2;
	h->size = size;
	h->room = aligned_alloc(64, size);
	if (!h->room) {
		free(h);
		return NULL;
	}
	return h;
}

void handover_destroy(struct handover *h)
{
	if (!h)
		return;
	free(h->room);
	free(h);
}

static struct message *message_at(const struct handover *h, size_t at)
{
	return (void *)(h->room + (at & (h->size - 1)));
}

/* Room for a message that lies in one piece; NULL when there is none. */
static struct message *reserve(struct handover *h, size_t size, size_t *head)
{
	size_t used = *head - atomic_load_explicit(&h->tail, memory_order_acquire);
	size_t to_end = h->size - (*head & (h->size - 1));

	if (size > to_end) {
		if (used + to_end + size > h->size)
			return NULL;
		message_at(h, *head)->size = (uint32_t)to_end;
		message_at(h, *head)->kind = KIND_TO_BEGIN;
		*head += to_end;
	} else if (used + size > h->size) {
		return NULL;
	}
	return message_at(h, *head);
}

static size_t padded(size_t n)
{
	return (n + alignof(struct message) - 1) & ~(alignof(struct message) - 1);
}

static void publish(struct handover *h, size_t head, struct message *m, size_t size, enum kind kind,
		    bool *wake)
{
	m->size = (uint32_t)size;
	m->kind = kind;
	atomic_store_explicit(&h->head, head + size, memory_order_seq_cst);
	*wake = atomic_load_explicit(&h->asleep, memory_order_seq_cst) &&
		atomic_exchange(&h->asleep, false);
}

/* Whether the inner part lies in the outer one's bytes. */
static bool lies_in(const struct cursor *inner, const struct cursor *outer)
{
	return cursor_left(inner) && inner->at >= outer->at && inner->end <= outer->end;
}

static uint8_t *copy_out(uint8_t *to, const struct cursor *from, struct cursor *copy)
{
	size_t n = cursor_left(from);

	*copy = cursor_of(to, n);
	if (n)
		memcpy(to, from->at, n);
	return to + n;
}

static struct cursor moved(const struct cursor *inner, const struct cursor *outer,
			   const struct cursor *copy)
{
	return (struct cursor){ copy->at + (inner->at - outer->at),
				copy->at + (inner->end - outer->at), false };
}

/* Each part that does not lie in the one before has bytes of its own: reassembled
 * datagrams do. */
static void copy_packet(struct packet *copy, uint8_t *to, const struct packet *p)
{
	*copy = *p;
	to = copy_out(to, &p->ip, &copy->ip);
	if (lies_in(&p->transport, &p->ip))
		copy->transport = moved(&p->transport, &p->ip, &copy->ip);
	else
		to = copy_out(to, &p->transport, &copy->transport);
	if (lies_in(&p->payload, &p->transport))
		copy->payload = moved(&p->payload, &p->transport, &copy->transport);
	else
		copy_out(to, &p->payload, &copy->payload);
}

static size_t bytes_of(const struct packet *p)
{
	size_t n = cursor_left(&p->ip);

	if (!lies_in(&p->transport, &p->ip))
		n += cursor_left(&p->transport);
	if (!lies_in(&p->payload, &p->transport))
		n += cursor_left(&p->payload);
	return n;
}

bool handover_packet(struct handover *h, const struct packet *p, bool *wake)
{
	size_t head = atomic_load_explicit(&h->head, memory_order_relaxed);
	size_t size = padded(sizeof(struct message) + bytes_of(p));
	struct message *m = reserve(h, size, &head);

	if (!m)
		return false;
	copy_packet(&m->packet, (uint8_t *)(m + 1), p);
	publish(h, head, m, size, KIND_PACKET, wake);
	return true;
}

bool handover_name(struct handover *h, const struct ip_addr *ip, const char *name, bool *wake)
{
	size_t head = atomic_load_explicit(&h->head, memory_order_relaxed);
	size_t length = strnlen(name, NAME_MOST - 1);
	size_t size = padded(sizeof(struct message) + length + 1);
	struct message *m = reserve(h, size, &head);

	if (!m)
		return false;
	m->ip = *ip;
	memcpy(m + 1, name, length);
	((char *)(m + 1))[length] = 0;
	publish(h, head, m, size, KIND_NAME, wake);
	return true;
}

bool handover_take(struct handover *h, struct handover_item *item)
{
	const struct message *m;

	do {
		if (h->taken == atomic_load_explicit(&h->head, memory_order_acquire))
			return false;
		m = message_at(h, h->taken);
		h->taken += m->size;
	} while (m->kind == KIND_TO_BEGIN);
	if (m->kind == KIND_PACKET)
		*item = (struct handover_item){ .packet = &m->packet };
	else
		*item = (struct handover_item){ .ip = m->ip, .name = (const char *)(m + 1) };
	return true;
}

void handover_release(struct handover *h)
{
	atomic_store_explicit(&h->tail, h->taken, memory_order_release);
}

bool handover_sleep(struct handover *h)
{
	atomic_store_explicit(&h->asleep, true, memory_order_seq_cst);
	return h->taken == atomic_load_explicit(&h->head, memory_order_seq_cst);
}

unsigned handover_fill(const struct handover *h)
{
	size_t used = atomic_load_explicit(&h->head, memory_order_relaxed) -
		      atomic_load_explicit(&h->tail, memory_order_relaxed);

	return (unsigned)(used * 100 / h->size);
}
