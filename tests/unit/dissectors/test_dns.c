/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/stream.h"

extern const struct dissector dissector_dns;

/* id 0x1234, recursion desired: www.example.com A */
static const uint8_t query[] = {
	0x12, 0x34, 0x01, 0x00, 0,   1,   0,   0, 0,   0,   0,   0, 3, 'w', 'w', 'w', 7,
	'e',  'x',  'a',  'm',  'p', 'l', 'e', 3, 'c', 'o', 'm', 0, 0, 1,   0,   1,
};

/* Its answer: a CNAME to edge.example.com, and that one's A and AAAA. */
static const uint8_t answer[] = {
	0x12, 0x34, 0x81, 0x80, 0,    1,   0,   3,   0, 0,   0,   0,   3, 'w', 'w', 'w',
	7,    'e',  'x',  'a',  'm',  'p', 'l', 'e', 3, 'c', 'o', 'm', 0, 0,   1,   0,
	1,    0xc0, 12,   0,    5,    0,   1,   0,   0, 0,   60,  0,   7, 4,   'e', 'd',
	'g',  'e',  0xc0, 16,   0xc0, 45,  0,   1,   0, 1,   0,   0,   0, 60,  0,   4,
	192,  0,    2,    7,    0xc0, 45,  0,   28,  0, 1,   0,   0,   0, 60,  0,   16,
	0x20, 0x01, 0x0d, 0xb8, 0,    0,   0,   0,   0, 0,   0,   0,   0, 0,   0,   7,
};

static const uint8_t refused[] = { 0x12, 0x34, 0x81, 0x05, 0, 0, 0, 0, 0, 0, 0, 0 };

static struct conversation udp(uint16_t server_port)
{
	struct conversation s;
	stream_init(&s, &dissector_dns, TRANSPORT_UDP, 50000, server_port);
	return s;
}

static struct conversation tcp(uint16_t server_port)
{
	struct conversation s;
	stream_init(&s, &dissector_dns, TRANSPORT_TCP, 50000, server_port);
	return s;
}

/* A TCP message with its length in front. */
static size_t framed(uint8_t *out, const void *message, size_t n)
{
	out[0] = (uint8_t)(n >> 8);
	out[1] = (uint8_t)n;
	memcpy(out + 2, message, n);
	return n + 2;
}

static void check_conversation(const struct conversation *s, uint64_t times)
{
	cr_assert(s->claimed);
	cr_assert_eq(s->result, DISSECT_MORE);
	cr_assert_eq(s->client_direction, 0);
	cr_assert_eq(s->confidence, CONFIDENCE_HIGH);
	cr_assert_not(s->encrypted);
	cr_assert_eq(stream_number(s, "dns.queries"), times);
	cr_assert_eq(stream_number(s, "dns.responses"), times);
	cr_assert_eq(stream_number(s, "dns.answers"), 3 * times);
	cr_assert_eq(stream_number(s, "dns.nxdomain"), 0);
	cr_assert_eq(stream_number(s, "dns.errors"), 0);
	cr_assert_eq(stream_number(s, "dns.malformed"), 0);
	cr_assert_str_eq(stream_text(s, "dns.query", 0), "www.example.com");
	cr_assert_str_eq(stream_text(s, "dns.query", 1), "", "a name stands once");
	cr_assert_str_eq(stream_text(s, "dns.qtype", 0), "A");
}

Test(dns, udp_on_any_port)
{
	static const uint16_t ports[] = { 53, 40053 };

	for (size_t i = 0; i < 2; i++) {
		struct conversation s = udp(ports[i]);
		stream_offer(&s, 0, query, sizeof(query));
		cr_assert_eq(s.confidence, i ? CONFIDENCE_MEDIUM : CONFIDENCE_HIGH);
		stream_offer(&s, 1, answer, sizeof(answer));
		check_conversation(&s, 1);
		stream_finish(&s);
	}
}

