/* SPDX-License-Identifier: Apache-2.0
 *
 * JA3 and JA3S as published by their authors at Salesforce (2017); JA4 for TLS clients
 * as in FoxIO's technical description of 2023, the part under the BSD licence. */
#include "base/line.h"
#include "dissectors/crypto.h"
#include "dissectors/tls_hello.h"

#include <ctype.h>
#include <stdio.h>

enum { CODES_MOST = TLS_HELLO_MOST / 2, JA4_HASH = 12, JA4_COUNT_MOST = 99 };

static const char hex[] = "0123456789abcdef";

/* ---- JA3 ---- */

static void add_number(struct digest *d, unsigned v, bool *first)
{
	char text[8];
	struct line l = line_in(text, sizeof(text)); /* printf would cost more than the digest */

	if (!*first)
		line_bytes(&l, "-", 1);
	line_u64(&l, v & 0xffff);
	digest_add(d, text, (size_t)(l.at - text));
	*first = false;
}

static void add_codes(struct digest *d, struct cursor list)
{
	bool first = true;

	digest_add(d, ",", 1);
	while (cursor_left(&list) >= 2) {
		unsigned code = cursor_be16(&list);
		if (!tls_is_grease(code))
			add_number(d, code, &first);
	}
}

static void add_extensions(struct digest *d, struct cursor list)
{
	bool first = true;

	digest_add(d, ",", 1);
	while (cursor_left(&list)) {
		unsigned type = cursor_be16(&list);
		cursor_skip(&list, cursor_be16(&list));
		if (!list.failed && !tls_is_grease(type))
			add_number(d, type, &first);
	}
}

static void start_ja3(struct digest *d, const struct tls_hello *h)
{
	bool first = true;

	digest_start(d, DIGEST_MD5);
	add_number(d, h->field_version, &first);
}

void tls_ja3(const struct tls_hello *h, char out[JA3_TEXT])
{
	struct cursor formats = h->point_formats;
	struct digest d;
	bool first = true;

	start_ja3(&d, h);
	add_codes(&d, h->ciphers);
	add_extensions(&d, h->extensions);
	add_codes(&d, h->groups);
	digest_add(&d, ",", 1);
	while (cursor_left(&formats))
		add_number(&d, cursor_u8(&formats), &first);
	digest_hex(&d, JA3_TEXT - 1, out);
}

void tls_ja3s(const struct tls_hello *h, char out[JA3_TEXT])
{
	struct digest d;
	bool first = true;

	start_ja3(&d, h);
	digest_add(&d, ",", 1);
	add_number(&d, h->cipher, &first);
	add_extensions(&d, h->extensions);
	digest_hex(&d, JA3_TEXT - 1, out);
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

static void add_hex(struct digest *d, const struct codes *l)
{
	for (size_t i = 0; i < l->count; i++) {
		unsigned c = l->code[i];
		const char text[] = { ',', hex[c >> 12], hex[c >> 8 & 15], hex[c >> 4 & 15],
				      hex[c & 15] };
		digest_add(d, text + !i, sizeof(text) - !i);
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
	struct digest d;

	list_codes(scratch, h->ciphers);
	sort(scratch);
	digest_start(&d, DIGEST_SHA256);
	add_hex(&d, scratch);
	digest_hex(&d, JA4_HASH, out);
	if (!scratch->count)
		memset(out, '0', JA4_HASH);
	return (unsigned)scratch->count;
}

/* Extensions in order of number without server name (0) and ALPN (16), which are told
 * elsewhere but count; then signature algorithms in the client's order. */
static unsigned hash_extensions(const struct tls_hello *h, struct codes *scratch, char *out)
{
	struct cursor list = h->extensions;
	struct digest d;
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
	digest_start(&d, DIGEST_SHA256);
	add_hex(&d, scratch);
	list_codes(scratch, h->signatures);
	if (scratch->count)
		digest_add(&d, "_", 1);
	add_hex(&d, scratch);
	digest_hex(&d, JA4_HASH, out);
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
	snprintf(out, JA4_TEXT, "%c%s%c%02u%02u%c%c_%s_%s", transport, version_word(h->highest),
		 h->has_name ? 'd' : 'i', cipher_count, extension_count, ends[0], ends[1], ciphers,
		 extensions);
}
