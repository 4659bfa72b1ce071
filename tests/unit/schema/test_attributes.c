/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "schema/attributes.h"

static const struct field count_field = { "t.count", FIELD_COUNTER, GRAMMAR_NONE, "",
					  "",        PHI_NONE,      ABOUT_FLOW };
static const struct field number_field = { "t.number", FIELD_NUMBER, GRAMMAR_NONE, "",
					   "",         PHI_NONE,     ABOUT_FLOW };
static const struct field title = { "t.ae", FIELD_TEXT, GRAMMAR_AE_TITLE, "",
				    "",     PHI_SITE,   ABOUT_FLOW };
static const struct field uids = {
	"t.uids", FIELD_TEXTS, GRAMMAR_UID, "", "", PHI_NONE, ABOUT_FLOW
};
static const struct field host = { "t.host", FIELD_TEXTS, GRAMMAR_HOSTNAME, "",
				   "",       PHI_SITE,    ABOUT_FLOW };

static void text(struct attributes *a, const struct field *f, const char *s)
{
	attributes_text(a, f, s, strlen(s));
}

static const char *first(const struct attributes *a, const struct field *f)
{
	const struct attribute *v = attributes_find(a, f);
	return v ? attribute_text(a, v) : NULL;
}

Test(attributes, counters_add_and_start_again_behind_an_interim_record)
{
	struct attributes a = { 0 };

	attributes_add(&a, &count_field, 2);
	attributes_add(&a, &count_field, 3);
	attributes_number(&a, &number_field, 7);
	text(&a, &title, "CT1");
	cr_assert_eq(attributes_find(&a, &count_field)->number, 5);
	attributes_restart(&a);
	cr_assert_eq(attributes_find(&a, &count_field)->number, 0);
	cr_assert_eq(attributes_find(&a, &number_field)->number, 7);
	cr_assert_str_eq(first(&a, &title), "CT1");
}

Test(attributes, a_text_outside_its_grammar_becomes_the_word_invalid)
{
	struct attributes a = { 0 };

	text(&a, &uids, "1.2.840^ZZPHI");
	cr_assert_str_eq(first(&a, &uids), "invalid");
	cr_assert_eq(a.invalid, 1);
	cr_assert_null(memmem(&a, sizeof(a), "ZZ", 2));
}

Test(attributes, the_first_good_text_stays)
{
	struct attributes a = { 0 };

	text(&a, &title, "BAD\\TITLE");
	cr_assert_str_eq(first(&a, &title), "invalid");
	text(&a, &title, "  PACS  ");
	cr_assert_str_eq(first(&a, &title), "PACS", "padding goes, a valid one replaces invalid");
	text(&a, &title, "OTHER");
	cr_assert_str_eq(first(&a, &title), "PACS");
	cr_assert_eq(a.count, 1);
}

Test(attributes, a_set_keeps_distinct_texts_within_its_bound)
{
	struct attributes a = { 0 };

	for (int round = 0; round < 2; round++)
		for (int i = 0; i < ATTRIBUTES_SET_MOST + 3; i++) {
			char uid[16];
			snprintf(uid, sizeof(uid), "1.2.%d", i);
			text(&a, &uids, uid);
		}
	cr_assert_eq(a.count, ATTRIBUTES_SET_MOST);
	cr_assert_eq(a.dropped, 6);
	text(&a, &host, "PACS.Example");
	text(&a, &host, "pacs.example");
	cr_assert_str_eq(first(&a, &host), "pacs.example");
	cr_assert_eq(a.count, ATTRIBUTES_SET_MOST + 1);
}

Test(attributes, running_out_of_room_drops_and_counts)
{
	struct attributes a = { 0 };
	static struct field fields[ATTRIBUTES_MOST + 4];
	char long_host[200];

	memset(long_host, 'a', sizeof(long_host));
	for (int i = 50; i < 199; i += 50)
		long_host[i] = '.';
	for (size_t i = 0; i < ATTRIBUTES_MOST + 4; i++) {
		fields[i] = (struct field){ "t.x", FIELD_TEXT, GRAMMAR_HOSTNAME, "",
					    "",    PHI_SITE,   ABOUT_FLOW };
		long_host[0] = (char)('a' + i % 26);
		attributes_text(&a, &fields[i], long_host, 190);
	}
	cr_assert_leq(a.text_used, ATTRIBUTES_TEXT);
	cr_assert_gt(a.dropped, 0);
	for (size_t i = 0; i < ATTRIBUTES_MOST + 4; i++) {
		fields[i].type = FIELD_COUNTER;
		attributes_add(&a, &fields[i], 1);
	}
	cr_assert_eq(a.count, ATTRIBUTES_MOST);
}

