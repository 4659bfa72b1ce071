/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/dicom_bytes.h"
#include "tests/unit/dissectors/stream.h"

extern const struct dissector dissector_dicom;

/* ---- a conversation, and what is to be found in it ---- */

static struct bytes client, server;
static struct stream_pair {
	struct conversation s;
	char text[8192];
} shown;

static const char whole[] =
	"dicom.calling_ae=CT_MODALITY1 dicom.called_ae=PACS dicom.associations=1 "
	"dicom.sop_class=1.2.840.10008.1.1 "
	"dicom.sop_class=1.2.840.10008.5.1.4.1.1.2 dicom.calling_max_pdu=16384 "
	"dicom.calling_implementation=1.2.276.0.7230010.3.0.3.6.7 dicom.identity=user-password "
	"dicom.clear_passwords=1 "
	"dicom.calling_version=OFFIS_DCMTK_367 dicom.contexts_proposed=2 "
	"dicom.used_sop_class=1.2.840.10008.5.1.4.1.1.2 dicom.c_store=1 "
	"dicom.stored_modality=CT dicom.dataset_bytes=5000 dicom.store_bytes=5000 "
	"dicom.move_destination=WORKSTATION1 dicom.c_move=1 dicom.released=1 "
	"dicom.association=accepted dicom.associations_accepted=1 "
	"dicom.transfer_syntax=1.2.840.10008.1.2 dicom.contexts_refused_sop_class=1 "
	"dicom.called_max_pdu=16384 dicom.called_implementation=1.2.276.0.7230010.3.0.3.6.7 "
	"dicom.called_version=ARCHIVE 4.2 dicom.contexts_accepted=1 dicom.contexts_rejected=1 "
	"dicom.status_success=1 dicom.suboperations_completed=2 dicom.suboperations_failed=1 "
	"dicom.suboperations_warning=0 dicom.status_warning=1 dicom.instances_retrieved=2 "
	"dicom.instances_failed=1";

static void build(size_t most)
{
	client.n = server.n = 0;
	put_request(&client);
	put_message(&client, 0x0001, -1, most);
	put_dataset(&client, 5000, 1000);
	put_message(&client, 0x0021, -1, most);
	put_outcome(&client, 5, "\0\0\0");
	put_accept(&server);
	put_message(&server, 0x8001, 0, most);
	put_message(&server, 0x8021, 0xb000, most);
	put_outcome(&server, 6, "\0\0\0");
}

static void open_stream(void)
{
	stream_finish(&shown.s);
	stream_init(&shown.s, &dissector_dicom, TRANSPORT_TCP, 40000, 40001);
}

static const char *play(size_t piece)
{
	open_stream();
	stream_chunks(&shown.s, 0, client.at, client.n, piece);
	stream_chunks(&shown.s, 1, server.at, server.n, piece);
	return stream_describe(&shown.s, shown.text, sizeof(shown.text));
}

Test(dicom, conversation_in_pieces_of_any_size)
{
	build(1 << 16);
	for (size_t piece = 1; piece < 200; piece++) {
		cr_expect_str_eq(play(piece), whole, "%zu: %s", piece, shown.text);
		cr_expect(shown.s.client_direction == 0 && shown.s.confidence == CONFIDENCE_HIGH);
		cr_expect(shown.s.result == DISSECT_MORE);
	}
	cr_expect_str_eq(play(1 << 16), whole);
}

Test(dicom, commands_in_fragments_of_any_size)
{
	for (size_t most = 1; most < 150; most++) {
		build(most);
		cr_expect_str_eq(play(1 << 16), whole, "%zu", most);
		cr_expect_str_eq(play(12), whole, "%zu", most);
	}
}

