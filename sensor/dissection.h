/* SPDX-License-Identifier: Apache-2.0
 *
 * Brings flows and dissectors together: offers the first payloads of a flow to
 * each dissector, feeds the one that claims it with ordered bytes, and shows to
 * nDPI what nobody claims. All memory is reserved at start. */
#pragma once

#include "dissectors/dissector.h"
#include "sensor/dpi.h"
#include "sensor/flow.h"
#include "sensor/host_fact.h"
#include "sensor/hostnames.h"
#include "sensor/shed.h"

struct dissection_options {
	/* Called for each fact, of flows and of frames that are not IP, as it is found (the
	 * same one as often as it is said); all is borrowed until return. A flow's facts come
	 * from the worker that owns the flow, a frame's from the one that read it. NULL:
	 * facts are dropped. */
	void (*on_fact)(void *context, const struct host_fact *fact);
	void *fact_context;

	size_t contexts;   /* flows under dissection at a time */
	size_t buffers;    /* reassembly buffers of DISSECT_BUFFER bytes */
	size_t dpi_flows;  /* flows shown to nDPI at a time; 0: no nDPI */
	size_t dpi_memory; /* servers that are not shown again and again; 0: all are */
	bool dpi_thorough; /* nDPI looks for all, at more packets, and nothing is remembered */
	uint64_t off;      /* dissectors that are not asked, a bit each by number */
};

struct dissection;

/* `names` and `counters` are borrowed. NULL with `why` on failure. */
struct dissection *dissection_create(const struct dissection_options *options,
				     struct hostnames *names, struct counters *counters,
				     char why[256]);
void dissection_destroy(struct dissection *d); /* accepts NULL */

/* Looks at a packet that counts, and carries payload, of a flow, as far as the
 * treatment goes. True when something was left out because of it. What a flow held
 * is given back then; it is picked up again, as one whose begin was not seen, when
 * its treatment is better. */
bool dissection_see(struct dissection *d, struct flow *f, const struct packet *p, unsigned side,
		    enum treatment treatment);

/* Asks for the memory of what was found, for some time before it is needed. It changes
 * nothing. */
void dissection_prefetch(const struct dissection *d, const struct flow *f);

/* Looks at a frame that is not IP, as decode_frame() gives it: the dissectors of
 * TRANSPORT_LINK are asked, and their facts are told. */
void dissection_frame(struct dissection *d, const struct packet *frame, uint16_t realm);

/* What was found, packed; NULL when there is nothing. Borrowed until the flow's next
 * packet is looked at. */
struct attributes *dissection_attributes(struct dissection *d, const struct flow *f);

/* Gives back all that a flow holds; for when it ends. */
void dissection_end(struct dissection *d, struct flow *f);
