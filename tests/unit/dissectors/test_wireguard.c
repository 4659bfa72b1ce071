/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/talk.h"

extern const struct dissector dissector_wireguard;

static const uint8_t initiation[148] = { 1, 0, 0, 0, 0xaa, 0xbb, 0xcc, 0xdd };
static const uint8_t response[92] = { 2, 0, 0, 0, 1, 2, 3, 4, 0xaa, 0xbb, 0xcc, 0xdd };
static const uint8_t cookie[64] = { 3, 0, 0, 0, 0xaa, 0xbb, 0xcc, 0xdd };
static const uint8_t data[48] = { 4, 0, 0, 0, 1, 2, 3, 4 };

static struct conversation on_port(uint16_t port)
{
	struct conversation s;
	stream_init(&s, &dissector_wireguard, TRANSPORT_UDP, 50000, port);
	return s;
}

Test(wireguard, a_tunnel_on_any_port)
{
	static const uint16_t ports[] = { 51820, 443 };

	for (size_t i = 0; i < COUNT(ports); i++) {
		struct conversation s = on_port(ports[i]);
		stream_offer(&s, 0, initiation, sizeof(initiation));
		cr_assert_eq(s.confidence, CONFIDENCE_MEDIUM);
		cr_assert_not(s.encrypted);
		stream_offer(&s, 1, response, sizeof(response));
		stream_offer(&s, 0, data, sizeof(data));
		stream_offer(&s, 1, cookie, sizeof(cookie));
		cr_assert_eq(s.confidence, CONFIDENCE_HIGH);
		cr_assert_eq(s.client_direction, 0);
		cr_assert(s.encrypted);
		cr_assert_eq(stream_number(&s, "wireguard.handshakes"), 1);
		cr_assert_eq(stream_number(&s, "wireguard.answers"), 1);
		cr_assert_eq(stream_number(&s, "wireguard.packets"), 1);
		cr_assert_eq(stream_number(&s, "wireguard.cookies"), 1);
		stream_finish(&s);
	}
}

Test(wireguard, an_answer_to_somebody_else)
{
	uint8_t other[sizeof(response)];
	struct conversation s = on_port(443);

	memcpy(other, response, sizeof(other));
	other[8] ^= 1;
	stream_offer(&s, 0, initiation, sizeof(initiation));
	stream_offer(&s, 1, other, sizeof(other));
	stream_offer(&s, 0, response, sizeof(response));
	cr_assert_eq(stream_number(&s, "wireguard.answers"), 0);
	cr_assert_not(s.encrypted);
	cr_assert_eq(s.confidence, CONFIDENCE_MEDIUM);
	stream_finish(&s);
}

Test(wireguard, a_tunnel_that_is_up_is_guessed_by_its_port)
{
	struct conversation s = on_port(51820), t = on_port(443);

	stream_offer(&s, 0, data, sizeof(data));
	cr_assert(s.claimed);
	cr_assert_eq(s.confidence, CONFIDENCE_LOW);
	cr_assert_not(s.encrypted);
	stream_offer(&t, 0, data, sizeof(data));
	cr_assert(t.refused);
	stream_finish(&s);
	stream_finish(&t);
}

Test(wireguard, every_truncation_is_refused)
{
	for (size_t n = 1; n < sizeof(initiation); n++) {
		struct conversation s = on_port(51820);
		stream_offer(&s, 0, initiation, n);
		cr_assert(s.refused, "%zu bytes", n);
		stream_finish(&s);
	}
}

Test(wireguard, others_are_refused)
{
	uint8_t odd[sizeof(initiation)];

	for (size_t i = 0; i < 4; i++) {
		struct conversation s = on_port(51820);
		memcpy(odd, initiation, sizeof(odd));
		odd[i] ^= 8;
		stream_offer(&s, 0, odd, sizeof(odd));
		cr_assert(s.refused, "byte %zu", i);
		stream_finish(&s);
	}
}

Test(wireguard, stray_datagrams_do_no_harm)
{
	struct conversation s = on_port(51820);

	stream_offer(&s, 0, initiation, sizeof(initiation));
	stream_offer(&s, 1, "stray", 5);
	cr_assert_eq(s.result, DISSECT_MORE);
	stream_finish(&s);
}
