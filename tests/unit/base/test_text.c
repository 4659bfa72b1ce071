/* SPDX-License-Identifier: Apache-2.0
 *
 * buf, json, arena, crc32c and file: what we write ourselves. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/crc32c.h"
#include "base/file.h"
#include "base/json.h"

Test(buf, grows_and_stays_terminated)
{
	struct buf b = { 0 };

	for (unsigned i = 0; i < 1000; i++)
		buf_u64(&b, i % 10);
	cr_assert_eq(b.len, 1000);
	cr_assert_eq(b.data[b.len], '\0');
	buf_clear(&b);
	buf_u64(&b, UINT64_MAX);
	buf_char(&b, ' ');
	buf_u64(&b, 0);
	buf_format(&b, " %s-%d", "x", -3);
	cr_assert_str_eq(b.data, "18446744073709551615 0 x--3");
	buf_finish(&b);
}

Test(buf, a_length_that_would_wrap_fails_and_sticks)
{
	struct buf b = { 0 };

	buf_text(&b, "abc");
	cr_assert_not(buf_reserve(&b, SIZE_MAX - 2));
	cr_assert(b.failed);
	buf_text(&b, "def");
	cr_assert_eq(b.len, 3);
	buf_finish(&b);
}

Test(json, commas_escapes_and_nesting)
{
	struct buf b = { 0 };
	struct json j = { .out = &b };

	json_open(&j, NULL, '{');
	json_text(&j, "a", "q\"\\\n\x01\x7f\xc3\xa9");
	json_open(&j, "list", '[');
	json_u64(&j, NULL, 1);
	json_i64(&j, NULL, INT64_MIN);
	json_close(&j, ']');
	json_open(&j, "empty", '{');
	json_close(&j, '}');
	json_bool(&j, "t", true);
	json_raw(&j, "raw", "{\"x\":1}");
	json_close(&j, '}');
	cr_assert_str_eq(b.data, "{\"a\":\"q\\\"\\\\\\u000a\\u0001\\u007f\xc3\xa9\","
				 "\"list\":[1,-9223372036854775808],\"empty\":{},\"t\":true,"
				 "\"raw\":{\"x\":1}}");
	buf_finish(&b);
}

Test(arena, pieces_are_zeroed_apart_and_taken_back_at_once)
{
	struct arena a = { 0 };

	for (int round = 0; round < 3; round++) {
		char *first = arena_alloc(&a, 10);
		char *big = arena_alloc(&a, 200000);
		char *text = arena_text(&a, "hello", 5);
		cr_assert(first && big && text);
		for (size_t i = 0; i < 200000; i++)
			cr_assert_eq(big[i], 0);
		memset(first, 1, 10);
		memset(big, 2, 200000);
		cr_assert_str_eq(text, "hello");
		arena_reset(&a);
	}
	arena_finish(&a);
	cr_assert_null(a.blocks);
}

/* RFC 3720, B.4. */
Test(crc32c, known_values)
{
	uint8_t bytes[32];

	memset(bytes, 0, sizeof(bytes));
	cr_assert_eq(crc32c(0, bytes, 32), 0x8a9136aau);
	memset(bytes, 0xff, sizeof(bytes));
	cr_assert_eq(crc32c(0, bytes, 32), 0x62a8ab43u);
	for (unsigned i = 0; i < 32; i++)
		bytes[i] = (uint8_t)i;
	cr_assert_eq(crc32c(0, bytes, 32), 0x46dd794eu);
	for (size_t cut = 0; cut <= 32; cut++)
		cr_assert_eq(crc32c(crc32c(0, bytes, cut), bytes + cut, 32 - cut), 0x46dd794eu);
	cr_assert_eq(crc32c(0, "123456789", 9), 0xe3069283u);
}

Test(file, replaces_reads_and_makes_folders)
{
	char dir[] = "/tmp/vigie-file-XXXXXX", path[160], deep[128];
	struct buf b = { 0 };

	cr_assert_not_null(mkdtemp(dir));
	snprintf(deep, sizeof(deep), "%s/a/b/c", dir);
	cr_assert_eq(file_make_dirs(deep, 0700), 0);
	cr_assert_eq(file_make_dirs(deep, 0700), 0, "it may be there already");
	snprintf(path, sizeof(path), "%s/f", deep);
	cr_assert_eq(file_replace(path, "one", 3, 0600), 0);
	cr_assert_eq(file_replace(path, "three", 5, 0600), 0);
	cr_assert_eq(file_read(path, 100, &b), 0);
	cr_assert_str_eq(b.data, "three");
	buf_clear(&b);
	cr_assert_eq(file_read(path, 4, &b), -EFBIG);
	cr_assert_eq(file_read("/nowhere/at/all", 4, &b), -ENOENT);
	cr_assert_eq(file_make_dirs(path, 0700), -ENOTDIR);
	cr_assert_eq(file_replace("/nowhere/at/all", "x", 1, 0600), -ENOENT);
	buf_finish(&b);
	unlink(path);
	for (char *end = strrchr(deep, '/'); strlen(deep) > strlen(dir); end = strrchr(deep, '/')) {
		rmdir(deep);
		*end = '\0';
	}
	rmdir(dir);
}
