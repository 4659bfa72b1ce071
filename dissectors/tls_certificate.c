/* SPDX-License-Identifier: Apache-2.0
 *
 * X.509 certificates (RFC 5280 section 4.1), of servers only: a client's names a person
 * as often as not. Object identifiers: RFC 3279, 4055, 5480, 5758, 8410. */
#include "dissectors/der.h"
#include "dissectors/tls_internal.h"

struct oid {
	uint8_t length;
	uint8_t bytes[11];
};

/* An identifier that we have a word for, and the key size that it stands for, if any. */
struct oid_word {
	struct oid oid;
	const char *word;
	uint16_t bits;
};

/* clang-format off */
static const struct oid_word key_kinds[] = {
	{ { 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1 } }, "rsa", 0 },
	{ { 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10 } }, "rsa-pss", 0 },
	{ { 7, { 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1 } }, "ec", 0 },
	{ { 7, { 0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1 } }, "dsa", 0 },
	{ { 3, { 0x2b, 0x65, 0x70 } }, "ed25519", 256 },
	{ { 3, { 0x2b, 0x65, 0x71 } }, "ed448", 456 },
	{ { 0 }, NULL, 0 },
};
static const struct oid_word curves[] = {
	{ { 8, { 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 1 } }, "p192", 192 },
	{ { 5, { 0x2b, 0x81, 0x04, 0, 33 } }, "p224", 224 },
	{ { 8, { 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7 } }, "p256", 256 },
	{ { 5, { 0x2b, 0x81, 0x04, 0, 10 } }, "k256", 256 },
	{ { 5, { 0x2b, 0x81, 0x04, 0, 34 } }, "p384", 384 },
	{ { 5, { 0x2b, 0x81, 0x04, 0, 35 } }, "p521", 521 },
	{ { 9, { 0x2b, 0x24, 3, 3, 2, 8, 1, 1, 7 } }, "bp256", 256 },
	{ { 9, { 0x2b, 0x24, 3, 3, 2, 8, 1, 1, 11 } }, "bp384", 384 },
	{ { 9, { 0x2b, 0x24, 3, 3, 2, 8, 1, 1, 13 } }, "bp512", 512 },
	{ { 0 }, NULL, 0 },
};
static const struct oid_word signatures[] = {
	{ { 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 2 } }, "md2-rsa", 0 },
	{ { 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4 } }, "md5-rsa", 0 },
	{ { 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5 } }, "sha1-rsa", 0 },
	{ { 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10 } }, "rsa-pss", 0 },
	{ { 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11 } }, "sha256-rsa", 0 },
	{ { 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12 } }, "sha384-rsa", 0 },
	{ { 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13 } }, "sha512-rsa", 0 },
	{ { 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 14 } }, "sha224-rsa", 0 },
	{ { 5, { 0x2b, 0x0e, 3, 2, 29 } }, "sha1-rsa", 0 },
	{ { 7, { 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1 } }, "sha1-ecdsa", 0 },
	{ { 8, { 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 1 } }, "sha224-ecdsa", 0 },
	{ { 8, { 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2 } }, "sha256-ecdsa", 0 },
	{ { 8, { 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3 } }, "sha384-ecdsa", 0 },
	{ { 8, { 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4 } }, "sha512-ecdsa", 0 },
	{ { 7, { 0x2a, 0x86, 0x48, 0xce, 0x38, 4, 3 } }, "sha1-dsa", 0 },
	{ { 9, { 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 2 } }, "sha256-dsa", 0 },
	{ { 3, { 0x2b, 0x65, 0x70 } }, "ed25519", 0 },
	{ { 3, { 0x2b, 0x65, 0x71 } }, "ed448", 0 },
	{ { 0 }, NULL, 0 },
};
/* clang-format on */

static const struct oid common_name = { 3, { 0x55, 4, 3 } };
static const struct oid organisation = { 3, { 0x55, 4, 10 } };
static const struct oid alternative_names = { 3, { 0x55, 0x1d, 17 } };