Test(dns, answers_name_addresses)
{
	struct conversation s = udp(53);
	char text[IP_TEXT];

	stream_offer(&s, 1, answer, sizeof(answer));
	cr_assert_eq(s.client_direction, 0, "the sender of a response is the server");
	cr_assert_eq(s.name_count, 2);
	cr_assert_str_eq(s.names[0].name, "www.example.com");
	cr_assert_str_eq(ip_text(&s.names[0].ip, text), "192.0.2.7");
	cr_assert_str_eq(s.names[1].name, "www.example.com");
	cr_assert_str_eq(ip_text(&s.names[1].ip, text), "2001:db8::7");
	stream_finish(&s);
}

Test(dns, queries_name_nothing)
{
	struct conversation s = udp(53);
	uint8_t forged[sizeof(answer)];

	memcpy(forged, answer, sizeof(answer));
	forged[2] = 0x01;
	forged[3] = 0x00;
	stream_offer(&s, 0, query, sizeof(query));
	stream_offer(&s, 0, forged, sizeof(forged));
	cr_assert_eq(s.name_count, 0);
	cr_assert_eq(stream_number(&s, "dns.queries"), 2);
	cr_assert_eq(stream_number(&s, "dns.answers"), 0);
	stream_finish(&s);
}

Test(dns, errors_are_told_apart)
{
	struct conversation s = udp(53);
	uint8_t none[sizeof(query)];

	memcpy(none, query, sizeof(query));
	none[2] = 0x81;
	none[3] = 0x83;
	stream_offer(&s, 0, query, sizeof(query));
	stream_offer(&s, 1, none, sizeof(none));
	stream_offer(&s, 1, refused, sizeof(refused));
	cr_assert_eq(stream_number(&s, "dns.responses"), 2);
	cr_assert_eq(stream_number(&s, "dns.nxdomain"), 1);
	cr_assert_eq(stream_number(&s, "dns.errors"), 1);
	cr_assert_str_eq(stream_text(&s, "dns.query", 0), "", "what nobody knows stays here");
	cr_assert_str_eq(stream_text(&s, "dns.qtype", 0), "A");
	stream_finish(&s);
}

/* Off port 53 nothing cut is believed; on it, a question that is whole is. */
Test(dns, udp_every_truncation)
{
	for (size_t n = 0; n < sizeof(answer); n++) {
		struct conversation s = udp(40053), hinted = udp(53);

		stream_offer(&s, 1, answer, n);
		cr_assert_not(s.claimed, "%zu bytes", n);
		cr_assert_eq(s.out.count, 0);
		stream_offer(&hinted, 1, answer, n);
		cr_assert_eq(hinted.claimed, n >= sizeof(query), "%zu bytes", n);
		cr_assert_leq(stream_number(&hinted, "dns.answers"), 2);
		stream_finish(&s);
		stream_finish(&hinted);
	}
}

Test(dns, udp_truncation_within_a_claimed_flow_records_no_more_than_there_is)
{
	for (size_t n = 0; n < sizeof(query); n++) {
		struct conversation s = udp(53);

		stream_offer(&s, 0, query, sizeof(query));
		stream_offer(&s, 1, answer, n);
		cr_assert_eq(s.result, DISSECT_MORE);
		cr_assert_eq(stream_number(&s, "dns.responses"), 0, "%zu bytes", n);
		cr_assert_eq(stream_number(&s, "dns.malformed"), 1, "%zu bytes", n);
		stream_finish(&s);
	}
}

Test(dns, udp_trailing_bytes_are_no_dns_off_the_port)
{
	struct conversation s = udp(40053);
	uint8_t longer[sizeof(query) + 1] = { 0 };

	memcpy(longer, query, sizeof(query));
	stream_offer(&s, 0, longer, sizeof(longer));
	cr_assert(s.refused);
	stream_finish(&s);
}

Test(dns, neighbours_of_the_same_format_are_left_alone)
{
	static const uint16_t ports[] = { 5353, 5355, 137 };

	for (size_t i = 0; i < 3; i++) {
		struct conversation s = udp(ports[i]);
		stream_offer(&s, 0, query, sizeof(query));
		cr_assert(s.refused, "port %u", ports[i]);
		stream_finish(&s);
	}
}

