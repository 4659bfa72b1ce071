/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <criterion/criterion.h>

#include "base/ip.h"

static struct ip_addr ip(const char *text)
{
	struct ip_addr a;
	cr_assert(ip_parse(text, &a), "%s", text);
	return a;
}

Test(ip, text_and_back)
{
	static const char *const texts[] = { "0.0.0.0", "10.20.30.40", "255.255.255.255", "::",
					     "::1",     "2001:db8::1", "fe80::1:2" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct ip_addr a = ip(texts[i]);
		char text[IP_TEXT];
		cr_assert_str_eq(ip_text(&a, text), texts[i]);
		cr_assert_eq(ip_is_v4(&a), i < 3);
	}
}

/* Groups of zeros in all places, and of each number of digits. */
Test(ip, texts_are_those_of_inet_ntop)
{
	static const uint16_t groups[] = { 1, 0x20, 0x300, 0x4000, 0xffff, 0xabc, 0x90, 0x1010 };

	for (unsigned zeros = 0; zeros < 256; zeros++)
		for (unsigned first = 0; first < 8; first++) {
			struct ip_addr a = { 0 };
			char text[IP_TEXT], expected[IP_TEXT];
			for (unsigned i = 0; i < 8; i++) {
				uint16_t group = zeros >> i & 1 ? 0 : groups[(first + i) % 8];
				a.bytes[2 * i] = (uint8_t)(group >> 8);
				a.bytes[2 * i + 1] = (uint8_t)group;
			}
			if (ip_is_v4(&a))
				continue;
			inet_ntop(AF_INET6, a.bytes, expected, sizeof(expected));
			cr_assert_str_eq(ip_text(&a, text), expected);
		}
	for (unsigned v = 0; v < 256; v++) {
		struct ip_addr a = ip_from_v4((uint8_t[]){ (uint8_t)v, 0, 7, (uint8_t)(255 - v) });
		char text[IP_TEXT], expected[IP_TEXT];
		inet_ntop(AF_INET, a.bytes + 12, expected, sizeof(expected));
		cr_assert_str_eq(ip_text(&a, text), expected);
	}
}

Test(ip, equal_is_what_compares_so)
{
	struct ip_addr a = ip("2001:db8::1"), b = a;

	cr_assert(ip_equal(&a, &b));
	for (size_t i = 0; i < sizeof(b.bytes); i++) {
		b = a;
		b.bytes[i] ^= 1;
		cr_assert_not(ip_equal(&a, &b));
	}
}

Test(ip, prefixes_hold_what_they_should)
{
	static const struct {
		const char *prefix, *in, *out;
	} rows[] = {
		{ "10.20.0.0/16", "10.20.255.1", "10.21.0.0" },
		{ "10.20.30.128/25", "10.20.30.200", "10.20.30.127" },
		{ "0.0.0.0/0", "255.1.2.3", "2001:db8::1" },
		{ "192.0.2.7", "192.0.2.7", "192.0.2.6" },
		{ "2001:db8:20::/48", "2001:db8:20:ffff::1", "2001:db8:21::" },
		{ "::/0", "::1", NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ip_prefix p;
		cr_assert_null(ip_prefix_parse(rows[i].prefix, &p), "%s", rows[i].prefix);
		struct ip_addr a = ip(rows[i].in);
		cr_assert(ip_prefix_has(&p, &a), "%s in %s", rows[i].in, rows[i].prefix);
		if (!rows[i].out)
			continue;
		a = ip(rows[i].out);
		cr_assert_not(ip_prefix_has(&p, &a), "%s not in %s", rows[i].out, rows[i].prefix);
	}
}

Test(ip, prefixes_print_as_they_were_written)
{
	static const char *const texts[] = { "10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32",
					     "::/0" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct ip_prefix p;
		char text[IP_PREFIX_TEXT];
		cr_assert_null(ip_prefix_parse(texts[i], &p));
		cr_assert_str_eq(ip_prefix_text(&p, text), texts[i]);
	}
}

Test(ip, what_is_no_prefix_is_told_apart)
{
	static const char *const bad[] = {
		"",           "10.0.0/8",       "10.0.0.0/33",    "10.0.0.0/",   "10.0.0.0/x",
		"10.0.0.1/8", "2001:db8::/129", "2001:db8::1/64", "10.0.0.0/8x", "hospital"
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ip_prefix p;
		cr_assert_not_null(ip_prefix_parse(bad[i], &p), "%s", bad[i]);
	}
}

Test(ip, kinds_of_space)
{
	static const char *const private[] = { "10.1.2.3",    "172.16.0.1", "172.31.255.255",
					       "192.168.1.1", "100.64.0.1", "127.0.0.1",
					       "fd00::1",     "::1" };
	static const char *const public[] = { "172.32.0.1", "8.8.8.8", "100.128.0.1", "2001:db8::1",
					      "192.169.0.1" };
	static const char *const local[] = { "224.0.0.251", "255.255.255.255", "169.254.1.1",
					     "ff02::fb",    "fe80::1",         "0.0.0.0",
					     "::" };

	for (size_t i = 0; i < sizeof(private) / sizeof(private[0]); i++) {
		struct ip_addr a = ip(private[i]);
		cr_assert(ip_is_private(&a), "%s", private[i]);
		cr_assert_not(ip_is_local_scope(&a), "%s", private[i]);
	}
	for (size_t i = 0; i < sizeof(public) / sizeof(public[0]); i++) {
		struct ip_addr a = ip(public[i]);
		cr_assert_not(ip_is_private(&a), "%s", public[i]);
	}
	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++) {
		struct ip_addr a = ip(local[i]);
		cr_assert(ip_is_local_scope(&a), "%s", local[i]);
	}
}
