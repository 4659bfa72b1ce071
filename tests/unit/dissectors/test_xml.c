/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "dissectors/xml.h"

/* What comes out of the scanner, as text: <name depth> attribute=value 'word' /depth, and
 * ! for what is none. Values are asked for in elements named "keep". */
struct story {
	char text[1024];
	size_t n;
};

static void tell(struct story *s, const char *head, const char *bytes, size_t n, int depth)
{
	s->n += (size_t)snprintf(s->text + s->n, sizeof(s->text) - s->n, "%s%.*s", head, (int)n,
				 bytes);
	if (depth >= 0)
		s->n += (size_t)snprintf(s->text + s->n, sizeof(s->text) - s->n, " %d", depth);
}

static bool hear(struct xml *x, enum xml_event event, struct story *s)
{
	if (event == XML_OPEN) {
		tell(s, "<", x->name, x->name_length, x->depth);
		x->keep = xml_is(x, "keep");
	} else if (event == XML_VALUE) {
		tell(s, " ", x->attribute, x->attribute_length, -1);
		tell(s, "=", x->value, x->value_length, -1);
	} else if (event == XML_WORD) {
		tell(s, "'", x->value, x->value_length, -1);
	} else if (event == XML_CLOSE) {
		tell(s, "/", "", 0, x->depth);
	} else if (event == XML_BAD) {
		tell(s, "!", "", 0, -1);
	}
	return event != XML_BAD;
}

/* In pieces of this size, each a heap copy. */
static void scan(const char *text, size_t n, size_t piece, struct story *s)
{
	struct xml x = { 0 };

	*s = (struct story){ .n = 0 };
	for (size_t at = 0; at < n; at += piece) {
		size_t size = n - at < piece ? n - at : piece;
		char *exact = malloc(size);
		memcpy(exact, text + at, size);
		struct cursor c = cursor_of(exact, size);
		bool good = true;
		while (good && cursor_left(&c))
			good = hear(&x, xml_next(&x, &c), s);
		free(exact);
		if (!good)
			return;
	}
}

static const struct {
	const char *text, *story;
} cases[] = {
	{ "<a/>", "<a 1/ 0" },
	{ "<a></a>", "<a 1/ 0" },
	{ "<a><b/><c>x</c></a><d/>", "<a 1<b 2/ 1<c 2/ 1/ 0<d 1/ 0" },
	{ "\xef\xbb\xbf<?xml version=\"1.0\"?>\r\n<a/>", "<a 1/ 0" },
	{ "--boundary\r\nContent-Type: x\r\n\r\n<a/>", "<a 1/ 0" },
	{ "<n:keep v='1'/>", "<n:keep 1 v=1/ 0" },
	{ "<keep v = \"a > b\" w=''>  two words </keep>", "<keep 1 v=a > b w='two'words/ 0" },
	{ "<keep>before<other>not</other>not</keep>", "<keep 1'before<other 2/ 1/ 0" },
	{ "<a><!-- <b> -- > </a> --><![CDATA[</a>]]]]><c/></a>", "<a 1<c 2/ 1/ 0" },
	{ "<a v='</a>'/>", "<a 1!" },
	{ "<a><?php <b> ?></a>", "<a 1/ 0" },
	{ "</a>", "!" },
	{ "<a></a></a>", "<a 1/ 0!" },
	{ "<!DOCTYPE a><a/>", "!" },
	{ "<a v=1/>", "<a 1!" },
	{ "<a v/>", "<a 1!" },
	{ "<a / >", "<a 1!" },
	{ "< a/>", "!" },
	{ "<a><![CDAT[x]]></a>", "<a 1!" },
	{ "<//a>", "!" },
	{ "<a<b/>", "!" },
};
enum { CASES = sizeof(cases) / sizeof(cases[0]) };

Test(xml, says_what_it_meets_in_pieces_of_any_size)
{
	struct story s;

	for (size_t i = 0; i < CASES; i++) {
		size_t n = strlen(cases[i].text);
		for (size_t piece = 1; piece <= n; piece++) {
			scan(cases[i].text, n, piece, &s);
			cr_expect_str_eq(s.text, cases[i].story, "%s, by %zu: %s", cases[i].text,
					 piece, s.text);
		}
	}
}

Test(xml, of_a_part_it_says_a_part)
{
	struct story s;

	for (size_t i = 0; i < CASES; i++)
		for (size_t n = 0; n < strlen(cases[i].text); n++) {
			scan(cases[i].text, n, n ? n : 1, &s);
			cr_expect_leq(strlen(s.text), strlen(cases[i].story));
			cr_expect(!strncmp(s.text, cases[i].story, strlen(s.text)),
				  "%s, %zu bytes: %s", cases[i].text, n, s.text);
		}
}

Test(xml, has_bounds)
{
	static char text[4096];
	struct story s;
	struct xml x = { 0 };
	size_t n = 0;

	for (int i = 0; i <= XML_DEPTH_MOST; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "<a>");
	struct cursor c = cursor_of(text, n);
	int opened = 0;
	while (xml_next(&x, &c) == XML_OPEN)
		opened++;
	cr_expect_eq(opened, XML_DEPTH_MOST);
	cr_expect_eq(xml_next(&x, &c), XML_BAD, "what is bad stays so");

	xml_begin(&x);
	n = (size_t)snprintf(text, sizeof(text), "<keep v='%0300d' w='x'/>", 7);
	c = cursor_of(text, n);
	cr_assert_eq(xml_next(&x, &c), XML_OPEN);
	x.keep = true;
	cr_assert_eq(xml_next(&x, &c), XML_VALUE);
	cr_expect(x.clipped && x.value_length == XML_VALUE_MOST);
	cr_assert_eq(xml_next(&x, &c), XML_VALUE);
	cr_expect(!x.clipped && x.value_length == 1);

	n = (size_t)snprintf(text, sizeof(text), "<a%060d/>", 7);
	scan(text, n, n, &s);
	cr_expect_eq(strlen(s.text), 1 + XML_NAME_MOST + 2 + 3, "%s", s.text);
}

Test(xml, keeps_nothing_that_is_not_wanted)
{
	static const char text[] = "<a v='ZZPHI'>ZZPHI<b>ZZPHI</b></a>";
	struct xml x = { 0 };
	struct cursor c = cursor_of(text, sizeof(text) - 1);

	while (cursor_left(&c))
		xml_next(&x, &c);
	for (size_t i = 0; i + 1 < sizeof(x.value); i++)
		cr_expect(x.value[i] != 'Z');
}
