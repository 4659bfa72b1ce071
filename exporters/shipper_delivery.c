/* SPDX-License-Identifier: Apache-2.0
 *
 * One destination's thread: reads the streams, the most precious first, keeps
 * several batches on their way, and moves the acknowledged position behind what
 * has arrived (or was put aside). */
#include "exporters/shipper.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

enum {
	WINDOW = 64,
	POLL_MS = 100,
	STORE_EVERY_MS = 250,
	GRACE_SECONDS = 3,
	SAY_AGAIN_SECONDS = 30,
	SAY_NEW_SECONDS = 5,
	SAY_SECONDS = 60, /* so many lines of a kind in so long: */
	SAY_STATES = 6,
	SAY_REFUSALS = 10,
};

/* How many batches may wait for the destination to take them: so many of flows
 * that they keep it busy, and room left for what comes first. */
static const size_t ready_most[STREAM_COUNT] = {
	[STREAM_ALERTS] = 24, [STREAM_HEALTH] = 20, [STREAM_FLOWS] = 16
};

enum ticket_state { FREE, READY, SENT };

struct ticket {
	enum ticket_state state;
	struct spool_frame frame; /* payload: the buffer below */
	struct buf payload;
};

struct courier {
	struct delivery_thread *shared;
	const char *name;
	const struct exporter *exporter;
	void *state;
	struct spool_reader *readers[STREAM_COUNT];
	struct ticket tickets[WINDOW];
	struct delivery_state now;
	struct spool_position stored[STREAM_COUNT];
	struct usec stored_at, not_before;
	struct usec said_at;                   /* when a reason for waiting was last logged */
	char said[128];                        /* its beginning */
	struct log_limit state_said, refusals; /* state_said: waits, takes batches again */
	bool unstored;                         /* it was said that positions cannot be stored */
	bool end; /* all streams were read to their end in this round */
};

static bool is_before(const struct spool_frame *a, const struct spool_frame *b)
{
	return a->segment != b->segment ? a->segment < b->segment : a->offset < b->offset;
}

static size_t count(const struct courier *d, enum ticket_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < WINDOW; i++)
		n += d->tickets[i].state == state;
	return n;
}

/* ---- taking batches ---- */

static struct ticket *next_ready(struct courier *d)
{
	struct ticket *best = NULL;

	for (size_t i = 0; i < WINDOW; i++) {
		struct ticket *t = &d->tickets[i];
		if (t->state != READY)
			continue;
		if (!best || t->frame.stream < best->frame.stream ||
		    (t->frame.stream == best->frame.stream && is_before(&t->frame, &best->frame)))
			best = t;
	}
	return best;
}

static void submit_ready(struct courier *d)
{
	if (clock_monotonic().v < d->not_before.v)
		return;
	for (struct ticket *t; (t = next_ready(d));) {
		if (d->exporter->submit(d->state, (uint64_t)(t - d->tickets), &t->frame))
			break;
		t->state = SENT;
	}
}

/* Takes one more batch of a stream into the window: 1, 0 at the end, -errno. */
static int take(struct courier *d, enum stream stream)
{
	struct ticket *t = d->tickets;
	struct spool_frame frame;

	while (t->state != FREE)
		t++;
	int result = spool_read(d->readers[stream], &frame);
	if (result != 1)
		return result;
	buf_clear(&t->payload);
	buf_bytes(&t->payload, frame.payload, frame.length);
	if (t->payload.failed)
		return -ENOMEM;
	t->frame = frame;
	t->frame.payload = t->payload.data;
	t->state = READY;
	return 1;
}

static int take_more(struct courier *d)
{
	d->end = true;
	for (int i = 0; i < STREAM_COUNT; i++) {
		int result = 1;
		while (count(d, FREE) && count(d, READY) < ready_most[i]) {
			result = take(d, (enum stream)i);
			if (result <= 0)
				break;
		}
		if (result < 0)
			return result;
		d->end = d->end && result == 0;
	}
	return 0;
}

/* ---- reports ---- */

