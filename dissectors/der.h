/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads ASN.1 in its distinguished and basic encodings (ITU-T X.690) from untrusted
 * bytes: certificates and Kerberos (DER), SNMP and LDAP (BER with definite lengths).
 *
 * As with the cursor below it, a read that does not fit marks the cursor failed and
 * empties it, so a structure is read in a straight line and asked about once:
 *
 *	struct cursor body = der_take(&c, DER_SEQUENCE);
 *	struct cursor serial = der_take(&body, DER_INTEGER);
 *	if (body.failed) ...
 *
 * Not read: tags of more than one byte, indefinite lengths, lengths of 2^32 and more.
 * Nothing here recurses; how deep a parser goes is in its code. */
#pragma once

#include "base/clock.h"
#include "base/cursor.h"

/* The whole first byte: class, constructed bit, number. */
enum {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_ENUMERATED = 0x0a,
	DER_UTF8_STRING = 0x0c,
	DER_PRINTABLE_STRING = 0x13,
	DER_T61_STRING = 0x14,
	DER_IA5_STRING = 0x16,
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_GENERAL_STRING = 0x1b,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_APPLICATION = 0x60,   /* + number: [APPLICATION n], constructed */
	DER_PLAIN_CONTEXT = 0x80, /* + number: [n], primitive */
	DER_CONTEXT = 0xa0,       /* + number: [n], constructed */
};

/* One element. */
struct der {
	uint8_t tag;
	struct cursor value;
};

/* Tag and length alone, for an element that need not be here wholly; the value's
 * bytes follow in `c`. False when `c` failed. */
bool der_header(struct cursor *c, uint8_t *tag, uint32_t *length);

/* The next element, whatever it is. False at the end of `c` (which does not fail) and
 * when it failed; so `while (der_next(&c, &e))` and then `c.failed`. */
bool der_next(struct cursor *c, struct der *e);

/* The value of the next element, which must be of this tag; else both it and `c` are
 * failed. */
struct cursor der_take(struct cursor *c, uint8_t tag);

/* Is the next element of this tag? Takes nothing. */
static inline bool der_at(const struct cursor *c, uint8_t tag)
{
	return cursor_peek(c, 0) == tag;
}

/* The same three for BER: a length may take more bytes than it needs (many SNMP agents
 * write 82 00 05 for 5), four at most behind the first. */
bool ber_header(struct cursor *c, uint8_t *tag, uint32_t *length);
bool ber_next(struct cursor *c, struct der *e);
struct cursor ber_take(struct cursor *c, uint8_t tag);

/* An INTEGER or ENUMERATED value of up to 8 bytes, with its sign. */
bool der_integer(struct cursor value, int64_t *v);

/* How many bits an INTEGER's magnitude has when it is read as unsigned (a modulus);
 * 0 for an empty or negative one. */
uint32_t der_bits(struct cursor value);

/* Are these the encoded bytes of an object identifier? */
static inline bool der_is(const struct cursor *value, const void *bytes, size_t n)
{
	return cursor_left(value) == n && n && memcmp(value->at, bytes, n) == 0;
}

/* An object identifier as 1.2.840.113549. Its length; 0 when it is malformed, an arc
 * is larger than 32 bits, or `size` bytes, NUL included, do not hold it. */
size_t der_oid_text(struct cursor value, char *out, size_t size);

/* A UTCTime or GeneralizedTime (`tag` says which) as RFC 5280 section 4.1.2.5 and RFC
 * 4120 write it: whole seconds and a Z. UTCTime is 1950 to 2049. */
bool der_time(uint8_t tag, struct cursor value, struct usec *t);
