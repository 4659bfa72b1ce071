/* SPDX-License-Identifier: Apache-2.0
 *
 * JA3 and JA3S as published by their authors at Salesforce (2017); JA4 for TLS clients
 * as in FoxIO's technical description of 2023, the part under the BSD licence. */
#include "base/line.h"
#include "dissectors/crypto.h"
#include "dissectors/tls_hello.h"

#include <ctype.h>

enum { CODES_MOST = TLS_HELLO_MOST / 2, JA4_HASH = 12, JA4_COUNT_MOST = 99 };

static const char hex[] = "0123456789abcdef";

/* Text on its way into a digest: a digest's own steps cost more than a few bytes do. */
struct script {
	struct digest digest;
	size_t used;
	char text[256];
};

enum { PIECE_MOST = 8 };

static void script_start(struct script *s, enum digest_kind kind)
{
	digest_start(&s->digest, kind);
	s->used = 0;
}

/* Room for a piece more. */
static char *script_room(struct script *s)
{
	if (s->used + PIECE_MOST > sizeof(s->text)) {
		digest_add(&s->digest, s->text, s->used);
		s->used = 0;
	}
	return s->text + s->used;
}

static void script_letter(struct script *s, char c)
{
	*script_room(s) = c;
	s->used++;
}

static void script_end(struct script *s, size_t digits, char *out)
{
	digest_add(&s->digest, s->text, s->used);
	digest_hex(&s->digest, digits, out);
}

/* ---- JA3 ---- */

