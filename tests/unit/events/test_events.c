/* SPDX-License-Identifier: Apache-2.0
 *
 * Each kind of event: what raises it, how grave it is, and what does not. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "events/events.h"
#include "site/reader.h"

#define HOSPITAL \
	"site: t\n" \
	"segments:\n" \
	"  - {name: icu, impact: life-critical, match: {prefixes: [10.20.0.0/16]}}\n" \
	"  - {name: imaging, impact: care-critical, match: {prefixes: [10.10.0.0/16]}}\n" \
	"  - {name: plant, impact: operational, match: {prefixes: [10.70.0.0/16]}}\n" \
	"  - {name: office, impact: administrative, match: {prefixes: [10.80.0.0/16]}}\n"
#define AT_ONCE HOSPITAL "expect:\n  learn: 0s\n"

enum { ATTRIBUTES = 8, TOLD = 16, MINUTE = 60 };

/* One record, put together by the calls below. */
static struct site *site;
static struct events *events;
static struct counters counters;
static struct record_flow flow;
static struct record_attribute attributes[ATTRIBUTES];
static const char *texts[ATTRIBUTES];
static char ids[TOLD][8];
static unsigned flows;

static struct told {
	char kind[40], reason[256];
	enum severity severity;
	bool of_segments;
} told[TOLD];
static unsigned told_count;

static void take(void *context, const struct event *e)
{
	(void)context;
	cr_assert_lt(told_count, (unsigned)TOLD);
	struct told *t = &told[told_count++];
	snprintf(t->kind, sizeof(t->kind), "%s", e->kind);
	snprintf(t->reason, sizeof(t->reason), "%s", e->reason);
	t->severity = e->severity;
	t->of_segments = e->of_segments;
}

static void begin(const char *text)
{
	struct problems problems = { 0 };

	site = site_read("t", text, strlen(text), (struct usec){ 0 }, &problems, NULL);
	cr_assert(site);
	problems_finish(&problems);
	events = events_create(1024);
	cr_assert(events);
}

static void finish(void)
{
	events_destroy(events);
	site_free(site);
}

TestSuite(events, .fini = finish);

static void stand(struct record_endpoint *e, const char *ip)
{
	cr_assert(ip_parse(ip, &e->ip));
	const struct segment *s = site_locate(site, &e->ip, 0, NULL);
	e->segment = s->name;
	e->impact = s->impact;
}

static void from_to(const char *app, const char *client, const char *server)
{
	flow = (struct record_flow){ .app = app, .attributes = attributes };
	flow.id = ids[flows % TOLD];
	snprintf(ids[flows % TOLD], sizeof(ids[0]), "%u", flows);
	flows++;
	flow.start.v = flow.end.v = (int64_t)flows * USEC_PER_SECOND;
	flow.end_reason = END_FIN;
	stand(&flow.client, client);
	stand(&flow.server, server);
	flow.verdict = flow.client.segment == flow.server.segment ? VERDICT_INTRA_SEGMENT
								  : VERDICT_CROSS_SEGMENT;
	told_count = 0;
}

static void text(const char *name, const char *value)
{
	size_t i = flow.attribute_count++;

	texts[i] = value;
	attributes[i] = (struct record_attribute){ name, ATTRIBUTE_TEXT, 0, &texts[i], 1 };
}

static void number(const char *name, uint64_t value)
{
	attributes[flow.attribute_count++] =
		(struct record_attribute){ name, ATTRIBUTE_NUMBER, value, NULL, 0 };
}

static void judge(void)
{
	told_count = 0;
	events_judge(events, site, &flow, &counters, take, NULL);
}

static const struct told *event(const char *kind)
{
	for (unsigned i = 0; i < told_count; i++)
		if (!strcmp(told[i].kind, kind))
			return &told[i];
	return NULL;
}