enum { DNS_NAME = DER_PLAIN_CONTEXT + 2, EXTENSIONS = DER_CONTEXT + 3 };

static const struct oid_word *word_of(const struct oid_word *table, struct cursor id)
{
	for (; table->word; table++)
		if (der_is(&id, table->oid.bytes, table->oid.length))
			return table;
	return NULL;
}

static void record_word(struct attributes *out, enum tls_field f, const char *word)
{
	attributes_text(out, &tls_fields[f], word, strlen(word));
}

static void record_bytes(struct attributes *out, enum tls_field f, struct cursor text)
{
	attributes_text(out, &tls_fields[f], text.at, cursor_left(&text));
}

/* Name ::= sequence of sets of (type, value); the value's string of the first `type`.
 * BMPString and UniversalString are not letters to a grammar, so they end as invalid. */
static struct cursor name_part(struct cursor name, const struct oid *type)
{
	while (cursor_left(&name)) {
		struct cursor set = der_take(&name, DER_SET);
		while (cursor_left(&set)) {
			struct cursor pair = der_take(&set, DER_SEQUENCE);
			struct cursor id = der_take(&pair, DER_OID);
			struct der value;
			if (der_is(&id, type->bytes, type->length) && der_next(&pair, &value))
				return value.value;
		}
	}
	return (struct cursor){ 0 };
}

/* A name for hosts; a wildcard's is that of the hosts' domain. */
static void record_host(struct attributes *out, struct cursor name)
{
	if (cursor_starts(&name, "*.")) {
		cursor_skip(&name, 2);
		attributes_flag(out, &tls_fields[TLS_CERTIFICATE_WILDCARD]);
	}
	record_bytes(out, TLS_CERTIFICATE_NAME, name);
}

static void record_day(struct attributes *out, enum tls_field f, struct usec t)
{
	char text[CLOCK_TEXT];

	attributes_text(out, &tls_fields[f], clock_text(t, text), 10);
}

static void record_validity(struct cursor validity, struct usec now, struct attributes *out)
{
	struct der from, to;
	struct usec t;

	if (!der_next(&validity, &from) || !der_next(&validity, &to))
		return;
	if (der_time(from.tag, from.value, &t)) {
		record_day(out, TLS_CERTIFICATE_NOT_BEFORE, t);
		if (now.v < t.v)
			attributes_flag(out, &tls_fields[TLS_CERTIFICATE_NOT_YET_VALID]);
	}
	if (der_time(to.tag, to.value, &t)) {
		record_day(out, TLS_CERTIFICATE_NOT_AFTER, t);
		if (now.v >= t.v + USEC_PER_SECOND) /* the last second is within */
			attributes_flag(out, &tls_fields[TLS_CERTIFICATE_EXPIRED]);
	}
}

/* For RSA the modulus in the key itself, for DSA and EC what the parameters say. */
static uint32_t key_bits(const struct oid_word *kind, struct cursor parameters, struct cursor key)
{
	struct cursor inner;

	if (kind->bits)
		return kind->bits;
	if (kind->word[0] == 'r') {
		cursor_skip(&key, 1); /* unused bits: none */
		inner = der_take(&key, DER_SEQUENCE);
		return der_bits(der_take(&inner, DER_INTEGER));
	}
	if (kind->word[0] == 'd') {
		inner = der_take(&parameters, DER_SEQUENCE);
		return der_bits(der_take(&inner, DER_INTEGER));
	}
	const struct oid_word *curve = word_of(curves, der_take(&parameters, DER_OID));
	return curve ? curve->bits : 0;
}

