/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/talk.h"

extern const struct dissector dissector_smb;

enum { HEADER = 64, ROOM = 512 };

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

/* A frame around an SMB2 message whose body is `n` bytes. */
static struct said message(uint8_t *out, unsigned direction, unsigned command, uint32_t status,
			   const void *body, size_t n)
{
	uint8_t *h = out + 4;

	memset(out, 0, 4 + HEADER);
	out[2] = (uint8_t)((HEADER + n) >> 8);
	out[3] = (uint8_t)(HEADER + n);
	memcpy(h, "\xfeSMB", 4);
	put16(h + 4, HEADER);
	put16(h + 8, status & 0xffff);
	put16(h + 10, status >> 16);
	put16(h + 12, command);
	h[16] = (uint8_t)direction; /* the response bit */
	memcpy(h + HEADER, body, n);
	return (struct said){ direction, out, 4 + HEADER + n };
}

/* MS-SMB2 2.2.4 with one context, the cipher AES-128-GCM, at offset 128. */
static struct said negotiated(uint8_t *out, unsigned dialect, unsigned security)
{
	uint8_t body[64 + 16] = { 65 };

	put16(body + 2, security);
	put16(body + 4, dialect);
	put16(body + 6, 1);
	memcpy(body + 8, "ZZPHIZZPHIZZPHIZ", 16);
	put16(body + 60, 128);
	put16(body + 64, 2); /* type, length, count, cipher */
	put16(body + 66, 4);
	put16(body + 72, 1);
	put16(body + 74, 2);
	return message(out, 1, 0, 0, body, sizeof(body));
}

/* MS-NLMP 2.2.1.3 in a SESSION_SETUP request. */
static struct said authenticate(uint8_t *out, unsigned response, unsigned user)
{
	uint8_t body[24 + 96] = { 25 };
	uint8_t *ntlm = body + 24;

	put16(body + 12, HEADER + 24);
	put16(body + 14, 96);
	memcpy(ntlm, "NTLMSSP\0\3", 9);
	put16(ntlm + 20, response);
	put16(ntlm + 36, user);
	memcpy(ntlm + 70, "ZZPHI", 5);
	return message(out, 0, 1, 0, body, sizeof(body));
}

static struct said challenge(uint8_t *out)
{
	uint8_t body[8 + 56] = { 9 };
	uint8_t *ntlm = body + 8;

	put16(body + 4, HEADER + 8);
	put16(body + 6, 56);
	memcpy(ntlm, "NTLMSSP\0\2", 9);
	put16(ntlm + 22, 0x0200);
	ntlm[48] = 10;
	put16(ntlm + 50, 20348);
	return message(out, 1, 1, 0xc0000016, body, sizeof(body));
}

static uint8_t bytes[8][ROOM];
static struct said session[6];

static void build(uint32_t outcome)
{
	session[0] = message(bytes[0], 0, 0, 0, "$\0\5\0", 4);
	session[1] = negotiated(bytes[1], 0x0311, 3);
	session[2] = challenge(bytes[2]);
	session[3] = authenticate(bytes[3], 280, 10);
	session[4] = message(bytes[4], 1, 1, outcome, "\x09\0\0\0\0\0\0\0", 8);
	session[5] = message(bytes[5], 1, 5, 0xc0000022, "\x09\0\0\0\0\0\0\0\0", 9);
}

static struct conversation on_port(uint16_t port)
{
	struct conversation s;
	stream_init(&s, &dissector_smb, TRANSPORT_TCP, 50000, port);
	return s;
}

static void check(const struct conversation *s)
{
	cr_assert(s->claimed);
	cr_assert_eq(s->result, DISSECT_MORE);
	cr_assert_eq(s->client_direction, 0);
	cr_assert_eq(s->confidence, CONFIDENCE_HIGH);
	cr_assert_str_eq(stream_text(s, "smb.dialect", 0), "3.1.1");
	cr_assert_str_eq(stream_text(s, "smb.signing", 0), "required");
	cr_assert_str_eq(stream_text(s, "smb.cipher", 0), "aes-128-gcm");
	cr_assert_str_eq(stream_text(s, "smb.authentication", 0), "ntlm");
	cr_assert_str_eq(stream_text(s, "smb.authentication", 1), "ntlmv2");
	cr_assert_str_eq(stream_text(s, "smb.server_build", 0), "10.0.20348");
	cr_assert_eq(stream_number(s, "smb.logons"), 1);
	cr_assert_eq(stream_number(s, "smb.logon_failures"), 0);
	cr_assert_eq(stream_number(s, "smb.access_denied"), 1);
	cr_assert_eq(stream_number(s, "smb.messages"), 6);
	cr_assert_eq(stream_number(s, "smb.smb1"), 0);
	cr_assert_not(s->encrypted);
}

Test(smb, in_pieces_of_every_size_on_any_port)
{
	build(0);
	for (size_t chunk = 1; chunk < 200; chunk++) {
		struct conversation s = on_port(chunk % 2 ? 445 : 40445);
		talk_cut(&s, session, COUNT(session), chunk, SIZE_MAX);
		check(&s);
		stream_finish(&s);
	}
}

Test(smb, every_truncation_says_less)
{
	build(0);
	struct conversation all = on_port(445);

	talk(&all, session, COUNT(session));
	for (size_t n = 0; n < talk_size(session, COUNT(session)); n++) {
		struct conversation s = on_port(445);
		talk_cut(&s, session, COUNT(session), SIZE_MAX / 2, n);
		cr_assert_eq(s.claimed, n >= 8, "%zu bytes", n);
		cr_assert(talk_says_less(&s, &all), "%zu bytes", n);
		stream_finish(&s);
	}
	stream_finish(&all);
}