static void expect(const char *kind, enum severity severity)
{
	judge();
	const struct told *t = event(kind);
	cr_assert(t, "no %s", kind);
	cr_expect_eq(t->severity, severity, "%s is %s", kind, severity_name(t->severity));
}

static void expect_not(const char *kind)
{
	judge();
	cr_expect(!event(kind), "%s: %s", kind, event(kind)->reason);
}

static void associate(const char *title, const char *client, const char *result)
{
	from_to("dicom", client, "10.10.0.9");
	text("dicom.calling_ae", title);
	text("dicom.called_ae", "PACS");
	text("dicom.association", result);
}

/* ---- DICOM ---- */

Test(events, default_titles)
{
	begin(AT_ONCE);
	associate("ECHOSCU", "10.10.0.1", "accepted");
	number("dicom.default_ae", 1);
	expect("dicom.default-ae", SEVERITY_LOW);
	associate("CT_1", "10.10.0.1", "accepted");
	expect_not("dicom.default-ae");
}

Test(events, titles_that_are_not_declared)
{
	begin(AT_ONCE "  ae_titles: [CT_1, STORESCU]\n");
	associate("CT_2", "10.10.0.1", "accepted");
	expect("dicom.unknown-ae", SEVERITY_HIGH);
	associate("CT_1", "10.10.0.1", "accepted");
	expect_not("dicom.unknown-ae");
	associate("STORESCU", "10.10.0.1", "accepted");
	number("dicom.default_ae", 1);
	expect_not("dicom.default-ae");
}

Test(events, titles_that_are_new)
{
	begin(AT_ONCE);
	associate("CT_1", "10.10.0.1", "accepted");
	expect("dicom.unknown-ae", SEVERITY_LOW);
	associate("CT_1", "10.10.0.1", "accepted");
	expect_not("dicom.unknown-ae");
}

Test(events, what_is_new_is_learnt_first)
{
	begin(HOSPITAL "expect: {learn: 60s}\n");
	associate("CT_1", "10.10.0.1", "accepted");
	expect_not("dicom.unknown-ae");
	flows += MINUTE;
	associate("CT_1", "10.10.0.1", "accepted");
	expect_not("dicom.unknown-ae");
	associate("CT_2", "10.10.0.1", "accepted");
	expect("dicom.unknown-ae", SEVERITY_LOW);
}

Test(events, a_title_from_a_new_address)
{
	begin(AT_ONCE);
	associate("CT_1", "10.10.0.1", "accepted");
	expect_not("dicom.new-address");
	associate("CT_1", "10.10.0.2", "accepted");
	expect("dicom.new-address", SEVERITY_HIGH);
	associate("CT_1", "10.10.0.2", "accepted");
	expect_not("dicom.new-address");
}

Test(events, rejections_in_a_row)
{
	begin(AT_ONCE);
	for (int i = 0; i < 4; i++) {
		associate("CT_1", "10.10.0.1", "rejected");
		expect_not("dicom.rejected");
	}
	associate("CT_1", "10.10.0.2", "rejected");
	expect_not("dicom.rejected");
	associate("CT_2", "10.10.0.1", "rejected");
	expect("dicom.rejected", SEVERITY_HIGH);
	associate("CT_1", "10.10.0.1", "accepted");
	expect_not("dicom.rejected");
	associate("CT_1", "10.10.0.1", "rejected");
	expect_not("dicom.rejected");
}

Test(events, destinations)
{
	begin(AT_ONCE);
	associate("WS", "10.10.0.1", "accepted");
	text("dicom.move_destination", "WS");
	expect_not("dicom.new-destination");
	associate("WS", "10.10.0.1", "accepted");
	text("dicom.move_destination", "LAPTOP");
	expect("dicom.new-destination", SEVERITY_HIGH);
	associate("WS", "10.10.0.1", "accepted");
	text("dicom.move_destination", "LAPTOP");
	expect_not("dicom.new-destination");
}