static void record_key(struct cursor info, struct attributes *out)
{
	struct cursor algorithm = der_take(&info, DER_SEQUENCE);
	struct cursor id = der_take(&algorithm, DER_OID);
	struct cursor key = der_take(&info, DER_BIT_STRING);
	const struct oid_word *kind = word_of(key_kinds, id);

	if (info.failed || id.failed)
		return;
	record_word(out, TLS_CERTIFICATE_KEY, kind ? kind->word : "other");
	uint32_t bits = kind ? key_bits(kind, algorithm, key) : 0;
	if (bits)
		attributes_number(out, &tls_fields[TLS_CERTIFICATE_KEY_BITS], bits);
}

/* A common name that is none of a host is told as "invalid" only where no alternative
 * is one. */
static void record_alternative(struct cursor names, struct attributes *out)
{
	const struct attribute *said = attributes_find(out, &tls_fields[TLS_CERTIFICATE_NAME]);
	struct cursor list = der_take(&names, DER_SEQUENCE);
	struct der name;

	if (said && strcmp(attribute_text(out, said), "invalid"))
		return;
	while (der_next(&list, &name)) {
		if (name.tag != DNS_NAME)
			continue;
		record_host(out, name.value);
		return;
	}
}

/* As far as they are here: (id, critical, value) each. */
static void record_extensions(struct cursor c, struct attributes *out)
{
	uint8_t tag;
	uint32_t length;
	struct der e;

	if (!der_header(&c, &tag, &length) || tag != EXTENSIONS || !der_header(&c, &tag, &length) ||
	    tag != DER_SEQUENCE)
		return;
	while (der_next(&c, &e) && e.tag == DER_SEQUENCE) {
		struct cursor id = der_take(&e.value, DER_OID);
		if (!der_is(&id, alternative_names.bytes, alternative_names.length))
			continue;
		if (der_at(&e.value, DER_BOOLEAN))
			(void)der_take(&e.value, DER_BOOLEAN);
		record_alternative(der_take(&e.value, DER_OCTET_STRING), out);
		return;
	}
}

static bool same(struct cursor a, struct cursor b)
{
	return cursor_left(&a) == cursor_left(&b) &&
	       (!cursor_left(&a) || memcmp(a.at, b.at, cursor_left(&a)) == 0);
}

static void record_issuer(struct cursor issuer, struct attributes *out)
{
	struct cursor name = name_part(issuer, &common_name);

	record_bytes(out, TLS_CERTIFICATE_ISSUER,
		     cursor_left(&name) ? name : name_part(issuer, &organisation));
}

static void record_subject(struct cursor subject, struct attributes *out)
{
	struct cursor name = name_part(subject, &common_name);

	if (cursor_left(&name))
		record_host(out, name);
	record_bytes(out, TLS_CERTIFICATE_ORGANISATION, name_part(subject, &organisation));
}

void tls_record_certificate(struct cursor c, struct usec now, struct attributes *out)
{
	uint8_t tag;
	uint32_t length;

	/* Headers only, for the end may not be here. */
	if (!der_header(&c, &tag, &length) || tag != DER_SEQUENCE ||
	    !der_header(&c, &tag, &length) || tag != DER_SEQUENCE)
		return;
	if (der_at(&c, DER_CONTEXT)) /* version */
		(void)der_take(&c, DER_CONTEXT);
	(void)der_take(&c, DER_INTEGER); /* serial number */
	struct cursor signature = der_take(&c, DER_SEQUENCE);
	struct cursor issuer = der_take(&c, DER_SEQUENCE);
	struct cursor validity = der_take(&c, DER_SEQUENCE);
	struct cursor subject = der_take(&c, DER_SEQUENCE);
	if (c.failed)
		return;
	const struct oid_word *how = word_of(signatures, der_take(&signature, DER_OID));
	record_word(out, TLS_CERTIFICATE_SIGNATURE, how ? how->word : "other");
	record_validity(validity, now, out);
	record_subject(subject, out);
	if (same(issuer, subject))
		attributes_flag(out, &tls_fields[TLS_CERTIFICATE_SELF_SIGNED]);
	else
		record_issuer(issuer, out);
	record_key(der_take(&c, DER_SEQUENCE), out);
	record_extensions(c, out);
}
