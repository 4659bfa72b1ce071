/* SPDX-License-Identifier: Apache-2.0
 *
 * docs/verdicts.md, case by case, over hospital.yaml. */
#include "hospital.h"

#include <netinet/in.h>
#include <string.h>

enum { TCP = IPPROTO_TCP, UDP = IPPROTO_UDP, ICMP = IPPROTO_ICMP, ESP = IPPROTO_ESP };

struct flow_case {
	const char *client, *server;
	const char *app;
	uint8_t protocol;
	uint16_t port;
	enum verdict verdict;
	enum severity severity;
	const char *rule, *vendor, *technique;
	uint32_t asn; /* of the external end */
	const char *name;
	bool no_data, app_shed;
};

static struct site *site;

static void start(void)
{
	site = hospital_load();
}

static void end(void)
{
	site_free(site);
}

static struct site_flow flow_of(const struct flow_case *c)
{
	struct site_flow f = {
		.app = c->app,
		.protocol = c->protocol,
		.no_data = c->no_data,
		.app_shed = c->app_shed,
		.server_port = c->port,
		.server_name = c->name,
		.start = hospital_now,
	};

	cr_assert(ip_parse(c->client, &f.client_ip) && ip_parse(c->server, &f.server_ip));
	f.client = site_locate(site, &f.client_ip, 0, NULL);
	f.server = site_locate(site, &f.server_ip, 0, NULL);
	f.client_asn = !strcmp(f.client->name, "external") ? c->asn : 0;
	f.server_asn = !strcmp(f.server->name, "external") ? c->asn : 0;
	return f;
}

static void expect_text(const char *got, const char *expected, const char *what, size_t i)
{
	cr_expect_str_eq(got ? got : "-", expected ? expected : "-", "case %zu: %s", i, what);
}

static void check(const struct flow_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct flow_case *c = &cases[i];
		struct site_flow f = flow_of(c);
		struct judgement j;
		memset(&j, 0x5a, sizeof(j));
		site_judge(site, &f, &j);
		cr_expect_str_eq(verdict_name(j.verdict), verdict_name(c->verdict),
				 "case %zu: %s to %s: %s", i, c->client, c->server, j.reason);
		cr_expect_str_eq(severity_name(j.severity), severity_name(c->severity),
				 "case %zu: %s", i, j.reason);
		expect_text(j.rule, c->rule, "rule", i);
		expect_text(j.vendor, c->vendor, "vendor", i);
		expect_text(j.technique, c->technique, "technique", i);
		cr_expect(strlen(j.reason) > 10 && strlen(j.reason) < sizeof(j.reason) - 1);
	}
}

#define CHECK(cases) check(cases, sizeof(cases) / sizeof(*(cases)))

/* clang-format off */
static const struct flow_case inside[] = {
	{ "10.20.1.1", "10.20.2.2", "ssh", TCP, 22, VERDICT_INTRA_SEGMENT, SEVERITY_INFO },
	{ "10.20.1.1", "2001:db8:20::2", NULL, TCP, 9, VERDICT_INTRA_SEGMENT, SEVERITY_INFO },
	{ "10.20.1.1", "224.0.0.251", "mdns", UDP, 5353, VERDICT_INTRA_SEGMENT, SEVERITY_INFO },
	{ "10.20.1.1", "255.255.255.255", "dhcp", UDP, 67, VERDICT_INTRA_SEGMENT, SEVERITY_INFO },
	{ "0.0.0.0", "255.255.255.255", "dhcp", UDP, 67, VERDICT_INTRA_SEGMENT, SEVERITY_INFO },
	{ "fe80::1", "ff02::1", "icmpv6", IPPROTO_ICMPV6, 0, VERDICT_INTRA_SEGMENT, SEVERITY_INFO },
};

