/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/talk.h"

extern const struct dissector dissector_ssh;

enum { ROOM = 4096 };

static const char *const client_lists[10] = {
	"curve25519-sha256,diffie-hellman-group14-sha1,ext-info-c",
	"ssh-ed25519,rsa-sha2-512",
	"chacha20-poly1305@openssh.com,aes128-ctr",
	"aes128-ctr",
	"hmac-sha2-256,hmac-md5",
	"hmac-sha1",
	"none,zlib@openssh.com",
	"none",
	"",
	"",
};

static const char *const server_lists[10] = {
	"diffie-hellman-group14-sha1,diffie-hellman-group1-sha1",
	"rsa-sha2-512,ssh-rsa",
	"aes128-ctr,3des-cbc",
	"aes256-ctr",
	"hmac-md5",
	"hmac-sha2-512",
	"none",
	"zlib",
	"",
	"",
};

static size_t put32(uint8_t *p, size_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
	return 4;
}

/* RFC 4253 section 6 around a message. */
static size_t packet(uint8_t *out, const uint8_t *message, size_t n)
{
	size_t padding = 4 + (8 - (5 + n + 4) % 8) % 8;

	put32(out, n + padding + 1);
	out[4] = (uint8_t)padding;
	memcpy(out + 5, message, n);
	memset(out + 5 + n, 0, padding);
	return 5 + n + padding;
}

static size_t kexinit(uint8_t *out, const char *const lists[10])
{
	uint8_t message[ROOM] = { 20, 0x5a };
	size_t n = 17;

	for (size_t i = 0; i < 10; i++) {
		size_t length = strlen(lists[i]);
		n += put32(message + n, length);
		memcpy(message + n, lists[i], length);
		n += length;
	}
	memset(message + n, 0, 5);
	return packet(out, message, n + 5);
}

static size_t small(uint8_t *out, uint8_t type)
{
	const uint8_t message[] = { type, 0, 0, 0, 1, 'e' };
	return packet(out, message, type == 21 ? 1 : sizeof(message));
}

static uint8_t bytes[6][ROOM];
static struct said session[6];

static void build(const char *banner, const char *const *ours)
{
	session[0] = (struct said){ 1, "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n", 40 };
	session[1] = (struct said){ 0, banner, strlen(banner) };
	session[2] = (struct said){ 0, bytes[2], kexinit(bytes[2], ours) };
	session[3] = (struct said){ 1, bytes[3], kexinit(bytes[3], server_lists) };
	session[4] = (struct said){ 0, bytes[4], small(bytes[4], 30) };
	session[5] = (struct said){ 1, bytes[5], small(bytes[5], 31) };
}

static struct conversation on_port(uint16_t port)
{
	struct conversation s;
	stream_init(&s, &dissector_ssh, TRANSPORT_TCP, 50000, port);
	return s;
}

static void check(const struct conversation *s)
{
	cr_assert(s->claimed);
	cr_assert_eq(s->result, DISSECT_DONE);
	cr_assert_eq(s->client_direction, 0);
	cr_assert(s->encrypted);
	cr_assert_str_eq(stream_text(s, "ssh.version", 0), "2.0");
	cr_assert_str_eq(stream_text(s, "ssh.client_software", 0), "PuTTY_Release_0.78");
	cr_assert_str_eq(stream_text(s, "ssh.server_software", 0), "OpenSSH_9.2p1");
	cr_assert_str_eq(stream_text(s, "ssh.server_system", 0), "Debian-2+deb12u3");
	cr_assert_str_eq(stream_text(s, "ssh.hassh", 0), "3159c11515efe52ffb9fb9f976723933");
	cr_assert_str_eq(stream_text(s, "ssh.hassh_server", 0), "2a29e25058c5459a09512c7759b49af7");
	cr_assert_str_eq(stream_text(s, "ssh.kex", 0), "diffie-hellman-group14-sha1");
	cr_assert_str_eq(stream_text(s, "ssh.host_key", 0), "rsa-sha2-512");
	cr_assert_str_eq(stream_text(s, "ssh.cipher", 0), "aes128-ctr");
	cr_assert_str_eq(stream_text(s, "ssh.mac", 0), "hmac-md5");
	cr_assert_eq(stream_number(s, "ssh.weak"), 1);
}

Test(ssh, in_pieces_of_every_size_on_any_port)
{
	build("SSH-2.0-PuTTY_Release_0.78\r\n", client_lists);
	for (size_t chunk = 1; chunk < 700; chunk += chunk < 50 ? 1 : 37) {
		struct conversation s = on_port(chunk % 2 ? 22 : 40022);
		talk_cut(&s, session, COUNT(session), chunk, SIZE_MAX);
		check(&s);
		stream_finish(&s);
	}
}

Test(ssh, every_truncation_says_less)
{
	build("SSH-2.0-PuTTY_Release_0.78\r\n", client_lists);
	struct conversation all = on_port(22);

	talk(&all, session, COUNT(session));
	for (size_t n = 0; n < talk_size(session, COUNT(session)); n++) {
		struct conversation s = on_port(22);
		talk_cut(&s, session, COUNT(session), SIZE_MAX / 2, n);
		cr_assert_eq(s.claimed, n >= 7, "%zu bytes", n);
		cr_assert_neq(s.result, DISSECT_MALFORMED, "%zu bytes", n);
		cr_assert(talk_says_less(&s, &all), "%zu bytes", n);
		stream_finish(&s);
	}
	stream_finish(&all);
}

