/* SPDX-License-Identifier: Apache-2.0 */
#include "assets/oui.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char list[] =
	"Registry,Assignment,Organization Name,Organization Address\r\n"
	"MA-L,00095C,Philips Medical Systems - Cardiac,3000 Minuteman Road Andover  US 01810 \r\n"
	"MA-L,00105D,\"Draeger \"\"Medical\"\", Inc.\",\"6 Tech Drive\nAndover, MA\"\r\n"
	"MA-L,F0E5C3,Dr\xc3\xa4gerwerk AG & Co. KG aA,Luebeck\r\n"
	"MA-L,70B3D5,IEEE Registration Authority,445 Hoes Lane\r\n"
	"MA-S,70B3D5F2F,TELEPLATFORMS,Moscow\r\n"
	"MA-M,08ED029,  Blanks around  ,Somewhere\r\n"
	"MA-L,08ED02,The whole block,Somewhere\r\n"
	"MA-L,AABBC,too short,x\r\n"
	"MA-L,AABBZZ,no hexadecimal,x\r\n"
	"MA-L,ACDE48,Private,\r\n"
	"MA-L,001122,a\x01"
	"b\xff\xc2\x9f\xe2\x80\xae"
	"c,x";

static struct oui *lists(void)
{
	struct oui *o = oui_parse(list, strlen(list));
	cr_assert(o);
	return o;
}

static void is(const struct oui *o, const char *mac, const char *vendor)
{
	unsigned b[6];
	uint8_t bytes[6];

	cr_assert_eq(sscanf(mac, "%x:%x:%x:%x:%x:%x", b, b + 1, b + 2, b + 3, b + 4, b + 5), 6);
	for (int i = 0; i < 6; i++)
		bytes[i] = (uint8_t)b[i];
	const char *got = oui_vendor(o, bytes);
	if (vendor)
		cr_expect_str_eq(got ? got : "(nobody)", vendor, "%s: %s", mac, got);
	else
		cr_expect_null(got, "%s: %s", mac, got);
}

Test(oui, the_longest_block_answers)
{
	struct oui *o = lists();

	cr_expect_eq(oui_count(o), 9);
	is(o, "00:09:5c:01:02:03", "Philips Medical Systems - Cardiac");
	is(o, "00:10:5d:ff:ff:ff", "Draeger \"Medical\", Inc.");
	is(o, "f0:e5:c3:00:00:00", "Dr\xc3\xa4gerwerk AG & Co. KG aA");
	is(o, "70:b3:d5:f2:f0:00", "TELEPLATFORMS");
	is(o, "70:b3:d5:f2:e0:00", NULL);
	is(o, "08:ed:02:9f:ff:ff", "Blanks around");
	is(o, "08:ed:02:8f:ff:ff", "The whole block");
	oui_free(o);
}

Test(oui, nobody_is_made_up)
{
	struct oui *o = lists();

	is(o, "ac:de:48:00:00:01", NULL);    /* private */
	is(o, "00:09:5d:00:00:01", NULL);    /* not listed */
	is(o, "02:09:5c:00:00:01", NULL);    /* locally administered */
	is(o, "01:09:5c:00:00:01", NULL);    /* multicast */
	is(NULL, "00:09:5c:00:00:01", NULL); /* no list */
	cr_expect_eq(oui_count(NULL), 0);
	oui_free(o);
}

Test(oui, what_must_not_be_shown_is_left_out)
{
	struct oui *o = lists();

	is(o, "00:11:22:00:00:01", "abc");
	oui_free(o);
}

Test(oui, long_names_are_cut_at_a_character)
{
	char line[256] = "MA-L,001122,";
	struct oui *o;

	for (int i = 0; i < 70; i++)
		strcat(line, "\xc3\xa4");
	o = oui_parse(line, strlen(line));
	cr_assert(o);
	const char *name = oui_vendor(o, (const uint8_t[]){ 0, 0x11, 0x22, 0, 0, 0 });
	cr_assert(name);
	cr_expect_eq(strlen(name), 62);
	cr_expect_eq((unsigned char)name[61], 0xa4);
	oui_free(o);
}

Test(oui, every_truncation)
{
	for (size_t n = 0; n < sizeof(list); n++) {
		char *exact = malloc(n ? n : 1);
		memcpy(exact, list, n);
		struct oui *o = oui_parse(exact, n);
		if (o)
			cr_expect_geq(oui_count(o), 1);
		oui_free(o);
		free(exact);
	}
}

Test(oui, the_same_lists_have_the_same_fingerprint)
{
	struct oui *a = lists(), *b = lists();
	struct oui *other = oui_parse(list, sizeof(list) / 2);

	cr_expect_eq(oui_fingerprint(a), oui_fingerprint(b));
	cr_expect_neq(oui_fingerprint(a), oui_fingerprint(other));
	cr_expect_eq(oui_fingerprint(NULL), 0);
	oui_free(a);
	oui_free(b);
	oui_free(other);
}

Test(oui, a_folder_without_lists_says_so)
{
	char why[256];

	cr_assert_null(oui_load("/nonexistent", why));
	cr_expect_str_eq(why, "/nonexistent/oui.csv: No such file or directory");
}

/* The lists of the machine, where it has them. */
Test(oui, the_lists_of_debian)
{
	char why[256];

	if (access("/usr/share/ieee-data/oui.csv", R_OK) != 0)
		cr_skip_test("ieee-data is not installed");
	struct oui *o = oui_load("/usr/share/ieee-data", why);
	cr_assert(o, "%s", why);
	cr_expect_gt(oui_count(o), 30000);
	is(o, "00:09:5c:01:02:03", "Philips Medical Systems - Cardiac and Monitoring Systems (CM");
	oui_free(o);
}