/* Connections that never carried data: refused, not answered, or never used. */
static const struct flow_case attempts[] = {
	{ "10.30.1.5", "10.40.8.2", NULL, TCP, 104, VERDICT_CONDUIT, SEVERITY_INFO, "modality-store", .no_data = true },
	{ "10.30.1.5", "10.40.8.2", NULL, TCP, 9999, VERDICT_CONDUIT, SEVERITY_INFO, "modality-store", .no_data = true },
	{ "10.30.1.5", "10.40.8.2", NULL, TCP, 22, VERDICT_WRONG_SERVICE, SEVERITY_HIGH, "modality-store", .technique = "T1021.004", .no_data = true },
	{ "10.30.1.5", "10.40.8.2", "ssh", TCP, 104, VERDICT_WRONG_SERVICE, SEVERITY_HIGH, "modality-store", .technique = "T1021.004", .no_data = true },
};

/* Where an overloaded sensor did not look for the app, nobody is blamed for one. */
static const struct flow_case shed[] = {
	{ "10.30.1.5", "10.40.8.2", NULL, TCP, 104, VERDICT_NOT_EVALUATED, SEVERITY_INFO, .app_shed = true },
	/* a port that says enough */
	{ "10.70.1.5", "10.40.1.2", NULL, TCP, 2575, VERDICT_CONDUIT, SEVERITY_INFO, "adt", .app_shed = true },
	/* found all the same */
	{ "10.70.1.5", "10.40.1.2", "ssh", TCP, 2575, VERDICT_WRONG_SERVICE, SEVERITY_HIGH, "adt", NULL, "T1021.004", .app_shed = true },
	/* no app would help: ports only, no conduit, the other way */
	{ "10.20.1.5", "10.60.1.2", NULL, TCP, 5011, VERDICT_WRONG_SERVICE, SEVERITY_HIGH, "pump-server", .app_shed = true },
	{ "10.200.1.5", "10.20.1.2", NULL, TCP, 3389, VERDICT_CROSS_SEGMENT, SEVERITY_CRITICAL, NULL, NULL, "T1021.001", .app_shed = true },
	{ "10.40.8.2", "10.30.1.5", NULL, TCP, 104, VERDICT_CROSS_SEGMENT, SEVERITY_HIGH, .app_shed = true },
	/* an exception, and one that has ended */
	{ "10.30.1.5", "10.40.1.2", NULL, TCP, 2222, VERDICT_NOT_EVALUATED, SEVERITY_INFO, .app_shed = true },
	{ "10.70.1.5", "10.20.1.2", NULL, TCP, 3389, VERDICT_CROSS_SEGMENT, SEVERITY_CRITICAL, NULL, NULL, "T1021.001", .app_shed = true },
	/* a vendor's services; another segment than the vendor's */
	{ "10.99.0.20", "10.20.1.5", NULL, TCP, 4000, VERDICT_NOT_EVALUATED, SEVERITY_INFO, .app_shed = true },
	{ "10.20.1.5", "203.0.113.7", NULL, TCP, 443, VERDICT_VENDOR_UNEXPECTED, SEVERITY_CRITICAL, "Acme Imaging", "Acme Imaging", .app_shed = true },
	/* a vendor may be known by a name */
	{ "10.40.1.2", "8.8.8.8", NULL, TCP, 443, VERDICT_NOT_EVALUATED, SEVERITY_INFO, .app_shed = true },
	{ "10.40.1.2", "8.8.8.8", NULL, TCP, 443, VERDICT_UNKNOWN_THIRD_PARTY, SEVERITY_HIGH, .name = "nobody.example", .app_shed = true },
	/* inside a segment there is no question */
	{ "10.20.1.1", "10.20.2.2", NULL, TCP, 22, VERDICT_INTRA_SEGMENT, SEVERITY_INFO, .app_shed = true },
};