/* The same reason is logged twice a minute, a new one soon. */
static void say_waiting(struct courier *d, const char *reason)
{
	struct usec now = clock_monotonic();
	bool same = !strncmp(d->said, reason, sizeof(d->said) - 1);
	int64_t pause = (same ? SAY_AGAIN_SECONDS : SAY_NEW_SECONDS) * (int64_t)USEC_PER_SECOND;

	d->now.waiting = true;
	if (d->said_at.v && now.v - d->said_at.v < pause)
		return;
	log_limited(&d->state_said, LOG_WARN, "%s: waiting: %s", d->name, reason);
	snprintf(d->said, sizeof(d->said), "%s", reason);
	d->said_at = now;
}

static void put_aside(struct courier *d, struct ticket *t, const char *reason)
{
	int error = quarantine_store(d->shared->spool_dir, d->name, &t->frame, reason);

	if (error) {
		char why[128];
		snprintf(why, sizeof(why), "a refused batch cannot be put aside in the spool: %s",
			 strerror(-error));
		say_waiting(d, why);
		t->state = READY;
		d->not_before.v = clock_monotonic().v + 5 * USEC_PER_SECOND;
		return;
	}
	d->now.refused++;
	log_limited(&d->refusals, LOG_WARN,
		    "%s: refused %s batch %llx/%llu: %s; it is in the spool's quarantine", d->name,
		    stream_name(t->frame.stream), (unsigned long long)t->frame.epoch,
		    (unsigned long long)t->frame.sequence, reason);
	t->state = FREE;
}

static void done(void *context, const struct delivery_report *report)
{
	struct courier *d = context;
	struct ticket *t = &d->tickets[report->ticket];
	int64_t until = clock_monotonic().v + report->retry_after.v;

	switch (report->outcome) {
	case DELIVERED:
		if (d->now.waiting)
			log_limited(&d->state_said, LOG_INFO, "%s: takes batches again", d->name);
		d->now.waiting = false;
		d->said_at.v = 0;
		d->now.batches++;
		d->now.records += t->frame.records;
		t->state = FREE;
		break;
	case DELAYED:
		say_waiting(d, report->reason);
		if (until > d->not_before.v)
			d->not_before.v = until;
		t->state = READY;
		break;
	case REFUSED:
		put_aside(d, t, report->reason);
		break;
	}
}

/* ---- positions ---- */

/* Everything before this has arrived: where the oldest unfinished batch starts. */
static struct spool_position acknowledged(const struct courier *d, enum stream stream)
{
	const struct spool_frame *oldest = NULL;

	for (size_t i = 0; i < WINDOW; i++) {
		const struct ticket *t = &d->tickets[i];
		if (t->state != FREE && t->frame.stream == stream &&
		    (!oldest || is_before(&t->frame, oldest)))
			oldest = &t->frame;
	}
	return oldest ? (struct spool_position){ oldest->segment, oldest->offset }
		      : spool_reader_position(d->readers[stream]);
}

static void say_unstored(struct courier *d, int error)
{
	if (!d->unstored)
		log_warn("%s: the position cannot be kept in the spool: %s; after a restart some "
			 "batches are sent again",
			 d->name, strerror(-error));
	d->unstored = true;
}

static void store_positions(struct courier *d, bool at_once)
{
	struct usec now = clock_monotonic();

	if (!at_once && now.v - d->stored_at.v < STORE_EVERY_MS * 1000)
		return;
	/* Also what cannot be stored may be deleted: on a full disk that makes the room. */
	for (int i = 0; i < STREAM_COUNT; i++)
		d->now.acknowledged[i] = acknowledged(d, (enum stream)i);
	for (int i = 0; i < STREAM_COUNT; i++) {
		struct spool_position p = d->now.acknowledged[i];
		if (p.segment == d->stored[i].segment && p.offset == d->stored[i].offset)
			continue;
		int error = spool_store_position(d->shared->spool_dir, d->name, (enum stream)i, p);
		if (error) {
			say_unstored(d, error);
			break;
		}
		d->stored[i] = p;
		d->unstored = false;
	}
	d->stored_at = now;
}

static void publish(struct courier *d)
{
	d->now.damaged = 0;
	for (int i = 0; i < STREAM_COUNT; i++) {
		struct spool_stats s = spool_reader_stats(d->readers[i]);
		d->now.damaged += s.damaged + s.torn;
	}
	pthread_mutex_lock(&d->shared->lock);
	d->shared->state = d->now;
	pthread_mutex_unlock(&d->shared->lock);
}