Test(dicom, several_fragments_in_one_pdu)
{
	static struct bytes command, body;

	client.n = command.n = body.n = 0;
	put_request(&client);
	put_command(&command, 0x0001, -1);
	put_fragment(&body, 1, command.at, 50);
	put_fragment(&body, 3, command.at + 50, command.n - 50);
	put_fragment(&body, 0, "ZZ", 2);
	put_fragment(&body, 2, "PHI", 3);
	put_pdu(&client, 4, &body);
	put_message(&client, 0x0030, -1, 99);
	server.n = 0;
	play(7);
	cr_expect(strstr(shown.text, "dicom.dataset_bytes=5 dicom.store_bytes=5 dicom.c_echo=1"),
		  "%s", shown.text);
}

Test(dicom, every_split_in_two)
{
	build(60);
	for (size_t cut = 0; cut <= client.n; cut++) {
		open_stream();
		stream_offer(&shown.s, 0, client.at, cut);
		stream_offer(&shown.s, 0, client.at + cut, client.n - cut);
		stream_offer(&shown.s, 1, server.at, server.n);
		cr_expect_str_eq(stream_describe(&shown.s, shown.text, sizeof(shown.text)), whole,
				 "%zu", cut);
	}
}

/* A stream cut short says less, never something else. */
Test(dicom, every_truncation)
{
	char more[8192] = "";

	build(60);
	server.n = 0;
	size_t all = client.n;
	for (size_t n = all; n-- > 0;) {
		client.n = n;
		play(1 << 16);
		cr_expect(shown.s.claimed == (n >= 82));
		cr_expect(!shown.s.over && !strstr(shown.text, "ZZ"));
		cr_expect(!*more || strlen(shown.text) <= strlen(more), "%zu", n);
		strcpy(more, shown.text);
	}
}

/* Each dissect call sees only the truncated copy, whatever the stage. */
Test(dicom, data_sets_are_skipped)
{
	client.n = server.n = 0;
	put_request(&client);
	put_message(&client, 0x0001, -1, 1 << 16);
	put_dataset(&client, 60000, 60000);
	play(100);
	cr_expect(shown.s.skipped > 59000, "%llu", (unsigned long long)shown.s.skipped);
	cr_expect(strstr(shown.text, "dicom.dataset_bytes=60000"));
}

/* ---- outcomes ---- */

static void expect_outcome(uint8_t type, const char four[4], const char *text)
{
	client.n = server.n = 0;
	put_request(&client);
	put_outcome(&server, type, four);
	play(3);
	cr_expect(strstr(shown.text, text), "%s", shown.text);
	cr_expect(!shown.s.over);
}

Test(dicom, outcomes)
{
	expect_outcome(3, "\0\1\1\7",
		       "dicom.association=rejected dicom.associations_rejected=1 "
		       "dicom.reject_result=permanent "
		       "dicom.reject_source=user dicom.reject_reason=called-ae");
	expect_outcome(3, "\0\2\3\1",
		       "dicom.reject_result=transient "
		       "dicom.reject_source=presentation "
		       "dicom.reject_reason=congestion");
	expect_outcome(3, "\0\2\2\2",
		       "dicom.reject_source=acse "
		       "dicom.reject_reason=protocol-version");
	expect_outcome(3, "\0\7\7\0",
		       "dicom.reject_result=reserved dicom.reject_source=reserved "
		       "dicom.reject_reason=reserved");
	expect_outcome(7, "\0\0\0\0", "dicom.abort_source=user dicom.aborts=1");
	expect_outcome(7, "\0\0\2\6", "dicom.abort_source=provider dicom.abort_reason=6");
	expect_outcome(6, "\0\0\0\0", "dicom.released=1");
}

