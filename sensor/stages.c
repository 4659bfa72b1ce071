/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/stages.h"

#include <inttypes.h>
#include <pthread.h>
#include <time.h>
#ifdef __x86_64__
#include <x86intrin.h>
#endif

enum { TRIALS = 1 << 20 };

struct counts {
	uint64_t ticks[STAGE_COUNT], entries[STAGE_COUNT];
};

static _Thread_local struct {
	struct counts counts;
	enum stage now;
	uint64_t since;
} own;

static struct counts all;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static uint64_t nanoseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static inline uint64_t ticks(void)
{
#ifdef __x86_64__
	return __rdtsc();
#else
	return nanoseconds();
#endif
}

enum stage stage_enter(enum stage to)
{
	uint64_t now = ticks();
	enum stage before = own.now;

	if (own.since)
		own.counts.ticks[before] += now - own.since;
	own.counts.entries[to]++;
	own.now = to;
	own.since = now;
	return before;
}

void stages_end_thread(void)
{
	stage_enter(STAGE_OTHER);
	pthread_mutex_lock(&lock);
	for (int i = 0; i < STAGE_COUNT; i++) {
		all.ticks[i] += own.counts.ticks[i];
		all.entries[i] += own.counts.entries[i];
	}
	pthread_mutex_unlock(&lock);
	own.counts = (struct counts){ 0 };
	own.since = 0;
}

void stages_print(FILE *out, uint64_t packets)
{
	static const char *const names[] = {
#define STAGE_NAME(constant, name) name,
		STAGES(STAGE_NAME)
#undef STAGE_NAME
	};
	uint64_t began = nanoseconds(), first = ticks();

	stages_end_thread();
	struct counts sum = all; /* without the trials */
	for (int i = 0; i < TRIALS; i++)
		stage_enter(STAGE_OTHER);
	double entry = (double)(ticks() - first) / TRIALS;
	double per_tick = (double)(nanoseconds() - began) / (double)(ticks() - first);
	for (int i = 0; i < STAGE_COUNT; i++) {
		double net = (double)sum.ticks[i] - (double)sum.entries[i] * entry;
		fprintf(out, "stage %-10s %8.1f ns/packet %8.2f entries/packet\n", names[i],
			(net > 0 ? net : 0) * per_tick / (double)packets,
			(double)sum.entries[i] / (double)packets);
	}
}
