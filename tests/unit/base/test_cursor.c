/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "base/cursor.h"

static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

Test(cursor, reads_both_byte_orders)
{
	struct cursor c = cursor_of(bytes, sizeof(bytes));

	cr_assert_eq(cursor_be16(&c), 0x0102);
	cr_assert_eq(cursor_le16(&c), 0x0403);
	cr_assert_eq(cursor_be32(&c), 0x05060708);
	cr_assert_eq(cursor_u8(&c), 9);
	cr_assert_not(c.failed);
	c = cursor_of(bytes, sizeof(bytes));
	cr_assert_eq(cursor_be64(&c), 0x0102030405060708);
	c = cursor_of(bytes, sizeof(bytes));
	cr_assert_eq(cursor_le64(&c), 0x0807060504030201);
	c = cursor_of(bytes, sizeof(bytes));
	cr_assert_eq(cursor_be24(&c), 0x010203);
	cr_assert_eq(cursor_le32(&c), 0x07060504);
}

Test(cursor, short_read_yields_zero_sticks_and_empties)
{
	struct cursor c = cursor_of(bytes, 5);

	cursor_skip(&c, 3);
	cr_assert_eq(cursor_be32(&c), 0);
	cr_assert(c.failed);
	cr_assert_eq(cursor_left(&c), 0, "a failed cursor is empty, so loops end");
	cr_assert_eq(cursor_u8(&c), 0);
	cr_assert_eq(cursor_le64(&c), 0);
}

Test(cursor, every_width_fails_one_byte_short)
{
	struct {
		size_t width;
		uint64_t got;
		bool failed;
	} rows[6] = {
		{ .width = 1 }, { .width = 2 }, { .width = 3 }, { .width = 4 }, { .width = 8 }
	};

	for (size_t i = 0; i < 5; i++) {
		struct cursor c = cursor_of(bytes, rows[i].width - 1);
		uint64_t v = rows[i].width == 1   ? cursor_u8(&c)
			     : rows[i].width == 2 ? cursor_be16(&c)
			     : rows[i].width == 3 ? cursor_be24(&c)
			     : rows[i].width == 4 ? cursor_be32(&c)
						  : cursor_be64(&c);
		cr_assert_eq(v, 0, "width %zu", rows[i].width);
		cr_assert(c.failed, "width %zu", rows[i].width);
	}
}

Test(cursor, sub_cannot_read_its_neighbour)
{
	struct cursor c = cursor_of(bytes, 5);
	struct cursor inner = cursor_sub(&c, 2);

	cr_assert_eq(cursor_be32(&inner), 0);
	cr_assert(inner.failed);
	cr_assert_not(c.failed);
	cr_assert_eq(cursor_u8(&c), 3);
	inner = cursor_sub(&c, 3);
	cr_assert(inner.failed);
	cr_assert_eq(cursor_left(&inner), 0);
}

Test(cursor, peeks_take_nothing_and_never_fail)
{
	struct cursor c = cursor_of(bytes, 2);

	cr_assert_eq(cursor_peek(&c, 1), 2);
	cr_assert_eq(cursor_peek(&c, 2), -1);
	cr_assert_not(c.failed);
	cr_assert_eq(cursor_left(&c), 2);
	struct cursor text = cursor_of("MSH|", 4);
	cr_assert(cursor_starts(&text, "MSH"));
	cr_assert_not(cursor_starts(&text, "MSH|^"));
}

Test(cursor, nothing_at_all_and_lengths_that_would_wrap)
{
	struct cursor c = cursor_of(NULL, 0);

	cr_assert_eq(cursor_left(&c), 0);
	cr_assert_null(cursor_take(&c, 1));
	cr_assert(c.failed);
	c = cursor_of(bytes, 5);
	cr_assert_null(cursor_take(&c, SIZE_MAX));
	cr_assert(c.failed);
}
