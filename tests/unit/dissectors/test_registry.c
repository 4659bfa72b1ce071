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