static void add_number(struct script *s, unsigned v, bool *first)
{
	char *to = script_room(s), digits[5];
	size_t n = 0, at = 0;

	v &= 0xffff;
	if (!*first)
		to[at++] = '-';
	do {
		digits[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	while (n)
		to[at++] = digits[--n];
	s->used += at;
	*first = false;
}

static void add_codes(struct script *s, struct cursor list)
{
	bool first = true;

	script_letter(s, ',');
	while (cursor_left(&list) >= 2) {
		unsigned code = cursor_be16(&list);
		if (!tls_is_grease(code))
			add_number(s, code, &first);
	}
}

static void add_extensions(struct script *s, struct cursor list)
{
	bool first = true;

	script_letter(s, ',');
	while (cursor_left(&list)) {
		unsigned type = cursor_be16(&list);
		cursor_skip(&list, cursor_be16(&list));
		if (!list.failed && !tls_is_grease(type))
			add_number(s, type, &first);
	}
}

static void start_ja3(struct script *s, const struct tls_hello *h)
{
	bool first = true;

	script_start(s, DIGEST_MD5);
	add_number(s, h->field_version, &first);
}

void tls_ja3(const struct tls_hello *h, char out[JA3_TEXT])
{
	struct cursor formats = h->point_formats;
	struct script s;
	bool first = true;

	start_ja3(&s, h);
	add_codes(&s, h->ciphers);
	add_extensions(&s, h->extensions);
	add_codes(&s, h->groups);
	script_letter(&s, ',');
	while (cursor_left(&formats))
		add_number(&s, cursor_u8(&formats), &first);
	script_end(&s, JA3_TEXT - 1, out);
}

void tls_ja3s(const struct tls_hello *h, char out[JA3_TEXT])
{
	struct script s;
	bool first = true;

	start_ja3(&s, h);
	script_letter(&s, ',');
	add_number(&s, h->cipher, &first);
	add_extensions(&s, h->extensions);
	script_end(&s, JA3_TEXT - 1, out);
}

/* ---- JA4 ---- */

struct codes {
	size_t count;
	uint16_t code[CODES_MOST];
};

/* Shell's, for qsort may allocate. */
static void sort(struct codes *l)
{
	for (size_t gap = 3280; gap; gap /= 3) /* (3^8 - 1) / 2, and so on down */
		for (size_t i = gap; i < l->count; i++) {
			uint16_t v = l->code[i];
			size_t at = i;
			for (; at >= gap && l->code[at - gap] > v; at -= gap)
				l->code[at] = l->code[at - gap];
			l->code[at] = v;
		}
}

static void append(struct codes *l, unsigned code)
{
	if (!tls_is_grease(code) && l->count < CODES_MOST)
		l->code[l->count++] = (uint16_t)code;
}

static void add_hex(struct script *s, const struct codes *l)
{
	for (size_t i = 0; i < l->count; i++) {
		char *to = script_room(s);
		unsigned c = l->code[i];
		if (i)
			*to++ = ',';
		to[0] = hex[c >> 12];
		to[1] = hex[c >> 8 & 15];
		to[2] = hex[c >> 4 & 15];
		to[3] = hex[c & 15];
		s->used += 4 + (i > 0);
	}
}

static void list_codes(struct codes *l, struct cursor list)
{
	l->count = 0;
	while (cursor_left(&list) >= 2)
		append(l, cursor_be16(&list));
}

/* Ciphers in order of number. `scratch` is the caller's, for it is large. */
static unsigned hash_ciphers(const struct tls_hello *h, struct codes *scratch, char *out)
{
	struct script s;

	list_codes(scratch, h->ciphers);
	sort(scratch);
	script_start(&s, DIGEST_SHA256);
	add_hex(&s, scratch);
	script_end(&s, JA4_HASH, out);
	if (!scratch->count)
		memset(out, '0', JA4_HASH);
	return (unsigned)scratch->count;
}

/* Extensions in order of number without server name (0) and ALPN (16), which are told
 * elsewhere but count; then signature algorithms in the client's order. */
static unsigned hash_extensions(const struct tls_hello *h, struct codes *scratch, char *out)
{
	struct cursor list = h->extensions;
	struct script s;
	unsigned told = 0;

	scratch->count = 0;
	while (cursor_left(&list)) {
		unsigned type = cursor_be16(&list);
		cursor_skip(&list, cursor_be16(&list));
		if (type == 0 || type == 16)
			told++;
		else
			append(scratch, type);
	}
	unsigned count = (unsigned)scratch->count + told;
	sort(scratch);
	script_start(&s, DIGEST_SHA256);
	add_hex(&s, scratch);
	list_codes(scratch, h->signatures);
	if (scratch->count)
		script_letter(&s, '_');
	add_hex(&s, scratch);
	script_end(&s, JA4_HASH, out);
	if (!count)
		memset(out, '0', JA4_HASH);
	return count;
}

static const char *version_word(unsigned version)
{
	switch (version) {
	case 0x0304:
		return "13";
	case 0x0303:
		return "12";
	case 0x0302:
		return "11";
	case 0x0301:
		return "10";
	case 0x0300:
		return "s3";
	default:
		return "00";
	}
}

/* First and last character of the first protocol; of its hexadecimal digits when one of
 * the two is no letter or digit. */
static void protocol_ends(struct cursor list, char out[2])
{
	struct cursor name;
	size_t n;

	do {
		name = cursor_sub(&list, cursor_u8(&list));
		n = cursor_left(&name);
	} while (n == 2 && tls_is_grease((unsigned)(name.at[0] << 8 | name.at[1])));
	out[0] = out[1] = '0';
	if (!n)
		return;
	uint8_t first = name.at[0], last = name.at[n - 1];
	bool readable = first < 0x80 && last < 0x80 && isalnum(first) && isalnum(last);
	out[0] = readable ? (char)first : hex[first >> 4];
	out[1] = readable ? (char)last : hex[last & 0xf];
}

void tls_ja4(const struct tls_hello *h, char transport, char out[JA4_TEXT])
{
	char ciphers[JA4_HASH + 1], extensions[JA4_HASH + 1], ends[2];
	struct codes scratch;

	unsigned cipher_count = hash_ciphers(h, &scratch, ciphers);
	unsigned extension_count = hash_extensions(h, &scratch, extensions);
	if (cipher_count > JA4_COUNT_MOST)
		cipher_count = JA4_COUNT_MOST;
	if (extension_count > JA4_COUNT_MOST)
		extension_count = JA4_COUNT_MOST;
	protocol_ends(h->protocols, ends);
	const char *version = version_word(h->highest);
	const char head[] = {
		transport,
		version[0],
		version[1],
		h->has_name ? 'd' : 'i',
		(char)('0' + cipher_count / 10),
		(char)('0' + cipher_count % 10),
		(char)('0' + extension_count / 10),
		(char)('0' + extension_count % 10),
		ends[0],
		ends[1],
	};
	struct line l = line_in(out, JA4_TEXT); /* printf would cost more than a digest */
	line_bytes(&l, head, sizeof(head));
	line_bytes(&l, "_", 1);
	line_bytes(&l, ciphers, JA4_HASH);
	line_bytes(&l, "_", 1);
	line_bytes(&l, extensions, JA4_HASH);
}
