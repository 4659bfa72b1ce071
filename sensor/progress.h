/* SPDX-License-Identifier: Apache-2.0
 *
 * A line that says how far a long replay is: packets, rate, time left. Only on
 * a terminal; nothing at all when standard error is piped. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

struct progress {
	bool shown; /* standard error is a terminal */
	struct usec began, last;
};

void progress_begin(struct progress *p);
/* Cheap; draws a few times a second. `all` 0: length not known. */
void progress_step(struct progress *p, uint64_t packets, uint64_t done, uint64_t all);
void progress_end(struct progress *p); /* wipes the line */