Test(dns, tcp_split_at_every_size)
{
	uint8_t ask[2 * (sizeof(query) + 2)], tell[2 * (sizeof(answer) + 2)];
	size_t asked = framed(ask, query, sizeof(query));
	size_t told = framed(tell, answer, sizeof(answer));

	asked += framed(ask + asked, query, sizeof(query));
	told += framed(tell + told, answer, sizeof(answer));
	for (size_t chunk = 1; chunk <= told; chunk++) {
		for (int hinted = 0; hinted < 2; hinted++) {
			struct conversation s = tcp(hinted ? 53 : 40053);
			stream_chunks(&s, 0, ask, asked, chunk);
			stream_chunks(&s, 1, tell, told, chunk);
			check_conversation(&s, 2);
			stream_finish(&s);
		}
	}
}

Test(dns, tcp_every_truncation_waits)
{
	uint8_t tell[sizeof(answer) + 2];
	size_t told = framed(tell, answer, sizeof(answer));

	for (size_t n = 0; n < told; n++) {
		struct conversation s = tcp(40053);
		stream_offer(&s, 1, tell, n);
		cr_assert_not(s.claimed, "%zu bytes", n);
		cr_assert_not(s.refused, "%zu bytes", n);
		cr_assert_eq(s.out.count, 0);
		stream_finish(&s);
	}
}

Test(dns, tcp_message_larger_than_what_is_looked_at)
{
	static uint8_t large[2 + 20000];
	struct conversation s = tcp(53);
	uint8_t ask[sizeof(query) + 2];
	size_t at = 2 + sizeof(query);

	/* A zone in one message: as many TXT records as fit, the last one longer. */
	framed(large, query, sizeof(query));
	large[0] = 20000 >> 8;
	large[1] = 20000 & 0xff;
	large[4] = 0x81;
	large[5] = 0x80;
	uint16_t records = (uint16_t)((20000 - sizeof(query)) / 12);
	large[8] = (uint8_t)(records >> 8);
	large[9] = (uint8_t)records;
	for (unsigned i = 0; i < records; i++, at += 12) {
		static const uint8_t txt[12] = { 0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 0, 0, 0 };
		memcpy(large + at, txt, sizeof(txt));
	}
	stream_offer(&s, 0, ask, framed(ask, query, sizeof(query)));
	stream_chunks(&s, 1, large, sizeof(large), 1460);
	stream_offer(&s, 1, ask, framed(ask, answer, 0)); /* length 0: broken, on the boundary */
	cr_assert_eq(stream_number(&s, "dns.responses"), 1);
	cr_assert_gt(stream_number(&s, "dns.answers"), 300);
	cr_assert_eq(stream_number(&s, "dns.malformed"), 1);
	cr_assert_eq(s.result, DISSECT_MALFORMED);
	stream_finish(&s);
}

Test(dns, tcp_goes_on_behind_a_gap)
{
	uint8_t ask[sizeof(query) + 2];
	size_t n = framed(ask, query, sizeof(query));
	struct conversation s = tcp(53);

	stream_offer(&s, 0, ask, n);
	stream_offer(&s, 0, ask, 20);
	stream_lose(&s, 0);
	stream_offer(&s, 0, ask + 20, n - 20);
	cr_assert_eq(stream_number(&s, "dns.queries"), 1, "the rest of a message is no message");
	stream_chunks(&s, 0, ask, n, 5);
	cr_assert_eq(stream_number(&s, "dns.queries"), 2);
	cr_assert_eq(stream_number(&s, "dns.malformed"), 0);
	stream_finish(&s);
}

Test(dns, tcp_broken_messages_end_it_but_one_does_not)
{
	uint8_t ask[sizeof(query) + 2], bad[sizeof(query) + 2];
	struct conversation s = tcp(53);
	size_t n = framed(ask, query, sizeof(query));

	framed(bad, query, sizeof(query));
	bad[2 + 12] = 0x80; /* reserved kind of label */
	stream_offer(&s, 0, ask, n);
	stream_offer(&s, 0, bad, n);
	stream_offer(&s, 0, ask, n);
	cr_assert_eq(stream_number(&s, "dns.queries"), 2);
	for (int i = 0; i < 4; i++)
		stream_offer(&s, 0, bad, n);
	cr_assert_eq(s.result, DISSECT_MALFORMED);
	cr_assert_eq(stream_number(&s, "dns.malformed"), 5);
	stream_finish(&s);
}

