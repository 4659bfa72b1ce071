/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/talk.h"

extern const struct dissector dissector_teamviewer;

static struct conversation over(enum transport transport, uint16_t port)
{
	struct conversation s;
	stream_init(&s, &dissector_teamviewer, transport, 50000, port);
	return s;
}

#define DATAGRAM "\0ZZPHIZZPHI\x17\x24more"

Test(teamviewer, both_directions_are_worth_more_than_one)
{
	struct conversation s = over(TRANSPORT_TCP, 5938), u = over(TRANSPORT_UDP, 5938);

	stream_offer(&s, 0, "\x17", 1);
	cr_assert(!s.claimed && !s.refused);
	stream_offer(&s, 0, "\x24\x0a\0", 3);
	cr_assert_eq(s.confidence, CONFIDENCE_LOW);
	stream_offer(&s, 1, "\x17\x24\x0b\0", 4);
	cr_assert_eq(s.confidence, CONFIDENCE_MEDIUM);
	stream_offer(&u, 0, DATAGRAM, sizeof(DATAGRAM) - 1);
	cr_assert_eq(u.confidence, CONFIDENCE_LOW);
	cr_assert_eq(stream_number(&u, "teamviewer.messages"), 1);
	stream_finish(&s);
	stream_finish(&u);
}

Test(teamviewer, nowhere_else)
{
	struct conversation s = over(TRANSPORT_TCP, 443), u = over(TRANSPORT_UDP, 5938);

	stream_offer(&s, 0, "\x17\x24\x0a\0", 4);
	cr_assert(s.refused);
	stream_offer(&u, 0, DATAGRAM, 12);
	cr_assert(u.refused, "cut in the middle of its mark");
	stream_finish(&s);
	stream_finish(&u);
}
