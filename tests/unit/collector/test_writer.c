/* SPDX-License-Identifier: Apache-2.0
 *
 * The writer over a store that does what the test says: waits, is full, fails. */
#include "collector/writer.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/collector/sample.h"

struct moody {
	pthread_mutex_t gate; /* held by the test: the store waits */
	_Atomic int result, entered, calls, batches;
};

static int moody_ingest(void *state, struct store_batch *list, size_t count, struct usec now)
{
	struct moody *m = state;

	(void)now;
	m->entered++;
	pthread_mutex_lock(&m->gate);
	pthread_mutex_unlock(&m->gate);
	m->calls++;
	m->batches += (int)count;
	for (size_t i = 0; i < count; i++)
		list[i].known = list[i].identity.sequence == 1;
	return m->result;
}

static int moody_trim(void *state, struct usec now)
{
	(void)state;
	(void)now;
	return 0;
}

static const struct store_driver driver = { .ingest = moody_ingest, .trim = moody_trim };

static struct moody moody = { .gate = PTHREAD_MUTEX_INITIALIZER };
static struct writer *writer;

static void begin(size_t queue)
{
	struct writer_options options = { &driver, &moody, queue };
	cr_assert_eq(writer_start(&options, &writer), 0);
}

static int submit(uint64_t sequence, bool *known)
{
	struct store_batch b = sample_batch(sequence, NULL, 0);
	int error = writer_submit(writer, &b);
	*known = b.known;
	return error;
}

static void *submit_one(void *result)
{
	bool known;
	*(int *)result = submit(2, &known);
	return NULL;
}

Test(writer, tells_each_sender_its_own_outcome)
{
	bool known;

	begin(4);
	cr_assert_eq(submit(1, &known), 0);
	cr_assert(known);
	cr_assert_eq(submit(2, &known), 0);
	cr_assert_not(known);
	writer_stop(writer);
}

Test(writer, what_waits_is_committed_together_and_too_much_is_refused)
{
	enum { SENDERS = 5 };
	pthread_t threads[SENDERS];
	int results[SENDERS];
	bool known;

	begin(4);
	pthread_mutex_lock(&moody.gate);
	pthread_create(&threads[0], NULL, submit_one, &results[0]);
	while (!moody.entered) /* the store has the first one */
		usleep(1000);
	for (int i = 1; i < SENDERS; i++)
		pthread_create(&threads[i], NULL, submit_one, &results[i]);
	while (writer_depth(writer) < 4)
		usleep(1000);
	cr_assert_eq(submit(3, &known), -EAGAIN);
	pthread_mutex_unlock(&moody.gate);
	for (int i = 0; i < SENDERS; i++) {
		pthread_join(threads[i], NULL);
		cr_assert_eq(results[i], 0);
	}
	cr_assert_eq(moody.batches, 5);
	cr_assert_leq(moody.calls, 3);
	writer_stop(writer);
}

Test(writer, a_full_disk_passes)
{
	bool known;

	begin(4);
	moody.result = -ENOSPC;
	cr_assert_eq(submit(2, &known), -ENOSPC);
	cr_assert_not(writer_failed(writer));
	moody.result = 0;
	cr_assert_eq(submit(2, &known), 0);
	writer_stop(writer);
}

Test(writer, a_failed_disk_does_not)
{
	bool known;

	begin(4);
	moody.result = -EIO;
	cr_assert_eq(submit(2, &known), -EIO);
	moody.result = 0;
	cr_assert_eq(submit(2, &known), -ESHUTDOWN);
	cr_assert(writer_failed(writer));
	writer_stop(writer);
}
