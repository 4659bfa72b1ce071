/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { EVERY = 250000 }; /* us between two drawings */

void progress_begin(struct progress *p)
{
	p->shown = isatty(STDERR_FILENO);
	p->began = p->last = clock_monotonic();
}

void progress_step(struct progress *p, uint64_t packets, uint64_t done, uint64_t all)
{
	if (!p->shown)
		return;
	struct usec now = clock_monotonic();
	if (now.v - p->last.v < EVERY)
		return;
	p->last = now;
	double seconds = (double)(now.v - p->began.v) / USEC_PER_SECOND;
	fprintf(stderr, "\r%" PRIu64 " packets, %.0f k/s", packets,
		(double)packets / seconds / 1000);
	if (all && done)
		fprintf(stderr, ", %.0f %%, %.0f s left", 100.0 * (double)done / (double)all,
			seconds * ((double)all / (double)done - 1));
	fputs("\033[K", stderr);
	fflush(stderr);
}

void progress_end(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
}
