/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/writer.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"

enum { GROUP_BATCHES = 64, GROUP_RECORDS = 65536, TRIM_SECONDS = 600, TRIM_AGAIN_SECONDS = 5 };

#define MINUTE (60LL * USEC_PER_SECOND)

/* Lives on its sender's stack. */
struct ticket {
	struct store_batch *batch;
	struct ticket *next;
	int result;
	bool done;
};

struct writer {
	struct writer_options options;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t work, finished;
	struct ticket *first, **last;
	size_t waiting;
	bool stopping, failed, full;
	struct usec trim_at; /* monotonic */
};

/* Takes what waits, as far as one transaction should go. */
static size_t take(struct writer *w, struct ticket *taken[GROUP_BATCHES])
{
	size_t count = 0, records = 0;

	while (w->first && count < GROUP_BATCHES) {
		records += w->first->batch->count;
		if (count && records > GROUP_RECORDS)
			break;
		taken[count++] = w->first;
		w->first = w->first->next;
	}
	if (!w->first)
		w->last = &w->first;
	w->waiting -= count;
	return count;
}

/* Once when it starts and once when it ends, however often it is met. */
static void note(struct writer *w, int error)
{
	static struct log_limit room = { .interval = { MINUTE }, .burst = 6 };
	static struct log_limit failures = { .interval = { MINUTE } };
	bool full = error == -ENOSPC;

	if (full && !w->full)
		log_limited(&room, LOG_ERROR,
			    "the store's disk is full: batches are refused until there is room; "
			    "free some, or shorten store.retention");
	else if (!error && w->full)
		log_limited(&room, LOG_INFO, "the store has room again");
	if (full || !error)
		w->full = full;
	if (error && !full)
		log_limited(&failures, LOG_ERROR, "the store failed: %s", strerror(-error));
	/* After a failed fsync nobody knows what is on the disk: only opening the
	 * store anew tells. */
	if (error == -EIO || error == -EUCLEAN) {
		pthread_mutex_lock(&w->lock);
		w->failed = true;
		pthread_mutex_unlock(&w->lock);
	}
}

static void commit(struct writer *w, struct ticket *const *taken, size_t count)
{
	struct store_batch group[GROUP_BATCHES];

	for (size_t i = 0; i < count; i++)
		group[i] = *taken[i]->batch;
	int error = w->options.driver->ingest(w->options.store, group, count, clock_wall());
	note(w, error);
	pthread_mutex_lock(&w->lock);
	for (size_t i = 0; i < count; i++) {
		taken[i]->batch->known = group[i].known;
		taken[i]->result = error;
		taken[i]->done = true;
	}
	pthread_cond_broadcast(&w->finished);
	pthread_mutex_unlock(&w->lock);
}

static void trim(struct writer *w)
{
	struct usec now = clock_monotonic();

	if (now.v < w->trim_at.v)
		return;
	int error = w->options.driver->trim(w->options.store, clock_wall());
	int64_t wait = error == -EBUSY ? TRIM_AGAIN_SECONDS : TRIM_SECONDS;
	if (error && error != -EBUSY)
		log_warn("cannot delete what is older than the retention: %s", strerror(-error));
	w->trim_at.v = now.v + wait * USEC_PER_SECOND;
}

static void *run(void *context)
{
	struct writer *w = context;
	struct ticket *taken[GROUP_BATCHES];

	pthread_mutex_lock(&w->lock);
	for (;;) {
		if (!w->first && !w->stopping) {
			struct timespec until;
			clock_gettime(CLOCK_REALTIME, &until);
			until.tv_sec++;
			pthread_cond_timedwait(&w->work, &w->lock, &until);
		}
		if (!w->first && w->stopping)
			break;
		size_t count = take(w, taken);
		bool failed = w->failed;
		pthread_mutex_unlock(&w->lock);
		if (count && !failed)
			commit(w, taken, count);
		if (!failed)
			trim(w);
		pthread_mutex_lock(&w->lock);
		for (size_t i = 0; i < count && failed; i++) {
			taken[i]->result = -ESHUTDOWN;
			taken[i]->done = true;
		}
		if (failed && count)
			pthread_cond_broadcast(&w->finished);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

int writer_start(const struct writer_options *options, struct writer **out)
{
	struct writer *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->options = *options;
	w->last = &w->first;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->work, NULL);
	pthread_cond_init(&w->finished, NULL);
	int error = pthread_create(&w->thread, NULL, run, w);
	if (error) {
		free(w);
		return -error;
	}
	*out = w;
	return 0;
}

void writer_stop(struct writer *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	pthread_cond_destroy(&w->work);
	pthread_cond_destroy(&w->finished);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

int writer_submit(struct writer *w, struct store_batch *batch)
{
	struct ticket t = { .batch = batch };

	pthread_mutex_lock(&w->lock);
	if (w->stopping || w->failed) {
		t.result = -ESHUTDOWN;
	} else if (w->waiting >= w->options.queue) {
		t.result = -EAGAIN;
	} else {
		*w->last = &t;
		w->last = &t.next;
		w->waiting++;
		pthread_cond_signal(&w->work);
		while (!t.done)
			pthread_cond_wait(&w->finished, &w->lock);
	}
	pthread_mutex_unlock(&w->lock);
	return t.result;
}

size_t writer_depth(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	size_t depth = w->waiting;
	pthread_mutex_unlock(&w->lock);
	return depth;
}

bool writer_failed(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	bool failed = w->failed;
	pthread_mutex_unlock(&w->lock);
	return failed;
}