Test(grammar, what_fits_and_what_does_not)
{
	static const struct {
		enum grammar grammar;
		const char *good, *bad;
	} rows[] = {
		{ GRAMMAR_TOKEN, "TLS_1.3+x/y", "two words" },
		{ GRAMMAR_TOKEN, "a", "<b>" },
		{ GRAMMAR_AE_TITLE, "CT MODALITY_1", "SEVENTEEN LETTERS" },
		{ GRAMMAR_AE_TITLE, "A", "   " },
		{ GRAMMAR_UID, "1.2.840.10008.1.1", "1.2." },
		{ GRAMMAR_UID, "1", "1.2.840.x" },
		{ GRAMMAR_HL7_NAME, "Lab System:A/1", "Dupont^Jean" },
		{ GRAMMAR_HL7_TYPE, "ADT^A01^ADT_A01", "D|2" },
		{ GRAMMAR_HL7_TYPE, "ACK", "ACKS" },
		{ GRAMMAR_HL7_TYPE, "ORU^R01", "ORU^R1" },
		{ GRAMMAR_VERSION, "2.5.1", "v2.5" },
		{ GRAMMAR_HOSTNAME, "_dicom._tcp.pacs-1.example", "a..b" },
		{ GRAMMAR_HOSTNAME, "x", "under score.example" },
		{ GRAMMAR_PRODUCT, "OFFIS_DCMTK_367", "a;b" },
		{ GRAMMAR_ISSUER, "Let's Encrypt: R3 (staging), Inc.", "a@b" },
		{ GRAMMAR_NUMBERS, "1,3,6,15,119,65535", "1,,3" },
		{ GRAMMAR_NUMBERS, "1,3,+", "1,3," },
		{ GRAMMAR_NUMBERS, "55", "+" },
		{ GRAMMAR_NUMBERS, "0", "1,123456" },
		{ GRAMMAR_NUMBERS, "1,+", "1,+,2" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_assert(grammar_accepts(rows[i].grammar, rows[i].good, strlen(rows[i].good)),
			  "%s", rows[i].good);
		cr_assert_not(grammar_accepts(rows[i].grammar, rows[i].bad, strlen(rows[i].bad)),
			      "%s", rows[i].bad);
		cr_assert_not(grammar_accepts(rows[i].grammar, "", 0));
		cr_assert_not(grammar_accepts(rows[i].grammar, "a\0b", 3));
		cr_assert_not(grammar_accepts(rows[i].grammar, "caf\xc3\xa9", 5));
		cr_assert_not(grammar_accepts(rows[i].grammar, "a\r", 2));
	}
	cr_assert_not(grammar_accepts(GRAMMAR_NONE, "a", 1));
}

Test(attributes, invalid_texts_without_end_take_no_room)
{
	static const struct field ae = { "t.ae", FIELD_TEXT, GRAMMAR_AE_TITLE, "",
					 "",     PHI_SITE,   ABOUT_FLOW };
	static const struct field uid = { "t.uid", FIELD_TEXT, GRAMMAR_UID, "",
					  "",      PHI_NONE,   ABOUT_FLOW };
	static struct attributes a;

	for (int i = 0; i < 70000; i++)
		attributes_text(&a, &ae, "\x01", 1);
	attributes_text(&a, &uid, "1.2.3", 5);
	attributes_text(&a, &ae, "PACS", 4);
	cr_assert_eq(a.count, 2);
	cr_assert_eq(a.invalid, 70000);
	cr_assert_eq(a.dropped, 0);
	cr_assert_str_eq(attribute_text(&a, attributes_find(&a, &ae)), "PACS");
}

/* Each byte alone, and behind one that every grammar takes. */
static void expect_bytes(enum grammar g, const char *wanted)
{
	for (unsigned c = 0; c < 256; c++) {
		char pair[] = { '0', (char)c, '0' };
		bool in = c && strchr(wanted, (int)c);
		cr_expect_eq(grammar_accepts(g, pair, 3), in, "%s: byte %u", grammar_name(g), c);
	}
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

Test(attributes, each_grammar_takes_its_bytes_and_no_other)
{
	expect_bytes(GRAMMAR_TOKEN, LETTERS DIGITS "_.+/-");
	expect_bytes(GRAMMAR_UID, DIGITS ".");
	expect_bytes(GRAMMAR_HL7_NAME, LETTERS DIGITS "_ .:/-");
	expect_bytes(GRAMMAR_VERSION, LETTERS DIGITS "._-");
	expect_bytes(GRAMMAR_HOSTNAME, LETTERS DIGITS ".-_");
	expect_bytes(GRAMMAR_PRODUCT, LETTERS DIGITS "_. ()+/-");
	expect_bytes(GRAMMAR_ISSUER, LETTERS DIGITS "_. ,'&:()+/-");
	expect_bytes(GRAMMAR_NUMBERS, DIGITS ",");
}

Test(attributes, packed_ones_say_the_same_and_can_be_unpacked_and_restarted)
{
	uint64_t room[sizeof(struct attributes) / sizeof(uint64_t)];
	struct attributes a = { 0 }, again, *packed = (struct attributes *)room;

	cr_assert_leq(attributes_packed_size(&a), 32);
	attributes_add(&a, &count_field, 2);
	text(&a, &host, "A.example.org");
	text(&a, &host, "b.example.org");
	text(&a, &title, "\\");
	size_t n = attributes_packed_size(&a);
	cr_assert_leq(n, 160);
	memset(room, 0xee, sizeof(room));
	attributes_pack(packed, &a);
	for (size_t i = n; i < sizeof(room); i++)
		cr_assert_eq(((uint8_t *)room)[i], 0xee);
	cr_assert_eq(attributes_packed_size(packed), n);
	cr_assert_str_eq(first(packed, &host), "a.example.org");
	cr_assert_str_eq(attribute_text(packed, &packed->values[2]), "b.example.org");
	cr_assert_str_eq(first(packed, &title), "invalid");
	cr_assert_eq(packed->invalid, 1);

	attributes_unpack(&again, packed);
	text(&again, &host, "c.example.org");
	attributes_add(&again, &count_field, 1);
	cr_assert_str_eq(first(&again, &host), "a.example.org");
	cr_assert_str_eq(attribute_text(&again, &again.values[4]), "c.example.org");
	cr_assert_eq(attributes_find(&again, &count_field)->number, 3);

	attributes_restart(packed);
	cr_assert_eq(attributes_find(packed, &count_field)->number, 0);
	struct attributes twice;
	attributes_unpack(&twice, packed);
	attributes_pack(packed, &twice);
	cr_assert_eq(attributes_packed_size(packed), n);
	cr_assert_str_eq(attribute_text(packed, &packed->values[2]), "b.example.org");
}
