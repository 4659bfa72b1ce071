/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/talk.h"

extern const struct dissector dissector_ipsec;

/* IKE_SA_INIT with one proposal: AES-CBC-256, HMAC-SHA1, SHA1-96, group 2. */
#define SA_2 \
	"\0\0\0\x30\0\0\0\x2c\x01\x01\0\x04" \
	"\x03\0\0\x0c\x01\0\0\x0c\x80\x0e\x01\0" \
	"\x03\0\0\x08\x02\0\0\x02" \
	"\x03\0\0\x08\x03\0\0\x02" \
	"\0\0\0\x08\x04\0\0\x02"
#define INIT(responder, flags) "INITSPI!" responder "\x21\x20\x22" flags "\0\0\0\0\0\0\0\x4c" SA_2
#define AUTH(flags) "INITSPI!RESPSPI!\x2e\x20\x23" flags "\0\0\0\1\0\0\0\x24\x23\0\0\x08secr"

static const struct said version_2[] = {
	CLIENT(INIT("\0\0\0\0\0\0\0\0", "\x08")),
	SERVER(INIT("RESPSPI!", "\x20")),
	CLIENT("\0\0\0\0" AUTH("\x08")),
	SERVER("\0\0\0\0" AUTH("\x20")),
	CLIENT("\xff"),
	CLIENT("\x12\x34\x56\x78\0\0\0\1something hidden"),
};

static struct conversation on_port(uint16_t port)
{
	struct conversation s;
	stream_init(&s, &dissector_ipsec, TRANSPORT_UDP, 50000, port);
	return s;
}

Test(ipsec, version_2_on_any_port)
{
	static const uint16_t ports[] = { 500, 4500, 40500 };

	for (size_t i = 0; i < COUNT(ports); i++) {
		struct conversation s = on_port(ports[i]);
		talk(&s, version_2, 2);
		cr_assert_not(s.encrypted);
		talk(&s, version_2 + 2, COUNT(version_2) - 2);
		cr_assert_eq(s.result, DISSECT_MORE);
		cr_assert_eq(s.client_direction, 0);
		cr_assert_eq(s.confidence, CONFIDENCE_HIGH);
		cr_assert(s.encrypted);
		cr_assert_str_eq(stream_text(&s, "ipsec.ike_version", 0), "2");
		cr_assert_str_eq(stream_text(&s, "ipsec.exchange", 0), "ike-sa-init");
		cr_assert_str_eq(stream_text(&s, "ipsec.exchange", 1), "ike-auth");
		cr_assert_str_eq(stream_text(&s, "ipsec.encryption", 0), "aes-cbc-256");
		cr_assert_str_eq(stream_text(&s, "ipsec.prf", 0), "hmac-sha1");
		cr_assert_str_eq(stream_text(&s, "ipsec.integrity", 0), "hmac-sha1-96");
		cr_assert_str_eq(stream_text(&s, "ipsec.group", 0), "modp1024");
		cr_assert_eq(stream_number(&s, "ipsec.weak"), 1);
		cr_assert_eq(stream_number(&s, "ipsec.ike_messages"), 4);
		cr_assert_eq(stream_number(&s, "ipsec.esp_packets"), 1);
		stream_finish(&s);
	}
}

Test(ipsec, what_is_proposed_is_not_what_is_chosen)
{
	struct conversation s = on_port(500);

	talk(&s, version_2, 1);
	cr_assert(s.claimed);
	cr_assert_str_eq(stream_text(&s, "ipsec.encryption", 0), "");
	stream_finish(&s);
}

Test(ipsec, every_truncation_is_refused)
{
	for (size_t i = 0; i < 4; i++)
		for (size_t n = 1; n < version_2[i].n; n++) {
			struct conversation s = on_port(500);
			stream_offer(&s, version_2[i].direction, version_2[i].bytes, n);
			cr_assert(s.refused, "%zu bytes of %zu", n, i);
			stream_finish(&s);
		}
}