static const struct flow_case conduits[] = {
	{ "10.30.1.5", "10.40.8.2", "dicom", TCP, 104, VERDICT_CONDUIT, SEVERITY_INFO, "modality-store" },
	/* any port, once the app is known */
	{ "10.30.1.5", "10.40.8.2", "dicom", TCP, 9999, VERDICT_CONDUIT, SEVERITY_INFO, "modality-store" },
	/* a service of apps only is not allowed by a port */
	{ "10.30.1.5", "10.40.8.2", NULL, TCP, 104, VERDICT_WRONG_SERVICE, SEVERITY_HIGH, "modality-store" },
	/* app unknown: the port decides */
	{ "10.70.1.5", "10.40.1.2", NULL, TCP, 2575, VERDICT_CONDUIT, SEVERITY_INFO, "adt" },
	{ "10.70.1.5", "10.40.1.2", NULL, UDP, 2575, VERDICT_WRONG_SERVICE, SEVERITY_HIGH, "adt" },
	/* app known and another one: the port does not help */
	{ "10.70.1.5", "10.40.1.2", "ssh", TCP, 2575, VERDICT_WRONG_SERVICE, SEVERITY_HIGH, "adt", NULL, "T1021.004" },
	/* the second service of a conduit */
	{ "10.20.1.5", "10.40.1.2", "hl7", TCP, 4000, VERDICT_CONDUIT, SEVERITY_INFO, "charts" },
	{ "10.20.1.5", "10.40.1.2", "quic", UDP, 443, VERDICT_CONDUIT, SEVERITY_INFO, "charts" },
	/* a service of ports only: whatever the app */
	{ "10.20.1.5", "10.60.1.2", NULL, TCP, 5000, VERDICT_CONDUIT, SEVERITY_INFO, "pump-server" },
	{ "10.20.1.5", "10.60.1.2", "http", TCP, 5010, VERDICT_CONDUIT, SEVERITY_INFO, "pump-server" },
	{ "10.20.1.5", "10.60.1.2", NULL, TCP, 5011, VERDICT_WRONG_SERVICE, SEVERITY_HIGH, "pump-server" },
	{ "10.20.1.5", "10.60.1.2", NULL, UDP, 5000, VERDICT_WRONG_SERVICE, SEVERITY_HIGH, "pump-server" },
	/* no ports: the protocol's name is the app */
	{ "10.60.1.5", "10.20.1.2", NULL, ICMP, 0, VERDICT_CONDUIT, SEVERITY_INFO, "icu-ping" },
	{ "10.60.1.5", "10.20.1.2", NULL, ESP, 0, VERDICT_WRONG_SERVICE, SEVERITY_HIGH, "icu-ping" },
	/* any */
	{ "10.200.1.5", "8.8.8.8", NULL, ESP, 0, VERDICT_CONDUIT, SEVERITY_INFO, "guest-web" },
	{ "10.200.1.5", "8.8.8.8", "bittorrent", TCP, 6881, VERDICT_CONDUIT, SEVERITY_INFO, "guest-web" },
	/* the built-in names */
	{ "10.50.1.5", "10.70.1.2", "tls", TCP, 443, VERDICT_CONDUIT, SEVERITY_INFO, "scanners" },
	{ "10.30.1.5", "8.8.8.8", "tls", TCP, 443, VERDICT_CONDUIT, SEVERITY_INFO, "imaging-update" },
	/* a conduit comes before the vendor, who is named all the same */
	{ "10.30.1.5", "203.0.113.7", "tls", TCP, 443, VERDICT_CONDUIT, SEVERITY_INFO, "imaging-update", "Acme Imaging" },
	{ "10.200.1.5", "198.51.100.7", "tls", TCP, 443, VERDICT_CONDUIT, SEVERITY_INFO, "guest-web", "Pump Works" },
};

