/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "dissectors/der.h"

#define BYTES(...) ((const uint8_t[]){ __VA_ARGS__ }), sizeof((const uint8_t[]){ __VA_ARGS__ })

static struct cursor of(const uint8_t *p, size_t n)
{
	return cursor_of(p, n);
}

Test(der, elements_in_a_row)
{
	struct cursor c = of(BYTES(0x30, 0x05, 0x02, 0x01, 0x2a, 0x05, 0x00, 0x04, 0x01, 0x61));
	struct cursor body = der_take(&c, DER_SEQUENCE);
	int64_t v;

	cr_assert(der_at(&body, DER_INTEGER));
	cr_assert(der_integer(der_take(&body, DER_INTEGER), &v));
	cr_assert_eq(v, 42);
	struct cursor null = der_take(&body, DER_NULL);
	cr_assert_not(null.failed);
	cr_assert_eq(cursor_left(&null), 0);
	struct der e;
	cr_assert_not(der_next(&body, &e), "the end");
	cr_assert_not(body.failed);
	cr_assert(der_next(&c, &e));
	cr_assert_eq(e.tag, DER_OCTET_STRING);
	cr_assert_eq(e.value.at[0], 'a');
}

Test(der, another_tag_fails_both)
{
	struct cursor c = of(BYTES(0x02, 0x01, 0x2a, 0x05, 0x00));
	struct cursor v = der_take(&c, DER_SEQUENCE);

	cr_assert(v.failed);
	cr_assert(c.failed);
	cr_assert_eq(cursor_left(&c), 0);
}

Test(der, every_truncation_fails)
{
	static const uint8_t whole[] = { 0x30, 0x81, 0x80, 0x02, 0x01, 0x05 };
	uint8_t long_one[3 + 128] = { 0 };

	memcpy(long_one, whole, sizeof(whole));
	for (size_t n = 1; n <= sizeof(long_one); n++) {
		uint8_t *exact = malloc(n);
		memcpy(exact, long_one, n);
		struct cursor c = cursor_of(exact, n);
		struct der e;
		cr_assert_eq(der_next(&c, &e), n == sizeof(long_one), "%zu bytes", n);
		cr_assert_eq(c.failed, n < sizeof(long_one));
		free(exact);
	}
}

Test(der, what_only_ber_allows)
{
	static const uint8_t padded[][6] = {
		{ 0x04, 0x81, 0x01, 'x' },
		{ 0x04, 0x82, 0x00, 0x01, 'x' },
		{ 0x04, 0x83, 0x00, 0x00, 0x01, 'x' },
	};

	for (size_t i = 0; i < 3; i++) {
		struct cursor c = cursor_of(padded[i], 4 + i);
		struct cursor v = ber_take(&c, DER_OCTET_STRING);
		cr_assert_eq(cursor_left(&v), 1);
		c = cursor_of(padded[i], 4 + i);
		v = der_take(&c, DER_OCTET_STRING);
		cr_assert(v.failed);
	}
}

Test(der, what_neither_reads)
{
	static const uint8_t refused[][8] = {
		{ 0x30, 0x80, 0x05, 0x00, 0x00, 0x00 },       /* indefinite */
		{ 0x1f, 0x81, 0x01, 0x00 },                   /* a tag of several bytes */
		{ 0x04, 0x85, 0, 0, 0, 0, 0, 0 },             /* five bytes of length */
		{ 0x04, 0xff, 0, 0, 0, 0, 0, 0 },             /* reserved */
		{ 0x04, 0x84, 0xff, 0xff, 0xff, 0xff, 0, 0 }, /* more than there is */
	};

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct cursor c = cursor_of(refused[i], 8);
		struct der e;
		cr_assert_not(ber_next(&c, &e), "%zu", i);
		cr_assert(c.failed);
	}
}

