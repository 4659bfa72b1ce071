/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "config/nearest.h"

static const char *nearest(const char *word)
{
	static const char *const known[] = { "imaging",  "pacs", "icu",
					     "pharmacy", "ehr",  "registration" };
	struct nearest n = nearest_to(word);

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		nearest_offer(&n, known[i]);
	return n.best;
}

Test(nearest, slips)
{
	cr_assert_str_eq(nearest("imagign"), "imaging", "a swap");
	cr_assert_str_eq(nearest("pac"), "pacs", "an omission");
	cr_assert_str_eq(nearest("paccs"), "pacs", "an insertion");
	cr_assert_str_eq(nearest("Icu"), "icu", "the case");
	cr_assert_str_eq(nearest("registraton"), "registration");
	cr_assert_null(nearest("laboratory"));
	cr_assert_null(nearest("x"), "a letter is near to nothing");
	cr_assert_null(nearest(""));
}

Test(nearest, distances)
{
	cr_assert_eq(nearest_distance("abc", "abc", 3), 0);
	cr_assert_eq(nearest_distance("abc", "acb", 3), 1);
	cr_assert_eq(nearest_distance("", "abc", 3), 3);
	cr_assert_eq(nearest_distance("abc", "", 2), 3, "most + 1");
	cr_assert_eq(nearest_distance("kitten", "sitting", 5), 3);
	cr_assert_eq(nearest_distance("a",
				      "0123456789012345678901234567890123456789012345678901234"
				      "5678901234567890123456789",
				      200),
		     201, "too long to compare");
}
