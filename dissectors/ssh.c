/* SPDX-License-Identifier: Apache-2.0
 *
 * SSH (RFC 4253; algorithm names from IANA's registry and OpenSSH's PROTOCOL) over TCP,
 * any port: which programs talk, what they offer as HASSH and HASSHServer
 * (Salesforce, BSD-licensed), and what they choose. All behind the key exchange is
 * encrypted and not looked at. SSH 1 is named and left. */
#include "dissectors/crypto.h"
#include "dissectors/words.h"

enum {
	CLIENT_SOFTWARE,
	SERVER_SOFTWARE,
	SERVER_SYSTEM,
	VERSION,
	HASSH,
	HASSH_SERVER,
	KEX,
	HOST_KEY,
	CIPHER,
	MAC,
	WEAK,
};

static const struct field fields[] = {
	/* clang-format off */
	[CLIENT_SOFTWARE] = { "ssh.client_software", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"the client's software version string, without comments", PHI_DEVICE, ABOUT_CLIENT },
	[SERVER_SOFTWARE] = { "ssh.server_software", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"the server's software version string, without comments", PHI_DEVICE, ABOUT_SERVER },
	[SERVER_SYSTEM] = { "ssh.server_system", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"the package that the server's comment names, if it is a known distribution's",
		PHI_DEVICE, ABOUT_SERVER },
	[VERSION] = { "ssh.version", FIELD_TEXTS, GRAMMAR_VERSION, "",
		"protocol versions announced: 2.0, 1.99 (both) or 1.x", PHI_NONE, ABOUT_FLOW },
	[HASSH] = { "ssh.hassh", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"HASSH, the fingerprint of what the client offers", PHI_DEVICE, ABOUT_CLIENT },
	[HASSH_SERVER] = { "ssh.hassh_server", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"HASSHServer, the fingerprint of what the server offers", PHI_DEVICE, ABOUT_SERVER },
	[KEX] = { "ssh.kex", FIELD_TEXT, GRAMMAR_TOKEN, "", "key exchange chosen", PHI_NONE, ABOUT_FLOW },
	[HOST_KEY] = { "ssh.host_key", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"kind of host key chosen", PHI_NONE, ABOUT_FLOW },
	[CIPHER] = { "ssh.cipher", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"cipher chosen, client to server", PHI_NONE, ABOUT_FLOW },
	[MAC] = { "ssh.mac", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"integrity check chosen, client to server; aead: the cipher has its own", PHI_NONE, ABOUT_FLOW },
	[WEAK] = { "ssh.weak", FIELD_FLAG, GRAMMAR_NONE, "",
		"a broken or small algorithm was chosen, or version 1 of the protocol", PHI_NONE, ABOUT_FLOW },
	/* clang-format on */
	{ 0 },
};

enum {
	PORT = 22,
	BANNER_MOST = 255,   /* RFC 4253 section 4.2 */
	PACKET_MOST = 16000, /* of those before the keys; section 6.1 asks for 35000 */
	OFFERS_MOST = 22,    /* algorithms of one kind that are kept */
	HASSH_TEXT = 2 * MD5_BYTES + 1,
	PATIENCE = 64, /* packets of one side */
};

enum { MSG_KEXINIT = 20, MSG_NEWKEYS = 21, MSG_KEX_FIRST = 30, MSG_KEX_LAST = 49 };
enum { LIST_KEX, LIST_HOST_KEY, LIST_CIPHER, LIST_MAC, LISTS };

/* The first of both lists is chosen (section 7.1), so lists are kept, by number in
 * this table. OTHER: a name that is not here. */
#define OTHER 0xff

struct algorithm {
	const char *name;
	bool weak;
};