static const struct flow_case crossings[] = {
	{ "10.40.8.2", "10.30.1.5", "dicom", TCP, 104, VERDICT_WRONG_DIRECTION, SEVERITY_HIGH, "modality-store" },
	{ "10.40.1.2", "10.20.1.5", "tls", TCP, 443, VERDICT_WRONG_DIRECTION, SEVERITY_CRITICAL, "charts" },
	/* both a conduit for other services and one the other way: the first of the two words */
	{ "10.60.1.5", "10.20.1.2", NULL, TCP, 5000, VERDICT_WRONG_SERVICE, SEVERITY_HIGH, "icu-ping" },
	/* the other way, for another service: neither */
	{ "10.40.8.2", "10.30.1.5", "ssh", TCP, 22, VERDICT_CROSS_SEGMENT, SEVERITY_HIGH, NULL, NULL, "T1021.004" },
	{ "10.200.1.5", "10.20.1.2", "ssh", TCP, 22, VERDICT_CROSS_SEGMENT, SEVERITY_CRITICAL, NULL, NULL, "T1021.004" },
	{ "10.200.1.5", "10.20.1.2", NULL, TCP, 3389, VERDICT_CROSS_SEGMENT, SEVERITY_CRITICAL, NULL, NULL, "T1021.001" },
	{ "10.200.1.5", "10.20.1.2", "smb", TCP, 445, VERDICT_CROSS_SEGMENT, SEVERITY_CRITICAL, NULL, NULL, "T1021.002" },
	{ "10.200.1.5", "10.40.8.2", "vnc", TCP, 5901, VERDICT_CROSS_SEGMENT, SEVERITY_HIGH, NULL, NULL, "T1021.005" },
	{ "10.200.1.5", "10.60.1.2", "http", TCP, 80, VERDICT_CROSS_SEGMENT, SEVERITY_LOW },
	{ "10.200.1.5", "10.70.1.2", "http", TCP, 80, VERDICT_CROSS_SEGMENT, SEVERITY_LOW },
	/* unknown ends */
	{ "10.50.1.1", "10.40.8.2", "http", TCP, 80, VERDICT_UNKNOWN_SEGMENT, SEVERITY_LOW },
	{ "10.50.1.1", "10.20.1.2", "rdp", TCP, 3389, VERDICT_UNKNOWN_SEGMENT, SEVERITY_HIGH, NULL, NULL, "T1021.001" },
	{ "10.20.1.2", "10.50.1.1", NULL, TCP, 80, VERDICT_UNKNOWN_SEGMENT, SEVERITY_HIGH },
	{ "10.50.1.1", "10.51.1.1", NULL, TCP, 80, VERDICT_UNKNOWN_SEGMENT, SEVERITY_INFO },
	{ "10.50.1.1", "8.8.8.8", "dns", UDP, 53, VERDICT_UNKNOWN_SEGMENT, SEVERITY_INFO },
	{ "9.9.9.9", "8.8.8.8", "dns", UDP, 53, VERDICT_UNKNOWN_SEGMENT, SEVERITY_INFO },
	{ "10.50.1.5", "10.70.1.2", "ssh", TCP, 22, VERDICT_WRONG_SERVICE, SEVERITY_LOW, "scanners", NULL, "T1021.004" },
	{ "10.70.1.2", "10.50.1.5", "tls", TCP, 443, VERDICT_WRONG_DIRECTION, SEVERITY_LOW, "scanners" },
	/* a protocol that has a number only */
	{ "10.200.1.5", "10.20.1.2", NULL, 139, 0, VERDICT_CROSS_SEGMENT, SEVERITY_CRITICAL },
};

static const struct flow_case outside[] = {
	/* clinical segments and parties that nobody declared */
	{ "10.20.1.2", "8.8.8.8", "dns", UDP, 53, VERDICT_UNKNOWN_THIRD_PARTY, SEVERITY_CRITICAL },
	{ "8.8.8.8", "10.20.1.2", "rdp", TCP, 3389, VERDICT_UNKNOWN_THIRD_PARTY, SEVERITY_CRITICAL, NULL, NULL, "T1133" },
	{ "10.40.8.2", "8.8.8.8", "teamviewer", TCP, 5938, VERDICT_UNKNOWN_THIRD_PARTY, SEVERITY_HIGH, NULL, NULL, "T1219" },
	/* even where a conduit leads outside for other services */
	{ "10.30.1.5", "8.8.8.8", "ssh", TCP, 22, VERDICT_UNKNOWN_THIRD_PARTY, SEVERITY_HIGH },
	{ "8.8.8.8", "10.30.1.5", "tls", TCP, 443, VERDICT_UNKNOWN_THIRD_PARTY, SEVERITY_HIGH },
	/* other segments: by conduits alone */
	{ "10.70.1.5", "8.8.8.8", "tls", TCP, 443, VERDICT_CONDUIT, SEVERITY_INFO, "office-web" },
	{ "10.70.1.5", "8.8.8.8", "ssh", TCP, 22, VERDICT_WRONG_SERVICE, SEVERITY_LOW, "office-web" },
	{ "8.8.8.8", "10.70.1.5", "tls", TCP, 443, VERDICT_WRONG_DIRECTION, SEVERITY_LOW, "office-web" },
	{ "8.8.8.8", "10.60.1.5", "ssh", TCP, 22, VERDICT_CROSS_SEGMENT, SEVERITY_LOW, NULL, NULL, "T1133" },
	{ "10.60.1.5", "8.8.8.8", "tls", TCP, 443, VERDICT_CROSS_SEGMENT, SEVERITY_LOW },
};

