/* SPDX-License-Identifier: Apache-2.0
 *
 * A packet socket's memory-mapped ring (Linux, TPACKET_V3): the kernel fills
 * blocks, we walk one at a time and give it back. Nothing is copied, and nothing
 * is ever sent: the socket has no transmit ring, and no address to send to.
 * Source: the kernel's Documentation/networking/packet_mmap.rst, packet(7).
 *
 * Several rings can divide an interface's frames among them (PACKET_FANOUT); a
 * small program in the kernel, steer.h's, chooses the ring. */
#pragma once

#include <net/if.h>

#include "sensor/decode.h"

struct ring_options {
	const char *interface;
	uint64_t bytes;       /* kernel memory; rounded up to whole blocks */
	bool promiscuous;     /* as long as the ring is open */
	bool hardware_stamps; /* where the device has put one on the frame */
	uint16_t link_type;   /* LINKTYPE_ value of the frames */
	const void *filter;   /* classic BPF, struct sock_filter; also cuts frames */
	unsigned filter_length;
	unsigned shares;       /* rings that divide the interface; 0 or 1: this one alone */
	struct ring *together; /* an open ring of the same group, NULL for the first */
};

struct ring;

/* NULL with `why` (cause and remedy): -EPERM, no memory for the ring ... */
struct ring *ring_open(const struct ring_options *options, char why[256]);
void ring_close(struct ring *r); /* accepts NULL */

int ring_descriptor(const struct ring *r);

/* Gives back the block that was walked last, and walks the next one that is full
 * or has waited long enough. Each frame is lent until the next call. How many; 0
 * when none is ready. */
typedef void ring_take(void *context, const struct frame *frame);
int ring_walk(struct ring *r, ring_take *take, void *context);

/* Gives back the block that was walked last. */
void ring_release(struct ring *r);

/* Share of the blocks that wait for us behind the next one, in percent; reads a few. */
unsigned ring_fill(const struct ring *r);

/* Frames that found no room since the last call. */
uint64_t ring_drops(struct ring *r);

/* How the device fares: 0, -ENETDOWN while it is down, -ENODEV when it is gone.
 * Its name of today, which may be another than at first, replaces `name`. Takes
 * the socket's error, so that poll(2) waits again. */
int ring_state(struct ring *r, char name[IF_NAMESIZE]);

/* Binds again to a device that came back under its old name. 0 or -errno; rings
 * that divide an interface cannot (-EINVAL). */
int ring_rejoin(struct ring *r, const char *interface);
