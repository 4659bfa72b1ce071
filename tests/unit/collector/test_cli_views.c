/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "collector/cli_views.h"

typedef void viewer(const json_t *answer, const struct style *style, struct buf *out);

static char *rendered(viewer *view, size_t width, const char *text)
{
	struct style style = { .width = width };
	struct buf out = { 0 };
	json_error_t error;
	json_t *answer = json_loads(text, 0, &error);

	cr_assert_not_null(answer, "%s", error.text);
	view(answer, &style, &out);
	cr_assert_not(out.failed);
	json_decref(answer);
	return out.data;
}

static void is_view(viewer *view, size_t width, const char *text, const char *expected)
{
	char *out = rendered(view, width, text);

	cr_expect_str_eq(out, expected, "got:\n%s\nexpected:\n%s", out, expected);
	free(out);
}

#define FLOW(start, verdict, severity) \
	"{\"type\":\"flow\",\"start\":\"" start "\",\"protocol\":\"tcp\"," \
	"\"client\":{\"ip\":\"10.30.1.5\",\"port\":40112,\"segment\":\"imaging\"}," \
	"\"server\":{\"ip\":\"2001:db8::1\",\"port\":104,\"segment\":\"pacs\"}," \
	"\"bytes\":{\"to_server\":812,\"to_client\":640},\"app\":\"dicom\"," \
	"\"verdict\":\"" verdict "\",\"severity\":\"" severity \
	"\",\"reason\":\"a reason in words\"}"

Test(views, flows_of_one_day)
{
	is_view(view_flows, 0,
		"{\"rows\":[" FLOW("2026-01-02T03:04:05.000001Z", "conduit", "info") "]}",
		"2026-01-02, times in UTC\n"
		"TIME      CLIENT               SERVER                    APP    BYTES  VERDICT  "
		"SEVERITY  REASON\n"
		"03:04:05  10.30.1.5 [imaging]  [2001:db8::1]:104 [pacs]  dicom   1452  conduit  "
		"info      a reason in words\n\n1 flow\n");
}

Test(views, flows_of_a_pair_of_segments)
{
	is_view(view_flows, 0,
		"{\"rows\":[{\"start\":\"2026-01-02T03:04:05.000001Z\",\"protocol\":\"tcp\","
		"\"client\":{\"segment\":\"guest\"},\"server\":{\"segment\":\"icu\"},"
		"\"bytes\":{\"to_server\":812,\"to_client\":640},\"verdict\":\"not-evaluated\","
		"\"severity\":\"info\",\"reason\":\"shed\",\"shed\":3}]}",
		"2026-01-02, times in UTC\n"
		"TIME      CLIENT   SERVER  APP  BYTES  VERDICT        SEVERITY  REASON\n"
		"03:04:05  [guest]  [icu]   tcp   1452  not-evaluated  info      shed\n\n1 flow\n");
}

Test(views, flows_of_two_days)
{
	char *out = rendered(view_flows, 0,
			     "{\"rows\":[" FLOW("2026-01-02T03:04:05.000001Z", "conduit",
						"info") "," FLOW("2026-01-03T03:04:05.000001Z",
								 "conduit", "info") "]}");

	cr_expect_eq(strncmp(out, "TIME ", 5), 0);
	cr_expect_not_null(strstr(out, "\n2026-01-03 03:04:05  10.30.1.5"));
	cr_expect_not_null(strstr(out, "\n2 flows, times in UTC\n"));
	free(out);
}