static const struct flow_case vendors[] = {
	/* the hospital calls the vendor: by prefix, ASN, name */
	{ "10.40.1.2", "172.31.5.9", "tls", TCP, 443, VERDICT_VENDOR, SEVERITY_INFO, "Lab Cloud", "Lab Cloud" },
	{ "10.40.1.2", "8.8.8.8", "tls", TCP, 443, VERDICT_VENDOR, SEVERITY_INFO, "Lab Cloud", "Lab Cloud", NULL, 64510 },
	{ "10.40.1.2", "8.8.8.8", "tls", TCP, 443, VERDICT_VENDOR, SEVERITY_INFO, "Lab Cloud", "Lab Cloud", NULL, 0, "lab.example" },
	{ "10.40.1.2", "8.8.8.8", "tls", TCP, 443, VERDICT_VENDOR, SEVERITY_INFO, "Lab Cloud", "Lab Cloud", NULL, 0, "A.B.Lab.Example." },
	{ "10.40.1.2", "8.8.8.8", "tls", TCP, 443, VERDICT_UNKNOWN_THIRD_PARTY, SEVERITY_HIGH, NULL, NULL, NULL, 64511, "xlab.example" },
	{ "10.40.1.2", "8.8.8.8", "tls", TCP, 443, VERDICT_UNKNOWN_THIRD_PARTY, SEVERITY_HIGH, NULL, NULL, NULL, 0, "acme-imaging.example" },
	/* the prefix is stronger than the ASN, which is stronger than the name */
	{ "10.40.1.2", "172.31.5.9", "tls", TCP, 443, VERDICT_VENDOR, SEVERITY_INFO, "Lab Cloud", "Lab Cloud", NULL, 64500, "x.acme-imaging.example" },
	{ "10.40.1.2", "8.8.8.8", "tls", TCP, 443, VERDICT_VENDOR, SEVERITY_INFO, "Lab Cloud", "Lab Cloud", NULL, 64510, "x.acme-imaging.example" },
	/* without `via` the vendor may call */
	{ "172.31.5.9", "10.40.1.2", "tls", TCP, 443, VERDICT_VENDOR, SEVERITY_INFO, "Lab Cloud", "Lab Cloud" },
	/* with it, not from anywhere else; but the hospital may call the vendor */
	{ "203.0.113.7", "10.30.1.5", "ssh", TCP, 22, VERDICT_VENDOR_UNEXPECTED, SEVERITY_HIGH, "Acme Imaging", "Acme Imaging", "T1133" },
	{ "10.30.1.5", "203.0.113.7", "ssh", TCP, 22, VERDICT_VENDOR, SEVERITY_INFO, "Acme Imaging", "Acme Imaging" },
	/* the vendor at its own way in, and at another's */
	{ "203.0.113.7", "10.99.0.10", "openvpn", UDP, 1194, VERDICT_VENDOR, SEVERITY_INFO, "Acme Imaging", "Acme Imaging" },
	{ "203.0.113.7", "10.99.0.20", "ssh", TCP, 22, VERDICT_CROSS_SEGMENT, SEVERITY_LOW, NULL, "Acme Imaging", "T1133" },
	/* other services, other segments */
	{ "10.30.1.5", "203.0.113.7", "smb", TCP, 445, VERDICT_VENDOR_UNEXPECTED, SEVERITY_HIGH, "Acme Imaging", "Acme Imaging" },
	{ "10.20.1.5", "203.0.113.7", "tls", TCP, 443, VERDICT_VENDOR_UNEXPECTED, SEVERITY_CRITICAL, "Acme Imaging", "Acme Imaging" },
	{ "203.0.113.7", "10.20.1.5", "rdp", TCP, 3389, VERDICT_VENDOR_UNEXPECTED, SEVERITY_CRITICAL, "Acme Imaging", "Acme Imaging", "T1133" },
	/* a segment that is not clinical nor declared: by conduits alone */
	{ "10.70.1.5", "203.0.113.7", "ssh", TCP, 22, VERDICT_WRONG_SERVICE, SEVERITY_LOW, "office-web", "Acme Imaging" },
	/* not clinical, but declared */
	{ "10.60.1.5", "8.8.8.8", "ssh", TCP, 22, VERDICT_VENDOR, SEVERITY_INFO, "Ventilo", "Ventilo", NULL, 0, "cloud.ventilo.example" },
	{ "10.60.1.5", "8.8.8.8", "tls", TCP, 443, VERDICT_VENDOR_UNEXPECTED, SEVERITY_LOW, "Ventilo", "Ventilo", NULL, 0, "cloud.ventilo.example" },
	/* a way in of one vendor */
	{ "10.99.0.10", "10.30.1.5", "ssh", TCP, 22, VERDICT_VENDOR, SEVERITY_INFO, "Acme Imaging", "Acme Imaging" },
	{ "10.99.0.10", "10.30.1.5", NULL, TCP, 22, VERDICT_VENDOR, SEVERITY_INFO, "Acme Imaging", "Acme Imaging" },
	{ "10.99.0.10", "10.30.1.5", "rdp", TCP, 3389, VERDICT_VENDOR_UNEXPECTED, SEVERITY_HIGH, "Acme Imaging", "Acme Imaging", "T1021.001" },
	{ "10.99.0.10", "10.20.1.5", "ssh", TCP, 22, VERDICT_VENDOR_UNEXPECTED, SEVERITY_CRITICAL, "Acme Imaging", "Acme Imaging", "T1021.004" },
	{ "10.99.0.10", "10.70.1.5", "dns", UDP, 53, VERDICT_CROSS_SEGMENT, SEVERITY_LOW },
	{ "10.99.0.11", "10.30.1.5", "ssh", TCP, 22, VERDICT_CROSS_SEGMENT, SEVERITY_HIGH, NULL, NULL, "T1021.004" },
	/* one that two vendors share: who fits, else who is near, else nobody */
	{ "10.99.0.20", "10.20.1.5", "rdp", TCP, 3389, VERDICT_VENDOR, SEVERITY_INFO, "Pump Works", "Pump Works" },
	{ "10.99.0.20", "10.20.1.5", "ssh", TCP, 22, VERDICT_VENDOR, SEVERITY_INFO, "Ventilo", "Ventilo" },
	{ "10.99.0.20", "10.60.1.5", "rdp", TCP, 3389, VERDICT_VENDOR_UNEXPECTED, SEVERITY_LOW, "Ventilo", "Ventilo", "T1021.001" },
	{ "10.99.0.20", "10.40.8.5", "rdp", TCP, 3389, VERDICT_VENDOR_UNEXPECTED, SEVERITY_HIGH, NULL, NULL, "T1021.001" },
	/* back from the segment to the way in is no vendor's doing */
	{ "10.30.1.5", "10.99.0.10", "ssh", TCP, 22, VERDICT_CROSS_SEGMENT, SEVERITY_HIGH, NULL, NULL, "T1021.004" },
};

