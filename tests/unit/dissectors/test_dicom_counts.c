/* SPDX-License-Identifier: Apache-2.0
 *
 * What DICOM traffic is judged by: who asks under which name, how much is fetched,
 * what breaks off, and whether a query asks for everything. */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/dicom_bytes.h"
#include "tests/unit/dissectors/stream.h"

extern const struct dissector dissector_dicom;

static struct bytes client, server;
static struct conversation s;
static char text[8192];

static void begin(void)
{
	stream_finish(&s);
	stream_init(&s, &dissector_dicom, TRANSPORT_TCP, 40000, 40001);
	client.n = server.n = 0;
}

/* Says what stands in one of the two, and forgets it. */
static void say(struct bytes *b)
{
	stream_chunks(&s, b == &server, b->at, b->n, 1000);
	b->n = 0;
	stream_describe(&s, text, sizeof(text));
	cr_expect(!strstr(text, "ZZ"), "%s", text);
}

static bool has(const char *part)
{
	return strstr(text, part);
}

static void ask(const char *called, const char *calling)
{
	static struct bytes body;

	body.n = 0;
	put_fixed(&body, called, calling);
	put_context(&body, true, 1, 0, echo_class, implicit);
	put_user(&body, "OFFIS_DCMTK_362", false);
	put_pdu(&client, 1, &body);
	say(&client);
}

/* ---- who asks ---- */

Test(dicom_counts, several_associations_of_one_connection)
{
	begin();
	ask("PACS", "CT1");
	cr_expect(has("dicom.associations=1") && !has("further"));
	put_outcome(&server, 3, "\0\1\1\7");
	say(&server);
	ask("PACS", "CT1");
	cr_expect(!has("further"));
	ask("ARCHIVE", "CT1");
	ask("ZZ\\PHI", "CT1");
	put_accept(&server);
	say(&server);
	cr_expect(has("dicom.called_ae=PACS ") && has("dicom.further_called_ae=ARCHIVE"));
	cr_expect(has("dicom.associations=4") && has("dicom.associations_accepted=1"));
	cr_expect(has("dicom.associations_rejected=1"), "%s", text);
	cr_expect(!has("dicom.default_ae") && !has("dicom.further_called_ae=invalid"));
}

