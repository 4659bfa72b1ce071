/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/stream.h"

extern const struct dissector dissector_intellivue;

/* A message under way, with room in front for its heads. */
static struct message {
	uint8_t at[1024];
	size_t n;
} m;

static struct conversation s;
static char text[4096];

static void begin(void)
{
	stream_finish(&s);
	stream_init(&s, &dissector_intellivue, TRANSPORT_UDP, 50000, 40105);
}

static void put(const void *bytes, size_t n)
{
	memcpy(m.at + m.n, bytes, n);
	m.n += n;
}

static void put16(unsigned v)
{
	put((uint8_t[]){ (uint8_t)(v >> 8), (uint8_t)v }, 2);
}

/* The two bytes at `at` become the length of what is behind them. */
static void close16(size_t at)
{
	m.at[at] = (uint8_t)((m.n - at - 2) >> 8);
	m.at[at + 1] = (uint8_t)(m.n - at - 2);
}

static void say(unsigned direction)
{
	stream_offer(&s, direction, m.at, m.n);
	stream_describe(&s, text, sizeof(text));
	cr_expect(!strstr(text, "ZZ"), "%s", text);
	for (size_t i = 0; i < s.fact_count; i++)
		cr_expect(!strstr(s.facts[i].text, "ZZ"), "%s", s.facts[i].text);
}

static bool has(const char *part)
{
	return strstr(text, part);
}

/* | e1 00 00 02 | type | length | invoke | command | length | ; returns nothing open */
static void operation(unsigned type, unsigned command, const void *body, size_t n)
{
	m.n = 0;
	put("\xe1\0\0\2", 4);
	put16(type);
	put16(0);
	if (type == 5)
		put("\1\1", 2);
	put16(7);
	put16(command);
	put16((unsigned)n);
	put(body, n);
	close16(6);
}

static void poll(unsigned class, unsigned action)
{
	uint8_t body[] = { 0,
			   33,
			   0,
			   0,
			   0,
			   0,
			   0,
			   0,
			   0,
			   0,
			   (uint8_t)(action >> 8),
			   (uint8_t)action,
			   0,
			   8,
			   0,
			   1,
			   0,
			   1,
			   0,
			   (uint8_t) class,
			   0,
			   0 };

	operation(1, 7, body, sizeof(body));
}

static void attribute(unsigned id, const void *value, size_t n)
{
	put16(id);
	put16((unsigned)n);
	put(value, n);
}

/* A report of the monitor about itself: 3334, or, with its own head, 3351. */
static void report(unsigned kind, bool addressed, const char *model)
{
	static const uint8_t mds[] = { 0, 33, 0, 0, 0, 0 };

	m.n = 0;
	put(kind == 3351 ? "\0\0\1\0" : "\xe1\0\0\2", 4);
	put16(1);
	size_t outer = m.n;
	put16(0);
	put16(78);
	put16(kind == 3351 ? 0 : 1);
	size_t inner = m.n;
	put16(0);
	put(mds, 6);
	put("\0\0\x30\x39", 4);
	put16(kind);
	size_t body = m.n;
	put16(0);
	if (kind == 3334)
		put(mds, 6);
	put16(addressed ? 4 : 3);
	size_t list = m.n;
	put16(0);
	attribute(2334, "\0Z\0Z\0P\0H\0I", 10); /* bed label */
	attribute(2438, "\0\1\x11\x4d", 4);
	if (addressed)
		attribute(61696, "\0\x09\xfb\1\2\3\x0a\1\1\x21\xff\xff\0\0", 14);
	put16(2344);
	size_t label = m.n;
	put16(0);
	put("\0\x08Philips", 10);
	put16((unsigned)strlen(model) + 1);
	put(model, strlen(model) + 1);
	close16(label);
	close16(list);
	close16(body);
	close16(inner);
	close16(outer);
}

static void session(uint8_t type)
{
	static const uint8_t opening[] = { 0x05, 0x08, 0x13, 0x01, 0x00, 0x16, 0x01,
					   0x02, 0x80, 0x00, 0x14, 0x02, 0x00, 0x02 };
	bool opens = type == 0x0d || type == 0x0e;
	size_t inner = opens ? 300 : 22;

	m.n = 0;
	put(&type, 1);
	if (opens) {
		put("\xff", 1);
		put16((unsigned)(sizeof(opening) + 4 + inner));
		put(opening, sizeof(opening));
		put("\xc1\xff", 2);
		put16((unsigned)inner);
	} else {
		put("\x18\xc1\x16", 3);
	}
	memset(m.at + m.n, 'Z', inner);
	m.n += inner;
}

/* ---- a conversation ---- */

Test(intellivue, association_and_polls)
{
	begin();
	session(0x0d);
	say(0);
	cr_expect(s.claimed && s.client_direction == 0);
	session(0x0e);
	say(1);
	report(3334, false, "M8005A");
	say(1);
	say(1);
	cr_expect(s.fact_count == 3 && s.facts[0].subject == FACT_SENDER, "said once");
	poll(6, 3094);
	say(0);
	poll(42, 61755);
	say(0);
	operation(2, 7, "ZZPHI", 5);
	say(1);
	operation(5, 7, "ZZPHI", 5);
	say(1);
	operation(3, 15, "", 0);
	say(1);
	operation(1, 3, "ZZ", 2);
	say(0);
	operation(1, 4, "ZZ", 2);
	say(0);
	operation(1, 5, "ZZ", 2);
	say(0);
	operation(1, 7, "ZZ", 2);
	say(0);
	for (const char *p = "\x09\x0a\x0c\x19"; *p; p++) {
		session((uint8_t)*p);
		say(0);
	}
	cr_expect_str_eq(text,
			 "intellivue.association_requests=1 intellivue.associations_accepted=1 "
			 "intellivue.invokes=8 intellivue.events=2 intellivue.systems=2 "
			 "intellivue.system_type=69965 intellivue.role=patient-monitor "
			 "intellivue.manufacturer=Philips intellivue.model=M8005A "
			 "intellivue.actions=3 intellivue.polls=2 intellivue.patient_polls=1 "
			 "intellivue.results=1 intellivue.linked_results=1 intellivue.errors=1 "
			 "intellivue.gets=1 intellivue.sets=2 intellivue.release_requests=1 "
			 "intellivue.releases=1 intellivue.associations_refused=1 "
			 "intellivue.aborts=1",
			 "%s", text);
	cr_expect(s.confidence == CONFIDENCE_NONE, "the claim's own");
}

