/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/line.h"

Test(line, pieces_stand_side_by_side)
{
	char out[64];
	struct line l = line_in(out, sizeof(out));

	cr_assert_str_eq(out, "");
	line_text(&l, "a ");
	line_text(&l, NULL);
	line_bytes(&l, "bcd", 2);
	line_u64(&l, 0);
	line_text(&l, ",");
	line_u64(&l, UINT64_MAX);
	cr_assert_str_eq(out, "a bc0,18446744073709551615");
}

Test(line, hexadecimal_has_all_its_digits)
{
	static const uint64_t values[] = { 0, 1, 0x0123456789abcdef, UINT64_MAX,
					   UINT64_C(1) << 63 };
	char out[17], expected[17];

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct line l = line_in(out, sizeof(out));
		line_hex64(&l, values[i]);
		snprintf(expected, sizeof(expected), "%016llx", (unsigned long long)values[i]);
		cr_assert_str_eq(out, expected);
	}
}

Test(line, bytes_have_two_digits)
{
	char out[16];
	struct line l = line_in(out, sizeof(out));

	line_hex8(&l, 0);
	line_hex8(&l, 0x9a);
	line_hex8(&l, 0xff);
	cr_assert_str_eq(out, "009aff");
}

Test(line, what_does_not_fit_is_cut)
{
	for (size_t room = 1; room < 40; room++) {
		char out[41], expected[41];
		memset(out, '#', sizeof(out));
		struct line l = line_in(out, room);
		line_text(&l, "seven ");
		line_u64(&l, 1234567);
		line_hex64(&l, 0xabcdef);
		line_text(&l, "!");
		snprintf(expected, room, "seven 12345670000000000abcdef!");
		cr_assert_str_eq(out, expected);
		cr_assert_eq(out[room], '#');
	}
}
