/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/bytes.h"
#include "tests/unit/dissectors/stream.h"

extern const struct dissector dissector_llmnr;

enum { QUERY = 0, RESPONSE = 0x8000, A = 1, PTR = 12 };

static struct bytes message(unsigned flags, const char *name, unsigned type)
{
	struct bytes b = { .n = 0 };

	put_dns(&b, flags, 1, flags == RESPONSE, 0);
	put_question(&b, name, type, 1);
	if (flags == RESPONSE)
		put_record(&b, name, type, "\12\12\1\24", 4);
	return b;
}

static struct conversation offer(const struct bytes *b, uint16_t from, uint16_t to)
{
	struct conversation s;

	stream_init(&s, &dissector_llmnr, TRANSPORT_UDP, from, to);
	stream_offer(&s, 0, b->at, b->n);
	return s;
}

Test(llmnr, a_question_and_its_answer)
{
	struct bytes question = message(QUERY, "ZZPHI-ct-01", A);
	struct bytes answer = message(RESPONSE, "ZZPHI-ct-01", A);
	struct conversation s = offer(&question, 50000, 5355);

	cr_assert(s.claimed);
	cr_expect_eq(stream_number(&s, "llmnr.queries"), 1);
	cr_expect_eq(s.client_direction, 0);
	cr_expect_eq(s.fact_count, 0, "a name that is asked for tells of nobody");
	stream_finish(&s);
	s = offer(&answer, 5355, 50000);
	cr_assert(s.claimed);
	cr_expect_eq(stream_number(&s, "llmnr.responses"), 1);
	cr_expect_eq(s.client_direction, 1);
	cr_expect(stream_says(&s, "llmnr.hostname_class", "modality"));
	cr_expect_eq(s.facts[0].subject, FACT_SENDER);
	cr_expect(stream_hides(&s, "ZZ"));
	stream_finish(&s);
}

Test(llmnr, who_looks_for_a_proxy)
{
	static const struct {
		const char *name;
		bool proxy;
	} rows[] = { { "wpad", true },
		     { "WPAD.chu.example", true },
		     { "wpa", false },
		     { "wpadding", false },
		     { "x.wpad", false } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bytes b = message(QUERY, rows[i].name, A);
		struct conversation s = offer(&b, 50000, 5355);
		cr_expect_eq(stream_number(&s, "llmnr.proxy_asked"), rows[i].proxy, "%s",
			     rows[i].name);
		stream_finish(&s);
	}
}

Test(llmnr, every_truncation)
{
	struct bytes b = message(QUERY, "ZZPHI-ct-01", A);

	for (size_t n = 0; n < b.n; n++) {
		struct bytes part = { .n = n };
		memcpy(part.at, b.at, n);
		struct conversation s = offer(&part, 50000, 5355);
		cr_expect(s.refused, "%zu bytes", n);
		stream_finish(&s);
	}
}

Test(llmnr, an_address_asked_back_is_no_name)
{
	struct bytes b = message(RESPONSE, "20.1.10.10.in-addr.arpa", PTR);
	struct conversation s = offer(&b, 5355, 50000);

	cr_expect_eq(stream_number(&s, "llmnr.responses"), 1);
	cr_expect_eq(s.fact_count, 0);
	stream_finish(&s);
}

Test(llmnr, what_it_is_not)
{
	struct bytes two = message(QUERY, "a", A), other = message(QUERY, "a", A),
		     refused = message(QUERY | 5, "a", A);

	two.at[5] = 2;
	struct conversation s = offer(&two, 50000, 5355);
	cr_expect(s.refused, "two questions");
	stream_finish(&s);
	s = offer(&other, 50000, 53);
	cr_expect(s.refused, "another port");
	stream_finish(&s);
	s = offer(&refused, 50000, 5355);
	cr_expect(s.refused, "a question with a result");
	stream_finish(&s);
}

Test(llmnr, what_breaks_the_format_is_counted)
{
	struct bytes b = message(QUERY, "a", A);
	struct conversation s = offer(&b, 50000, 5355);

	stream_offer(&s, 0, b.at, b.n - 1);
	cr_expect_eq(stream_number(&s, "llmnr.malformed"), 1);
	stream_finish(&s);
}
