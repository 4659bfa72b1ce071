/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "collector/cli_table.h"
#include "collector/cli_text.h"

static void is_count(uint64_t v, const char *expected)
{
	char out[TEXT_COUNT];

	cr_expect_str_eq(text_count(v, out), expected, "%llu is %s, not %s", (unsigned long long)v,
			 out, expected);
}

Test(text, counts_have_at_most_four_characters)
{
	is_count(0, "0");
	is_count(9999, "9999");
	is_count(10000, "10k");
	is_count(12999, "12k");
	is_count(999999, "999k");
	is_count(1000000, "1.0M");
	is_count(1299999, "1.2M");
	is_count(12000000, "12M");
	is_count(999999999999, "999G");
	is_count(UINT64_MAX, "18E");
}

static void is_clean(const char *text, const char *expected)
{
	struct buf out = { 0 };

	text_clean(text, &out);
	cr_expect_str_eq(out.data, expected);
	buf_finish(&out);
}

Test(text, steering_characters_never_come_through)
{
	is_clean("plain \xc3\xa9t\xc3\xa9", "plain \xc3\xa9t\xc3\xa9");
	is_clean("\033[31mred\a\r\n\t\x7f", "?[31mred?????");
	is_clean("\xc2\x9b"
		 "31m",
		 "?31m"); /* C1: CSI in one byte */
	is_clean("a\xe2\x80\xae"
		 "b",
		 "a?b");            /* right-to-left override */
	is_clean("\xff\xc3", "??"); /* no UTF-8 */
	is_clean("\xe2\x80", "??"); /* cut off */
	is_clean("\xe0\x9b", "??");
}

static void is_padded(const char *text, size_t width, bool right, const char *expected)
{
	struct buf out = { 0 };

	text_pad(text, width, right, &out);
	cr_expect_str_eq(out.data, expected);
	buf_finish(&out);
}

Test(text, pads_and_cuts_by_code_points)
{
	is_padded("ab", 4, false, "ab  ");
	is_padded("ab", 4, true, "  ab");
	is_padded("\xc3\xa9", 2, false, "\xc3\xa9 ");
	is_padded("abcdef", 6, false, "abcdef");
	is_padded("abcdefg", 6, false, "abcd..");
	is_padded("\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", 5, false,
		  "\xc3\xa9\xc3\xa9\xc3\xa9..");
}

static void is_wrapped(const char *text, size_t indent, size_t width, const char *expected)
{
	struct buf out = { 0 };

	text_wrap(text, indent, width, &out);
	cr_expect_str_eq(out.data, expected);
	buf_finish(&out);
}

Test(text, wraps_at_blanks)
{
	is_wrapped("one two", 2, 0, "  one two\n");
	is_wrapped("aaaaaaaaa bbbbbbbbb ccccccccc", 2, 24, "  aaaaaaaaa bbbbbbbbb\n  ccccccccc\n");
	is_wrapped("aaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0, 24, "aaaaaaaaaaaaaaaaaaaaaaaa\naaaa\n");
	is_wrapped("", 0, 80, "\n");
}

static const struct table_column columns[] = {
	{ "NAME" },
	{ "N", .right = true },
	{ "WHY", .least = 6, .optional = true },
};

static void fill(struct table *t)
{
	table_init(t, columns, 3);
	table_cell(t, "icu", COLOUR_NONE);
	table_cell(t, "12", COLOUR_NONE);
	table_cell(t, "no conduit", COLOUR_CRITICAL);
	table_cell(t, "pharmacy", COLOUR_NONE);
	table_cell(t, NULL, COLOUR_NONE);
	table_cell(t, "", COLOUR_NONE);
}

static void is_table(struct style style, bool whole, const char *expected)
{
	struct buf out = { 0 };
	struct table t;

	fill(&t);
	cr_expect_eq(table_print(&t, &style, &out), whole);
	cr_expect_str_eq(out.data, expected);
	table_finish(&t);
	buf_finish(&out);
}

Test(table, is_as_wide_as_it_gets)
{
	is_table((struct style){ 0 }, true,
		 "NAME       N  WHY\nicu       12  no conduit\npharmacy\n");
}

Test(table, cuts_what_may_be_cut)
{
	is_table((struct style){ .width = 20 }, true,
		 "NAME       N  WHY\nicu       12  no c..\npharmacy\n");
}

Test(table, leaves_out_what_does_not_fit)
{
	is_table((struct style){ .width = 19 }, false, "NAME       N\nicu       12\npharmacy\n");
}

Test(table, colours_only_when_told)
{
	is_table((struct style){ .colour = true }, true,
		 "\033[1mNAME    \033[0m  \033[1m N\033[0m  \033[1mWHY\033[0m\n"
		 "icu       12  \033[1;31mno conduit\033[0m\npharmacy\n");
}
