/* SPDX-License-Identifier: Apache-2.0
 *
 * What holds for every dissector, whoever wrote it. */
#include <criterion/criterion.h>
#include <string.h>

#include "dissectors/dissector.h"

static bool is_text(const struct field *f)
{
	return f->type == FIELD_TEXT || f->type == FIELD_TEXTS;
}

static void check_field(const struct dissector *d, const struct field *f)
{
	size_t n = strlen(d->name);

	cr_expect(!strncmp(f->name, d->name, n) && f->name[n] == '.',
		  "%s: is of %s, and is named otherwise", f->name, d->name);
	cr_expect(f->meaning && *f->meaning, "%s: says no meaning", f->name);
	cr_expect_neq(f->phi, PHI_UNDECLARED, "%s: declares no PHI class", f->name);
	cr_expect_eq(is_text(f), f->grammar != GRAMMAR_NONE,
		     "%s: a text has a grammar, anything else has none", f->name);
	cr_expect(is_text(f) || f->phi == PHI_NONE, "%s: a number is no name", f->name);
	cr_expect(f->about == ABOUT_FLOW || is_text(f), "%s: only texts are facts", f->name);
	for (const struct field *g = d->fields; g != f; g++)
		cr_expect(strcmp(g->name, f->name), "%s: is declared twice", f->name);
}

Test(registry, each_dissector_is_whole)
{
	for (size_t i = 0; dissectors[i]; i++) {
		const struct dissector *d = dissectors[i];
		cr_expect(d->name && d->summary && d->probe && d->dissect && d->fields, "%zu", i);
		cr_expect_leq(d->state_size, (size_t)DISSECT_STATE_MOST, "%s", d->name);
		cr_expect(d->transports && d->transports < 2 * TRANSPORT_LINK, "%s", d->name);
		for (const struct field *f = d->fields; f->name; f++)
			check_field(d, f);
		for (size_t j = 0; j < i; j++)
			cr_expect(strcmp(dissectors[j]->name, d->name), "%s is twice", d->name);
	}
}

Test(registry, a_first_byte_says_whom_to_ask)
{
	for (size_t i = 0; dissectors[i]; i++) {
		uint64_t bit = UINT64_C(1) << i;
		for (enum transport t = TRANSPORT_TCP; t <= TRANSPORT_LINK; t <<= 1) {
			bool speaks = dissectors[i]->transports & t;
			unsigned bytes = 0;
			for (unsigned b = 0; b < 256; b++)
				bytes += (dissectors_for(t, (uint8_t)b) & bit) != 0;
			cr_expect_eq(!!(dissectors_of(t) & bit), speaks, "%s", dissectors[i]->name);
			cr_expect_eq(bytes > 0, speaks, "%s: no byte begins it",
				     dissectors[i]->name);
		}
	}
}

static bool would_claim(const struct dissector *d, const uint8_t *bytes, size_t n)
{
	enum probe_result r = d->probe(cursor_of(bytes, n), TRANSPORT_TCP, 40000,
				       d->ports ? d->ports[0] : 1, true);
	return r == PROBE_YES || (r == PROBE_MORE && n > 20);
}

/* What a probe would say of bytes that it is not asked about, where the start was not
 * seen: its declared first bytes and whether it seeks must be all that matters. Of a few
 * bytes it may not know yet. */
Test(registry, a_probe_that_is_not_asked_midstream_would_not_claim)
{
	static const uint8_t fills[] = { 0, 1, 3, 16, 0x20, 'A', 0x80, 0xff };
	static const size_t sizes[] = { 1, 2, 3, 4, 5, 8, 12, 40, 200, DISSECT_PROBE_MOST };
	uint8_t bytes[DISSECT_PROBE_MOST];
	size_t left_out = 0;

	for (size_t n = 0; n < 256 * sizeof(fills); n++) {
		uint8_t first = (uint8_t)n;
		uint64_t asked = dissectors_midstream(TRANSPORT_TCP, first);
		memset(bytes, fills[n / 256], sizeof(bytes));
		bytes[0] = first;
		for (size_t i = 0; dissectors[i]; i++) {
			const struct dissector *d = dissectors[i];
			if (!(d->transports & TRANSPORT_TCP) || asked >> i & 1)
				continue;
			left_out++;
			for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
				cr_assert_not(would_claim(d, bytes, sizes[s]), "%s: 0x%02x",
					      d->name, first);
		}
	}
	cr_assert_gt(left_out, 10000);
}

Test(registry, who_seeks_is_asked_midstream_whatever_comes)
{
	for (size_t i = 0; dissectors[i]; i++)
		for (unsigned b = 0; dissectors[i]->seeks && b < 256; b++)
			cr_assert(dissectors_midstream(TRANSPORT_TCP, (uint8_t)b) >> i & 1);
	cr_assert(dissectors[dissector_of("hl7")]->seeks);
}

Test(registry, a_fact_is_checked_like_any_text)
{
	static const struct field f = { "t.name", FIELD_TEXT, GRAMMAR_PRODUCT, "",
					"",       PHI_DEVICE, ABOUT_FLOW };
	struct dissect_input in = { 0 };

	cr_assert(dissect_says(&in, &f, FACT_SENDER, "MX800", 5));
	cr_expect(!memcmp(in.facts[0].text, "MX800", 5) && in.facts[0].length == 5);
	cr_assert(dissect_says(&in, &f, FACT_SENDER, "a\0b", 3));
	cr_expect(!memcmp(in.facts[1].text, "invalid", 7) && in.facts[1].length == 7);
	cr_expect_null(dissect_says(&in, &f, FACT_SENDER, "", 0));
	while (in.fact_count < DISSECT_FACTS)
		cr_assert(dissect_says(&in, &f, FACT_SENDER, "x", 1));
	cr_expect_null(dissect_says(&in, &f, FACT_SENDER, "x", 1));
}