Test(views, flows_on_narrow_terminals)
{
	static const struct {
		size_t width;
		const char *seen, *left_out, *advice;
	} cases[] = {
		{ 100, "SEVERITY", "REASON", "a wider terminal also shows the reasons" },
		{ 80, "VERDICT", "BYTES", "a wider terminal also shows bytes, severities" },
		{ 68, "[2001:db8::1]:104 [p..", "BYTES",
		  "a wider terminal also shows bytes, severities" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *out = rendered(
			view_flows, cases[i].width,
			"{\"rows\":[" FLOW("2026-01-02T03:04:05.000001Z", "vendor", "info") "]}");

		cr_expect_not_null(strstr(out, cases[i].seen), "%s", out);
		cr_expect_null(strstr(out, cases[i].left_out), "%s", out);
		cr_expect_not_null(strstr(out, cases[i].advice), "%s", out);
		for (const char *p = out, *end; (end = strchr(p, '\n')); p = end + 1)
			cr_expect_leq((size_t)(end - p), cases[i].width);
		free(out);
	}
}

Test(views, flows_none)
{
	is_view(view_flows, 0, "{\"rows\":[]}",
		"TIME  CLIENT  SERVER  APP  BYTES  VERDICT  SEVERITY  REASON\n\n"
		"0 flows, times in UTC\n");
}

Test(views, alerts)
{
	is_view(view_alerts, 60,
		"{\"rows\":[{\"kind\":\"cross-segment\",\"severity\":\"critical\",\"count\":7,"
		"\"first_seen\":\"2026-01-02T03:04:05.000001Z\","
		"\"last_seen\":\"2026-01-02T04:04:05.000001Z\",\"sensor\":\"span-1\","
		"\"client\":{\"ip\":\"10.30.1.5\",\"port\":40112,\"segment\":\"imaging\"},"
		"\"server\":{\"ip\":\"10.20.1.5\",\"port\":445,\"segment\":\"icu\"},\"app\":"
		"\"smb\","
		"\"reason\":\"no conduit joins imaging and icu, and nobody declared an exception\","
		"\"technique\":\"T1021.002\",\"id\":\"00ff\"}]}",
		"critical  cross-segment  2026-01-02 03:04:05 to 04:04:05, 7 times\n"
		"  10.30.1.5 [imaging] -> 10.20.1.5:445 [icu]  smb\n"
		"  no conduit joins imaging and icu, and nobody declared an\n"
		"  exception\n"
		"  technique T1021.002, sensor span-1, id 00ff\n\n"
		"1 alert: 1 critical\n");
}

Test(views, an_alert_without_ends)
{
	is_view(view_alerts, 60,
		"{\"rows\":[{\"kind\":\"sensor.blind\",\"severity\":\"high\","
		"\"first_seen\":\"2026-01-02T03:04:05.000001Z\","
		"\"last_seen\":\"2026-01-02T03:04:05.900000Z\",\"reason\":\"no packets\"}]}",
		"high      sensor.blind  2026-01-02 03:04:05\n  no packets\n\n"
		"1 alert: 1 high\n");
}

#define PAIR(from, to, verdict, severity, flows) \
	"{\"client_segment\":\"" from "\",\"server_segment\":\"" to "\",\"verdict\":\"" verdict \
	"\",\"severity\":\"" severity "\",\"flows\":" flows ",\"packets\":9,\"bytes\":12345}"

Test(views, matrix)
{
	is_view(view_matrix, 100,
		"{\"rows\":[" PAIR("imaging", "pacs", "conduit", "info", "1200") "," PAIR(
			"imaging", "pacs", "cross-segment", "critical",
			"3") "," PAIR("unknown-internal", "pacs", "unknown-segment", "low",
				      "1") "," PAIR("pacs", "external", "unknown-third-party",
						    "high", "12345") "]}",
		"                   pacs extern\n"
		"imaging           1203!     .\n"
		"pacs                 .    12k+\n"
		"unknown-internal     1-     .\n\n"
		"Flows from the segment on the left to the segment above. Worst finding: ! "
		"critical, "
		"+ high, - low,\nno mark: as declared. A segment without a column received none, "
		"one without a line began none.\n"
		"extern = external\n\n"
		"Not as declared:\n"
		"SEVERITY  FROM              TO        VERDICT              FLOWS  BYTES\n"
		"critical  imaging           pacs      cross-segment            3    12k\n"
		"high      pacs              external  unknown-third-party    12k    12k\n"
		"low       unknown-internal  pacs      unknown-segment          1    12k\n");
}

Test(views, matrix_without_flows)
{
	is_view(view_matrix, 100, "{\"rows\":[]}", "no flows\n");
}

/* A vendor that its own entry speaks against is named once. */
Test(views, an_alert_about_a_vendor)
{
	is_view(view_alerts, 60,
		"{\"rows\":[{\"kind\":\"vendor-unexpected\",\"severity\":\"high\",\"vendor\":"
		"\"Acme\",\"rule\":\"Acme\",\"first_seen\":\"2026-01-02T03:04:05.000001Z\","
		"\"last_seen\":\"2026-01-02T03:04:05.900000Z\"}]}",
		"high      vendor-unexpected  2026-01-02 03:04:05\n  vendor Acme\n\n"
		"1 alert: 1 high\n");
}

/* Many segments side by side in a hundred columns, more of them in blocks; heads
 * that start alike stay apart. */
Test(views, matrix_fits_the_terminal)
{
	struct buf text = { 0 };
	static const struct {
		size_t servers; /* of two clients */
		const char *heads[3];
		const char *last;
	} cases[] = {
		{ 14,
		  { "bui-a = building-automation-0", "bui-2 = building-automation-1",
		    "bui14 = building-automation-9" },
		  " bui14" },
		{ 30,
		  { "bui-au = building-automation-0", "bui-a2 = building-automation-1",
		    "bui-30 = building-automation-9" },
		  " bui-30" },
	};

	for (size_t k = 0; k < 2; k++) {
		buf_clear(&text);
		buf_text(&text, "{\"rows\":[");
		for (size_t i = 0; i < cases[k].servers; i++)
			buf_format(&text,
				   "%s{\"server_segment\":\"building-automation-%zu\","
				   "\"client_segment\":\"laboratory%zu\",\"flows\":1}",
				   i ? "," : "", i, i % 2);
		buf_text(&text, "]}");
		char *out = rendered(view_matrix, 100, text.data);
		for (const char *p = out, *end; (end = strchr(p, '\n')); p = end + 1)
			cr_expect_leq(end - p, 100, "%.*s", (int)(end - p), p);
		for (size_t i = 0; i < 3; i++)
			cr_expect_not_null(strstr(out, cases[k].heads[i]), "%s", out);
		/* All heads are in the first line, or they are not. */
		bool one_line = memmem(out, strcspn(out, "\n"), cases[k].last,
				       strlen(cases[k].last)) != NULL;
		cr_expect_eq(one_line, k == 0);
		free(out);
	}
	buf_finish(&text);
}

Test(views, rows_have_short_numbers)
{
	is_view(view_rows, 0,
		"{\"columns\":[\"client\",\"server_port\",\"bytes\",\"last_seen\"],\"rows\":["
		"{\"client\":\"10.1.1.1\",\"server_port\":40112,\"bytes\":123456789,"
		"\"last_seen\":\"2026-01-02T03:04:05.5Z\"},{\"client\":\"10.1.1.2\"}]}",
		"CLIENT    SERVER PORT  BYTES  LAST SEEN\n"
		"10.1.1.1        40112   123M  2026-01-02 03:04:05\n"
		"10.1.1.2\n\n2 rows\n");
}

Test(views, rows_leave_out_what_is_empty)
{
	is_view(view_rows, 0,
		"{\"columns\":[\"sensor\",\"site_revision\",\"exercise\",\"counters\",\"client."
		"ip\"],\"rows\":["
		"{\"sensor\":\"span-1\",\"site_revision\":\"00\",\"counters\":{\"a\":1},\"client\":"
		"{\"ip\":\"10.1.1.1\"}}]"
		"}",
		"SENSOR  CLIENT IP\nspan-1  10.1.1.1\n\n1 row\n");
}

Test(views, sql_is_exact)
{
	is_view(view_exact, 0,
		"{\"columns\":[\"n\",\"s\"],\"rows\":[{\"n\":123456789,\"s\":\"\\u001b[31mred\"},"
		"{\"n\":null,\"s\":\"2026-01-02T03:04:05.000001Z\"},{\"n\":0.1}]}",
		"        n  s\n123456789  ?[31mred\n           2026-01-02T03:04:05.000001Z\n"
		"      0.1\n\n3 rows\n");
	is_view(view_exact, 0, "{\"columns\":[\"a\"],\"rows\":[[1],[2]]}", "a\n1\n2\n\n2 rows\n");
}

/* Whatever a collector sends, nothing steers the terminal, and nothing breaks. */
Test(views, odd_answers_are_borne)
{
	static viewer *const views[] = { view_flows, view_alerts, view_matrix, view_rows,
					 view_exact };
	static const char *const texts[] = {
		"{}",
		"[]",
		"{\"rows\":{}}",
		"{\"rows\":[1,null,\"x\",[],{}]}",
		"{\"columns\":[1,{},\"a\\u0007\"],\"rows\":[{\"a\\u0007\":\"\\u001b]0;x\\u0007\"}]"
		"}",
		"{\"columns\":[\"kind\"],\"rows\":[{\"kind\":\"\\u001b\",\"severity\":\"\\u001b\","
		"\"client_segment\":\"\\u001b\",\"server_segment\":\"\\u009b\",\"reason\":"
		"\"\\u001b\","
		"\"client\":{\"ip\":\"\\u001b\",\"segment\":\"\\u001b\"},\"app\":\"\\u001b\","
		"\"start\":\"\\u001b\",\"verdict\":\"\\u001b\",\"flows\":-5,\"bytes\":{}}]}",
		"{\"rows\":[{\"client_segment\":7,\"server_segment\":[],\"severity\":1}]}",
	};

	for (size_t v = 0; v < sizeof(views) / sizeof(views[0]); v++) {
		for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
			char *out = rendered(views[v], i % 2 ? 40 : 0, texts[i]);
			cr_expect_null(strpbrk(out, "\033\a"), "view %zu, text %zu", v, i);
			cr_expect_null(strstr(out, "\xc2\x9b"), "view %zu, text %zu", v, i);
			free(out);
		}
	}
}

