/* SPDX-License-Identifier: Apache-2.0
 *
 * What nDPI is shown, and what of it is believed: flows that none of our dissectors
 * claimed, a few packets each, unless it is remembered what their server speaks. Sets the
 * flow's app, and `dpi_over` when there is nothing more to be shown. */
#pragma once

#include "sensor/dissection.h"

struct inspection;

/* `counters` is borrowed. NULL with `why` on failure. */
struct inspection *inspection_create(const struct dissection_options *options,
				     struct counters *counters, char why[256]);
void inspection_destroy(struct inspection *n); /* accepts NULL, and flows that were not ended */

/* Of the packet under way. */
struct inspection_terms {
	bool forbidden; /* its treatment leaves nDPI out */
	bool undecided; /* one of our dissectors may yet claim the flow */
};

/* Shows a packet with payload, the flow's `shown`th. True when it was left out because
 * that is forbidden. Not to be called when `dpi_over` is set. */
bool inspection_see(struct inspection *n, struct flow *f, const struct packet *p, unsigned side,
		    const struct inspection_terms *terms);

/* Gives back what the flow holds. `n` may be NULL: then it holds nothing. */
void inspection_end(struct inspection *n, struct flow *f);
