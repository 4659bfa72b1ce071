/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames from an interface, never written to. libpcap finds it, compiles the
 * filter and knows its link layer; Ethernet is then read from a ring of our own
 * (ring.h), whose frames stay where the kernel put them until a batch is done,
 * and whose fill is known. What is not Ethernet libpcap reads as well. libpcap's
 * header appears in live.c only. */
#pragma once

#include <net/if.h>

#include "sensor/decode.h"

struct live;

struct live_options {
	const char *interface;
	uint64_t ring_bytes; /* kernel memory that rides out bursts */
	uint32_t snaplen;    /* bytes kept of a frame */
	bool promiscuous;
	bool hardware_stamps;  /* the device's, instead of the kernel's */
	const char *filter;    /* BPF, in tcpdump's words; NULL: none */
	unsigned shares;       /* handles that divide the frames; 0 or 1: one has all */
	struct live *together; /* the first of them; NULL: this is it */
};

/* Opens and starts capturing. NULL with `why` (cause and remedy) on an unknown
 * interface, missing permission, bad filter, or a ring that does not fit. */
struct live *live_open(const struct live_options *options, char why[256]);
void live_close(struct live *l); /* accepts NULL */

int live_descriptor(const struct live *l);        /* to poll for reading */
const char *live_interface(const struct live *l); /* its name of today */

/* Hands over the frames that are there, at most a ring's block or `most`. With
 * live_lends() each is lent until live_release() or the next live_read(), else
 * until `take` returns. */
typedef void live_take(void *context, const struct frame *frame);
int live_read(struct live *l, int most, live_take *take, void *context);
void live_release(struct live *l);
bool live_lends(const struct live *l);

/* Looks after the interface: to be called each second, and when poll(2) says that
 * there is an error. One that was removed is taken again when it is back. */
enum live_state {
	LIVE_UP,
	LIVE_DOWN, /* it may come back */
	LIVE_GONE, /* there is no such interface any more */
};
enum live_state live_look(struct live *l);

/* Whether a removed interface can be taken again without starting anew. */
bool live_can_rejoin(const struct live *l);

/* Share of the ring that waits for us, in percent. */
unsigned live_fill(const struct live *l);

/* Frames that found no room in the ring since the last call. What the device drops
 * before is told by ports.h. */
uint64_t live_drops(struct live *l);

uint16_t live_link_type(const struct live *l); /* LINKTYPE_ value of the frames */

/* Name and version of the capture library. */
const char *live_library(void);
