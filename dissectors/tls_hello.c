/* SPDX-License-Identifier: Apache-2.0
 *
 * RFC 8446 section 4.1, RFC 6066 (server name), RFC 7301 (ALPN), RFC 9460 and the
 * drafts of Encrypted Client Hello, RFC 7858 and 9250 (names of resolvers). */
#include "dissectors/tls_hello.h"

#include <stdio.h>
#include <strings.h>

enum {
	EXTENSION_SERVER_NAME = 0,
	EXTENSION_GROUPS = 10,
	EXTENSION_POINT_FORMATS = 11,
	EXTENSION_SIGNATURES = 13,
	EXTENSION_ALPN = 16,
	EXTENSION_TICKET = 35,
	EXTENSION_PRE_SHARED_KEY = 41,
	EXTENSION_SUPPORTED_VERSIONS = 43,
	EXTENSION_ECH = 0xfe0d,
	EXTENSION_ESNI = 0xffce,
};

enum { PORT_DNS_OVER_TLS = 853, DRAFT = 0x7f };

/* Drafts of 1.3 (0x7fNN) stand between 1.2 and 1.3; what is no
 * version (RFC 8701's GREASE) comes last. */
static unsigned rank(unsigned version)
{
	if (version >> 8 == DRAFT)
		return 0x0303U << 8 | (version & 0xff);
	return version >> 8 == 3 ? version << 8 : 0;
}

bool tls_is_13(unsigned version)
{
	return rank(version) > rank(0x0303);
}

/* RFC 6066 section 3. */
static void read_server_name(struct cursor c, struct tls_hello *h)
{
	struct cursor list = cursor_sub(&c, cursor_be16(&c));

	h->has_name = true;
	while (cursor_left(&list)) {
		uint8_t type = cursor_u8(&list);
		struct cursor name = cursor_sub(&list, cursor_be16(&list));
		if (type == 0 && !name.failed && !cursor_left(&h->name))
			h->name = name;
	}
}

static void read_versions(struct cursor c, bool client, struct tls_hello *h)
{
	struct cursor list = client ? cursor_sub(&c, cursor_u8(&c)) : c;

	if (client && cursor_left(&list) >= 2)
		h->highest = 0;
	while (cursor_left(&list) >= 2) {
		uint16_t version = cursor_be16(&list);
		if (!client || rank(version) > rank(h->version))
			h->version = version;
		if (!tls_is_grease(version) && version > h->highest)
			h->highest = version;
	}
}

static struct cursor list16(struct cursor c)
{
	return cursor_sub(&c, cursor_be16(&c));
}

static void read_extension(unsigned type, struct cursor c, bool client, struct tls_hello *h)
{
	switch (type) {
	case EXTENSION_SERVER_NAME:
		if (client)
			read_server_name(c, h);
		break;
	case EXTENSION_GROUPS:
		h->groups = list16(c);
		break;
	case EXTENSION_POINT_FORMATS:
		h->point_formats = cursor_sub(&c, cursor_u8(&c));
		break;
	case EXTENSION_SIGNATURES:
		h->signatures = list16(c);
		break;
	case EXTENSION_ALPN: /* a list on both sides */
		h->protocols = list16(c);
		break;
	case EXTENSION_SUPPORTED_VERSIONS:
		read_versions(c, client, h);
		break;
	case EXTENSION_TICKET:
		h->ticket = cursor_left(&c) > 0;
		break;
	case EXTENSION_PRE_SHARED_KEY:
		h->pre_shared = true;
		break;
	case EXTENSION_ECH:
	case EXTENSION_ESNI:
		h->ech = true;
		break;
	default:
		break;
	}
}

/* RFC 8446 section 4.1.3: a ServerHello with this random asks for another try. */
static bool is_retry(const uint8_t random[32])
{
	static const uint8_t retry[32] = {
		0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
		0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
		0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
	};
	return memcmp(random, retry, sizeof(retry)) == 0;
}