/* clang-format off */
static const struct algorithm algorithms[] = {
	{ "mlkem768x25519-sha256", false }, { "sntrup761x25519-sha512", false },
	{ "sntrup761x25519-sha512@openssh.com", false }, { "curve25519-sha256", false },
	{ "curve25519-sha256@libssh.org", false }, { "curve448-sha512", false },
	{ "ecdh-sha2-nistp256", false }, { "ecdh-sha2-nistp384", false },
	{ "ecdh-sha2-nistp521", false }, { "diffie-hellman-group-exchange-sha256", false },
	{ "diffie-hellman-group-exchange-sha1", true }, { "diffie-hellman-group1-sha1", true },
	{ "diffie-hellman-group14-sha1", true }, { "diffie-hellman-group14-sha256", false },
	{ "diffie-hellman-group15-sha512", false }, { "diffie-hellman-group16-sha512", false },
	{ "diffie-hellman-group17-sha512", false }, { "diffie-hellman-group18-sha512", false },
	{ "ssh-ed25519", false }, { "ssh-ed448", false }, { "ecdsa-sha2-nistp256", false },
	{ "ecdsa-sha2-nistp384", false }, { "ecdsa-sha2-nistp521", false },
	{ "rsa-sha2-256", false }, { "rsa-sha2-512", false }, { "ssh-rsa", true }, { "ssh-dss", true },
	{ "ssh-ed25519-cert-v01@openssh.com", false }, { "ssh-rsa-cert-v01@openssh.com", true },
	{ "ssh-dss-cert-v01@openssh.com", true }, { "ssh-rsa-cert-v00@openssh.com", true },
	{ "ssh-dss-cert-v00@openssh.com", true },
	{ "rsa-sha2-256-cert-v01@openssh.com", false }, { "rsa-sha2-512-cert-v01@openssh.com", false },
	{ "ecdsa-sha2-nistp256-cert-v01@openssh.com", false },
	{ "ecdsa-sha2-nistp384-cert-v01@openssh.com", false },
	{ "ecdsa-sha2-nistp521-cert-v01@openssh.com", false },
	{ "sk-ssh-ed25519@openssh.com", false }, { "sk-ssh-ed25519-cert-v01@openssh.com", false },
	{ "sk-ecdsa-sha2-nistp256@openssh.com", false },
	{ "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com", false },
	{ "x509v3-sign-rsa", true }, { "x509v3-sign-dss", true },
	{ "chacha20-poly1305", false }, { "chacha20-poly1305@openssh.com", false },
	{ "aes128-gcm@openssh.com", false }, { "aes256-gcm@openssh.com", false },
	{ "aes128-ctr", false }, { "aes192-ctr", false }, { "aes256-ctr", false },
	{ "aes128-cbc", false }, { "aes192-cbc", false }, { "aes256-cbc", false },
	{ "rijndael-cbc@lysator.liu.se", false }, { "3des-cbc", true }, { "3des-ctr", true },
	{ "blowfish-cbc", true }, { "blowfish-ctr", true }, { "cast128-cbc", true },
	{ "cast128-ctr", true }, { "twofish-cbc", false }, { "twofish128-cbc", false },
	{ "twofish192-cbc", false }, { "twofish256-cbc", false }, { "twofish256-ctr", false },
	{ "arcfour", true }, { "arcfour128", true }, { "arcfour256", true }, { "des-cbc", true },
	{ "none", true },
	{ "umac-64-etm@openssh.com", false }, { "umac-128-etm@openssh.com", false },
	{ "umac-64@openssh.com", false }, { "umac-128@openssh.com", false },
	{ "hmac-sha2-256-etm@openssh.com", false }, { "hmac-sha2-512-etm@openssh.com", false },
	{ "hmac-sha2-256", false }, { "hmac-sha2-512", false }, { "hmac-sha1", false },
	{ "hmac-sha1-etm@openssh.com", false }, { "hmac-sha1-96", true },
	{ "hmac-sha1-96-etm@openssh.com", true }, { "hmac-md5", true }, { "hmac-md5-96", true },
	{ "hmac-md5-etm@openssh.com", true }, { "hmac-md5-96-etm@openssh.com", true },
	{ "hmac-ripemd160", false }, { "hmac-ripemd160@openssh.com", false },
	{ "hmac-ripemd160-etm@openssh.com", false },
};
/* clang-format on */
enum { ALGORITHMS = sizeof(algorithms) / sizeof(algorithms[0]) };
_Static_assert(ALGORITHMS < OTHER, "numbers of algorithms fit one byte");