static const struct flow_case exceptions[] = {
	{ "10.30.1.5", "10.40.1.2", "ssh", TCP, 22, VERDICT_EXCEPTION, SEVERITY_INFO, "temp-ct3" },
	{ "10.30.1.5", "10.40.1.2", "rdp", TCP, 3389, VERDICT_CROSS_SEGMENT, SEVERITY_HIGH, NULL, NULL, "T1021.001" },
	{ "10.40.1.2", "10.30.1.5", "ssh", TCP, 22, VERDICT_CROSS_SEGMENT, SEVERITY_HIGH, NULL, NULL, "T1021.004" },
	/* expired: named, but not obeyed */
	{ "10.70.1.5", "10.20.1.2", "rdp", TCP, 3389, VERDICT_CROSS_SEGMENT, SEVERITY_CRITICAL, "old-vnc", NULL, "T1021.001" },
};
/* clang-format on */

Test(judge, inside_a_segment, .init = start, .fini = end)
{
	CHECK(inside);
}

Test(judge, conduits, .init = start, .fini = end)
{
	CHECK(conduits);
}

Test(judge, attempts, .init = start, .fini = end)
{
	CHECK(attempts);
}

Test(judge, shed, .init = start, .fini = end)
{
	CHECK(shed);
}

Test(judge, crossings, .init = start, .fini = end)
{
	CHECK(crossings);
}