Test(intellivue, a_monitor_announces_itself)
{
	begin();
	report(3351, true, "M3046");
	say(0);
	cr_expect(s.claimed && s.client_direction == 2, "nobody asked");
	cr_expect(has("intellivue.connect_indications=1") && has("intellivue.model=M3046"));
	cr_expect(s.fact_count == 3 && s.facts[0].subject == FACT_IP_AND_MAC);
	for (size_t i = 0; i < s.fact_count; i++) {
		struct ip_addr ip = ip_from_v4((const uint8_t[]){ 10, 1, 1, 33 });
		cr_expect(!ip_compare(&s.facts[i].ip, &ip));
		cr_expect(!memcmp(s.facts[i].mac, "\0\x09\xfb\1\2\3", 6));
	}
	cr_expect_str_eq(s.facts[0].text, "patient-monitor");
	say(0);
	cr_expect(s.fact_count == 3 && has("intellivue.connect_indications=2"));
}

Test(intellivue, texts_that_are_none)
{
	begin();
	report(3334, false, "ZZ*PHI");
	say(0);
	cr_expect(has("intellivue.model=invalid"), "%s", text);
	begin();
	report(3334, false, "");
	say(0);
	cr_expect(!has("intellivue.model") && s.fact_count == 2, "%s", text);
}

/* Who joins late knows it by any whole message. */
Test(intellivue, joined_late)
{
	begin();
	poll(6, 3094);
	say(1);
	cr_expect(s.claimed && s.client_direction == 1);
	begin();
	session(0x0e);
	say(0);
	cr_expect(s.claimed && s.client_direction == 1);
}

/* ---- the probe ---- */

static enum probe_result probe(size_t n, enum transport transport)
{
	uint8_t *copy = stream_copy(m.at, n);
	enum probe_result r =
		dissector_intellivue.probe(cursor_of(copy, n), transport, 24105, 24105, false);

	free(copy);
	return r;
}

static void expect_whole(const char *what)
{
	for (size_t n = 0; n < m.n; n++) {
		cr_expect(probe(n, TRANSPORT_UDP) == PROBE_NO, "%s, %zu", what, n);
		begin();
		s.claimed = true;
		stream_offer(&s, 0, m.at, n);
		cr_expect(!s.out.count && !s.over, "%s, %zu: says nothing", what, n);
	}
	cr_expect(probe(m.n, TRANSPORT_UDP) == PROBE_YES, "%s", what);
	cr_expect(probe(m.n, TRANSPORT_TCP) == PROBE_NO, "%s", what);
	m.at[m.n] = 0;
	cr_expect(probe(m.n + 1, TRANSPORT_UDP) == PROBE_NO, "%s: a byte too many", what);
}

Test(intellivue, every_truncation)
{
	report(3351, true, "M3046");
	expect_whole("indication");
	report(3334, false, "M3046");
	expect_whole("report");
	poll(42, 3094);
	expect_whole("poll");
	operation(5, 7, "ZZPHI", 5);
	expect_whole("linked result");
	session(0x0d);
	expect_whole("request");
	session(0x0e);
	expect_whole("acceptance");
	session(0x09);
	expect_whole("release");
}

/* Lengths within that lie leave the rest unread. */
Test(intellivue, lengths_that_lie)
{
	report(3334, true, "M3046");
	for (size_t at = 20; at < m.n; at++) {
		uint8_t old = m.at[at];
		for (int v = 0; v < 256; v += 51) {
			m.at[at] = (uint8_t)v;
			begin();
			s.claimed = true;
			say(0);
			cr_expect(!s.over);
		}
		m.at[at] = old;
	}
}

Test(intellivue, others_are_not_taken)
{
	static const struct {
		const char *bytes;
		size_t n;
	} rows[] = {
		{ "\xe1\0\0\2\0\4\0\6\0\1\0\0\0\0", 14 }, /* no such type */
		{ "\xe1\0\0\2\0\1\0\6\0\1\0\6\0\0", 14 }, /* no such command */
		{ "\xe1\1\0\2\0\1\0\6\0\1\0\3\0\0", 14 },
		{ "\0\0\1\0\0\1\0\6\0\1\0\0\0\0", 14 }, /* an event of nobody */
		{ "\x09\0", 2 },
		{ "\x0d\2\5\x08", 4 },
		{ "\x19\x02\1\1", 4 }, /* an abort alone */
		{ "\x0c\x02\1\1", 4 },
		{ "\0\0", 2 },
		{ "", 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		m.n = 0;
		put(rows[i].bytes, rows[i].n);
		cr_expect(probe(m.n, TRANSPORT_UDP) == PROBE_NO, "%zu", i);
	}
}