/* Lists without ext-info: the key exchange's own messages tell who is the client, even
 * on no known port and when the server was seen first. */
Test(ssh, the_client_is_who_begins_the_key_exchange)
{
	const char *plain[10];
	struct conversation s = on_port(40022);

	memcpy(plain, client_lists, sizeof(plain));
	plain[0] = "diffie-hellman-group14-sha1";
	build("SSH-2.0-PuTTY_Release_0.78\r\n", plain);
	for (size_t i = 0; i < COUNT(session); i++)
		session[i].direction = !session[i].direction;
	talk(&s, session, COUNT(session));
	cr_assert_eq(s.client_direction, 1);
	cr_assert_str_eq(stream_text(&s, "ssh.client_software", 0), "PuTTY_Release_0.78");
	stream_finish(&s);
}

Test(ssh, one_direction_alone)
{
	build("SSH-2.0-PuTTY_Release_0.78\r\n", client_lists);
	struct conversation s = on_port(22);

	for (size_t i = 0; i < COUNT(session); i++)
		if (session[i].direction == 0)
			stream_offer(&s, 0, session[i].bytes, session[i].n);
	stream_offer(&s, 0, bytes[0], small(bytes[0], 21));
	cr_assert(s.encrypted);
	cr_assert_str_eq(stream_text(&s, "ssh.hassh", 0), "3159c11515efe52ffb9fb9f976723933");
	cr_assert_str_eq(stream_text(&s, "ssh.kex", 0), "");
	stream_finish(&s);
}

/* A scan reads banners and goes. */
Test(ssh, banners_alone)
{
	struct conversation s = on_port(22);

	stream_offer(&s, 1, "SSH-2.0-OpenSSH_9.2p1\r\n", 23);
	cr_assert_str_eq(stream_text(&s, "ssh.server_software", 0), "OpenSSH_9.2p1");
	cr_assert_not(s.encrypted);
	stream_finish(&s);
}

Test(ssh, comments_and_odd_software_stay_here)
{
	struct conversation s = on_port(22);

	build("SSH-2.0-ZZ@PHI ZZSECRET\r\n", client_lists);
	session[0] = (struct said){ 1, "SSH-2.0-dropbear ZZPHI\n", 23 };
	talk(&s, session, COUNT(session));
	cr_assert_str_eq(stream_text(&s, "ssh.client_software", 0), "invalid");
	cr_assert_str_eq(stream_text(&s, "ssh.server_software", 0), "dropbear");
	cr_assert_str_eq(stream_text(&s, "ssh.server_system", 0), "");
	stream_finish(&s);
}

Test(ssh, version_1_is_said_and_left)
{
	struct conversation s = on_port(22);

	stream_offer(&s, 1, "SSH-1.5-Cisco-1.25\n", 19);
	stream_offer(&s, 0, "SSH-1.5-PuTTY\n", 14);
	cr_assert_eq(s.result, DISSECT_DONE);
	cr_assert_str_eq(stream_text(&s, "ssh.version", 0), "1.5");
	cr_assert_eq(stream_number(&s, "ssh.weak"), 1);
	cr_assert_str_eq(stream_text(&s, "ssh.server_software", 0), "Cisco-1.25");
	stream_finish(&s);
}

Test(ssh, unknown_algorithms_are_other)
{
	const char *odd[10];
	struct conversation s = on_port(22);

	memcpy(odd, client_lists, sizeof(odd));
	odd[2] = "ZZPHI@hospital.example";
	build("SSH-2.0-PuTTY_Release_0.78\r\n", odd);
	talk(&s, session, COUNT(session));
	cr_assert_str_eq(stream_text(&s, "ssh.cipher", 0), "other");
	stream_finish(&s);
}

Test(ssh, broken_packets)
{
	static const uint8_t broken[][6] = {
		{ 0, 0, 0, 1, 4, 20 },             /* shorter than its padding */
		{ 0xff, 0xff, 0xff, 0xff, 4, 20 }, /* longer than any */
		{ 0, 0, 0, 12, 200, 20 },          /* all padding */
	};

	for (size_t i = 0; i < COUNT(broken); i++) {
		struct conversation s = on_port(22);
		uint8_t more[16] = { 0 };
		stream_offer(&s, 0, "SSH-2.0-PuTTY\r\n", 15);
		stream_offer(&s, 0, broken[i], sizeof(broken[i]));
		stream_offer(&s, 0, more, sizeof(more));
		cr_assert_eq(s.result, DISSECT_MALFORMED, "case %zu", i);
		stream_finish(&s);
	}
}

Test(ssh, others_are_refused)
{
	static const char *const others[] = { "SSH", "SSH-3.0-x\r\n", "SSH-2x0", "SSLv3",
					      "220 SSH-2.0" };

	for (size_t i = 1; i < COUNT(others); i++) {
		struct conversation s = on_port(22);
		stream_offer(&s, 0, others[i], strlen(others[i]));
		cr_assert(s.refused, "%s", others[i]);
		stream_finish(&s);
	}
}