#define SEGMENT(name, state, reasons, reason, worst, lost) \
	"{\"segment\":\"" name "\",\"sensor\":\"span-1\",\"state\":\"" state \
	"\",\"since\":\"2026-01-02T03:04:00.000000Z\",\"reasons\":\"" reasons \
	"\",\"reason\":\"" reason "\",\"worst\":\"" worst "\",\"lost_share\":" lost \
	",\"missed_share\":0}"

Test(views, coverage)
{
	is_view(view_coverage, 80,
		"{\"rows\":[" SEGMENT(
			"icu", "blind", "drops", "frames were lost", "blind",
			"0.625") "," SEGMENT("theatre", "quiet", "never-seen",
					     "never seen since the sensor started", "quiet",
					     "0") "," SEGMENT("pacs", "seen", "", "", "partial",
							      "0.0002") "]}",
		"SEGMENT  SENSOR  STATE  SINCE             WORST      LOST  MISSED\n"
		"icu      span-1  blind  2026-01-02 03:04  blind    62.5 %\n"
		"theatre  span-1  quiet  2026-01-02 03:04  quiet\n"
		"pacs     span-1  seen   2026-01-02 03:04  partial  <0.1 %\n\n"
		"  icu (span-1): frames were lost\n"
		"  theatre (span-1): never seen since the sensor started\n\n"
		"3 segments, 2 not well seen; times in UTC\n");
	is_view(view_coverage, 80, "{\"rows\":[]}",
		"SEGMENT  SENSOR  STATE  SINCE  WORST  LOST  MISSED\n\n"
		"0 segments, 0 not well seen; times in UTC\n");
}