Test(dicom, kinds_of_commands_and_classes_of_status)
{
	static const struct {
		uint16_t code;
		int status;
		const char *text;
	} rows[] = {
		{ 0x0001, -1, "dicom.c_store=1" },
		{ 0x0010, -1, "dicom.c_get=1" },
		{ 0x0020, -1, "dicom.c_find=1" },
		{ 0x0021, -1, "dicom.c_move=1" },
		{ 0x0030, -1, "dicom.c_echo=1" },
		{ 0x0fff, -1, "dicom.c_cancel=1" },
		{ 0x0100, -1, "dicom.n_event=1" },
		{ 0x0110, -1, "dicom.n_get=1" },
		{ 0x0120, -1, "dicom.n_set=1" },
		{ 0x0130, -1, "dicom.n_action=1" },
		{ 0x0140, -1, "dicom.n_create=1" },
		{ 0x0150, -1, "dicom.n_delete=1" },
		{ 0x0666, -1, "dicom.other_command=1" },
		{ 0x8020, 0xff01, "dicom.status_pending=1" },
		{ 0x8020, 0xfe00, "dicom.status_cancel=1" },
		{ 0x8001, 0xb007, "dicom.status_warning=1" },
		{ 0x8120, 0x0107, "dicom.status_warning=1" },
		{ 0x8001, 0xa700, "dicom.status_failure=1 dicom.failure_status=42752" },
		{ 0x8021, 0xc001, "dicom.status_failure=1 dicom.failure_status=49153" },
		{ 0x8030, 0x0122, "dicom.status_failure=1 dicom.failure_status=290" },
		{ 0x8030, 0x0000, "dicom.status_success=1" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		client.n = server.n = 0;
		put_request(&client);
		put_message(&client, rows[i].code, rows[i].status, 1 << 16);
		play(1 << 16);
		cr_expect(strstr(shown.text, rows[i].text), "%04x: %s", rows[i].code, shown.text);
	}
}

/* ---- grammar ---- */

Test(dicom, what_does_not_fit_is_invalid)
{
	static struct bytes body;

	client.n = server.n = body.n = 0;
	put_fixed(&body, "PACS", "CT");
	put_context(&body, true, 1, 0, "ZZPHI", implicit);
	put_user(&body, "ZZ*PHI", true);
	put_pdu(&client, 1, &body);
	play(5);
	cr_expect(strstr(shown.text, "dicom.sop_class=invalid dicom.calling_max_pdu"));
	cr_expect(strstr(shown.text, "dicom.calling_version=invalid"));
	cr_expect(!strstr(shown.text, "ZZ"));
}

static const char long_uid[] = "1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0.1.2.3";

Test(dicom, a_uid_that_is_too_long)
{
	static struct bytes body, command;
	static const char filler[200] = "1.2.840.10008.1.1";

	client.n = server.n = body.n = command.n = 0;
	put_fixed(&body, "PACS", "CT");
	put_context(&body, true, 1, 0, long_uid, implicit);
	put_pdu(&client, 1, &body);
	put_element(&command, 0, "\x70\0\0\0", 4);
	put_element(&command, 2, filler, sizeof(filler));
	put_short(&command, 0x0100, 1);
	put_data(&client, 1, &command, 1 << 16);
	for (size_t piece = 1; piece < 300; piece += 13) {
		play(piece);
		cr_expect_str_eq(
			shown.text,
			"dicom.calling_ae=CT dicom.called_ae=PACS dicom.associations=1 "
			"dicom.sop_class=invalid dicom.contexts_proposed=1 dicom.c_store=1");
	}
}

Test(dicom, a_large_item_is_passed_over)
{
	static struct bytes body;
	static char token[60000] = { 5 };

	memset(token + 1, 'Z', sizeof(token) - 1);
	client.n = server.n = body.n = 0;
	put_fixed(&body, "PACS", "CT");
	put_context(&body, true, 1, 0, echo_class, implicit);
	put_item(&body, 0x58, token, sizeof(token));
	put_item(&body, 0x54, "\0\1\1\1", 4);
	put_pdu(&client, 1, &body);
	put_message(&client, 0x0030, -1, 40);
	play(1000);
	cr_expect(strstr(shown.text, "dicom.identity=jwt dicom.role_selection=1 "
				     "dicom.contexts_proposed=1"));
	cr_expect(strstr(shown.text, "dicom.c_echo=1") && !strstr(shown.text, "ZZ"));
	cr_expect(shown.s.skipped > 50000);
}

/* ---- what is broken ---- */

static void expect_malformed(const char *what)
{
	server.n = 0;
	for (size_t piece = 1; piece < 20; piece += 6) {
		play(piece);
		cr_expect(shown.s.claimed && shown.s.result == DISSECT_MALFORMED, "%s", what);
	}
}

static void begin_malformed(struct bytes *body)
{
	client.n = body->n = 0;
	put_request(&client);
}

Test(dicom, malformed)
{
	static struct bytes body, command;
	static const uint8_t infinite[] = { 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff };

	begin_malformed(&body);
	put(&client, "\x09\0\0\0\0\4\0\0\0\0", 10);
	expect_malformed("PDU type");

	begin_malformed(&body);
	put(&client, "\4\0\xff\xff\xff\xff\0\0\0\0", 10);
	expect_malformed("PDU length");

	begin_malformed(&body);
	put(&client, "\5\0\0\0\0\5\0\0\0\0\0", 11);
	expect_malformed("release length");

	begin_malformed(&body);
	put(&client, "\4\0\0\0\0\x0a\0\0\0\x07\1\3ABCD", 16);
	expect_malformed("PDV longer than its PDU");

	begin_malformed(&body);
	put(&client, "\4\0\0\0\0\x0a\0\0\0\1\1\3ABCD", 16);
	expect_malformed("PDV shorter than its header");

	begin_malformed(&body);
	put(&client, "\4\0\0\0\0\x0c\0\0\0\4\1\2AB\0\0", 16);
	put(&client, "AB", 2);
	expect_malformed("PDVs that do not fill the PDU");

	begin_malformed(&body);
	put_fragment(&body, 3, "ABCD", 4);
	body.at[4] = 2;
	put_pdu(&client, 4, &body);
	expect_malformed("even context id");

	begin_malformed(&body);
	put_fragment(&body, 3, infinite, 8);
	put_pdu(&client, 4, &body);
	expect_malformed("element length");

	begin_malformed(&body);
	put_fragment(&body, 3, "\x10\0\x10\0\4\0\0\0ZZPH", 12);
	put_pdu(&client, 4, &body);
	expect_malformed("element of another group");

	begin_malformed(&body);
	command.n = 0;
	put_command(&command, 1, -1);
	put_fragment(&body, 3, command.at, command.n - 1);
	put_pdu(&client, 4, &body);
	expect_malformed("command set cut short");

	begin_malformed(&body);
	put_fragment(&body, 1, command.at, 20);
	put_fragment(&body, 2, "ZZ", 2);
	put_pdu(&client, 4, &body);
	expect_malformed("data inside a command");

	begin_malformed(&body);
	for (int i = 0; i < 2; i++) {
		command.n = 0;
		put_le(&command, 0x10000000, 4);
		put_le(&command, 40000, 4);
		command.n += 39000;
		body.n = 0;
		put_fragment(&body, 1, command.at, command.n);
		put_pdu(&client, 4, &body);
	}
	expect_malformed("command set of 78 kB");
}

Test(dicom, malformed_associations)
{
	static struct bytes body;

	client.n = body.n = 0;
	put_fixed(&body, "PACS", "CT");
	put_be(&body, 0x20000020, 4);
	put_be(&body, 0, 4);
	put_pdu(&client, 1, &body);
	expect_malformed("item longer than its PDU");

	client.n = body.n = 0;
	put_fixed(&body, "PACS", "CT");
	put_context(&body, true, 2, 0, echo_class, implicit);
	put_pdu(&client, 1, &body);
	expect_malformed("even context id");

	client.n = body.n = 0;
	put_fixed(&body, "PACS", "CT");
	for (unsigned i = 0; i < 129; i++)
		put_context(&body, true, (uint8_t)(2 * i + 1), 0, echo_class, implicit);
	put_pdu(&client, 1, &body);
	expect_malformed("129 contexts");

	client.n = body.n = 0;
	put_fixed(&body, "PACS", "CT");
	put_item(&body, 0x51, "\0\0\0", 3);
	put_pdu(&client, 1, &body);
	expect_malformed("short maximum length");

	client.n = body.n = 0;
	put_fixed(&body, "PACS", "CT");
	put(&body, "\x20\0", 2);
	put_pdu(&client, 1, &body);
	expect_malformed("half an item");
}

/* ---- the probe ---- */

static enum probe_result probe(const void *bytes, size_t n)
{
	uint8_t *copy = stream_copy(bytes, n);
	enum probe_result r = dissector_dicom.probe(cursor_of(copy, n), TRANSPORT_TCP, 1, 2, false);

	free(copy);
	return r;
}

Test(dicom, probe_waits_only_while_the_prefix_fits)
{
	client.n = 0;
	put_request(&client);
	for (size_t n = 0; n < 82; n++)
		cr_expect(probe(client.at, n) == PROBE_MORE, "%zu", n);
	for (size_t n = 82; n < client.n; n++)
		cr_expect(probe(client.at, n) == PROBE_YES, "%zu", n);

	/* A wrong byte anywhere in what is tested, told as soon as it is here. */
	static const struct {
		size_t at;
		uint8_t value;
	} rows[] = { { 0, 3 },   { 1, 1 },     { 2, 1 },     { 3, 0x20 },  { 7, 0 },     { 10, 0 },
		     { 20, 10 }, { 25, '\\' }, { 26, 0x80 }, { 41, 0x7f }, { 74, 0x20 }, { 75, 1 },
		     { 76, 1 },  { 77, 65 },   { 78, '2' },  { 81, '0' } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t old = client.at[rows[i].at];
		client.at[rows[i].at] = rows[i].value;
		for (size_t n = rows[i].at + 1; n < client.n; n++)
			cr_expect(probe(client.at, n) == PROBE_NO, "%zu at %zu", rows[i].at, n);
		client.at[rows[i].at] = old;
	}
	client.at[4] = 0;
	client.at[5] = 71; /* shorter than the fixed part and a first item's header */
	cr_expect(probe(client.at, client.n) == PROBE_NO);
	client.at[5] = 72;
	cr_expect(probe(client.at, client.n) == PROBE_YES);
	cr_expect(dissector_dicom.probe(cursor_of(client.at, client.n), TRANSPORT_UDP, 1, 2,
					false) == PROBE_NO);
}

Test(dicom, others_are_not_taken)
{
	static const char modbus[] = "\x01\0\0\0\0\x06\0\x01\0\0\0\x0a";
	static const char kerberos[] = "\0\0\1\x22\x6e\x82\1\x1e\x30\x82\1\x1a\xa1\3\2\1\5";
	static const char tpkt[] = "\3\0\0\x16\x11\xe0\0\0\0\1\0\xc1\2\1\0\xc2\2\1\2\xc0\1\x0a";
	char blank[200];

	cr_expect(probe(modbus, 12) == PROBE_NO);
	cr_expect(probe(kerberos, sizeof(kerberos) - 1) == PROBE_NO);
	cr_expect(probe(tpkt, sizeof(tpkt) - 1) == PROBE_NO);
	cr_expect(probe("GET / HTTP/1.1\r\n", 16) == PROBE_NO);

	client.n = 0;
	put_request(&client);
	memcpy(blank, client.at, sizeof(blank));
	memset(blank + 10, ' ', 16);
	cr_expect(probe(blank, sizeof(blank)) == PROBE_NO);
}

/* ---- streams joined late, and holes ---- */

static void expect_anchor(uint8_t *bytes, size_t n, size_t needed)
{
	for (size_t i = 0; i <= n; i++)
		cr_expect(probe(bytes, i) == (i < needed ? PROBE_MORE : PROBE_YES), "%zu", i);
}

Test(dicom, commands_are_anchors_too)
{
	static struct bytes command;

	client.n = 0;
	put_message(&client, 0x8020, 0, 1 << 16);
	expect_anchor(client.at, client.n, 45);
	client.at[11] = 0;
	cr_expect(probe(client.at, 12) == PROBE_NO, "data, not a command");

	client.n = command.n = 0;
	put_element(&command, 0, "\x70\0\0\0", 4);
	put_element(&command, 3, "1.2.840.10008.1.20.1", 20);
	put_short(&command, 0x0100, 0x0130);
	put_data(&client, 1, &command, 1 << 16);
	expect_anchor(client.at, client.n, 45);
	client.at[44] = '9';
	cr_expect(probe(client.at, client.n) == PROBE_NO);

	client.n = command.n = 0;
	put_element(&command, 0, "\x70\0\0\0", 4);
	put_short(&command, 0x0100, 0x0fff);
	put_short(&command, 0x0120, 7);
	put_data(&client, 1, &command, 1 << 16);
	expect_anchor(client.at, client.n, 38);
	client.at[32] = 0x77;
	cr_expect(probe(client.at, client.n) == PROBE_NO);
}

Test(dicom, joined_in_the_middle)
{
	for (size_t piece = 1; piece < 500; piece += 71) {
		client.n = server.n = 0;
		put_message(&client, 0x0020, -1, 1 << 16);
		put_dataset(&client, 100, 1000);
		put(&server, "pixels, or whatever there was", 29);
		play(piece);
		stream_offer(&shown.s, 1, "\5\0\0\0\0\4\0\0\0\0", 10);
		stream_describe(&shown.s, shown.text, sizeof(shown.text));
		cr_expect(shown.s.client_direction == 0 && shown.s.confidence == CONFIDENCE_MEDIUM);
		cr_expect_str_eq(shown.text, "dicom.used_sop_class=1.2.840.10008.5.1.4.1.1.2 "
					     "dicom.c_find=1 dicom.dataset_bytes=100 "
					     "dicom.released=1");
	}
}

Test(dicom, joined_at_the_acceptance)
{
	client.n = server.n = 0;
	put_accept(&client);
	play(50);
	cr_expect(shown.s.client_direction == 1 && shown.s.confidence == CONFIDENCE_MEDIUM);
	cr_expect(strstr(shown.text, "dicom.called_ae=PACS dicom.association=accepted"));
}

/* A store may come from either end; who asked for the association decides. */
Test(dicom, a_store_does_not_tell_who_is_who)
{
	client.n = server.n = 0;
	put_message(&client, 0x0001, -1, 1 << 16);
	play(50);
	cr_expect(shown.s.claimed && shown.s.client_direction == 2);

	client.n = server.n = 0;
	put_request(&client);
	put_message(&server, 0x0030, -1, 1 << 16);
	play(50);
	cr_expect(shown.s.client_direction == 0);
}

Test(dicom, a_gap_costs_what_was_in_it)
{
	static struct bytes later;

	client.n = server.n = later.n = 0;
	put_request(&client);
	put_message(&client, 0x0001, -1, 60);
	put_dataset(&client, 900, 100);
	put_message(&later, 0x0030, -1, 60);
	for (size_t cut = 82; cut < client.n; cut += 13) {
		size_t all = client.n;
		client.n = cut;
		play(1 << 16);
		client.n = all;
		stream_lose(&shown.s, 0);
		stream_offer(&shown.s, 0, "\4 the rest of something else", 28);
		stream_offer(&shown.s, 0, "\4\0\0\0\0\x10\0\0\0\x0c\2\0not a fragment", 26);
		stream_offer(&shown.s, 0, later.at, 9);
		stream_offer(&shown.s, 0, later.at + 9, later.n - 9);
		stream_describe(&shown.s, shown.text, sizeof(shown.text));
		cr_expect(!shown.s.over && strstr(shown.text, "dicom.c_echo=1"), "%zu", cut);
	}
}
