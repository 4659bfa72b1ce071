/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/stream.h"

extern const struct dissector dissector_carescape;

static const uint8_t node[4] = { 172, 16, 3, 7 }, everybody[4] = { 172, 16, 3, 255 };

static struct conversation s;
static char text[1024];
static uint8_t message[64];

static void begin(uint16_t port)
{
	stream_finish(&s);
	stream_init(&s, &dissector_carescape, TRANSPORT_UDP, port, port);
	s.ips[0] = ip_from_v4(node);
	s.ips[1] = ip_from_v4(everybody);
	memset(message, 'Z', sizeof(message));
	memcpy(message + 6, node, 4);
}

static void say(unsigned direction, size_t n)
{
	stream_offer(&s, direction, message, n);
	stream_describe(&s, text, sizeof(text));
	cr_expect(!strstr(text, "ZZ"), "%s", text);
}

Test(carescape, time)
{
	begin(2000);
	say(0, 64);
	cr_expect(s.claimed && s.confidence == CONFIDENCE_HIGH);
	cr_expect_str_eq(text, "carescape.time_syncs=1 carescape.role=monitoring-master");
	cr_expect(s.fact_count == 1 && s.facts[0].subject == FACT_SENDER);
	message[9] = 9;
	say(0, 64);
	cr_expect(s.claimed && strstr(text, "carescape.time_syncs=1 "), "one more that is wrong");
}

static void expect_refused(const char *what)
{
	say(0, 64);
	cr_expect(!s.claimed && s.result == DISSECT_NOT_MINE && !s.out.count, "%s", what);
}

Test(carescape, not_without_the_address)
{
	for (size_t i = 6; i < 10; i++) {
		begin(2000);
		message[i] ^= 1;
		expect_refused("another address");
	}
	begin(2000);
	s.ips[1] = ip_from_v4((const uint8_t[]){ 172, 16, 3, 8 });
	expect_refused("to one host");
	begin(2000);
	memset(&s.ips[0], 0xfd, 16);
	expect_refused("IPv6");
	begin(2000);
	say(1, 64);
	cr_expect(!s.claimed && s.result == DISSECT_NOT_MINE, "from the broadcast address");
}

Test(carescape, every_truncation)
{
	for (size_t n = 0; n <= 64; n++) {
		begin(2000);
		say(0, n);
		cr_expect(s.claimed == (n == 64), "%zu", n);
		begin(7000);
		say(0, n);
		cr_expect(s.claimed == (n >= 16), "%zu", n);
	}
}

Test(carescape, discovery_and_alarms)
{
	begin(7000);
	say(0, 40);
	cr_expect_str_eq(text, "carescape.discoveries=1 carescape.role=monitoring-node");
	cr_expect(s.confidence == CONFIDENCE_MEDIUM, "no layout is known");
	begin(7001);
	memset(message, 'Z', 10);
	memcpy(message + 60, node, 4);
	say(0, 64);
	cr_expect_str_eq(text, "carescape.alarms=1 carescape.role=monitoring-node");
	begin(7001);
	memset(message, 'Z', 10);
	memcpy(message + 61, node, 3);
	expect_refused("no address within");
}

Test(carescape, ports_and_transports)
{
	static const struct {
		enum transport transport;
		uint16_t source, dest;
		enum probe_result wanted;
	} rows[] = {
		{ TRANSPORT_UDP, 2000, 2000, PROBE_YES }, { TRANSPORT_UDP, 1, 7000, PROBE_YES },
		{ TRANSPORT_UDP, 1, 7001, PROBE_YES },    { TRANSPORT_UDP, 2000, 1, PROBE_NO },
		{ TRANSPORT_UDP, 7001, 7002, PROBE_NO },  { TRANSPORT_TCP, 2000, 2000, PROBE_NO },
	};

	begin(2000);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect(dissector_carescape.probe(cursor_of(message, 64), rows[i].transport,
						    rows[i].source, rows[i].dest,
						    false) == rows[i].wanted,
			  "%zu", i);
}
