/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "events/memory.h"

Test(memory, keeps_a_number_for_each_key)
{
	struct memory *m = memory_create(64);
	bool forgot;

	for (uint64_t k = 0; k < 8; k++)
		*memory_of(m, k, &forgot) = k + 100;
	for (uint64_t k = 0; k < 8; k++)
		cr_expect_eq(*memory_of(m, k, &forgot), k + 100);
	cr_expect_eq(*memory_of(m, 9, &forgot), 0u, "a new key has none");
	memory_destroy(m);
}

Test(memory, the_one_that_was_asked_for_longest_ago_gives_way)
{
	struct memory *m = memory_create(8); /* one set */
	bool forgot;

	for (uint64_t k = 0; k < 8; k++) {
		*memory_of(m, k, &forgot) = 1;
		cr_expect(!forgot);
	}
	memory_of(m, 0, &forgot);
	memory_of(m, 99, &forgot);
	cr_expect(forgot);
	cr_expect_eq(*memory_of(m, 0, &forgot), 1u, "was asked for again");
	cr_expect(!forgot);
	cr_expect_eq(*memory_of(m, 1, &forgot), 0u, "gave way");
	memory_destroy(m);
}
