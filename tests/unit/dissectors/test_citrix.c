/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/talk.h"

extern const struct dissector dissector_citrix;

static struct conversation on_port(uint16_t port)
{
	struct conversation s;
	stream_init(&s, &dissector_citrix, TRANSPORT_TCP, 50000, port);
	return s;
}

Test(citrix, ica_in_pieces)
{
	static const struct said ica[] = { SERVER("\x7f\x7fICA\0"), CLIENT("\x7f\x7fICA\0more") };

	for (size_t chunk = 1; chunk < 11; chunk++) {
		struct conversation s = on_port(chunk % 2 ? 1494 : 41494);
		talk_cut(&s, ica, COUNT(ica), chunk, SIZE_MAX);
		cr_assert_eq(s.confidence, CONFIDENCE_HIGH, "pieces of %zu", chunk);
		cr_assert_eq(s.result, DISSECT_DONE);
		cr_assert_str_eq(stream_text(&s, "citrix.carrier", 0), "ica");
		stream_finish(&s);
	}
}

Test(citrix, cgp_in_pieces)
{
	static const struct said cgp[] = { CLIENT("\x1a"
						  "CGP/01more"),
					   SERVER("\x1a"
						  "CGP/01") };

	for (size_t chunk = 1; chunk < 11; chunk++) {
		struct conversation s = on_port(chunk % 2 ? 2598 : 42598);
		talk_cut(&s, cgp, COUNT(cgp), chunk, SIZE_MAX);
		cr_assert_eq(s.confidence, CONFIDENCE_HIGH, "pieces of %zu", chunk);
		cr_assert_str_eq(stream_text(&s, "citrix.carrier", 0), "cgp");
		cr_assert_str_eq(stream_text(&s, "citrix.cgp_version", 0), "01");
		stream_finish(&s);
	}
}

Test(citrix, every_truncation_waits)
{
	for (size_t n = 1; n < 6; n++) {
		struct conversation s = on_port(1494);
		stream_offer(&s, 1, "\x7f\x7fICA\0", n);
		cr_assert(!s.claimed && !s.refused, "%zu bytes", n);
		stream_finish(&s);
	}
}

Test(citrix, others_are_refused)
{
	static const char *const others[] = { "\x7f\x7f"
					      "ELF",
					      "\x7f"
					      "ELF",
					      "\x1a"
					      "CGP/x1" };

	for (size_t i = 0; i < COUNT(others); i++) {
		struct conversation s = on_port(1494);
		stream_offer(&s, 0, others[i], strlen(others[i]));
		cr_assert(s.refused, "case %zu", i);
		stream_finish(&s);
	}
}