struct offers {
	uint8_t count, number[OFFERS_MOST];
};

struct ssh_side {
	enum { STAGE_BANNER, STAGE_PACKETS, STAGE_OVER } stage;
	uint8_t packets;
	bool offered, lost;
	char software[41], system[41]; /* until it is known who is who */
	struct offers lists[LISTS];
	/* Both, until it is known which one it is. */
	char hassh[2][HASSH_TEXT];
};

struct ssh {
	struct ssh_side sides[2];
	enum { CLIENT_UNKNOWN, CLIENT_IS_0, CLIENT_IS_1 } client;
	bool said_offers[2], chosen;
};
_Static_assert(sizeof(struct ssh) <= DISSECT_STATE_MOST, "fits the slot");

static uint8_t number_of(struct cursor name)
{
	size_t n = cursor_left(&name);

	for (uint8_t i = 0; i < ALGORITHMS; i++)
		if (n && name.at[0] == (uint8_t)algorithms[i].name[0] &&
		    strlen(algorithms[i].name) == n && cursor_starts(&name, algorithms[i].name))
			return i;
	return OTHER;
}

/* The next name of a comma-separated list. */
static struct cursor next_name(struct cursor *list)
{
	const uint8_t *comma = cursor_left(list) ? memchr(list->at, ',', cursor_left(list)) : NULL;
	struct cursor name =
		cursor_sub(list, comma ? (size_t)(comma - list->at) : cursor_left(list));

	if (comma)
		cursor_skip(list, 1);
	return name;
}

static void keep(struct offers *o, struct cursor list)
{
	o->count = 0;
	while (cursor_left(&list) && o->count < OFFERS_MOST)
		o->number[o->count++] = number_of(next_name(&list));
}

static bool has_name(struct cursor list, const char *wanted)
{
	while (cursor_left(&list)) {
		struct cursor name = next_name(&list);
		if (cursor_left(&name) == strlen(wanted) && cursor_starts(&name, wanted))
			return true;
	}
	return false;
}

/* What is no banner at all, or too long for one, is not SSH. */
static enum probe_result ssh_probe(struct cursor bytes, enum transport transport,
				   uint16_t source_port, uint16_t dest_port, bool midstream)
{
	static const char start[] = "SSH-";
	(void)transport, (void)source_port, (void)dest_port, (void)midstream;

	for (size_t i = 0; i < sizeof(start) - 1; i++) {
		int byte = cursor_peek(&bytes, i);
		if (byte < 0)
			return PROBE_MORE;
		if (byte != start[i])
			return PROBE_NO;
	}
	int major = cursor_peek(&bytes, 4), dot = cursor_peek(&bytes, 5);
	int minor = cursor_peek(&bytes, 6);
	if ((major >= 0 && major != '1' && major != '2') || (dot >= 0 && dot != '.') ||
	    (minor >= 0 && (minor < '0' || minor > '9')))
		return PROBE_NO;
	return minor < 0 ? PROBE_MORE : PROBE_YES;
}

static bool server_side(const struct ssh *s, unsigned side)
{
	return s->client == (side ? CLIENT_IS_0 : CLIENT_IS_1);
}

static void say_banner(const struct ssh *s, unsigned side, struct attributes *out)
{
	const struct ssh_side *from = &s->sides[side];
	bool server = server_side(s, side);

	attributes_word(out, &fields[server ? SERVER_SOFTWARE : CLIENT_SOFTWARE], from->software);
	if (server)
		attributes_word(out, &fields[SERVER_SYSTEM], from->system);
}

static void say_offers(struct ssh *s, unsigned side, struct attributes *out)
{
	bool server = server_side(s, side);

	if (!s->sides[side].offered || s->said_offers[side])
		return;
	attributes_word(out, &fields[server ? HASSH_SERVER : HASSH], s->sides[side].hassh[server]);
	s->said_offers[side] = true;
}