/* A header that says less than stands in it is right for itself, whatever is inside. */
Test(ipsec, every_truncation_inside_says_less)
{
	struct conversation all = on_port(500);
	uint8_t cut[76];

	talk(&all, version_2 + 1, 1);
	for (size_t n = 28; n < version_2[1].n; n++) {
		struct conversation s = on_port(500);
		memcpy(cut, version_2[1].bytes, n);
		cut[27] = (uint8_t)n;
		stream_offer(&s, 1, cut, n);
		cr_assert(s.claimed);
		cr_assert(talk_says_less(&s, &all), "%zu bytes", n);
		stream_finish(&s);
	}
	stream_finish(&all);
}

/* Aggressive mode: 3DES, MD5, pre-shared key, group 2; the identity is ZZPHI. */
#define SA_1 \
	"\x05\0\0\x2c\0\0\0\1\0\0\0\1\0\0\0\x20\x01\x01\0\x01" \
	"\0\0\0\x18\x01\x01\0\0\x80\x01\0\x05\x80\x02\0\x01\x80\x03\0\x01\x80\x04\0\x02"
#define AGGRESSIVE(responder) \
	"INITSPI!" responder "\x01\x10\x04\0\0\0\0\0\0\0\0\x55" SA_1 "\0\0\0\x0d\x0b\0\0\0ZZPHI"

Test(ipsec, version_1_in_aggressive_mode)
{
	static const struct said old[] = { CLIENT(AGGRESSIVE("\0\0\0\0\0\0\0\0")),
					   SERVER(AGGRESSIVE("RESPSPI!")) };
	struct conversation s = on_port(500);

	talk(&s, old, COUNT(old));
	cr_assert_eq(s.client_direction, 0);
	cr_assert_str_eq(stream_text(&s, "ipsec.ike_version", 0), "1");
	cr_assert_str_eq(stream_text(&s, "ipsec.exchange", 0), "aggressive");
	cr_assert_str_eq(stream_text(&s, "ipsec.encryption", 0), "3des");
	cr_assert_str_eq(stream_text(&s, "ipsec.integrity", 0), "md5");
	cr_assert_str_eq(stream_text(&s, "ipsec.authentication", 0), "psk");
	cr_assert_str_eq(stream_text(&s, "ipsec.group", 0), "modp1024");
	cr_assert_eq(stream_number(&s, "ipsec.aggressive_mode"), 1);
	cr_assert_eq(stream_number(&s, "ipsec.weak"), 1);
	cr_assert_not(s.encrypted);
	stream_finish(&s);
}

Test(ipsec, errors_in_clear_text)
{
	static const struct said refusal = SERVER("INITSPI!\0\0\0\0\0\0\0\0\x29\x20\x22\x20\0\0\0\0"
						  "\0\0\0\x24\0\0\0\x08\0\0\0\x0e");
	struct conversation s = on_port(500);

	talk(&s, &refusal, 1);
	cr_assert_eq(s.client_direction, 0);
	cr_assert_str_eq(stream_text(&s, "ipsec.error", 0), "no-proposal-chosen");
	stream_finish(&s);
}

Test(ipsec, longer_than_what_a_probe_is_shown)
{
	uint8_t large[1400] = "INITSPI!\0\0\0\0\0\0\0\0\x21\x20\x22\x08";
	struct conversation s = on_port(500), t = on_port(500);

	large[26] = sizeof(large) >> 8;
	large[27] = sizeof(large) & 0xff;
	stream_offer(&s, 0, large, sizeof(large));
	cr_assert(s.claimed);
	cr_assert_eq(s.result, DISSECT_MORE);
	large[27] ^= 1;
	stream_offer(&t, 0, large, sizeof(large));
	cr_assert_not(t.claimed);
	cr_assert_eq(t.out.count, 0);
	stream_finish(&s);
	stream_finish(&t);
}

Test(ipsec, others_are_refused)
{
	uint8_t odd[76];
	static const struct {
		size_t at;
		uint8_t value;
	} cases[] = { { 17, 0x30 }, { 18, 45 }, { 18, 2 }, { 19, 0x48 }, { 26, 1 } };

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct conversation s = on_port(500);
		memcpy(odd, version_2[0].bytes, sizeof(odd));
		odd[cases[i].at] = cases[i].value;
		stream_offer(&s, 0, odd, sizeof(odd));
		cr_assert(s.refused, "case %zu", i);
		stream_finish(&s);
	}
}