Test(der, a_header_alone)
{
	struct cursor c = of(BYTES(0x30, 0x82, 0x10, 0x00, 0x02, 0x01));
	uint8_t tag;
	uint32_t length;

	cr_assert(der_header(&c, &tag, &length));
	cr_assert_eq(tag, DER_SEQUENCE);
	cr_assert_eq(length, 0x1000);
	cr_assert_eq(cursor_left(&c), 2);
}

Test(der, integers)
{
	int64_t v;

	cr_assert(der_integer(of(BYTES(0xff)), &v));
	cr_assert_eq(v, -1);
	cr_assert(der_integer(of(BYTES(0x00, 0xff)), &v));
	cr_assert_eq(v, 255);
	cr_assert(der_integer(of(BYTES(0x80, 0, 0, 0, 0, 0, 0, 0)), &v));
	cr_assert_eq(v, INT64_MIN);
	cr_assert_not(der_integer(cursor_of(NULL, 0), &v));
	cr_assert_not(der_integer(of(BYTES(1, 0, 0, 0, 0, 0, 0, 0, 0)), &v));
}

Test(der, bits_of_a_modulus)
{
	cr_assert_eq(der_bits(of(BYTES(0x00, 0x80, 0x00))), 16);
	cr_assert_eq(der_bits(of(BYTES(0x01))), 1);
	cr_assert_eq(der_bits(of(BYTES(0x00))), 0);
	cr_assert_eq(der_bits(of(BYTES(0x80))), 0);
	cr_assert_eq(der_bits(cursor_of(NULL, 0)), 0);
}

Test(der, object_identifiers)
{
	char text[32];

	cr_assert_eq(der_oid_text(of(BYTES(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d)), text, 32), 14);
	cr_assert_str_eq(text, "1.2.840.113549");
	cr_assert(der_oid_text(of(BYTES(0x88, 0x37, 0x03)), text, 32));
	cr_assert_str_eq(text, "2.999.3");
	cr_assert(der_oid_text(of(BYTES(0x00)), text, 32));
	cr_assert_str_eq(text, "0.0");
	cr_assert_eq(der_oid_text(of(BYTES(0x2a, 0x86)), text, 32), 0, "cut");
	cr_assert_eq(der_oid_text(of(BYTES(0x2a, 0x80, 0x01)), text, 32), 0, "padded");
	cr_assert_eq(der_oid_text(of(BYTES(0x2a, 0x9f, 0xff, 0xff, 0xff, 0x7f)), text, 32), 0);
	cr_assert_eq(der_oid_text(of(BYTES(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d)), text, 14), 0);
	cr_assert_eq(der_oid_text(cursor_of(NULL, 0), text, 32), 0);
}

static struct cursor text_of(const char *text)
{
	return cursor_of(text, strlen(text));
}

Test(der, times)
{
	char out[CLOCK_TEXT];
	struct usec t;

	cr_assert(der_time(DER_UTC_TIME, text_of("260102030405Z"), &t));
	cr_assert_str_eq(clock_text(t, out), "2026-01-02T03:04:05.000000Z");
	cr_assert(der_time(DER_UTC_TIME, text_of("500102030405Z"), &t));
	cr_assert_str_eq(clock_text(t, out), "1950-01-02T03:04:05.000000Z");
	cr_assert(der_time(DER_GENERALIZED_TIME, text_of("99991231235959Z"), &t));
	cr_assert_str_eq(clock_text(t, out), "9999-12-31T23:59:59.000000Z");
	cr_assert_not(der_time(DER_UTC_TIME, text_of("2601020304Z"), &t));
	cr_assert_not(der_time(DER_UTC_TIME, text_of("260132030405Z"), &t));
	cr_assert_not(der_time(DER_UTC_TIME, text_of("2601a2030405Z"), &t));
	cr_assert_not(der_time(DER_UTC_TIME, text_of("260102030405+"), &t));
	cr_assert_not(der_time(DER_GENERALIZED_TIME, text_of("260102030405Z"), &t));
	cr_assert_not(der_time(DER_INTEGER, text_of("260102030405Z"), &t));
}