/* Section 7.1: the client's first that the server has too. A name that is not in our
 * table could have been it. */
static uint8_t choose(const struct offers *client, const struct offers *server)
{
	for (size_t i = 0; i < client->count; i++) {
		uint8_t wanted = client->number[i];
		if (memchr(server->number, wanted, server->count))
			return wanted;
	}
	return OTHER;
}

/* Without the "@openssh.com": a TOKEN has none. */
static void say_choice(const struct field *f, uint8_t number, struct attributes *out)
{
	const char *name = number == OTHER ? "other" : algorithms[number].name;

	attributes_text(out, f, name, strcspn(name, "@"));
	if (number != OTHER && algorithms[number].weak)
		attributes_flag(out, &fields[WEAK]);
}

static bool is_aead(uint8_t cipher)
{
	const char *name = cipher == OTHER ? "" : algorithms[cipher].name;

	return strstr(name, "-gcm@") || strstr(name, "poly1305");
}

static void say_chosen(struct ssh *s, struct attributes *out)
{
	const struct ssh_side *client = &s->sides[s->client == CLIENT_IS_1];
	const struct ssh_side *server = &s->sides[s->client != CLIENT_IS_1];
	uint8_t chosen[LISTS];

	if (s->chosen || !client->offered || !server->offered)
		return;
	s->chosen = true;
	for (size_t i = 0; i < LISTS; i++)
		chosen[i] = choose(&client->lists[i], &server->lists[i]);
	say_choice(&fields[KEX], chosen[LIST_KEX], out);
	say_choice(&fields[HOST_KEY], chosen[LIST_HOST_KEY], out);
	say_choice(&fields[CIPHER], chosen[LIST_CIPHER], out);
	if (is_aead(chosen[LIST_CIPHER]))
		attributes_word(out, &fields[MAC], "aead");
	else
		say_choice(&fields[MAC], chosen[LIST_MAC], out);
}

/* All that waited for knowing who is the client. */
static void say(struct ssh *s, struct attributes *out)
{
	if (s->client == CLIENT_UNKNOWN)
		return;
	for (unsigned side = 0; side < 2; side++) {
		say_banner(s, side, out);
		say_offers(s, side, out);
	}
	say_chosen(s, out);
}

static void learn_client(struct ssh *s, struct dissect_input *in, bool sender_is_client)
{
	in->role = sender_is_client ? ROLE_SENDER_IS_CLIENT : ROLE_SENDER_IS_SERVER;
	if (s->client == CLIENT_UNKNOWN)
		s->client = (in->direction == 0) == sender_is_client ? CLIENT_IS_0 : CLIENT_IS_1;
}

/* Bytes have proved nothing: the port, or else who spoke to whom first. */
static void guess_client(struct ssh *s, const struct dissect_input *in)
{
	bool to_port = in->dest_port == PORT, from_port = in->source_port == PORT;

	if (s->client != CLIENT_UNKNOWN)
		return;
	bool sender = to_port == from_port ? in->direction == 0 : to_port;
	s->client = (in->direction == 0) == sender ? CLIENT_IS_0 : CLIENT_IS_1;
}

static void copy_token(char to[41], struct cursor text)
{
	size_t n = cursor_left(&text);

	if (n == 0)
		return;
	if (!grammar_accepts(GRAMMAR_TOKEN, text.at, n)) {
		text = cursor_of("invalid", 7);
		n = 7;
	}
	memcpy(to, text.at, n);
	to[n] = '\0';
}

/* An administrator may write anything here; distributions write their package. */
static bool is_package(const struct cursor *comment)
{
	static const char *const known[] = { "Debian-",  "Ubuntu-", "Raspbian-",
					     "FreeBSD-", "NetBSD_", "FreeBSD " };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (cursor_starts(comment, known[i]))
			return true;
	return false;
}