static bool read_choices(struct cursor *c, struct tls_hello *h)
{
	h->ciphers = cursor_sub(c, cursor_be16(c));
	struct cursor compressions = cursor_sub(c, cursor_u8(c));
	size_t n = cursor_left(&h->ciphers);
	return n >= 2 && n % 2 == 0 && cursor_left(&compressions);
}

/* Version u16, random[32], session id u8+, then the client's ciphers u16+ and
 * compressions u8+, or the server's one of each; extensions u16+ may be missing before
 * TLS 1.2. Until draft 21 a server that took 1.3 left session and compression out. */
bool tls_read_hello(struct cursor c, bool client, struct tls_hello *h)
{
	*h = (struct tls_hello){ .version = cursor_be16(&c) };
	h->field_version = h->highest = h->version;
	const uint8_t *random = cursor_take(&c, 32);
	bool draft = !client && h->version >> 8 == DRAFT;
	if (!draft)
		h->session = cursor_sub(&c, cursor_u8(&c));
	if (client && !read_choices(&c, h))
		return false;
	if (!client) {
		h->cipher = cursor_be16(&c);
		cursor_skip(&c, draft ? 0 : 1);
	}
	if (c.failed || (h->version >> 8 != 3 && !draft) || cursor_left(&h->session) > 32)
		return false;
	h->retry = !client && is_retry(random);
	if (!cursor_left(&c))
		return true;
	struct cursor extensions = h->extensions = list16(c);
	cursor_skip(&c, cursor_be16(&c));
	while (cursor_left(&extensions)) {
		uint16_t type = cursor_be16(&extensions);
		struct cursor data = cursor_sub(&extensions, cursor_be16(&extensions));
		if (!data.failed)
			read_extension(type, data, client, h);
	}
	return !c.failed && !extensions.failed && !cursor_left(&c);
}

void tls_record_version(struct attributes *out, const struct field *f, unsigned version)
{
	static const char *const words[] = { "ssl3.0", "1.0", "1.1", "1.2", "1.3" };
	char text[16];
	int n;

	if (version >= 0x0300 && version <= 0x0304) {
		attributes_text(out, f, words[version & 0xff], strlen(words[version & 0xff]));
		return;
	}
	if (version >> 8 == DRAFT)
		n = snprintf(text, sizeof(text), "1.3-draft%u", version & 0xff);
	else
		n = snprintf(text, sizeof(text), "0x%04x", version);
	attributes_text(out, f, text, (size_t)n);
}

/* IANA's ALPN protocol ids, and drafts and others that are met. Only these: a name is a
 * program's own word, and may hold anything. */