/* Compression pointers to themselves, to each other, forward, into the header. */
Test(dns, pointer_loops_are_refused)
{
	static const uint8_t targets[][2] = {
		{ 0xc0, 12 }, { 0xc0, 14 }, { 0xc0, 99 }, { 0xc0, 2 }, { 0xff, 0xff }
	};

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		uint8_t looped[20] = { 0,    1,  1, 0, 0, 1, [12] = targets[i][0], targets[i][1],
				       0xc0, 12, 0, 1, 0, 1 };
		struct conversation s = udp(53);
		stream_offer(&s, 0, looped, sizeof(looped));
		cr_assert(s.refused, "case %zu", i);
		cr_assert_eq(s.out.count, 0);
		stream_finish(&s);
	}
}

/* Headers that no DNS program sends; the last ones are bearable on port 53. */
Test(dns, headers_that_make_no_sense)
{
	static const struct {
		const char *what;
		size_t at;
		uint8_t value;
		bool hinted;
	} cases[] = {
		{ "opcode 3", 2, 0x19, false },
		{ "reserved bit", 3, 0x40, false },
		{ "a query with an error", 3, 0x03, false },
		{ "two questions", 5, 2, false },
		{ "no question", 5, 0, false },
		{ "more records than fit", 10, 1, true },
		{ "a query that carries an answer", 7, 1, true },
		{ "an authoritative query", 2, 0x05, true },
		{ "opcode 4", 2, 0x21, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t bytes[64] = { 0 };
		struct conversation s = udp(40053), hinted = udp(53);

		/* Room for a record behind the question: nothing else is wrong. */
		memcpy(bytes, query, sizeof(query));
		bytes[cases[i].at] = cases[i].value;
		size_t n = sizeof(query) + (cases[i].at == 7 ? 11 : 0);
		stream_offer(&s, 0, bytes, n);
		cr_assert_not(s.claimed, "%s", cases[i].what);
		stream_offer(&hinted, 0, bytes, n);
		cr_assert_eq(hinted.claimed, cases[i].hinted, "%s on port 53", cases[i].what);
		stream_finish(&s);
		stream_finish(&hinted);
	}
}

Test(dns, odd_names_are_shown_as_invalid)
{
	static const uint8_t odd[] = { 0,   1,   1,   0,   0,   1, 0,   0,   0, 0, 0, 0, 5,
				       'a', '.', 'b', ' ', 'c', 2, 'z', 'z', 0, 0, 1, 0, 1 };
	struct conversation s = udp(53), strict = udp(40053);
	uint8_t answered[sizeof(odd)];

	memcpy(answered, odd, sizeof(odd));
	answered[2] = 0x81;
	stream_offer(&s, 0, odd, sizeof(odd));
	stream_offer(&s, 1, answered, sizeof(answered));
	cr_assert_str_eq(stream_text(&s, "dns.query", 0), "invalid");
	stream_offer(&strict, 0, odd, sizeof(odd));
	cr_assert(strict.refused);
	stream_finish(&s);
	stream_finish(&strict);
}

Test(dns, the_root_and_unknown_types)
{
	static const uint8_t root[] = { 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 99 + 100, 0, 1 };
	struct conversation s = udp(53);

	stream_offer(&s, 0, root, sizeof(root));
	cr_assert(s.claimed);
	cr_assert_str_eq(stream_text(&s, "dns.query", 0), "");
	cr_assert_str_eq(stream_text(&s, "dns.qtype", 0), "TYPE199");
	stream_finish(&s);
}

Test(dns, garbage_is_refused)
{
	uint8_t noise[600];
	uint32_t seed = 1;

	for (int round = 0; round < 2000; round++) {
		for (size_t i = 0; i < sizeof(noise); i++) {
			seed = seed * 1664525 + 1013904223;
			noise[i] = (uint8_t)(seed >> 24);
		}
		struct conversation s = udp(40053), t = tcp(40053);
		stream_offer(&s, 0, noise, (size_t)round % sizeof(noise));
		stream_offer(&t, 0, noise, sizeof(noise));
		cr_assert(!s.claimed && !t.claimed);
		stream_finish(&s);
		stream_finish(&t);
	}
}
