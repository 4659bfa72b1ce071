/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/stream.h"

extern const struct dissector dissector_s7;

#define TPKT(n) 3, 0, 0, n
#define DATA(n) TPKT(n), 2, 0xf0, 0x80

/* To rack 1, slot 3, as an engineering station. */
static const uint8_t connect[] = { TPKT(22), 17,   0xe0, 0, 0, 0,    1, 0, 0xc0, 1,
				   10,       0xc1, 2,    1, 0, 0xc2, 2, 1, 0x23 };
static const uint8_t confirm[] = { TPKT(22), 17,   0xd0, 0, 1, 0,    2, 0, 0xc0, 1,
				   10,       0xc1, 2,    1, 0, 0xc2, 2, 1, 0x23 };
static const uint8_t setup[] = { DATA(25), 0x32, 1, 0, 0, 0, 1, 0, 8,   0,
				 0,        0xf0, 0, 0, 1, 0, 1, 1, 0xe0 };
static const uint8_t setup_done[] = { DATA(27), 0x32, 3,    0, 0, 0, 1, 0, 8, 0,  0,
				      0,        0,    0xf0, 0, 0, 1, 0, 1, 0, 240 };
static const uint8_t read_var[] = { DATA(31), 0x32, 1,    0, 0, 0, 2, 0, 14,   0, 0, 4, 1,
				    0x12,     0x0a, 0x10, 2, 0, 4, 0, 1, 0x84, 0, 0, 0 };
static const uint8_t write_var[] = { DATA(37), 0x32, 1,    0,    0,    0, 3, 0,   14, 0, 6,
				     5,        1,    0x12, 0x0a, 0x10, 2, 0, 1,   0,  1, 0x84,
				     0,        0,    0,    0,    4,    0, 8, 'Z', 'Z' };
/* The second of two items is refused. */
static const uint8_t written[] = {
	DATA(23), 0x32, 3, 0, 0, 0, 3, 0, 2, 0, 2, 0, 0, 5, 2, 0xff, 0x0a
};
static const uint8_t stop[] = { DATA(33), 0x32, 1,    0,   0,   0,   4,   0,   16,
				0,        0,    0x29, 0,   0,   0,   0,   0,   9,
				'P',      '_',  'P',  'R', 'O', 'G', 'R', 'A', 'M' };
static const uint8_t refused[] = { DATA(19), 0x32, 2, 0, 0, 0, 4, 0, 0, 0, 0, 0x81, 4 };
static const uint8_t start[] = { DATA(37), 0x32, 1,   0,   0,   0,   5,   0,    20, 0, 0,
				 0x28,     0,    0,   0,   0,   0,   0,   0xfd, 0,  0, 9,
				 'P',      '_',  'P', 'R', 'O', 'G', 'R', 'A',  'M' };
static const uint8_t download[] = { DATA(19), 0x32, 1, 0, 0, 0, 6, 0, 2, 0, 0, 0x1a, 0 };
static const uint8_t fetch[] = { DATA(19), 0x32, 1, 0, 0, 3, 1, 0, 2, 0, 0, 0x1b, 0 };
static const uint8_t fetched[] = { DATA(25), 0x32, 3, 0,    0, 3,   1,   0,   2,  0,
				   4,        0,    0, 0x1b, 0, 'Z', 'Z', 'P', 'H' };
static const uint8_t szl_ask[] = { DATA(33), 0x32, 7,    0, 0, 0,    7, 0, 8, 0, 8,    0, 1, 0x12,
				   4,        0x11, 0x44, 1, 0, 0xff, 9, 0, 4, 0, 0x11, 0, 0 };
static const uint8_t password[] = { DATA(33), 0x32, 7, 0, 0,    0,   8,    0,    8,
				    0,        8,    0, 1, 0x12, 4,   0x11, 0x45, 1,
				    0,        0xff, 9, 0, 4,    'Z', 'Z',  'S',  'E' };
