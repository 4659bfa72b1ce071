/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames of a classic pcap file (draft-ietf-opsawg-pcap), of either byte order,
 * micro- or nanoseconds, and of its older variant with longer frame headers. */
#pragma once

#include "sensor/decode.h"
#include "sensor/source.h"

enum {
	FRAME_MOST = 256 * 1024,       /* captured bytes; libpcap's own limit */
	FRAME_WIRE_MOST = 1024 * 1024, /* longer than any frame, offloaded ones included */
};

struct pcap_file {
	bool big; /* byte order of the file's integers */
	bool nanoseconds;
	bool long_header; /* 8 bytes more before each frame */
	uint16_t link_type;
	uint64_t frames; /* read so far */
};

/* True when the file header ahead is one of a classic pcap file; takes it. */
bool pcap_file_begin(struct pcap_file *p, struct source *s);

/* As capture_next(); says where and what in `why`. */
int pcap_file_next(struct pcap_file *p, struct source *s, struct frame *out, char why[SOURCE_WHY]);

/* For both formats: the sentence about an input that ends inside something. */
int frame_cut(const struct source *s, uint64_t frames, uint64_t at, char why[SOURCE_WHY]);

/* A frame's wire length as believed: never below what was captured, and not more
 * than any frame has. */
static inline uint32_t frame_wire(uint32_t captured, uint32_t claimed)
{
	return claimed < captured || claimed > FRAME_WIRE_MOST ? captured : claimed;
}