Test(judge, external_ends, .init = start, .fini = end)
{
	CHECK(outside);
}

Test(judge, vendors, .init = start, .fini = end)
{
	CHECK(vendors);
}

Test(judge, exceptions, .init = start, .fini = end)
{
	CHECK(exceptions);
}

static void expect_same(const struct judgement *got, const struct judgement *expected)
{
	cr_assert_eq(got->verdict, expected->verdict);
	cr_assert_eq(got->severity, expected->severity);
	cr_assert_eq(got->rule, expected->rule);
	cr_assert_eq(got->vendor, expected->vendor);
	cr_assert_eq(got->technique, expected->technique);
	cr_assert_str_eq(got->reason, expected->reason);
}

static size_t judge_again(struct site_memory *m, const struct flow_case *cases, size_t count,
			  const char *time)
{
	size_t remembered = 0;

	for (size_t i = 0; i < count; i++) {
		struct site_flow f = flow_of(&cases[i]);
		struct judgement expected;
		cr_assert(clock_parse(time, &f.start));
		site_judge(site, &f, &expected);
		const struct judgement *got = site_judge_again(m, site, &f);
		expect_same(got, &expected);
		remembered += got != &m->other;
	}
	return remembered;
}

/* Whatever was judged before, and by whatever site. */
Test(judge, what_is_remembered_is_what_would_be_judged, .init = start, .fini = end)
{
	static const char *const times[] = { "2026-06-15", "2027-02-01" };
	static struct site_memory m;
	size_t remembered = 0;

	for (size_t round = 0; round < 4; round++) {
		const char *time = times[round % 2];
#define AGAIN(cases) judge_again(&m, cases, sizeof(cases) / sizeof(*(cases)), time)
		remembered += AGAIN(inside) + AGAIN(attempts) + AGAIN(shed) + AGAIN(conduits) +
			      AGAIN(crossings) + AGAIN(outside) + AGAIN(vendors);
		cr_assert_eq(AGAIN(exceptions), 1, "the others end some day");
#undef AGAIN
		end();
		start();
	}
	cr_assert_gt(remembered, 0);
}

static struct judgement judge_at(const struct flow_case *c, const char *time)
{
	struct site_flow f = flow_of(c);
	struct judgement j;

	cr_assert(clock_parse(time, &f.start));
	site_judge(site, &f, &j);
	return j;
}

Test(judge, an_exception_holds_to_the_end_of_its_day, .init = start, .fini = end)
{
	cr_assert_eq(judge_at(&exceptions[0], "2026-12-31T23:59:59Z").verdict, VERDICT_EXCEPTION);
	cr_assert_eq(judge_at(&exceptions[0], "2027-01-01").verdict, VERDICT_CROSS_SEGMENT);
	cr_assert_eq(judge_at(&exceptions[3], "2026-01-31").verdict, VERDICT_EXCEPTION);
}

static void expect_reason(const struct flow_case *c, const char *reason)
{
	cr_expect_str_eq(judge_at(c, "2026-06-15").reason, reason);
}

