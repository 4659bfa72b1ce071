/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "sensor/blocks.h"

enum { COUNT = 100 };

static struct blocks *b;

static void prepare(void)
{
	b = blocks_create(COUNT);
	cr_assert(b);
}

static void finish(void)
{
	blocks_destroy(b);
}

TestSuite(blocks, .init = prepare, .fini = finish);

Test(blocks, a_block_has_the_room_that_was_asked_for_and_little_more)
{
	for (size_t n = 1; n <= BLOCK_MOST; n++) {
		uint32_t block = blocks_take(b, n);
		size_t room = blocks_room(b, block);
		cr_assert_neq(block, BLOCK_NONE);
		cr_assert_geq(room, n);
		cr_assert_eq(room, blocks_fit(n));
		cr_assert_lt(room, n + n / 2 + BLOCK_UNIT, "%zu for %zu", room, n);
		cr_assert_eq((uintptr_t)blocks_at(b, block) % BLOCK_UNIT, 0);
		blocks_give(b, block);
	}
}

Test(blocks, as_many_as_promised_of_any_size_and_none_overlap)
{
	uint32_t taken[COUNT];
	size_t size[COUNT];

	for (size_t i = 0; i < COUNT; i++) {
		size[i] = i * i * 37 % BLOCK_MOST + 1;
		taken[i] = blocks_take(b, size[i]);
		cr_assert_neq(taken[i], BLOCK_NONE);
		memset(blocks_at(b, taken[i]), (int)i, size[i]);
	}
	for (size_t i = 0; i < COUNT; i++)
		for (size_t n = 0; n < size[i]; n++)
			cr_assert_eq(((uint8_t *)blocks_at(b, taken[i]))[n], (uint8_t)i);
}

Test(blocks, the_largest_for_all)
{
	for (size_t i = 0; i < COUNT; i++)
		cr_assert_neq(blocks_take(b, BLOCK_MOST), BLOCK_NONE);
}

Test(blocks, what_was_given_back_last_is_taken_first)
{
	uint32_t first = blocks_take(b, 300), second = blocks_take(b, 300);

	cr_assert_neq(first, second);
	blocks_give(b, second);
	blocks_give(b, first);
	cr_assert_eq(blocks_take(b, 290), first);
	cr_assert_eq(blocks_take(b, 290), second);
	cr_assert_neq(blocks_take(b, 290), second);
}

Test(blocks, memory_is_bounded_and_larger_blocks_stand_in_at_its_end)
{
	uint32_t large = blocks_take(b, 1000);
	size_t taken = 0;

	while (blocks_take(b, 1) != BLOCK_NONE)
		cr_assert_lt(++taken, COUNT * BLOCK_MOST);
	cr_assert_geq(taken, COUNT);
	blocks_give(b, large);
	cr_assert_eq(blocks_take(b, 1), large);
	cr_assert_eq(blocks_take(b, 1), BLOCK_NONE);
}