/* RDP: a cookie with a user's name; MMS: the same selectors, then ISO 8327. */
static const uint8_t rdp[] = { TPKT(19), 14, 0xe0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 3, 0, 0, 0 };
static const uint8_t mms_connect[] = { TPKT(22), 17,   0xe0, 0, 0, 0,    1, 0, 0xc0, 1,
				       10,       0xc1, 2,    0, 0, 0xc2, 2, 0, 1 };
static const uint8_t mms[] = { DATA(25), 0x0d, 0x12, 5, 6, 0x13, 1, 0, 0x16, 1,
			       2,        0x14, 2,    0, 2, 0x33, 2, 0, 1 };

static struct conversation tcp(void)
{
	struct conversation s;
	stream_init(&s, &dissector_s7, TRANSPORT_TCP, 50000, 10102);
	return s;
}

#define SAY(s, direction, bytes) stream_offer(s, direction, bytes, sizeof(bytes))

/* All of the above as two streams. */
static size_t client_bytes(uint8_t *out)
{
	size_t n = 0;
#define PUT(bytes) memcpy(out + n, bytes, sizeof(bytes)), n += sizeof(bytes)
	PUT(connect), PUT(setup), PUT(read_var), PUT(write_var), PUT(stop), PUT(start);
	PUT(download), PUT(fetched), PUT(szl_ask), PUT(password);
	return n;
}

static size_t server_bytes(uint8_t *out)
{
	size_t n = 0;
	PUT(confirm), PUT(setup_done), PUT(written), PUT(refused), PUT(fetch);
#undef PUT
	return n;
}

static void check_all(const struct conversation *s)
{
	cr_assert(s->claimed);
	cr_assert_eq(s->result, DISSECT_MORE);
	cr_assert_eq(s->client_direction, 0);
	cr_assert_eq(s->confidence, CONFIDENCE_HIGH);
	cr_assert_not(s->encrypted);
	cr_assert_str_eq(stream_text(s, "s7.protocol", 0), "s7comm");
	cr_assert_str_eq(stream_text(s, "s7.connection", 0), "pg");
	cr_assert_eq(stream_number(s, "s7.rack"), 1);
	cr_assert_eq(stream_number(s, "s7.slot"), 3);
	cr_assert_eq(stream_number(s, "s7.pdu_size"), 240);
	cr_assert_eq(stream_number(s, "s7.requests"), 9);
	cr_assert_eq(stream_number(s, "s7.reads"), 1);
	cr_assert_eq(stream_number(s, "s7.writes"), 1);
	cr_assert_eq(stream_number(s, "s7.write_errors"), 1);
	cr_assert_eq(stream_number(s, "s7.control"), 3);
	cr_assert_eq(stream_number(s, "s7.downloads"), 1);
	cr_assert_eq(stream_number(s, "s7.stops"), 1);
	cr_assert_eq(stream_number(s, "s7.invocations"), 1);
	cr_assert_str_eq(stream_text(s, "s7.invocation", 0), "P_PROGRAM");
	cr_assert_eq(stream_number(s, "s7.szl_reads"), 1);
	cr_assert_eq(stream_number(s, "s7.passwords"), 1);
	cr_assert_eq(stream_number(s, "s7.errors"), 1);
	cr_assert_eq(stream_number(s, "s7.malformed"), 0);
}

Test(s7, a_conversation_in_pieces_of_any_size)
{
	uint8_t client[512], server[512];
	size_t asked = client_bytes(client), told = server_bytes(server);

	for (size_t chunk = 1; chunk <= asked; chunk++) {
		struct conversation s = tcp();
		stream_chunks(&s, 0, client, asked, chunk);
		stream_chunks(&s, 1, server, told, chunk);
		check_all(&s);
		stream_finish(&s);
	}
}

Test(s7, every_truncation_tells_no_more)
{
	uint8_t client[512];
	size_t asked = client_bytes(client);

	for (size_t n = 0; n < asked; n++) {
		struct conversation s = tcp();
		stream_offer(&s, 0, client, n);
		cr_assert_eq(s.claimed, n >= sizeof(connect), "%zu bytes", n);
		cr_assert_eq(stream_number(&s, "s7.malformed"), 0, "%zu bytes", n);
		cr_assert_leq(stream_number(&s, "s7.requests"), 8);
		stream_finish(&s);
	}
}