Test(events, destinations_that_are_not_declared)
{
	begin(AT_ONCE "  ae_titles: [WS]\n");
	associate("WS", "10.10.0.1", "accepted");
	text("dicom.move_destination", "LAPTOP");
	expect("dicom.new-destination", SEVERITY_HIGH);
	associate("WS", "10.10.0.1", "accepted");
	text("dicom.move_destination", "WS");
	expect_not("dicom.new-destination");
}

Test(events, scanners)
{
	begin(AT_ONCE);
	associate("CT_1", "10.10.0.1", "rejected");
	expect_not("dicom.scanner");
	text("dicom.scanner", "nmap");
	expect("dicom.scanner", SEVERITY_HIGH);
}

Test(events, bulk_retrieval)
{
	begin(AT_ONCE "  bulk_images: 100\n");
	associate("WS", "10.10.0.1", "accepted");
	number("dicom.suboperations_completed", 99);
	expect_not("dicom.bulk-retrieval");
	associate("WS", "10.10.0.1", "accepted");
	number("dicom.suboperations_completed", 100);
	expect("dicom.bulk-retrieval", SEVERITY_HIGH);
}

/* ---- HL7 ---- */

static void message(const char *app, const char *type, const char *client)
{
	from_to("hl7", client, "10.20.0.9");
	text("hl7.sending_app", app);
	text("hl7.sending_facility", "SITE");
	text("hl7.message_type", type);
}

Test(events, senders)
{
	begin(AT_ONCE "  hl7_senders: [HIS, \"LAB^SITE\"]\n");
	message("HIS", "ADT^A01", "10.20.0.1");
	expect_not("hl7.unknown-sender");
	message("LAB", "ORU^R01", "10.20.0.2");
	expect_not("hl7.unknown-sender");
	message("LAB2", "ORU^R01", "10.20.0.2");
	expect("hl7.unknown-sender", SEVERITY_HIGH);
	message("HIS", "ADT^A01", "10.20.0.3");
	expect("hl7.new-address", SEVERITY_HIGH);
}

Test(events, message_types)
{
	begin(AT_ONCE "  hl7_types: [ADT, \"ORU^R01\"]\n");
	message("HIS", "ADT^A40", "10.20.0.1");
	expect_not("hl7.unexpected-type");
	message("HIS", "ORU^R01^ORU_R01", "10.20.0.1");
	expect_not("hl7.unexpected-type");
	message("HIS", "ORU^R40", "10.20.0.1");
	expect("hl7.unexpected-type", SEVERITY_HIGH);
}

Test(events, message_types_that_are_new)
{
	begin(AT_ONCE);
	message("HIS", "ADT^A01", "10.20.0.1");
	expect_not("hl7.unexpected-type");
	message("HIS", "QRY^A19", "10.20.0.1");
	expect("hl7.unexpected-type", SEVERITY_LOW);
	message("HIS", "QRY^A19", "10.20.0.1");
	expect_not("hl7.unexpected-type");
}

Test(events, answers)
{
	begin(AT_ONCE);
	message("HIS", "ADT^A01", "10.20.0.1");
	number("hl7.ack_aa", 36);
	number("hl7.ack_ae", 4);
	number("hl7.unanswered", 2);
	expect_not("hl7.nak-burst");
	cr_expect(!event("hl7.unanswered"));
	message("HIS", "ADT^A01", "10.20.0.1");
	number("hl7.ack_aa", 36);
	number("hl7.ack_ar", 5);
	number("hl7.unanswered", 3);
	expect("hl7.nak-burst", SEVERITY_HIGH);
	cr_expect(event("hl7.unanswered"));
	message("HIS", "ADT^A01", "10.20.0.1");
	number("hl7.ack_aa", 1000);
	number("hl7.ack_ar", 5);
	expect_not("hl7.nak-burst");
}

/* ---- what anybody can read ---- */

