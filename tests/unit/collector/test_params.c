/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/params.h"

#include <criterion/criterion.h>

#include "tests/unit/collector/sample.h"

static struct params got;
static struct reply reply;

static bool read_one(const char *name, const char *value, unsigned extra)
{
	struct request q = { .params = { { name, value } }, .param_count = 1 };

	reply_finish(&reply);
	return params_read(&q, extra, sample_time("2026-01-02T03:04:05Z"), &got, &reply);
}

Test(params, times_and_spans)
{
	cr_assert(read_one("since", "2026-01-02", 0));
	cr_assert_eq(got.filter.since.v, sample_time("2026-01-02T00:00:00Z").v);
	cr_assert(read_one("until", "1h", 0));
	cr_assert(got.filter.has_until);
	cr_assert_not(got.filter.has_since);
	cr_assert_eq(got.filter.until.v, sample_time("2026-01-02T02:04:00Z").v);
	cr_assert(read_one("since", "99999w", 0));
	cr_assert_eq(got.filter.since.v, 0);
}

Test(params, nothing_asked_means_everything)
{
	struct request q = { 0 };

	cr_assert(params_read(&q, 0, sample_time("2026-01-02"), &got, &reply));
	cr_assert_null(got.filter.segment);
	cr_assert_null(got.filter.exercise);
	cr_assert_eq(got.filter.severity, SEVERITY_INFO);
	cr_assert_not(got.filter.has_verdict);
	cr_assert_eq(got.format, FORMAT_JSON);
	cr_assert_eq(got.limit, 0);
}

Test(params, each_is_only_where_it_belongs)
{
	cr_assert(read_one("by", "pair", PARAMS_BY));
	cr_assert_eq(got.by, STORE_BY_PAIR);
	cr_assert_not(read_one("by", "pair", 0));
	cr_assert(read_one("cursor", "1.2", PARAMS_CURSOR));
	cr_assert_not(read_one("cursor", "1.2", PARAMS_BY));
	cr_assert(read_one("q", "SELECT 1", PARAMS_SQL));
	cr_assert_not(read_one("app", "dicom", PARAMS_SQL));
	cr_assert_not(read_one("format", "csv", PARAMS_NONE));
	cr_assert_eq(reply.status, 400);
	reply_finish(&reply);
}

Test(params, what_is_wrong_is_said)
{
	static const struct {
		const char *name, *value, *part;
	} rows[] = {
		{ "since", "", "is no time" },         { "since", "2026-13-01", "is no time" },
		{ "since", "-1h", "is no time" },      { "ip", "", "is not an IP prefix" },
		{ "ip", "10.0.0.0/33", "above 32" },   { "port", "65536", "0 to 65535" },
		{ "port", "-1", "0 to 65535" },        { "port", "0x50", "0 to 65535" },
		{ "verdict", "bad", "cross-segment" }, { "severity", "", "critical" },
		{ "limit", "0", "1 or more" },         { "limit", "9999999999", "1 or more" },
		{ "format", "xml", "ndjson" },         { "color", "red", "there are since, until" },
		{ "", "", "there is no parameter" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_assert_not(read_one(rows[i].name, rows[i].value, 0), "%s=%s", rows[i].name,
			      rows[i].value);
		cr_assert_eq(reply.status, 400);
		cr_assert_not_null(strstr(reply.body.data, rows[i].part), "%s", reply.body.data);
	}
	reply_finish(&reply);
}

Test(params, an_empty_span_of_time_is_a_mistake)
{
	struct request q = { .params = { { "since", "1h" }, { "until", "2h" } }, .param_count = 2 };

	cr_assert_not(params_read(&q, 0, sample_time("2026-01-02"), &got, &reply));
	cr_assert_not_null(strstr(reply.body.data, "until is not after since"));
	reply_finish(&reply);
}