Test(smb, a_logon_that_fails)
{
	struct conversation s = on_port(445);

	build(0xc000006d);
	talk(&s, session, COUNT(session));
	cr_assert_eq(stream_number(&s, "smb.logons"), 0);
	cr_assert_eq(stream_number(&s, "smb.logon_failures"), 1);
	stream_finish(&s);
}

Test(smb, kinds_of_ntlm)
{
	static const struct {
		unsigned response, user;
		const char *word;
	} cases[] = { { 24, 4, "ntlmv1" }, { 300, 4, "ntlmv2" }, { 0, 0, "anonymous" } };

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct conversation s = on_port(445);
		struct said said = authenticate(bytes[6], cases[i].response, cases[i].user);
		talk(&s, &said, 1);
		cr_assert_str_eq(stream_text(&s, "smb.authentication", 1), cases[i].word);
		stream_finish(&s);
	}
}

Test(smb, kerberos_is_seen_by_its_token)
{
	uint8_t body[24 + 40] = { 25 };
	struct conversation s = on_port(445);

	put16(body + 12, HEADER + 24);
	put16(body + 14, 40);
	memcpy(body + 30, "\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x01\x00", 13);
	struct said said = message(bytes[6], 0, 1, 0, body, sizeof(body));
	talk(&s, &said, 1);
	cr_assert_str_eq(stream_text(&s, "smb.authentication", 0), "kerberos");
	cr_assert_str_eq(stream_text(&s, "smb.authentication", 1), "");
	stream_finish(&s);
}

Test(smb, guests_and_nobodies)
{
	struct conversation s = on_port(445);
	struct said said = message(bytes[6], 1, 1, 0, "\x09\0\3\0\0\0\0\0", 8);

	talk(&s, &said, 1);
	cr_assert_eq(stream_number(&s, "smb.guest"), 1);
	cr_assert_eq(stream_number(&s, "smb.null_session"), 1);
	stream_finish(&s);
}

Test(smb, encrypted_both_ways_is_enough)
{
	uint8_t secret[4 + 100] = { 0, 0, 0, 100, 0xfd, 'S', 'M', 'B' };
	struct conversation s = on_port(445);

	build(0);
	talk(&s, session, 5);
	stream_offer(&s, 0, secret, sizeof(secret));
	cr_assert(s.encrypted);
	cr_assert_eq(s.result, DISSECT_MORE);
	stream_offer(&s, 1, secret, sizeof(secret));
	cr_assert_eq(s.result, DISSECT_DONE);
	cr_assert_eq(stream_number(&s, "smb.encrypted"), 1);
	stream_finish(&s);
}

#define SMB1(command, flags) \
	"\xffSMB" command "\0\0\0\0" flags "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

Test(smb, version_1)
{
	static const struct said old[] = {
		CLIENT("\x81\0\0\x44\x20"
		       "CKFDENECFDEFFCFGEFFCCACACACACACA\0\x20"
		       "EOFEFHEPFCELFDFEEBFEEJEPEOCACACA\0"),
		SERVER("\x82\0\0\0"),
		CLIENT("\0\0\0\x2d" SMB1("\x72", "\x18") "\0\x0a\0\2NT LM 0.1"),
		SERVER("\0\0\0\x2a" SMB1("\x72", "\x98") "\x0d\0\0\x05\0\0\0\0\0\0"),
	};
	struct conversation s = on_port(139), all = on_port(139);

	cr_assert_eq(old[0].n, 72);
	cr_assert_eq(old[2].n, 4 + 45);
	talk(&all, old, COUNT(old));
	cr_assert_eq(all.result, DISSECT_MORE);
	cr_assert_eq(all.client_direction, 0);
	cr_assert_str_eq(stream_text(&all, "smb.dialect", 0), "1");
	cr_assert_str_eq(stream_text(&all, "smb.signing", 0), "enabled");
	cr_assert_eq(stream_number(&all, "smb.smb1"), 1);
	cr_assert_eq(stream_number(&all, "smb.smb1_offered"), 1);
	cr_assert_eq(stream_number(&all, "smb.clear_text_accepted"), 1);
	for (size_t chunk = 1; chunk < 60; chunk++) {
		struct conversation t = on_port(139);
		talk_cut(&t, old, COUNT(old), chunk, SIZE_MAX);
		cr_assert_eq(stream_number(&t, "smb.clear_text_accepted"), 1, "pieces of %zu",
			     chunk);
		stream_finish(&t);
	}
	talk(&s, old, 3);
	cr_assert_eq(stream_number(&s, "smb.smb1"), 0, "only offered so far");
	stream_finish(&s);
	stream_finish(&all);
}

Test(smb, goes_on_behind_a_gap)
{
	struct conversation s = on_port(445);

	build(0);
	talk(&s, session, 2);
	stream_lose(&s, 1);
	talk(&s, session + 4, 1);
	cr_assert_eq(stream_number(&s, "smb.logons"), 1);
	stream_lose(&s, 1);
	stream_offer(&s, 1, "in the middle", 13);
	talk(&s, session + 5, 1);
	cr_assert_eq(stream_number(&s, "smb.access_denied"), 0);
	stream_finish(&s);
}

Test(smb, others_are_refused)
{
	static const struct said others[] = {
		CLIENT("\0\0\0\x40SMB\xfe"), CLIENT("\0\0\0\x10\xfeSMB"),
		CLIENT("\x81\0\0\x44\x20ZZPHI"), CLIENT("\0\x01\0\0\0\x06\x01\x03"), /* Modbus */
	};

	for (size_t i = 0; i < COUNT(others); i++) {
		struct conversation s = on_port(445);
		talk(&s, others + i, 1);
		cr_assert(s.refused, "case %zu", i);
		stream_finish(&s);
	}
}
