/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/outlet.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "sensor/stages.h"

enum { BATCH_MOST = 1 << 20, ROOM = OUTLET_MEMORY_MOST / BATCH_MOST };

struct place {
	struct buf bytes;
	struct outlet_batch batch; /* its bytes are those above */
};

struct outlet {
	struct outlet_options options;
	struct spool *spool;
	uint64_t sequences[STREAM_COUNT]; /* of the last one written */
	pthread_mutex_t lock;             /* of all below */
	pthread_cond_t work, done;
	struct place places[ROOM];
	unsigned first, count;
	struct buf spares[ROOM]; /* buffers of batches that were written, the last one on top */
	unsigned spare_count;
	bool busy; /* the thread writes places[first] */
	bool flush, ending, threaded;
	pthread_t thread;
	int problem;
	struct outlet_stats stats;
};

struct outlet *outlet_open(const struct outlet_options *options, char why[256])
{
	struct outlet *o = calloc(1, sizeof(*o));

	if (!o) {
		snprintf(why, 256, "not enough memory");
		return NULL;
	}
	o->options = *options;
	pthread_mutex_init(&o->lock, NULL);
	pthread_cond_init(&o->work, NULL);
	pthread_cond_init(&o->done, NULL);
	if (!options->json && spool_open(&options->spool, &o->spool, why)) {
		outlet_close(o);
		return NULL;
	}
	return o;
}

static int write_json(struct outlet *o, const struct outlet_batch *b)
{
	return o->problem ? o->problem
			  : file_write_all(STDOUT_FILENO, b->bytes->data, b->bytes->len);
}

static int write_batch(struct outlet *o, const struct outlet_batch *b)
{
	struct batch_identity identity = {
		.sensor = o->options.sensor,
		.stream = b->stream,
		.epoch = o->options.epoch,
		.sequence = ++o->sequences[b->stream],
		.site_revision = b->site_revision,
		.exercise = b->exercise,
	};
	int error = wire_append_identity(b->bytes, &identity);

	if (!error)
		error = spool_write(o->spool, &identity, b->records, b->bytes->data, b->bytes->len);
	return error;
}

/* Not under the lock, where there is a thread: nobody else touches the spool. */
static int write_out(struct outlet *o, const struct outlet_batch *b)
{
	enum stage before = stage_enter(STAGE_SPOOL);
	int error = o->options.json ? write_json(o, b) : write_batch(o, b);

	buf_clear(b->bytes);
	stage_enter(before);
	return error;
}

static void note(struct outlet *o, int error, uint32_t records)
{
	if (!error)
		return;
	o->stats.refused += records;
	if (!o->problem)
		o->problem = error;
}

static int sync_spool(struct outlet *o)
{
	return o->spool ? spool_flush(o->spool) : 0;
}

static void take_stats(struct outlet *o)
{
	if (!o->spool)
		return;
	struct spool_stats s = spool_stats(o->spool);
	o->stats.batches = s.batches;
	o->stats.known = s.known;
}

static void write_first(struct outlet *o)
{
	struct place *p = &o->places[o->first];

	o->busy = true;
	pthread_mutex_unlock(&o->lock);
	int error = write_out(o, &p->batch);
	pthread_mutex_lock(&o->lock);
	o->busy = false;
	note(o, error, p->batch.records);
	o->spares[o->spare_count++] = p->bytes;
	p->bytes = (struct buf){ 0 };
	o->first = (o->first + 1) % ROOM;
	o->count--;
}

static void flush_now(struct outlet *o)
{
	o->flush = false;
	o->busy = true;
	pthread_mutex_unlock(&o->lock);
	int error = sync_spool(o);
	pthread_mutex_lock(&o->lock);
	o->busy = false;
	note(o, error, 0);
	take_stats(o);
}

static void *work(void *context)
{
	struct outlet *o = context;

	pthread_mutex_lock(&o->lock);
	while (o->count || o->flush || !o->ending) {
		if (o->count)
			write_first(o);
		else if (o->flush)
			flush_now(o);
		else
			pthread_cond_wait(&o->work, &o->lock);
		pthread_cond_broadcast(&o->done);
	}
	pthread_mutex_unlock(&o->lock);
	stages_end_thread();
	return NULL;
}

int outlet_start(struct outlet *o)
{
	int error = pthread_create(&o->thread, NULL, work, o);

	o->threaded = !error;
	return -error;
}

void outlet_close(struct outlet *o)
{
	if (!o)
		return;
	if (o->threaded) {
		pthread_mutex_lock(&o->lock);
		o->ending = true;
		pthread_cond_signal(&o->work);
		pthread_mutex_unlock(&o->lock);
		pthread_join(o->thread, NULL);
	}
	for (unsigned i = 0; i < ROOM; i++) {
		buf_finish(&o->places[i].bytes);
		buf_finish(&o->spares[i]);
	}
	spool_close(o->spool);
	pthread_mutex_destroy(&o->lock);
	pthread_cond_destroy(&o->work);
	pthread_cond_destroy(&o->done);
	free(o);
}

/* Who gives a buffer gets another one, so that none is made per batch; the one that
 * was used last, so that there are no more, and no larger ones, than it takes. */
static void queue(struct outlet *o, const struct outlet_batch *b)
{
	while (o->count == ROOM)
		pthread_cond_wait(&o->done, &o->lock);
	struct place *p = &o->places[(o->first + o->count++) % ROOM];
	struct buf empty = { 0 };

	if (o->spare_count)
		empty = o->spares[--o->spare_count];

	p->bytes = *b->bytes;
	*b->bytes = empty;
	p->batch = *b;
	p->batch.bytes = &p->bytes;
	pthread_cond_signal(&o->work);
}

void outlet_put(struct outlet *o, const struct outlet_batch *b)
{
	pthread_mutex_lock(&o->lock);
	if (o->threaded)
		queue(o, b);
	else
		note(o, write_out(o, b), b->records);
	pthread_mutex_unlock(&o->lock);
}

void outlet_flush(struct outlet *o)
{
	pthread_mutex_lock(&o->lock);
	if (o->threaded) {
		o->flush = true;
		pthread_cond_signal(&o->work);
	} else {
		note(o, sync_spool(o), 0);
		take_stats(o);
	}
	pthread_mutex_unlock(&o->lock);
}

void outlet_settle(struct outlet *o)
{
	outlet_flush(o);
	pthread_mutex_lock(&o->lock);
	while (o->threaded && (o->count || o->flush || o->busy))
		pthread_cond_wait(&o->done, &o->lock);
	pthread_mutex_unlock(&o->lock);
}

int outlet_problem(struct outlet *o)
{
	pthread_mutex_lock(&o->lock);
	int problem = o->problem;
	pthread_mutex_unlock(&o->lock);
	return problem;
}

struct outlet_stats outlet_stats(struct outlet *o)
{
	pthread_mutex_lock(&o->lock);
	struct outlet_stats s = o->stats;
	s.fill = o->count * 100 / ROOM;
	pthread_mutex_unlock(&o->lock);
	return s;
}
