/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/bytes.h"
#include "tests/unit/dissectors/stream.h"

extern const struct dissector dissector_snmp;

enum { GET = 0xa0, GET_NEXT, RESPONSE, SET, TRAP_1, GET_BULK, INFORM, TRAP_2, REPORT };

/* An element of what was put together. */
static struct bytes element(uint8_t tag, struct bytes value)
{
	struct bytes b = { .n = 0 };

	PUT(&b, tag, 0x82); /* longer than need be, as many agents write it */
	put_be16(&b, (unsigned)value.n);
	put(&b, value.at, value.n);
	return b;
}

static void add(struct bytes *b, struct bytes more)
{
	put(b, more.at, more.n);
}

static void put_string(struct bytes *b, const char *text)
{
	PUT(b, 4, (uint8_t)strlen(text));
	put_text(b, text);
}

/* 1.3.6.1.2.1.1.NUMBER.0 */
static void put_object(struct bytes *b, uint8_t number, uint8_t tag, const void *value, size_t n)
{
	struct bytes binding = { .n = 0 };

	PUT(&binding, 6, 8, 0x2b, 6, 1, 2, 1, 1, number, 0, tag, (uint8_t)n);
	put(&binding, value, n);
	add(b, element(0x30, binding));
}

static struct bytes pdu(uint8_t tag, uint8_t error, struct bytes bindings)
{
	struct bytes b = { .n = 0 };

	PUT(&b, 2, 4, 0x12, 0x34, 0x56, 0x78, 2, 1, error, 2, 1, 0);
	add(&b, element(0x30, bindings));
	return element(tag, b);
}

static struct bytes message(uint8_t version, const char *community, struct bytes inside)
{
	struct bytes b = { .n = 0 };

	PUT(&b, 2, 1, version);
	put_string(&b, community);
	add(&b, inside);
	return element(0x30, b);
}

static struct bytes system_of(const char *description)
{
	static const uint8_t oid[] = { 0x2b, 6, 1, 4, 1, 9, 1, 0x84, 0x6c };
	struct bytes bindings = { .n = 0 };

	put_object(&bindings, 1, 4, description, strlen(description));
	put_object(&bindings, 2, 6, oid, sizeof(oid));
	put_object(&bindings, 4, 4, "ZZPHI contact", 13);
	put_object(&bindings, 5, 4, "ZZPHI-name", 10);
	return bindings;
}

static struct bytes version_3(uint8_t flags, struct bytes scoped)
{
	struct bytes b = { .n = 0 }, global = { .n = 0 }, usm = { .n = 0 }, parameters = { .n = 0 };

	PUT(&global, 2, 1, 7, 2, 2, 5, 0xdc, 4, 1, flags, 2, 1, 3);
	PUT(&usm, 4, 9, 0x80, 0, 0x1f, 0x88, 4, 1, 2, 3, 4, 2, 1, 1, 2, 1, 9);
	put_string(&usm, "ZZPHIuser");
	put_string(&usm, "ZZSECRET");
	put_string(&usm, "");
	add(&parameters, element(0x30, usm));
	PUT(&b, 2, 1, 3);
	add(&b, element(0x30, global));
	add(&b, element(4, parameters));
	add(&b, scoped);
	return element(0x30, b);
}

static struct bytes scoped(struct bytes inside)
{
	struct bytes b = { .n = 0 };

	put_string(&b, "ZZPHI");
	put_string(&b, "ZZPHI context");
	add(&b, inside);
	return element(0x30, b);
}

static struct conversation offer(const struct bytes *b, uint16_t from, uint16_t to)
{
	struct conversation s;

	stream_init(&s, &dissector_snmp, TRANSPORT_UDP, from, to);
	stream_offer(&s, 0, b->at, b->n);
	return s;
}

Test(snmp, an_agent_tells_what_it_is_on_any_port)
{
	static const uint16_t ports[] = { 161, 50161 };
	struct bytes b =
		message(1, "ZZSECRET", pdu(RESPONSE, 0, system_of("Cisco IOS Software, x")));

	for (size_t i = 0; i < 2; i++) {
		struct conversation s = offer(&b, ports[i], 40000);
		cr_assert(s.claimed);
		cr_expect_eq(s.client_direction, 1);
		cr_expect_eq(stream_number(&s, "snmp.responses"), 1);
		cr_expect_str_eq(stream_text(&s, "snmp.versions", 0), "2c");
		cr_expect_str_eq(stream_text(&s, "snmp.system", 0), "Cisco IOS Software x");
		cr_expect_str_eq(stream_text(&s, "snmp.object_id", 0), "1.3.6.1.4.1.9.1.620");
		cr_expect_str_eq(stream_text(&s, "snmp.default_community", 0), "");
		cr_expect(stream_hides(&s, "ZZ"));
		stream_finish(&s);
	}
}

Test(snmp, the_host_s_name_in_a_description_stays)
{
	struct bytes b = message(
		0, "x", pdu(RESPONSE, 0, system_of("Linux ZZPHI-doe 6.1.0-13-amd64 #1 SMP")));
	struct conversation s = offer(&b, 161, 40000);

	cr_expect_str_eq(stream_text(&s, "snmp.system", 0), "Linux 6.1.0-13-amd64");
	cr_expect(stream_hides(&s, "ZZ"));
	stream_finish(&s);
}