/* Section 4.2: SSH-protoversion-softwareversion SP comments CR LF */
static void read_banner(struct ssh_side *side, struct cursor line, struct attributes *out)
{
	cursor_skip(&line, strlen("SSH-"));
	const uint8_t *dash = cursor_left(&line) ? memchr(line.at, '-', cursor_left(&line)) : NULL;
	struct cursor version = cursor_sub(&line, dash ? (size_t)(dash - line.at) : 0);

	cursor_skip(&line, 1);
	const uint8_t *blank = cursor_left(&line) ? memchr(line.at, ' ', cursor_left(&line)) : NULL;
	struct cursor software =
		cursor_sub(&line, blank ? (size_t)(blank - line.at) : cursor_left(&line));
	if (blank)
		cursor_skip(&line, 1);
	attributes_text(out, &fields[VERSION], version.at, cursor_left(&version));
	copy_token(side->software, software);
	if (is_package(&line))
		copy_token(side->system, line);
	side->stage = STAGE_PACKETS;
	if (cursor_starts(&version, "1.") && !cursor_starts(&version, "1.99")) {
		attributes_flag(out, &fields[WEAK]);
		side->stage = STAGE_OVER;
	}
}

/* False: not all here. */
static bool take_banner(struct ssh *s, struct dissect_input *in, struct attributes *out)
{
	struct ssh_side *side = &s->sides[in->direction];
	size_t left = cursor_left(&in->bytes), look = left < BANNER_MOST ? left : BANNER_MOST;
	const uint8_t *end = look ? memchr(in->bytes.at, '\n', look) : NULL;

	if (!end) {
		if (left >= BANNER_MOST)
			side->stage = STAGE_OVER;
		return false;
	}
	struct cursor line = cursor_sub(&in->bytes, (size_t)(end - in->bytes.at));
	cursor_skip(&in->bytes, 1);
	if (cursor_left(&line) && line.end[-1] == '\r')
		line.end--;
	if (cursor_starts(&line, "SSH-")) {
		read_banner(side, line, out);
		/* Much is never more than banners, as of a scan. */
		if ((in->source_port == PORT) != (in->dest_port == PORT))
			guess_client(s, in);
		say(s, out);
	}
	return true;
}

/* HASSH: key exchange, cipher, integrity and compression lists, joined by ';'. */
static void fingerprint(const struct cursor lists[10], bool server, char out[HASSH_TEXT])
{
	const unsigned order[] = { 0, 2 + server, 4 + server, 6 + server };
	struct digest d;

	digest_start(&d, DIGEST_MD5);
	for (size_t i = 0; i < 4; i++) {
		if (i)
			digest_add(&d, ";", 1);
		digest_add(&d, lists[order[i]].at, cursor_left(&lists[order[i]]));
	}
	digest_hex(&d, HASSH_TEXT - 1, out);
}

/* Section 7.1: cookie[16], ten name lists, first_kex_packet_follows, reserved u32 */
static bool read_kexinit(struct ssh *s, struct cursor c, struct dissect_input *in)
{
	static const unsigned kept[LISTS] = { 0, 1, 2, 4 };
	struct ssh_side *side = &s->sides[in->direction];
	struct cursor lists[10];

	cursor_skip(&c, 16);
	for (size_t i = 0; i < 10; i++) {
		size_t n = cursor_be32(&c);
		lists[i] = cursor_sub(&c, n);
	}
	cursor_skip(&c, 5);
	if (c.failed)
		return false;
	for (size_t i = 0; i < LISTS; i++)
		keep(&side->lists[i], lists[kept[i]]);
	for (unsigned server = 0; server < 2; server++)
		fingerprint(lists, server, side->hassh[server]);
	side->offered = true;
	/* RFC 8308 and OpenSSH's PROTOCOL 1.10 have names for each side's list. */
	if (has_name(lists[0], "ext-info-c") || has_name(lists[0], "kex-strict-c-v00@openssh.com"))
		learn_client(s, in, true);
	else if (has_name(lists[0], "ext-info-s") ||
		 has_name(lists[0], "kex-strict-s-v00@openssh.com"))
		learn_client(s, in, false);
	return true;
}