Test(events, patients_in_clear_text)
{
	begin(AT_ONCE);
	from_to("dicom", "10.10.0.1", "10.10.0.9");
	expect_not("clear-text.clinical");
	from_to("dicom", "10.10.0.1", "10.80.0.9");
	expect("clear-text.clinical", SEVERITY_LOW);
	cr_expect(event("clear-text.clinical")->of_segments);
	flow.encrypted = true;
	expect_not("clear-text.clinical");
	from_to("hl7", "10.20.0.1", "203.0.113.9");
	expect("clear-text.clinical", SEVERITY_CRITICAL);
	from_to("http", "10.20.0.1", "10.80.0.9");
	expect_not("clear-text.clinical");
	text("http.api", "fhir");
	expect("clear-text.clinical", SEVERITY_LOW);
}

Test(events, passwords_in_clear_text)
{
	begin(AT_ONCE);
	from_to("dicom", "10.10.0.1", "10.10.0.9");
	text("dicom.identity", "user-password");
	expect("clear-text.password", SEVERITY_HIGH);
	from_to("ftp", "10.80.0.1", "10.80.0.9");
	number("ftp.clear_text_password", 1);
	expect("clear-text.password", SEVERITY_LOW);
	from_to("dicom", "10.10.0.1", "10.10.0.9");
	text("dicom.identity", "kerberos");
	expect_not("clear-text.password");
}

/* ---- controllers ---- */

Test(events, controllers_by_conduits)
{
	begin(AT_ONCE);
	from_to("bacnet", "10.80.0.1", "10.70.0.9");
	expect_not("control.write");
	number("bacnet.writes", 2);
	expect("control.write", SEVERITY_LOW);
	flow.verdict = VERDICT_CONDUIT;
	expect_not("control.write");
	from_to("s7", "10.70.0.1", "10.70.0.9");
	number("s7.writes", 2);
	expect_not("control.write");
	from_to("s7", "10.80.0.1", "10.70.0.9");
	number("s7.control", 1);
	expect("control.operate", SEVERITY_HIGH);
}

Test(events, controllers_by_segments)
{
	begin(AT_ONCE "  building: [plant]\n");
	from_to("modbus", "10.20.0.1", "10.20.0.9");
	number("modbus.writes", 2);
	expect("control.write", SEVERITY_HIGH);
	from_to("modbus", "10.70.0.1", "10.20.0.9");
	number("modbus.writes", 2);
	expect_not("control.write");
	from_to("modbus", "10.80.0.1", "10.70.0.9");
	number("modbus.writes", 2);
	flow.verdict = VERDICT_CONDUIT;
	expect("control.write", SEVERITY_LOW);
}

/* ---- remote access, certificates, names, web services ---- */

Test(events, remote_access)
{
	begin(AT_ONCE);
	from_to("rdp", "10.80.0.1", "10.20.0.9");
	expect("remote-access.undeclared", SEVERITY_CRITICAL);
	flow.verdict = VERDICT_VENDOR;
	expect_not("remote-access.undeclared");
	from_to("teamviewer", "10.10.0.1", "203.0.113.9");
	expect("remote-access.undeclared", SEVERITY_HIGH);
	from_to("rdp", "10.80.0.1", "10.70.0.9");
	expect_not("remote-access.undeclared");
	from_to("tls", "10.10.0.1", "203.0.113.9");
	text("tls.sni", "relay-1.net.anydesk.com");
	expect("remote-access.undeclared", SEVERITY_HIGH);
	from_to("tls", "10.10.0.1", "203.0.113.9");
	text("tls.sni", "notanydesk.com");
	expect_not("remote-access.undeclared");
	from_to("dicom", "10.80.0.1", "10.20.0.9");
	expect_not("remote-access.undeclared");
}