Test(views, sensors)
{
	is_view(view_sensors, 80,
		"{\"rows\":[{\"sensor\":\"span-1\",\"state\":\"silent\",\"last_minute\":"
		"\"2026-01-02T03:04:00.000000Z\",\"version\":\"0.1.0\",\"packets_per_s\":1234.5,"
		"\"lost_share\":0.1,\"lost_share_in_all\":0.00001,\"shed_level\":2,"
		"\"site_revision\":\"3f2a\",\"epoch\":77,\"missing_batches\":3,"
		"\"interfaces\":[{\"name\":\"eno2\",\"state\":\"up\"},"
		"{\"name\":\"eno3\",\"state\":\"no-link\"}],"
		"\"last_counters\":{\"packets\":900,\"drops.kernel\":100},"
		"\"counters\":{\"packets\":99000,\"clock.steps\":1}},"
		"{\"sensor\":\"span-2\"}]}",
		"SENSOR  STATE   LAST REPORT       VERSION  PACKETS/S    LOST  IN ALL  SHED\n"
		"span-1  silent  2026-01-02 03:04  0.1.0         1234  10.0 %  <0.1 %     2\n"
		"span-2                                             0                     0\n\n"
		"  span-1: site 3f2a, epoch 77, 3 batches missing\n"
		"    interfaces: eno2 up, eno3 no-link\n"
		"    last minute: drops.kernel 100 (10 %)\n"
		"    in all: clock.steps 1\n\n"
		"2 sensors; times in UTC\n");
}

