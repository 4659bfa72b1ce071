/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/replay.h"

#include <errno.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/log.h"
#include "sensor/capture.h"
#include "sensor/progress.h"
#include "sensor/stages.h"

enum { LOOK_EVERY = 4096 }; /* packets between two looks at signals and progress */

bool replay_check(const char *const *files, size_t count)
{
	char why[256];

	for (size_t i = 0; i < count; i++) {
		if (!strcmp(files[i], "-"))
			continue;
		struct capture *c = capture_open(files[i], why);
		if (!c) {
			log_error("%s", why);
			return false;
		}
		capture_close(c);
	}
	return true;
}

uint64_t replay_epoch(const char *const *files, size_t count, const void *salt, size_t salt_length)
{
	uint64_t epoch = XXH3_64bits(salt, salt_length);

	for (size_t i = 0; i < count; i++) {
		uint64_t print = strcmp(files[i], "-") ? capture_fingerprint(files[i])
						       : (uint64_t)clock_wall().v;
		epoch = XXH3_64bits_withSeed(&print, sizeof(print), epoch);
	}
	/* Fits SQLite's and JSON's signed integers. */
	epoch &= INT64_MAX;
	return epoch ? epoch : 1;
}

/* A next part of a rotated capture goes on where the last one ended; an input
 * from another time starts anew. */
static void begin_input(const struct replay *r, const struct frame *first)
{
	if (first->time.v < pipeline_clock(r->pipeline).v)
		pipeline_flush(r->pipeline, END_END_OF_INPUT);
}

static void look_up(const struct replay *r, const struct capture *c, struct progress *progress)
{
	uint64_t done, all;

	capture_progress(c, &done, &all);
	progress_step(progress, r->counters->packets, done, all);
}

static void drain(void *pipeline)
{
	pipeline_drain(pipeline);
}

static int read_file(const struct replay *r, const char *path, struct capture *c,
		     struct progress *progress)
{
	uint64_t before = r->counters->packets, unknown = r->counters->unknown_link;
	uint64_t seen = unknown;
	uint16_t unknown_type = 0;
	struct frame frame;
	int more;

	while (stage_enter(STAGE_READ), (more = capture_next(c, &frame)) == 1) {
		stage_enter(STAGE_FLOW);
		if (r->counters->packets == before)
			begin_input(r, &frame);
		pipeline_offer(r->pipeline, &frame);
		if (r->counters->unknown_link != seen) {
			seen = r->counters->unknown_link;
			unknown_type = frame.link_type;
		}
		if (r->counters->packets % LOOK_EVERY)
			continue;
		look_up(r, c, progress);
		if (*r->stop || output_problem(r->output))
			return 3;
	}
	if (more < 0) {
		log_error("%s: %s and metered", path, capture_problem(c));
		return 3;
	}
	unknown = r->counters->unknown_link - unknown;
	if (unknown && unknown == r->counters->packets - before) {
		log_error("%s: link type %u is not decoded; capture on an Ethernet, raw IP or "
			  "Linux cooked interface",
			  path, unknown_type);
		return 3;
	}
	if (unknown)
		log_warn("%s: %llu frames of link types that are not decoded, %u the last of them, "
			 "were left out",
			 path, (unsigned long long)unknown, unknown_type);
	return 0;
}

static const char *remedy_of(int error)
{
	switch (error) {
	case -EPIPE:
		return "nobody reads them any more; let the reader live, or write a file";
	case -EBADF:
		return "standard output is closed; open it, or give --spool DIR";
	default:
		return "make room and replay again";
	}
}

int replay_run(const struct replay *r)
{
	struct progress progress;
	char why[256];
	int status = 0;

	progress_begin(&progress);
	for (size_t i = 0; i < r->count && !*r->stop; i++) {
		struct capture *c = capture_open(r->files[i], why);
		int one = 3;
		if (c) {
			capture_before_reuse(c, drain, r->pipeline);
			one = read_file(r, r->files[i], c, &progress);
			pipeline_drain(r->pipeline);
		} else {
			log_error("%s", why);
		}
		status = one ? one : status;
		capture_close(c);
		if (output_problem(r->output))
			break;
	}
	progress_end(&progress);
	bool abandoned = *r->stop && output_abandon(r->output);
	stage_enter(STAGE_FLOW);
	pipeline_flush(r->pipeline, *r->stop ? END_SHUTDOWN : END_END_OF_INPUT);
	stage_enter(STAGE_OTHER);
	int error = output_flush(r->output);
	if (*r->stop)
		log_warn("interrupted; %s",
			 abandoned
				 ? "the same replay, started again, completes what is in the spool"
				 : "flows so far were written as ended by shutdown");
	if (error) {
		log_error("output: %s, and %llu records were lost: %s", strerror(-error),
			  (unsigned long long)r->counters->spool_refused, remedy_of(error));
		return 1;
	}
	return *r->stop ? 3 : status;
}