Test(events, certificates)
{
	begin(AT_ONCE);
	from_to("tls", "10.80.0.1", "10.20.0.9");
	number("tls.certificate_expired", 1);
	expect("certificate.expired", SEVERITY_HIGH);
	from_to("tls", "10.80.0.1", "10.20.0.9");
	number("tls.certificate_self_signed", 1);
	expect("certificate.self-signed", SEVERITY_LOW);
	from_to("tls", "10.20.0.1", "10.80.0.9");
	number("tls.certificate_expired", 1);
	expect_not("certificate.expired");
}

Test(events, resolvers)
{
	begin(AT_ONCE "  resolvers: [10.80.0.53]\n");
	from_to("dns", "10.80.0.1", "10.80.0.53");
	number("dns.queries", 1);
	expect_not("dns.foreign-resolver");
	from_to("dns", "10.80.0.53", "203.0.113.53");
	number("dns.queries", 1);
	expect_not("dns.foreign-resolver");
	from_to("dns", "10.20.0.1", "203.0.113.53");
	number("dns.queries", 1);
	expect("dns.foreign-resolver", SEVERITY_HIGH);
	from_to("tls", "10.20.0.1", "203.0.113.53");
	text("tls.dns_over", "https");
	expect("dns.foreign-resolver", SEVERITY_HIGH);
}

Test(events, resolvers_that_nobody_declared)
{
	begin(AT_ONCE);
	from_to("dns", "10.20.0.1", "203.0.113.53");
	number("dns.queries", 1);
	expect("dns.foreign-resolver", SEVERITY_HIGH);
	from_to("dns", "10.80.0.1", "203.0.113.53");
	number("dns.queries", 1);
	expect_not("dns.foreign-resolver");
	from_to("dns", "10.20.0.1", "10.80.0.53");
	number("dns.queries", 1);
	expect_not("dns.foreign-resolver");
}

Test(events, web_services)
{
	begin(AT_ONCE);
	from_to("http", "10.80.0.1", "10.20.0.9");
	number("http.anonymous_ok", 1);
	number("http.bulk_requests", 1);
	number("http.unauthorized", 10);
	expect_not("http.anonymous");
	text("http.api", "fhir");
	expect("http.anonymous", SEVERITY_HIGH);
	cr_expect(event("http.bulk-export") && event("http.refused"));
}

/* ---- all of them ---- */

Test(events, a_state_is_told_once_for_a_flow)
{
	begin(AT_ONCE);
	from_to("tls", "10.80.0.1", "10.20.0.9");
	number("tls.certificate_expired", 1);
	flow.end_reason = END_ACTIVE;
	expect("certificate.expired", SEVERITY_HIGH);
	flow.interim = 1;
	expect_not("certificate.expired");
	flow.interim = 2;
	flow.end_reason = END_FIN;
	expect_not("certificate.expired");
}

Test(events, each_kind_is_documented)
{
	struct buf page = { 0 };
	char row[64];

	begin(AT_ONCE);
	cr_assert_eq(file_read(SOURCE_ROOT "/docs/events.md", 1 << 20, &page), 0);
	for (size_t i = 0; i < events_kind_count(); i++) {
		snprintf(row, sizeof(row), "\n| `%s` |", events_kind_name(i));
		cr_expect(strstr(page.data, row), "docs/events.md has no row of %s",
			  events_kind_name(i));
		cr_expect(*events_kind_meaning(i));
	}
	buf_finish(&page);
}

Test(events, what_was_not_evaluated_has_none)
{
	begin(AT_ONCE);
	associate("ECHOSCU", "10.10.0.1", "accepted");
	number("dicom.default_ae", 1);
	flow.verdict = VERDICT_NOT_EVALUATED;
	expect_not("dicom.default-ae");
}

Test(events, reasons_name_no_address)
{
	begin(AT_ONCE);
	associate("CT_1", "10.10.0.1", "accepted");
	judge();
	associate("CT_1", "10.10.0.2", "accepted");
	expect("dicom.new-address", SEVERITY_HIGH);
	cr_expect(!strstr(event("dicom.new-address")->reason, "10.10."));
}