#define HOST \
	"{\"type\":\"asset\",\"ip\":\"10.30.1.5\",\"mac\":\"00:09:5c:01:02:03\"," \
	"\"mac_vendor\":\"Acme\",\"realm\":\"default\",\"sensor\":\"span-1\"," \
	"\"segment\":\"imaging\",\"first_seen\":\"2026-01-02T03:04:05.000001Z\"," \
	"\"last_seen\":\"2026-01-03T03:04:05.000001Z\"," \
	"\"roles\":[{\"role\":\"modality\",\"confidence\":\"high\",\"from\":\"x\"}," \
	"{\"role\":\"monitor\",\"confidence\":\"low\",\"from\":\"mac_vendor\"}]," \
	"\"facts\":[{\"name\":\"os\",\"value\":\"unix-like\",\"confidence\":\"low\"," \
	"\"from\":\"ip.ttl\",\"first_seen\":\"2026-01-02T03:04:05.000001Z\"," \
	"\"last_seen\":\"2026-01-02T03:04:05.000001Z\"}," \
	"{\"name\":\"os\",\"value\":\"windows\",\"confidence\":\"medium\"," \
	"\"from\":\"y\",\"first_seen\":\"2026-01-02T03:04:05.000001Z\"," \
	"\"last_seen\":\"2026-01-02T03:04:05.000001Z\"}," \
	"{\"name\":\"software\",\"value\":\"DCMTK\\u001b[31m\",\"from\":\"z\"," \
	"\"first_seen\":\"2026-01-02T03:04:05.000001Z\"," \
	"\"last_seen\":\"2026-01-02T03:04:05.000001Z\"}]}"

Test(views, hosts)
{
	is_view(view_hosts, 0, "{\"rows\":[" HOST ",{\"mac\":\"00:09:5c:01:02:04\"}]}",
		"IP         MAC                VENDOR  SEGMENT  ROLE             SYSTEM"
		"               FIRST SEEN        LAST SEEN\n"
		"10.30.1.5  00:09:5c:01:02:03  Acme    imaging  modality (high)  windows, "
		"DCMTK?[31m  2026-01-02 03:04  2026-01-03 03:04\n"
		"-          00:09:5c:01:02:04\n"
		"\n2 hosts; times in UTC; --ip ADDRESS shows all that is known\n");
}

Test(views, what_a_host_is_for_comes_first)
{
	is_view(view_hosts, 0,
		"{\"rows\":[{\"ip\":\"10.30.1.5\",\"roles\":["
		"{\"role\":\"remote-access-target\",\"confidence\":\"medium\"},"
		"{\"role\":\"modality\",\"confidence\":\"medium\"}]}]}",
		"IP         MAC  VENDOR  SEGMENT  ROLE                                           "
		"   SYSTEM  FIRST SEEN  LAST SEEN\n"
		"10.30.1.5                        modality (medium), remote-access-target "
		"(medium)\n"
		"\n1 host; times in UTC; --ip ADDRESS shows all that is known\n");
}

Test(views, hosts_in_a_narrow_terminal)
{
	is_view(view_hosts, 80, "{\"rows\":[" HOST "]}",
		"IP         MAC                SEGMENT  ROLE             LAST SEEN\n"
		"10.30.1.5  00:09:5c:01:02:03  imaging  modality (high)  2026-01-03 03:04\n"
		"\n1 host; times in UTC; --ip ADDRESS shows all that is known\n");
}

Test(views, all_that_is_known_of_a_host)
{
	is_view(view_tenants, 0, "{\"rows\":[" HOST "]}",
		"10.30.1.5 [imaging]  00:09:5c:01:02:03  Acme\n"
		"  2026-01-02 03:04:05 to 2026-01-03 03:04:05, realm default, sensor span-1\n"
		"  modality (high, from x), monitor (low, from mac_vendor)\n"
		"  FACT         VALUE       FROM    FIRST SEEN        LAST SEEN\n"
		"  os (low)     unix-like   ip.ttl  2026-01-02 03:04  2026-01-02 03:04\n"
		"  os (medium)  windows     y       2026-01-02 03:04  2026-01-02 03:04\n"
		"  software     DCMTK?[31m  z       2026-01-02 03:04  2026-01-02 03:04\n"
		"\n1 host; times in UTC\n");
}

Test(views, no_hosts)
{
	is_view(view_tenants, 0, "{\"rows\":[]}", "0 hosts; times in UTC\n");
}
