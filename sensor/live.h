/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames from an interface, through libpcap: a memory-mapped ring, never
 * written to. libpcap's header appears in live.c only. */
#pragma once

#include "sensor/decode.h"

struct live_options {
	const char *interface;
	uint16_t number;     /* of its frames' `interface` */
	uint64_t ring_bytes; /* kernel memory that rides out bursts; below 2 GiB */
	uint32_t snaplen;    /* bytes kept of a frame */
	bool promiscuous;
	const char *filter; /* BPF, in tcpdump's words; NULL: none */
};

struct live;

/* Opens and starts capturing. NULL with `why` (cause and remedy) on an unknown
 * interface, missing permission, bad filter, or a ring that does not fit. */
struct live *live_open(const struct live_options *options, char why[256]);
void live_close(struct live *l); /* accepts NULL */

int live_descriptor(const struct live *l); /* to poll for reading */
const char *live_interface(const struct live *l);
uint16_t live_link_type(const struct live *l); /* LINKTYPE_ value */

/* Hands over the frames that are there, at most `most`, each lent until `take`
 * returns. How many; -ENETDOWN while the interface is down (it may come back);
 * -ENODEV when it is gone for good; live_problem() has the words. */
typedef void live_take(void *context, const struct frame *frame);
int live_read(struct live *l, int most, live_take *take, void *context);
const char *live_problem(const struct live *l);

/* What came and what found no room in the ring, since the capture began. What
 * the device drops is told by sensor/device.h. */
struct live_figures {
	uint64_t frames, ring_drops;
	uint64_t oversized; /* frames longer than live_expect() said */
	uint32_t longest;   /* of those */
};
struct live_figures live_figures(struct live *l);

/* Longer frames than this are marked as oversized; 0: none are. */
void live_expect(struct live *l, uint32_t longest);

/* Name and version of the capture library. */
const char *live_library(void);