Test(judge, reasons, .init = start, .fini = end)
{
	expect_reason(&inside[0], "both ends are in icu");
	expect_reason(&inside[2],
		      "broadcast, multicast and link-local traffic stays in its segment");
	expect_reason(&conduits[0], "imaging may reach pacs over dicom");
	expect_reason(&conduits[2], "imaging (care-critical) reached pacs (care-critical) over tcp "
				    "port 104; conduit modality-store allows other services only");
	expect_reason(&conduits[14], "guest may reach an address outside the hospital over esp");
	expect_reason(&conduits[18], "imaging may reach Acme Imaging over tls");
	expect_reason(&crossings[1], "ehr (care-critical) reached icu (life-critical) over tls; "
				     "conduit charts allows this the other way only");
	expect_reason(&crossings[3], "pacs (care-critical) reached imaging (care-critical) over "
				     "ssh; no conduit joins the two in this direction");
	expect_reason(&crossings[4],
		      "guest reached icu (life-critical) over ssh; no conduit joins the two");
	expect_reason(&crossings[10], "an internal address that no segment claims reached pacs "
				      "(care-critical) over http; no conduit joins the two");
	expect_reason(&crossings[18],
		      "guest reached icu (life-critical) over 139; no conduit joins the two");
	expect_reason(&outside[0], "icu (life-critical) reached an address outside the hospital "
				   "over dns; no vendor entry claims it");
	expect_reason(&shed[0], "what imaging may speak with pacs depends on the app, which an "
				"overloaded sensor did not look for");
	expect_reason(&shed[10], "whether ehr reached a vendor depends on its name, which an "
				 "overloaded sensor did not look for");
	expect_reason(&vendors[9], "Acme Imaging reached imaging (care-critical) over ssh; the "
				   "vendor did not come through its declared way in");
	expect_reason(&vendors[11], "Acme Imaging uses its declared way in over openvpn");
	expect_reason(&vendors[13], "imaging (care-critical) reached Acme Imaging over smb; the "
				    "vendor is not declared for this service");
	expect_reason(&vendors[19], "Acme Imaging's way in may reach imaging over ssh");
	expect_reason(&vendors[22], "Acme Imaging's way in reached icu (life-critical) over ssh; "
				    "the vendor is not declared for this segment");
	expect_reason(&vendors[28], "a way in that vendors share reached pacs (care-critical) over "
				    "rdp; the vendor is not declared for this segment");
	expect_reason(&exceptions[0],
		      "imaging may reach ehr over ssh until 2026-12-31: CT3 upgrade");
	expect_reason(&exceptions[3], "office reached icu (life-critical) over rdp; exception "
				      "old-vnc for this ended on 2026-01-31");
}

/* No address may stand in a reason: it could be a patient's device. */
Test(judge, reasons_hold_no_address, .init = start, .fini = end)
{
	for (size_t i = 0; i < sizeof(vendors) / sizeof(*vendors); i++) {
		struct judgement j = judge_at(&vendors[i], "2026-06-15");
		cr_expect_null(strstr(j.reason, vendors[i].client), "%s", j.reason);
		cr_expect_null(strstr(j.reason, vendors[i].server), "%s", j.reason);
	}
}

Test(judge, without_a_site_nothing_is_judged)
{
	struct judgement j;

	site = site_empty();
	struct site_flow f = flow_of(&crossings[4]);
	site_judge(site, &f, &j);
	cr_assert_eq(j.verdict, VERDICT_NOT_EVALUATED);
	cr_assert_eq(j.severity, SEVERITY_INFO);
	cr_assert_str_eq(j.reason, "no site file was given to judge by");
	site_free(site);
}

Test(judge, a_protocol_without_a_name_is_told_by_its_number, .init = start, .fini = end)
{
	static const struct flow_case c = { "10.20.1.5", "10.40.8.2", NULL, 253 };
	struct site_flow f = flow_of(&c);
	struct judgement j;

	site_judge(site, &f, &j);
	cr_assert(strstr(j.reason, "253"), "%s", j.reason);
}