static const char *known_protocol(struct cursor name)
{
	/* clang-format off */
	static const char *const known[] = {
		"h2", "http/1.1", "h3", "http/1.0", "http/0.9", "h2c", "dot", "doq",
		"acme-tls/1", "apns-pack-v1", "c-webrtc", "co", "coap", "dicom", "ftp",
		"grpc-exp", "h2-14", "h2-15", "h2-16", "h2-fb", "h3-27", "h3-28", "h3-29",
		"h3-30", "h3-31", "h3-32", "h3-34", "h3-Q043", "h3-Q046", "h3-Q050", "hq-27",
		"hq-28", "hq-29", "hq-interop", "imap", "irc", "managesieve", "mqtt", "nnsp",
		"nntp", "ntske/1", "pop3", "postgresql", "radius/1.0", "radius/1.1", "sip/2",
		"smb", "spdy/1", "spdy/2", "spdy/3", "spdy/3.1", "stun.turn", "sunrpc",
		"tds/8.0", "webrtc", "x-amzn-http-ca", "xmpp-client", "xmpp-server",
		"stun.nat-discovery",
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (cursor_left(&name) == strlen(known[i]) && cursor_starts(&name, known[i]))
			return known[i];
	return "other";
}

void tls_record_protocols(struct attributes *out, const struct field *f, struct cursor list)
{
	while (cursor_left(&list)) {
		struct cursor name = cursor_sub(&list, cursor_u8(&list));
		bool grease =
			cursor_left(&name) == 2 && tls_is_grease(name.at[0] << 8 | name.at[1]);
		if (name.failed || grease)
			continue;
		const char *word = known_protocol(name);
		attributes_text(out, f, word, strlen(word));
	}
}

static bool offers(struct cursor list, const char *protocol)
{
	while (cursor_left(&list)) {
		struct cursor name = cursor_sub(&list, cursor_u8(&list));
		if (cursor_left(&name) == strlen(protocol) && cursor_starts(&name, protocol))
			return true;
	}
	return false;
}

/* Public resolvers that speak DNS over HTTPS, by the names that their operators publish
 * and that browsers and systems carry as presets; hosts below them count too. */
static bool is_resolver(struct cursor name)
{
	static const char *const resolvers[] = {
		"dns.google",       "cloudflare-dns.com",
		"one.one.one.one",  "cloudflare-gateway.com",
		"dns.quad9.net",    "dns9.quad9.net",
		"dns10.quad9.net",  "dns11.quad9.net",
		"doh.opendns.com",  "doh.familyshield.opendns.com",
		"doh.umbrella.com", "dns.umbrella.com",
		"dns.nextdns.io",   "dns.adguard.com",
		"adguard-dns.com",  "doh.cleanbrowsing.org",
		"dns.controld.com", "freedns.controld.com",
		"doh.dns.sb",       "dns.mullvad.net",
		"doh.mullvad.net",  "doh.applied-privacy.net",
		"dns.switch.ch",    "dns.digitale-gesellschaft.ch",
		"fdns1.dismail.de", "doh.libredns.gr",
		"dns0.eu",          "doh.xfinity.com",
		"dns.alidns.com",   "doh.pub",
		"dns.pub",          "doh.360.cn",
		"dns.twnic.tw",     "public.dns.iij.jp",
	};
	size_t n = cursor_left(&name);

	for (size_t i = 0; i < sizeof(resolvers) / sizeof(resolvers[0]); i++) {
		size_t length = strlen(resolvers[i]);
		if (n < length || (n > length && name.at[n - length - 1] != '.'))
			continue;
		if (!strncasecmp((const char *)name.at + (n - length), resolvers[i], length))
			return true;
	}
	return false;
}

/* The word for what carries DNS here, as far as can be told, or NULL. */
static const char *dns_over(const struct tls_hello *h, char transport, uint16_t port,
			    struct cursor name)
{
	bool quic = transport == 'q';

	if (port == PORT_DNS_OVER_TLS || offers(h->protocols, quic ? "doq" : "dot"))
		return quic ? "quic" : "tls";
	return is_resolver(name) ? "https" : NULL;
}

void tls_record_client(const struct tls_hello *h, char transport, uint16_t server_port,
		       const struct tls_client_fields *f, struct attributes *out)
{
	char ja3[JA3_TEXT], ja4[JA4_TEXT];
	struct cursor name = h->name;
	size_t n = cursor_left(&name);

	if (n > 1 && name.at[n - 1] == '.')
		name.end--;
	attributes_text(out, f->sni, name.at, cursor_left(&name));
	tls_record_protocols(out, f->alpn, h->protocols);
	if (f->version_max)
		tls_record_version(out, f->version_max, h->version);
	if (h->ech)
		attributes_flag(out, f->ech);
	if (f->ja3) {
		tls_ja3(h, ja3);
		attributes_text(out, f->ja3, ja3, strlen(ja3));
	}
	tls_ja4(h, transport, ja4);
	attributes_text(out, f->ja4, ja4, strlen(ja4));
	const char *over = dns_over(h, transport, server_port, name);
	if (over)
		attributes_text(out, f->dns_over, over, strlen(over));
}