/* ---- the thread ---- */

static int one_round(struct courier *d)
{
	int error = 0;

	if (!atomic_load(&d->shared->stop)) {
		error = take_more(d);
		submit_ready(d);
	}
	bool busy = count(d, FREE) < WINDOW;
	struct usec wait = { POLL_MS * 1000 };
	if (!error)
		error = d->exporter->poll(d->state, wait, done, d);
	bool idle = d->end && count(d, FREE) == WINDOW;
	/* Finished only if the round began with nothing on its way. */
	store_positions(d, idle && busy);
	d->now.drained = idle && !busy;
	publish(d);
	return error;
}

static void run(struct courier *d)
{
	int64_t deadline = 0;
	int error = 0;

	while (!error) {
		if (atomic_load(&d->shared->stop)) {
			int64_t now = clock_monotonic().v;
			if (!deadline)
				deadline = now + GRACE_SECONDS * USEC_PER_SECOND;
			if (count(d, SENT) == 0 || now > deadline)
				break;
		}
		error = one_round(d);
	}
	store_positions(d, true);
	if (error)
		log_error("%s: stopped: %s", d->name, strerror(-error));
	d->now.failed = error;
	publish(d);
}

static void finish(struct courier *d)
{
	for (int i = 0; i < STREAM_COUNT; i++)
		spool_reader_close(d->readers[i]);
	for (size_t i = 0; i < WINDOW; i++)
		buf_finish(&d->tickets[i].payload);
	log_limit_finish(&d->state_said);
	log_limit_finish(&d->refusals);
	free(d);
}

static void *thread_main(void *context)
{
	struct courier *d = context;

	run(d);
	finish(d);
	return NULL;
}

static int open_readers(struct courier *d, const char *dir, char why[256])
{
	int error = 0;

	for (int i = 0; !error && i < STREAM_COUNT; i++) {
		error = spool_load_position(dir, d->name, (enum stream)i, &d->stored[i]);
		if (error == -EBADMSG) {
			if (i == 0)
				log_warn("%s/acks/%s: damaged; everything in the spool is sent "
					 "again, and what has arrived before counts once",
					 dir, d->name);
			error = 0;
		}
		if (error)
			snprintf(why, 256, "%.100s/acks/%.63s: cannot be read: %s", dir, d->name,
				 strerror(-error));
		else
			error = spool_reader_open(dir, (enum stream)i, d->stored[i], &d->readers[i],
						  why);
		d->now.acknowledged[i] = d->stored[i];
	}
	return error;
}

int delivery_start(struct delivery_thread *t, const struct shipper_destination *destination,
		   const char *spool_dir, bool drain, char why[256])
{
	struct courier *d = calloc(1, sizeof(*d));
	sigset_t all, before;

	why[0] = '\0';
	if (!d)
		return -ENOMEM;
	*t = (struct delivery_thread){ .destination = destination, .spool_dir = spool_dir };
	pthread_mutex_init(&t->lock, NULL);
	d->shared = t;
	d->name = destination->name;
	d->exporter = destination->exporter;
	d->state = destination->state;
	d->state_said.interval.v = d->refusals.interval.v = SAY_SECONDS * (int64_t)USEC_PER_SECOND;
	d->state_said.burst = SAY_STATES;
	d->refusals.burst = SAY_REFUSALS;
	int error = open_readers(d, spool_dir, why);
	for (int i = 0; !error && drain && i < STREAM_COUNT; i++)
		spool_reader_hurry(d->readers[i]);
	if (!error) {
		t->state = d->now;
		/* Signals are the main thread's. */
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &before);
		error = -pthread_create(&t->thread, NULL, thread_main, d);
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	if (error)
		finish(d);
	return error;
}

struct delivery_state delivery_look(struct delivery_thread *t)
{
	pthread_mutex_lock(&t->lock);
	struct delivery_state state = t->state;
	pthread_mutex_unlock(&t->lock);
	return state;
}

void delivery_stop(struct delivery_thread *t)
{
	atomic_store(&t->stop, true);
	pthread_join(t->thread, NULL);
}
