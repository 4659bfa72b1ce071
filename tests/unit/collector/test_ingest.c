/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/ingest.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <zstd.h>

#include "tests/unit/collector/sample.h"

static struct buf packed;

static void pack(const void *bytes, size_t n)
{
	buf_clear(&packed);
	buf_reserve(&packed, ZSTD_compressBound(n));
	packed.len = ZSTD_compress(packed.data, packed.cap, bytes, n, 1);
	cr_assert_not(ZSTD_isError(packed.len));
}

static void pack_batch(size_t flows)
{
	struct batch_identity id = sample_batch(1, NULL, 0).identity;
	struct record r = sample_flow("f1", "2026-01-02T03:04:05Z");
	struct buf plain = { 0 };
	struct wire_shared shared = { 0 };

	wire_append_identity(&plain, &id);
	for (size_t i = 0; i < flows; i++)
		wire_append_record(&plain, &shared, &r);
	wire_append_shared(&plain, &shared);
	wire_shared_finish(&shared);
	pack(plain.data, plain.len);
	buf_finish(&plain);
}

static int count_one(void *context, const struct record *r)
{
	(void)r;
	(*(size_t *)context)++;
	return 0;
}

/* From an exact-size copy, so that a sanitizer sees every step too far. */
static int unpack(const void *bytes, size_t n, size_t *records, const char **why)
{
	struct arena arena = { 0 };
	struct batch_identity id;
	void *exact = malloc(n ? n : 1);

	memcpy(exact, bytes, n);
	*records = 0;
	int error = ingest_unpack(exact, n, &arena, &id, count_one, records, why);
	arena_finish(&arena);
	free(exact);
	return error;
}

Test(ingest, reads_a_path)
{
	struct ingest_target t;

	cr_assert(ingest_target_parse("/v1/sensors/span-1/alerts/18446744073709551615/1", &t));
	cr_assert_str_eq(t.sensor, "span-1");
	cr_assert_eq(t.stream, STREAM_ALERTS);
	cr_assert_eq(t.epoch, UINT64_MAX);
	cr_assert_eq(t.sequence, 1);
}

Test(ingest, refuses_other_paths)
{
	static const char *const bad[] = {
		"",
		"/",
		"/v1/sensors/",
		"/v1/sensors/span-1",
		"/v1/sensors/span-1/flows",
		"/v1/sensors/span-1/flows/1",
		"/v1/sensors/span-1/flows/1/",
		"/v1/sensors/span-1/flows/1/2/",
		"/v1/sensors/span-1/flows/1/2/3",
		"/v1/sensors/span-1/flows/01/2",
		"/v1/sensors/span-1/flows/-1/2",
		"/v1/sensors/span-1/flows/1/18446744073709551616",
		"/v1/sensors/span-1/Flows/1/2",
		"/v1/sensors//flows/1/2",
		"/v1/sensors/../flows/1/2",
		"/v1/sensors/a b/flows/1/2",
		"/v2/sensors/span-1/flows/1/2",
		("/v1/sensors/a123456789012345678901234567890123456789012345678901234567890123/"
		 "flows/1/2"),
	};
	struct ingest_target t;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_not(ingest_target_parse(bad[i], &t), "%s", bad[i]);
}

Test(ingest, every_truncation_is_refused)
{
	const char *why;
	size_t n;

	pack_batch(3);
	cr_assert_eq(unpack(packed.data, packed.len, &n, &why), 0);
	cr_assert_eq(n, 3);
	for (size_t i = 0; i < packed.len; i++) {
		cr_assert_eq(unpack(packed.data, i, &n, &why), -EBADMSG, "%zu", i);
		cr_assert_not_null(why);
		cr_assert_eq(n, 0, "%zu bytes gave records", i);
	}
	buf_finish(&packed);
}

Test(ingest, a_frame_may_not_unfold_without_end)
{
	const char *why;
	size_t n;
	char *zeros = calloc(1, WIRE_BATCH_MOST + 1);

	pack(zeros, WIRE_BATCH_MOST + 1);
	cr_assert_lt(packed.len, 4096);
	cr_assert_eq(unpack(packed.data, packed.len, &n, &why), -EFBIG);
	cr_assert_not_null(strstr(why, "8 MiB"));
	free(zeros);
	buf_finish(&packed);
}

Test(ingest, one_frame_and_nothing_else)
{
	const char *why;
	size_t n;

	pack_batch(1);
	buf_char(&packed, 0);
	cr_assert_eq(unpack(packed.data, packed.len, &n, &why), -EBADMSG);
	cr_assert_not_null(strstr(why, "behind"));
	cr_assert_eq(unpack("plain", 5, &n, &why), -EBADMSG);
	buf_finish(&packed);
}