Test(dicom_counts, default_titles)
{
	static const char *const rows[][3] = {
		{ "PACS", "STORESCU", "1" }, { "ANY-SCP", "CT1", "1" },  { "ORTHANC", "CT1", "1" },
		{ "PACS", "STORESCU1", "" }, { "PACS", "storescu", "" }, { "STORE", "CT1", "" },
		{ "PACS", " ECHOSCU", "1" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin();
		ask(rows[i][0], rows[i][1]);
		cr_expect(has("dicom.default_ae=1") == (*rows[i][2] != 0), "%s %s", rows[i][0],
			  rows[i][1]);
	}
}

/* nmap's own bytes, and with one thing changed at a time. */
Test(dicom_counts, scanner)
{
	static struct bytes body;

	for (int i = 0; i < 4; i++) {
		begin();
		body.n = 0;
		put_fixed(&body, "ANY-SCP", i == 1 ? "ECHOSCX" : "ECHOSCU");
		memset(body.at + 36, 0, 32);
		body.at[36] = i == 2 ? 0 : 0x30;
		put_context(&body, true, 1, 0, echo_class, implicit);
		put_user(&body, i == 3 ? "OFFIS_DCMTK_367" : "OFFIS_DCMTK_362", false);
		put_pdu(&client, 1, &body);
		say(&client);
		cr_expect(has("dicom.scanner=nmap") == (i == 0), "%d: %s", i, text);
	}
}

Test(dicom_counts, passwords_and_refused_contexts)
{
	static struct bytes body;

	begin();
	put_request(&client);
	put_request(&client);
	say(&client);
	cr_expect(has("dicom.clear_passwords=2"));
	body.n = 0;
	put_fixed(&body, "PACS", "CT1");
	for (uint8_t i = 0; i < 7; i++)
		put_context(&body, false, (uint8_t)(2 * i + 1), i, NULL, implicit);
	put_pdu(&server, 2, &body);
	say(&server);
	cr_expect(has("dicom.contexts_refused_user=1 dicom.contexts_refused_no_reason=1 "
		      "dicom.contexts_refused_sop_class=1 dicom.contexts_refused_syntax=1"));
	cr_expect(has("dicom.contexts_accepted=1 dicom.contexts_rejected=6"), "%s", text);
}

/* ---- how much, and what breaks off ---- */

static void respond(uint16_t code, uint16_t status, int completed, int failed, int warned)
{
	static struct bytes command;

	command.n = 0;
	put_element(&command, 0x0000, "\x70\0\0\0", 4);
	put_short(&command, 0x0100, code);
	put_short(&command, 0x0900, status);
	if (completed >= 0) {
		put_short(&command, 0x1021, (uint16_t)completed);
		put_short(&command, 0x1022, (uint16_t)failed);
		put_short(&command, 0x1023, (uint16_t)warned);
	}
	put_data(&server, 1, &command, 1 << 16);
	say(&server);
}

Test(dicom_counts, retrievals_add_up)
{
	begin();
	ask("PACS", "WS");
	put_message(&client, 0x0021, -1, 1 << 16);
	say(&client);
	respond(0x8021, 0xff00, 1, 0, 0);
	respond(0x8021, 0xff00, 1, 0, 1);
	respond(0x8021, 0xff00, 3, 1, 1);
	respond(0x8021, 0xb000, 3, 2, 1);
	cr_expect(has("dicom.instances_retrieved=4") && has("dicom.instances_failed=2"), "%s",
		  text);
	put_message(&client, 0x0010, -1, 1 << 16);
	say(&client);
	respond(0x8010, 0xff00, 7, 0, 0);
	respond(0x8010, 0x0000, -1, 0, 0);
	respond(0x8010, 0x0000, 2, 0, 0);
	cr_expect(has("dicom.instances_retrieved=13") && has("dicom.instances_failed=2"));
	respond(0x8020, 0x0000, 90, 90, 90);
	cr_expect(has("dicom.instances_retrieved=13"), "not of a C-FIND: %s", text);
}

Test(dicom_counts, a_store_cut_off)
{
	begin();
	ask("PACS", "CT1");
	put_message(&client, 0x0001, -1, 1 << 16);
	put_dataset(&client, 100, 60);
	put_message(&client, 0x0001, -1, 1 << 16);
	say(&client);
	respond(0x8001, 0, -1, 0, 0);
	put_outcome(&server, 7, "\0\0\0\0");
	say(&server);
	cr_expect(has("dicom.aborts=1 dicom.aborted_stores=1"), "%s", text);

	begin();
	ask("PACS", "CT1");
	put_message(&client, 0x0001, -1, 1 << 16);
	say(&client);
	respond(0x8001, 0, -1, 0, 0);
	put_outcome(&server, 7, "\0\0\0\0");
	say(&server);
	cr_expect(has("dicom.aborts=1") && !has("aborted_stores"), "all were answered");

	begin();
	ask("PACS", "CT1");
	put_message(&client, 0x0001, -1, 1 << 16);
	say(&client);
	stream_lose(&s, 1);
	put_outcome(&server, 7, "\0\0\0\0");
	say(&server);
	cr_expect(has("dicom.aborts=1") && !has("aborted_stores"), "an answer may be lost");
}

Test(dicom_counts, bytes_of_stores_only)
{
	begin();
	ask("PACS", "CT1");
	put_message(&client, 0x0001, -1, 1 << 16);
	put_dataset(&client, 100, 60);
	put_message(&client, 0x0130, -1, 1 << 16);
	put_dataset(&client, 1000, 60);
	say(&client);
	cr_expect(has("dicom.dataset_bytes=1100") && has("dicom.store_bytes=100"), "%s", text);
}

static void store(const char *sop_class)
{
	static struct bytes command;

	command.n = 0;
	put_element(&command, 0x0000, "\x70\0\0\0", 4);
	put_element(&command, 0x0002, sop_class, strlen(sop_class));
	put_short(&command, 0x0100, 1);
	put_data(&client, 1, &command, 1 << 16);
	say(&client);
}

Test(dicom_counts, modalities)
{
	static const char *const rows[][2] = {
		{ "1", "CR" },      { "1.1", "DX" },    { "1.1.1", "DX" }, { "2.1", "CT" },
		{ "77.1.1", "ES" }, { "20", "NM" },     { "88.67", "SR" }, { "481.5", "RTPLAN" },
		{ "481.9", "RT" },  { "104.1", "DOC" }, { "12.1", "XA" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char uid[80], wanted[80];
		begin();
		ask("PACS", "CT1");
		snprintf(uid, sizeof(uid), "1.2.840.10008.5.1.4.1.1.%s", rows[i][0]);
		snprintf(wanted, sizeof(wanted), "dicom.stored_modality=%s", rows[i][1]);
		store(uid);
		cr_expect(has(wanted), "%s: %s", uid, text);
		cr_expect(!s.out.dropped);
	}
	begin();
	ask("PACS", "CT1");
	store("1.2.840.10008.5.1.4.1.1.13.1.3");
	store("1.2.840.10008.1.1");
	store("1.2.840.10008.5.1.4.1.1.");
	cr_expect(!has("stored_modality"), "%s", text);
}

/* ---- queries ---- */

static struct bytes keys;

static void key(bool is_explicit, uint32_t tag, const char *vr, const char *value)
{
	size_t n = strlen(value);

	put_le(&keys, tag >> 16, 2);
	put_le(&keys, tag & 0xffff, 2);
	if (is_explicit) {
		put(&keys, vr, 2);
		put_le(&keys, n, 2);
	} else {
		put_le(&keys, n, 4);
	}
	put(&keys, value, n);
}

static void begin_query(bool is_explicit)
{
	keys.n = 0;
	key(is_explicit, 0x00080005, "CS", "ISO_IR 100");
	key(is_explicit, 0x00080052, "CS", "STUDY ");
	key(is_explicit, 0x00100010, "PN", "");
}

/* "1" or "" : how many C-FIND asked for everything. */
static void expect_all(bool all, const char *what)
{
	for (size_t most = 1; most <= keys.n; most += most < 40 ? 1 : 37) {
		begin();
		ask("PACS", "WS");
		put_message(&client, 0x0020, -1, 1 << 16);
		put_data(&client, 0, &keys, most);
		put_message(&client, 0x0030, -1, 1 << 16);
		say(&client);
		cr_expect(has("dicom.c_find_all=1") == all, "%s, %zu: %s", what, most, text);
		cr_expect(has("dicom.c_find=1") && has("dicom.c_echo=1") && !s.over, "%s", what);
	}
}

Test(dicom_counts, queries_for_everything)
{
	for (int is_explicit = 0; is_explicit < 2; is_explicit++) {
		begin_query(is_explicit);
		expect_all(true, "nothing but empty keys");
		key(is_explicit, 0x00100020, "LO", "* ");
		expect_all(true, "an asterisk");
		key(is_explicit, 0x00100030, "DA", "ZZ990101");
		expect_all(false, "a date");
		begin_query(is_explicit);
		key(is_explicit, 0x00100020, "LO", "Z*");
		expect_all(false, "a short value");
		begin_query(is_explicit);
		key(is_explicit, 0x00100020, "LO", "*******************ZZ");
		expect_all(false, "a long value that ends in letters");
	}
}

static void put_tag(uint16_t group, uint16_t element, const char *vr, uint32_t length)
{
	put_le(&keys, group, 2);
	put_le(&keys, element, 2);
	if (vr) {
		put(&keys, vr, 2);
		put_le(&keys, 0, 2);
	}
	put_le(&keys, length, 4);
}

/* The worklist's sequence, with and without lengths, and what is in it. */
Test(dicom_counts, queries_with_sequences)
{
	for (int i = 0; i < 8; i++) {
		bool is_explicit = i & 1, undefined = i & 2, valued = i & 4;
		const char *value = valued ? "CT" : "";
		uint32_t inner = 8 + (uint32_t)strlen(value);

		begin_query(is_explicit);
		put_tag(0x0040, 0x0100, is_explicit ? "SQ" : NULL,
			undefined ? 0xffffffff : 8 + inner);
		put_tag(0xfffe, 0xe000, NULL, undefined ? 0xffffffff : inner);
		key(is_explicit, 0x00080060, "CS", value);
		if (undefined) {
			put_tag(0xfffe, 0xe00d, NULL, 0);
			put_tag(0xfffe, 0xe0dd, NULL, 0);
		}
		expect_all(!valued, valued ? "a modality" : "an empty worklist query");
	}
}

Test(dicom_counts, queries_that_cannot_be_read)
{
	begin_query(false);
	keys.n -= 3;
	expect_all(false, "cut in a header");
	begin_query(false);
	key(false, 0x00100020, "LO", "**********");
	keys.n -= 3;
	expect_all(false, "cut in a value");
	keys.n = 0;
	put(&keys, "\x78\x9c ZZ not what it seems", 24);
	expect_all(false, "deflated");
	begin();
	ask("PACS", "WS");
	put_message(&client, 0x0020, -1, 1 << 16);
	put_message(&client, 0x0030, -1, 1 << 16);
	say(&client);
	cr_expect(!has("c_find_all") && has("dicom.c_echo=1"), "no identifier");
}
