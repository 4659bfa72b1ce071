/* SPDX-License-Identifier: Apache-2.0
 *
 * What one worker has for another: packets of flows that the other owns, and
 * names that it should know. A bounded queue for one giver and one taker, each a
 * thread of its own; nothing is allocated, nothing is waited for. */
#pragma once

#include "sensor/decode.h"

struct handover;

/* `bytes` are rounded up to a power of two, of 256 KiB at least. NULL: no memory. */
struct handover *handover_create(size_t bytes);
void handover_destroy(struct handover *h); /* accepts NULL */

/* For the giver. All is copied. False, and nothing done, when it finds no room.
 * `wake` is set when the taker has gone to sleep since the last time. */
bool handover_packet(struct handover *h, const struct packet *p, bool *wake);
bool handover_name(struct handover *h, const struct ip_addr *ip, const char *name, bool *wake);

struct handover_item {
	const struct packet *packet; /* or NULL: then a name */
	struct ip_addr ip;
	const char *name;
};

/* For the taker: the next item, borrowed until handover_release(); false when
 * there is none. */
bool handover_take(struct handover *h, struct handover_item *item);
/* Gives back the room of all that was taken. */
void handover_release(struct handover *h);
/* Says that the taker is about to sleep; false when something has come meanwhile. */
bool handover_sleep(struct handover *h);

/* Share of the room in use, in percent. */
unsigned handover_fill(const struct handover *h);