Test(s7, a_request_to_connect_is_no_proof)
{
	struct conversation s = tcp();

	SAY(&s, 0, connect);
	cr_assert(s.claimed);
	cr_assert_eq(s.confidence, CONFIDENCE_LOW);
	SAY(&s, 1, confirm);
	SAY(&s, 0, mms);
	cr_assert_eq(s.result, DISSECT_NOT_MINE);
	cr_assert_not(s.claimed);
	stream_finish(&s);
}

Test(s7, others_on_the_same_transport_are_left_alone)
{
	struct conversation s = tcp();

	SAY(&s, 0, rdp);
	cr_assert(s.refused);
	stream_finish(&s);

	s = tcp();
	SAY(&s, 0, mms_connect);
	cr_assert_not(s.claimed);
	SAY(&s, 0, mms);
	cr_assert(s.refused);
	stream_finish(&s);

	/* The lengths are off by one. */
	uint8_t off[sizeof(read_var)];
	memcpy(off, read_var, sizeof(off));
	off[14]++;
	s = tcp();
	SAY(&s, 0, off);
	cr_assert(s.refused);
	stream_finish(&s);
}

/* What a controller asks of its client while it is loaded. */
Test(s7, the_controller_fetches_what_is_downloaded)
{
	struct conversation s = tcp();

	SAY(&s, 1, fetch);
	cr_assert(s.claimed);
	cr_assert_eq(s.client_direction, 0);
	SAY(&s, 0, fetched);
	cr_assert_eq(s.role_sender[ROLE_SENDER_IS_SERVER], 1, "an answer proves nothing there");
	stream_finish(&s);
}

Test(s7, joined_in_the_middle_and_after_a_gap)
{
	struct conversation s = tcp();
	uint8_t torn[sizeof(read_var) + sizeof(write_var)];

	memcpy(torn, read_var, sizeof(read_var));
	memcpy(torn + sizeof(read_var), write_var, sizeof(write_var));
	s.midstream = s.sides[0].gap = s.sides[1].gap = true;
	stream_offer(&s, 0, torn + 9, sizeof(torn) - 9);
	cr_assert(s.claimed);
	cr_assert_eq(s.confidence, CONFIDENCE_MEDIUM);
	cr_assert_eq(stream_number(&s, "s7.reads"), 0);
	cr_assert_eq(stream_number(&s, "s7.writes"), 1);
	stream_lose(&s, 0);
	stream_offer(&s, 0, torn + 3, sizeof(torn) - 3);
	cr_assert_eq(stream_number(&s, "s7.writes"), 2);
	cr_assert_eq(stream_number(&s, "s7.malformed"), 0);
	cr_assert_eq(s.confidence, CONFIDENCE_HIGH);
	stream_finish(&s);
}

/* A TPKT around `n` bytes. */
static size_t framed(uint8_t *out, const uint8_t *tsdu, size_t n, bool last)
{
	const uint8_t head[] = { 3, 0,    (uint8_t)((n + 7) >> 8), (uint8_t)(n + 7),
				 2, 0xf0, last ? 0x80 : 0 };

	memcpy(out, head, sizeof(head));
	if (n)
		memcpy(out + sizeof(head), tsdu, n);
	return n + sizeof(head);
}

/* A response to "read SZL" with `n` bytes of data behind return code and length. */
static size_t szl_answer(uint8_t *out, const uint8_t *data, size_t n, bool more)
{
	uint8_t tsdu[512] = { 0x32,
			      7,
			      0,
			      0,
			      0,
			      7,
			      0,
			      12,
			      (uint8_t)((n + 4) >> 8),
			      (uint8_t)(n + 4),
			      0,
			      1,
			      0x12,
			      8,
			      0x12,
			      0x84,
			      1,
			      1,
			      0,
			      more,
			      0,
			      0,
			      0xff,
			      9,
			      (uint8_t)(n >> 8),
			      (uint8_t)n };

	memcpy(tsdu + 26, data, n);
	return framed(out, tsdu, 26 + n, true);
}

