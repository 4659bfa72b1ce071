/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames of a pcapng file (draft-ietf-opsawg-pcapng): any number of sections,
 * each in its own byte order, and of interfaces, each with its own link type and
 * clock. Blocks that hold no frames are passed over. */
#pragma once

#include "sensor/pcap_file.h"

struct pcapng_interface {
	uint16_t link_type;
	uint32_t most;  /* the interface's snap length; 0: none */
	uint64_t units; /* of its time stamps, in a second */
	int64_t offset; /* seconds to be added */
};

struct pcapng_file {
	bool big;
	struct pcapng_interface *interfaces; /* of this section; owned */
	size_t count, room;
	size_t before;         /* interfaces of earlier sections */
	struct usec time;      /* of the frame before: a simple packet has none */
	uint64_t block_at;     /* the block whose frame was handed out last, ... */
	uint32_t block_length; /* ... its length as its head says, ... */
	uint32_t block_left;   /* ... and its bytes not taken yet */
	uint64_t frames;
};

/* True when a section header is ahead; takes nothing. */
bool pcapng_file_begin(struct pcapng_file *p, struct source *s);
void pcapng_file_finish(struct pcapng_file *p); /* accepts a zeroed one */

/* As capture_next(); says where and what in `why`. */
int pcapng_file_next(struct pcapng_file *p, struct source *s, struct frame *out,
		     char why[SOURCE_WHY]);
