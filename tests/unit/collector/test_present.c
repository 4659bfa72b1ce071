/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/present.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>

#include "tests/unit/collector/sample.h"

static struct buf out;

static const char *records(enum format format, enum store_question question,
			   const struct record *list, size_t count)
{
	struct presenter p = { .format = format, .out = &out };
	struct store_answer answer = { .next = "1.2" };

	buf_clear(&out);
	present_open(&p, question);
	struct store_sink sink = present_sink(&p);
	for (size_t i = 0; i < count; i++)
		cr_assert_eq(sink.record(sink.context, &list[i]), 0);
	present_close(&p, &answer);
	present_finish(&p);
	return out.data;
}

static const char *rows(enum format format, const struct store_value *values, size_t count)
{
	static const char *const names[] = { "a", "b", "c", "d", "e" };
	struct presenter p = { .format = format, .out = &out };
	struct store_answer answer = { .cut = true };

	buf_clear(&out);
	struct store_sink sink = present_sink(&p);
	cr_assert_eq(sink.columns(sink.context, names, count), 0);
	cr_assert_eq(sink.row(sink.context, values, count), 0);
	present_close(&p, &answer);
	present_finish(&p);
	return out.data;
}

static const struct store_value values[] = {
	{ .type = STORE_INTEGER, .integer = -5 },
	{ .type = STORE_TEXT, .text = "say \"a, b\"\n" },
	{ .type = STORE_NULL },
	{ .type = STORE_REAL, .real = 0.1 },
	{ .type = STORE_JSON, .text = "{\"x\":1}" },
};

Test(present, rows_in_each_form)
{
	cr_assert_str_eq(rows(FORMAT_JSON, values, 5),
			 "{\"columns\":[\"a\",\"b\",\"c\",\"d\",\"e\"],\"rows\":[\n"
			 "{\"a\":-5,\"b\":\"say \\\"a, b\\\"\\u000a\",\"d\":0.1,\"e\":{\"x\":1}}\n"
			 "],\"truncated\":true}\n");
	cr_assert_str_eq(
		rows(FORMAT_NDJSON, values, 5),
		"{\"a\":-5,\"b\":\"say \\\"a, b\\\"\\u000a\",\"d\":0.1,\"e\":{\"x\":1}}\n");
	cr_assert_str_eq(rows(FORMAT_CSV, values, 5),
			 "a,b,c,d,e\r\n-5,\"say \"\"a, b\"\"\n\",,0.1,\"{\"\"x\"\":1}\"\r\n");
	buf_finish(&out);
}

Test(present, what_is_no_number_is_no_json)
{
	const struct store_value v[] = { { .type = STORE_REAL, .real = INFINITY },
					 { .type = STORE_REAL, .real = NAN } };

	cr_assert_str_eq(rows(FORMAT_NDJSON, v, 2), "{}\n");
	buf_finish(&out);
}

/* Each dotted name of the header finds its place in a record that has them all. */
Test(present, csv_has_every_member_of_a_flow)
{
	struct record r = sample_flow("f1", "2026-01-02T03:04:05Z");
	static const struct record_attribute attribute = { .name = "dicom.c_store",
							   .type = ATTRIBUTE_NUMBER,
							   .number = 12 };
	struct record_flow *f = &r.flow;

	f->exercise = "autumn";
	f->client.has_mac = f->server.has_mac = true;
	f->client.asn = f->server.asn = 1;
	f->client.country = f->server.country = "FR";
	f->path[f->path_count++] = "vlan:10";
	f->path[f->path_count++] = "vlan:20";
	f->tunnel[f->tunnel_count++] = "gre";
	f->has_tcp = f->tcp.has_rtt_client = f->tcp.has_rtt_server = true;
	f->tcp.flags_to_client = f->tcp.flags_to_server = 2;
	f->has_icmp = true;
	f->attributes = &attribute;
	f->attribute_count = 1;
	const char *text = records(FORMAT_CSV, STORE_FLOWS, &r, 1);
	cr_assert_null(strstr(text, ",,"), "%s", text);
	cr_assert_not_null(strstr(text, "vlan:10 vlan:20"));
	cr_assert_not_null(strstr(text, "\"{\"\"dicom.c_store\"\":12}\""));
	buf_finish(&out);
}

Test(present, json_of_records_can_be_read)
{
	struct record r[2] = { sample_flow("f1", "2026-01-02T03:04:05Z"),
			       sample_flow("f2", "2026-01-02T03:04:05Z") };

	json_t *answer = json_loads(records(FORMAT_JSON, STORE_FLOWS, r, 2), 0, NULL);
	cr_assert_not_null(answer);
	cr_assert_eq(json_array_size(json_object_get(answer, "rows")), 2);
	cr_assert_str_eq(json_string_value(json_object_get(answer, "next")), "1.2");
	json_decref(answer);
	answer = json_loads(records(FORMAT_JSON, STORE_ALERTS, NULL, 0), 0, NULL);
	cr_assert_eq(json_array_size(json_object_get(answer, "rows")), 0);
	json_decref(answer);
	buf_finish(&out);
}