Test(snmp, what_is_asked_is_counted_by_kind)
{
	static const struct {
		uint8_t tag;
		const char *field;
		bool from_client;
	} rows[] = {
		{ GET, "snmp.gets", true },
		{ GET_NEXT, "snmp.walks", true },
		{ GET_BULK, "snmp.walks", true },
		{ SET, "snmp.sets", true },
		{ INFORM, "snmp.traps", true },
		{ TRAP_2, "snmp.traps", true },
		{ RESPONSE, "snmp.responses", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bytes b = message(1, "x", pdu(rows[i].tag, 0, system_of("ZZPHI")));
		struct conversation s = offer(&b, 1, 2);
		cr_assert(s.claimed, "%s", rows[i].field);
		cr_expect_eq(stream_number(&s, rows[i].field), 1, "%s", rows[i].field);
		cr_expect_eq(s.client_direction, !rows[i].from_client);
		if (rows[i].from_client)
			cr_expect_str_eq(stream_text(&s, "snmp.system", 0), "",
					 "a value that is sent to be set is no description");
		stream_finish(&s);
	}
}

Test(snmp, communities_that_everybody_knows_are_told)
{
	static const char *const rows[][2] = { { "public", "public" }, { "private", "private" },
					       { "publi", "" },        { "public2", "" },
					       { "ZZSECRET", "" },     { "", "" } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bytes none = { .n = 0 }, b = message(0, rows[i][0], pdu(GET, 0, none));
		struct conversation s = offer(&b, 40000, 161);
		cr_expect_str_eq(stream_text(&s, "snmp.default_community", 0), rows[i][1]);
		stream_finish(&s);
	}
}

Test(snmp, errors_say_nothing_else)
{
	struct bytes b = message(0, "x", pdu(RESPONSE, 2, system_of("Example 1")));
	struct conversation s = offer(&b, 161, 40000);

	cr_expect_eq(stream_number(&s, "snmp.errors"), 1);
	cr_expect_str_eq(stream_text(&s, "snmp.system", 0), "");
	stream_finish(&s);
}

Test(snmp, a_trap_of_version_1)
{
	struct bytes inside = { .n = 0 };

	PUT(&inside, 6, 3, 0x2b, 6, 1, 0x40, 4, 10, 10, 1, 20, 2, 1, 6, 2, 1, 1, 0x43, 1, 0);
	struct bytes b = message(0, "public", element(TRAP_1, inside));
	struct conversation s = offer(&b, 40000, 162);
	cr_assert(s.claimed);
	cr_expect_eq(stream_number(&s, "snmp.traps"), 1);
	stream_finish(&s);
	b = message(1, "public", element(TRAP_1, inside));
	s = offer(&b, 40000, 162);
	cr_expect(s.refused, "version 2c has another one");
	stream_finish(&s);
}

Test(snmp, version_3)
{
	struct bytes b = version_3(1, scoped(pdu(RESPONSE, 0, system_of("Example 1"))));
	struct conversation s = offer(&b, 161, 40000);

	cr_assert(s.claimed);
	cr_expect_str_eq(stream_text(&s, "snmp.versions", 0), "3");
	cr_expect_str_eq(stream_text(&s, "snmp.security", 0), "authenticated");
	cr_expect_str_eq(stream_text(&s, "snmp.engine_enterprise", 0), "8072");
	cr_expect_str_eq(stream_text(&s, "snmp.system", 0), "Example 1");
	cr_expect(stream_hides(&s, "ZZ"));
	stream_finish(&s);
	struct bytes cipher = { .n = 0 };
	put_string(&cipher, "ZZSECRET and so on");
	b = version_3(3, cipher);
	s = offer(&b, 161, 40000);
	cr_assert(s.claimed);
	cr_expect_str_eq(stream_text(&s, "snmp.security", 0), "encrypted");
	cr_expect_eq(s.role_sender[ROLE_SENDER_IS_CLIENT] + s.role_sender[ROLE_SENDER_IS_SERVER],
		     0);
	cr_expect(stream_hides(&s, "ZZ"));
	stream_finish(&s);
}

static void expect_refused(const struct bytes *b, size_t n)
{
	struct bytes part = { .n = n };

	memcpy(part.at, b->at, n);
	struct conversation s = offer(&part, 161, 40000);
	cr_expect(s.refused, "%zu bytes", n);
	stream_finish(&s);
}

Test(snmp, every_truncation)
{
	struct bytes v2 = message(1, "ZZSECRET", pdu(RESPONSE, 0, system_of("Example 1")));
	struct bytes v3 = version_3(1, scoped(pdu(RESPONSE, 0, system_of("Example 1"))));

	for (size_t n = 0; n < v2.n; n++)
		expect_refused(&v2, n);
	for (size_t n = 0; n < v3.n; n++)
		expect_refused(&v3, n);
}

Test(snmp, what_it_is_not)
{
	static const uint8_t ldap[] = { 0x30, 12, 2, 1, 1, 0x60, 7, 2, 1, 3, 4, 0, 0x80, 0 };
	struct bytes none = { .n = 0 }, later = message(2, "x", pdu(GET, 0, none)),
		     more = message(1, "x", pdu(GET, 0, none)), b = { .n = 0 };

	put(&b, ldap, sizeof(ldap));
	PUT(&more, 0);
	expect_refused(&b, b.n);
	expect_refused(&later, later.n);
	expect_refused(&more, more.n);
}

Test(snmp, what_breaks_the_format_is_counted)
{
	struct bytes none = { .n = 0 }, b = message(1, "x", pdu(GET, 0, none));
	struct conversation s = offer(&b, 40000, 161);

	stream_offer(&s, 0, b.at, b.n - 1);
	cr_expect_eq(stream_number(&s, "snmp.malformed"), 1);
	cr_expect_eq(stream_number(&s, "snmp.gets"), 1);
	stream_finish(&s);
}