static enum dissect_result take_message(struct ssh *s, uint8_t type, struct cursor body,
					struct dissect_input *in, struct attributes *out)
{
	struct ssh_side *side = &s->sides[in->direction];

	if (type == MSG_KEXINIT && !side->offered && !read_kexinit(s, body, in))
		return DISSECT_MALFORMED;
	/* RFC 4253 section 8, 4419 and 5656: 30, 32 and 34 are the client's, 31 and 33 the
	 * server's. */
	if (type >= MSG_KEX_FIRST && type <= MSG_KEX_FIRST + 4)
		learn_client(s, in, type % 2 == 0);
	if (type == MSG_NEWKEYS) {
		guess_client(s, in);
		side->stage = STAGE_OVER;
	}
	if (type == MSG_NEWKEYS || (s->sides[0].offered && s->sides[1].offered))
		in->encrypted = true;
	say(s, out);
	return DISSECT_MORE;
}

enum step { STEP_ON, STEP_WAIT, STEP_BROKEN };

/* Section 6: length u32, padding length u8, message type u8 ... */
static enum step take_packet(struct ssh *s, struct dissect_input *in, struct attributes *out)
{
	struct ssh_side *side = &s->sides[in->direction];
	struct cursor c = in->bytes;
	uint32_t length = cursor_be32(&c);

	if (c.failed)
		return STEP_WAIT;
	if (length < 5 || length > PACKET_MOST || side->packets == PATIENCE)
		return STEP_BROKEN;
	struct cursor packet = cursor_sub(&c, length);
	if (packet.failed)
		return STEP_WAIT;
	side->packets++;
	uint8_t padding = cursor_u8(&packet);
	if (padding < 4 || padding + 2u > length)
		return STEP_BROKEN;
	struct cursor body = cursor_sub(&packet, length - padding - 1u);
	uint8_t type = cursor_u8(&body);
	in->bytes = c;
	return take_message(s, type, body, in, out) == DISSECT_MORE ? STEP_ON : STEP_BROKEN;
}

static bool is_through(const struct ssh *s)
{
	return s->sides[0].stage == STAGE_OVER && s->sides[1].stage == STAGE_OVER;
}

static enum dissect_result finish(struct ssh *s, const struct dissect_input *in,
				  struct attributes *out)
{
	guess_client(s, in);
	say(s, out);
	return DISSECT_DONE;
}

static enum dissect_result ssh_dissect(void *state, struct dissect_input *in,
				       struct attributes *out)
{
	struct ssh *s = state;
	struct ssh_side *side = &s->sides[in->direction];

	if (in->gap && side->stage != STAGE_BANNER)
		side->stage = STAGE_OVER;
	while (cursor_left(&in->bytes) && side->stage != STAGE_OVER) {
		if (side->stage == STAGE_BANNER) {
			if (!take_banner(s, in, out) && side->stage == STAGE_BANNER)
				return DISSECT_MORE;
			continue;
		}
		enum step step = take_packet(s, in, out);
		if (step == STEP_WAIT)
			return DISSECT_MORE;
		if (step == STEP_BROKEN) {
			finish(s, in, out);
			return DISSECT_MALFORMED;
		}
		if (s->chosen)
			return DISSECT_DONE;
	}
	if (side->stage == STAGE_OVER)
		cursor_skip(&in->bytes, cursor_left(&in->bytes));
	return is_through(s) ? finish(s, in, out) : DISSECT_MORE;
}

const struct dissector dissector_ssh = {
	.name = "ssh",
	.summary = "Secure Shell: software, HASSH, algorithms chosen",
	.transports = TRANSPORT_TCP,
	.ports = (const uint16_t[]){ 22, 2222, 0 },
	.fields = fields,
	.first = (const struct byte_range[]){ { 'S', 'S' }, BYTE_RANGES_END },
	.state_size = sizeof(struct ssh),
	.probe = ssh_probe,
	.dissect = ssh_dissect,
};