static size_t components(uint8_t *out)
{
	static const struct {
		uint8_t index;
		const char *text;
	} rows[] = { { 1, "ZZPHI station" },
		     { 2, "ZZPHI module" },
		     { 3, "ZZPHI plant" },
		     { 5, "S C-DEMO" },
		     { 7, "CPU 315-2 PN/DP" } };
	size_t n = 8;

	memcpy(out, (const uint8_t[]){ 0, 0x1c, 0, 0, 0, 34, 0, 5 }, 8);
	for (size_t i = 0; i < 5; i++, n += 34) {
		memset(out + n, 0, 34);
		out[n + 1] = rows[i].index;
		memcpy(out + n + 2, rows[i].text, strlen(rows[i].text));
	}
	return n;
}

static void check_nothing_of_the_site(const struct conversation *s)
{
	for (size_t i = 0; i + 1 < s->out.text_used; i++)
		cr_assert(s->out.texts[i] != 'Z' || s->out.texts[i + 1] != 'Z');
}

/* Records are cut anywhere by the PDU's end. */
Test(s7, a_list_in_two_parts)
{
	uint8_t list[256], wire[512];
	size_t n = components(list);

	for (size_t cut = 8; cut < n; cut++) {
		struct conversation s = tcp();
		SAY(&s, 0, szl_ask);
		stream_offer(&s, 1, wire, szl_answer(wire, list, cut, true));
		stream_offer(&s, 1, wire, szl_answer(wire, list + cut, n - cut, false));
		cr_assert_str_eq(stream_text(&s, "s7.serial", 0), "S C-DEMO", "cut at %zu", cut);
		cr_assert_str_eq(stream_text(&s, "s7.module_type", 0), "CPU 315-2 PN/DP");
		check_nothing_of_the_site(&s);
		stream_finish(&s);
	}
}

Test(s7, module_identification)
{
	uint8_t list[8 + 2 * 28] = { 0, 0x11, 0, 0, 0, 28, 0, 2, 0, 1 }, wire[512];
	struct conversation s = tcp();

	memcpy(list + 10, "6ES7 315-2EH14-0AB0 ", 20);
	list[8 + 28 + 1] = 7;
	memcpy(list + 8 + 28 + 24, "V\3\2\6", 4);
	SAY(&s, 0, szl_ask);
	stream_offer(&s, 1, wire, szl_answer(wire, list, sizeof(list), false));
	cr_assert_str_eq(stream_text(&s, "s7.order_number", 0), "6ES7 315-2EH14-0AB0");
	cr_assert_str_eq(stream_text(&s, "s7.firmware", 0), "3.2.6");
	stream_finish(&s);

	/* What is no order number does not come out as one. */
	memcpy(list + 10, "ZZPHI ON THE CONSOLE", 20);
	s = tcp();
	SAY(&s, 0, szl_ask);
	stream_offer(&s, 1, wire, szl_answer(wire, list, sizeof(list), false));
	cr_assert_str_eq(stream_text(&s, "s7.order_number", 0), "");
	stream_finish(&s);
}

/* A list of which nothing is wanted may hold what looks like another's header. */
Test(s7, other_lists_are_passed_over)
{
	uint8_t other[16] = { 4, 0x24, 0, 0, 0, 20, 0, 1 }, list[256], wire[512];
	size_t n = components(list);
	struct conversation s = tcp();

	SAY(&s, 0, szl_ask);
	stream_offer(&s, 1, wire, szl_answer(wire, other, sizeof(other), true));
	stream_offer(&s, 1, wire, szl_answer(wire, list, n, false));
	cr_assert_str_eq(stream_text(&s, "s7.serial", 0), "");
	stream_finish(&s);
}

