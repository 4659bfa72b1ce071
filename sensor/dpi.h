/* SPDX-License-Identifier: Apache-2.0
 *
 * A name for the flows that no dissector of our own claimed. One object per
 * worker, with a fixed number of flows under inspection at a time. Built over
 * nDPI (dpi_ndpi.c, the only file that includes its header) or, without it,
 * over nothing (dpi_none.c: there is never a free slot).
 *
 * What it says is the wire protocol in Vigie's own words (docs/records.md), and
 * no more: never a brand, and never that something is encrypted. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dpi;

/* After so many packets with payload, more change nothing: the caller counts
 * them and ends the flow. */
enum {
	DPI_PACKETS = 5,
	DPI_PACKETS_UDP = 4,
	DPI_PACKETS_MIDSTREAM = 4, /* of a flow whose begin was not seen */
	DPI_PACKETS_THOROUGH = 12,
};

struct dpi_answer {
	const char *app; /* "ssh"; static, or as old as the dpi object; NULL: not known */
};

/* Looks for what dpi_answer can name, and for what would else be taken for it;
 * `thorough`: for all that the library knows, as the measure of the other way
 * (tests/truth/labels.py). NULL with `why` (one sentence: cause and remedy) when memory is short,
 * or the library at run time is not the one that Vigie was built with. Not to be called by two
 * threads at once; the object belongs to one thread afterwards. */
struct dpi *dpi_create(size_t slots, bool thorough, char why[256]);
void dpi_destroy(struct dpi *d); /* accepts NULL, and flows that were not ended */

/* A slot for a new flow, or -1 when all are in use (schema/counters.h has a row
 * for that). Allocates nothing. `binary`: the flow is seen from its begin, and what
 * it begins with is no text, so that no protocol of lines has to be looked for. */
int dpi_flow_begin(struct dpi *d, bool binary);

/* Shows one packet with payload from its IP header on; both directions of a flow
 * go to the same slot. `ms`: its time. True when the answer is final: then end
 * the flow. Until then the answer is the best so far. */
bool dpi_inspect(struct dpi *d, int slot, const uint8_t *ip, size_t ip_len, uint64_t ms,
		 struct dpi_answer *out);
void dpi_flow_end(struct dpi *d, int slot);

/* Bytes that the library holds now, for all objects of the process. */
uint64_t dpi_memory(void);

/* "nDPI 4.2.0", or "none". */
const char *dpi_version(void);