static size_t plus(uint8_t *out, uint8_t opcode, unsigned function, const uint8_t *body, size_t n)
{
	uint8_t tsdu[256] = { 0x72,
			      2,
			      0,
			      (uint8_t)(n + 9),
			      opcode,
			      0,
			      0,
			      (uint8_t)(function >> 8),
			      (uint8_t)function };

	memcpy(tsdu + 13, body, n);
	memcpy(tsdu + 13 + n, "\x72\2\0\0", 4);
	return framed(out, tsdu, n + 17, true);
}

Test(s7, plus_tells_writes_from_its_session_s_own)
{
	static const uint8_t own[] = { 0, 0, 3, 0xc0, 0x34, 0, 0, 3, 0xc0, 1 };
	static const uint8_t subscription[] = { 0, 0, 3, 0xc0, 0x34, 0x10, 0, 0, 0x6a, 1 };
	static const uint8_t variable[] = { 0, 0, 3, 0xc0, 0x34, 0, 0, 0, 0, 1 };
	static const uint8_t program[] = { 0, 0, 3, 0xc0, 0x34, 0, 0, 0, 3, 1 };
	static const uint8_t identity[] = "\x36\x15\x1b"
					  "1;6ES7 214-1HE30-0XB0 ;V2.2\0\0";
	struct conversation s = tcp();
	uint8_t wire[300];

	stream_offer(&s, 0, wire, plus(wire, 0x31, 0x542, own, sizeof(own)));
	cr_assert(s.claimed);
	cr_assert_eq(s.client_direction, 0);
	stream_offer(&s, 0, wire, framed(wire, NULL, 0, false)); /* S7-1200 send such */
	stream_offer(&s, 0, wire, plus(wire, 0x31, 0x4f2, subscription, sizeof(subscription)));
	cr_assert_eq(stream_number(&s, "s7.writes"), 0);
	stream_offer(&s, 0, wire, plus(wire, 0x31, 0x542, variable, sizeof(variable)));
	stream_offer(&s, 0, wire, plus(wire, 0x31, 0x54c, variable, sizeof(variable)));
	stream_offer(&s, 0, wire, plus(wire, 0x31, 0x4ca, program, sizeof(program)));
	stream_offer(&s, 1, wire, plus(wire, 0x32, 0x4ca, identity, sizeof(identity)));
	stream_offer(&s, 1, wire, plus(wire, 0x02, 0x4f2, identity, 3));
	stream_offer(&s, 1, wire, plus(wire, 0x33, 0x1000, identity, 3));
	cr_assert_str_eq(stream_text(&s, "s7.protocol", 0), "s7comm-plus");
	cr_assert_eq(stream_number(&s, "s7.requests"), 5);
	cr_assert_eq(stream_number(&s, "s7.writes"), 1);
	cr_assert_eq(stream_number(&s, "s7.reads"), 1);
	cr_assert_eq(stream_number(&s, "s7.downloads"), 1);
	cr_assert_eq(stream_number(&s, "s7.control"), 1);
	cr_assert_eq(stream_number(&s, "s7.cyclic"), 1);
	cr_assert_eq(stream_number(&s, "s7.malformed"), 0);
	cr_assert_str_eq(stream_text(&s, "s7.order_number", 0), "6ES7 214-1HE30-0XB0");
	cr_assert_str_eq(stream_text(&s, "s7.firmware", 0), "2.2");
	stream_finish(&s);
}

Test(s7, what_breaks_the_format_is_counted_and_ends_in_the_end)
{
	static const uint8_t broken[] = { DATA(17), 0x32, 9, 0, 0, 0, 1, 0, 0, 0, 0 };
	struct conversation s = tcp();

	SAY(&s, 0, read_var);
	SAY(&s, 0, broken);
	cr_assert_eq(stream_number(&s, "s7.malformed"), 1);
	SAY(&s, 0, write_var);
	cr_assert_eq(s.result, DISSECT_MORE);
	cr_assert_eq(stream_number(&s, "s7.writes"), 1, "found again");
	stream_finish(&s);
}
