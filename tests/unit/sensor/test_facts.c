/* SPDX-License-Identifier: Apache-2.0
 *
 * From frames to facts about hosts, through the whole packet path. */
#include "tests/unit/sensor/metering.h"

enum { FACTS = 64, LINE = 160 };

static struct metering m;
static char lines[FACTS][LINE];
static size_t count;

static void note(void *context, const struct host_fact *f)
{
	char line[LINE], ip[IP_TEXT];
	const uint8_t *x = f->mac;
	int n = snprintf(line, sizeof(line), "%s %.*s", f->said->field->name, f->said->length,
			 f->said->text);

	cr_assert_eq(context, &m);
	if (f->has_ip)
		n += snprintf(line + n, sizeof(line) - (size_t)n, " %s", ip_text(&f->ip, ip));
	if (f->has_mac)
		n += snprintf(line + n, sizeof(line) - (size_t)n,
			      " %02x:%02x:%02x:%02x:%02x:%02x%s", x[0], x[1], x[2], x[3], x[4],
			      x[5], f->own_mac ? "" : "?");
	if (f->vlan)
		snprintf(line + n, sizeof(line) - (size_t)n, " vlan %u", f->vlan);
	for (size_t i = 0; i < count; i++)
		if (!strcmp(lines[i], line))
			return;
	cr_assert_lt(count, (size_t)FACTS);
	strcpy(lines[count++], line);
}

static void begin(void)
{
	metering_prepare(&m);
	m.options.dissection.on_fact = note;
	m.options.dissection.fact_context = &m;
	metering_open(&m);
	count = 0;
}

static void end(void)
{
	metering_end(&m);
}

TestSuite(facts, .init = begin, .fini = end);

static void show(const uint8_t *bytes, uint32_t n)
{
	uint8_t *exact = malloc(n);

	cr_assert(exact);
	memcpy(exact, bytes, n);
	pipeline_frame(
		m.pipeline,
		&(struct frame){
			.bytes = exact, .captured = n, .wire = n, .time = { T0 }, .link_type = 1 });
	free(exact);
}

/* Of the form that our own captures have. `before` bytes are put before each frame, and
 * taken away behind its addresses. */
static void replay_with(const char *name, const void *before, size_t before_size, const void *tag,
			size_t tag_size)
{
	char path[256];
	uint8_t frame[2048];
	uint32_t head[4];

	snprintf(path, sizeof(path), "%s/pcaps/%s.pcap", SOURCE_ROOT, name);
	FILE *in = fopen(path, "rb");
	cr_assert(in, "%s", path);
	cr_assert_eq(fseek(in, 24, SEEK_SET), 0);
	while (fread(head, sizeof(head), 1, in) == 1) {
		uint8_t raw[2048];
		cr_assert(head[2] >= 14 && head[2] + before_size + tag_size <= sizeof(frame));
		cr_assert_eq(fread(raw, head[2], 1, in), 1);
		uint8_t *p = frame;
		if (before_size)
			memcpy(p, before, before_size);
		memcpy(p += before_size, raw, 12);
		if (tag_size)
			memcpy(p + 12, tag, tag_size);
		memcpy(p + 12 + tag_size, raw + 12, head[2] - 12);
		show(frame, (uint32_t)(before_size + tag_size + head[2]));
	}
	fclose(in);
}

static void replay(const char *name)
{
	replay_with(name, NULL, 0, NULL, 0);
}

static bool known(const char *line)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(lines[i], line))
			return true;
	return false;
}

#define EXPECT(...) \
	do { \
		const char *const expected[] = { __VA_ARGS__ }; \
		size_t n = sizeof(expected) / sizeof(expected[0]); \
		for (size_t i = 0; i < n; i++) \
			cr_expect(known(expected[i]), "not said: %s", expected[i]); \
		for (size_t i = 0; count != n && i < count; i++) \
			cr_expect(false, "%zu facts, among them: %s", count, lines[i]); \
	} while (0)

Test(facts, arp)
{
	replay("arp-ping");
	EXPECT("arp.binding asked 10.10.1.5 00:09:5c:01:00:05",
	       "arp.binding answered 10.10.1.20 02:00:00:10:00:20",
	       "arp.binding announced 10.10.1.5 00:09:5c:01:00:05");
	metering_flush(&m);
	cr_expect_eq(count_of(&m, "flow"), 1, "the ping alone");
	cr_expect_eq(m.counters.non_ip, 5);
	cr_expect_eq(m.counters.metered, 2);
}

Test(facts, arp_behind_a_tag)
{
	static const uint8_t tag[] = { 0x81, 0x00, 0x00, 0x0a };

	replay_with("arp-ping", NULL, 0, tag, sizeof(tag));
	EXPECT("arp.binding asked 10.10.1.5 00:09:5c:01:00:05 vlan 10",
	       "arp.binding answered 10.10.1.20 02:00:00:10:00:20 vlan 10",
	       "arp.binding announced 10.10.1.5 00:09:5c:01:00:05 vlan 10");
}

/* Ethernet, IPv4 with a length that fits anything, GRE with a sequence, ERSPAN II. */
Test(facts, arp_from_a_mirror_s_encapsulation)
{
	static const uint8_t outer[] = {
		2,    0, 0,    0,    9, 2,  2,  0, 0,    0,    9, 1,  8, 0,   0x45, 0, 0,
		0,    0, 1,    0,    0, 64, 47, 0, 0,    192,  0, 2,  1, 192, 0,    2, 2,
		0x10, 0, 0x88, 0xbe, 0, 0,  0,  1, 0x10, 0x0a, 0, 17, 0, 0,   0,    0,
	};

	replay_with("arp-ping", outer, sizeof(outer), NULL, 0);
	EXPECT("arp.binding asked 10.10.1.5 00:09:5c:01:00:05 vlan 10",
	       "arp.binding answered 10.10.1.20 02:00:00:10:00:20 vlan 10",
	       "arp.binding announced 10.10.1.5 00:09:5c:01:00:05 vlan 10");
}

Test(facts, lldp)
{
	replay("lldp-lldpd");
	EXPECT("lldp.hostname_class modality 00:09:5c:01:00:05",
	       "lldp.system Example OS 4.2 (ward build) 00:09:5c:01:00:05",
	       "lldp.capabilities station 00:09:5c:01:00:05", "lldp.chassis mac 00:09:5c:01:00:05",
	       "lldp.software 6.1.0-13-amd64- 00:09:5c:01:00:05",
	       "lldp.hostname_class network 02:00:00:10:00:20",
	       "lldp.system Debian GNU/Linux 12 (bookworm) 02:00:00:10:00:20",
	       "lldp.capabilities station 02:00:00:10:00:20",
	       "lldp.software 6.1.0-13-amd64- 02:00:00:10:00:20",
	       "lldp.chassis mac 02:00:00:10:00:20");
}

Test(facts, cdp)
{
	replay("cdp-lldpd");
	EXPECT("cdp.hostname_class modality 00:09:5c:01:00:05",
	       "cdp.software Example OS 4.2 (ward build) 00:09:5c:01:00:05",
	       "cdp.platform Linux 00:09:5c:01:00:05", "cdp.capabilities host 00:09:5c:01:00:05",
	       "cdp.hostname_class network 02:00:00:10:00:20",
	       "cdp.software Debian GNU/Linux 12 (bookworm) 02:00:00:10:00:20",
	       "cdp.platform Linux 02:00:00:10:00:20", "cdp.capabilities host 02:00:00:10:00:20");
}

Test(facts, dhcp)
{
	replay("dhcp-dhclient");
	EXPECT("dhcp.hostname_class workstation 00:09:5c:01:00:05",
	       "dhcp.fingerprint 1,3,6,12,42 00:09:5c:01:00:05",
	       "dhcp.vendor_class GE CARESCAPE 00:09:5c:01:00:05", "dhcp.role server 10.10.1.20",
	       "dhcp.lease leased 10.10.7.65 00:09:5c:01:00:05",
	       "dhcp.fingerprint 1,3,6,12,15,28,42 02:00:00:10:00:21",
	       "dhcp.vendor_class udhcp 1.35.0 02:00:00:10:00:21",
	       "dhcp.hostname_class apple 02:00:00:10:00:21",
	       "dhcp.lease leased 10.10.7.75 02:00:00:10:00:21");
}

Test(facts, mdns)
{
	replay("mdns-avahi");
	EXPECT("mdns.hostname_class apple 10.10.1.20",
	       "mdns.hostname_class apple 2001:db8:10:1::20",
	       "mdns.hostname_class apple 2001:db8:10:7::1",
	       "mdns.service _device-info._tcp 10.10.1.20 02:00:00:10:00:20",
	       "mdns.service _ipp._tcp 10.10.1.20 02:00:00:10:00:20",
	       "mdns.service _dicom._tcp 10.10.1.20 02:00:00:10:00:20",
	       "mdns.model MacBookPro14 10.10.1.20 02:00:00:10:00:20",
	       "mdns.product Example LaserJet 400 10.10.1.20 02:00:00:10:00:20",
	       "mdns.manufacturer Example 10.10.1.20 02:00:00:10:00:20");
}

/* A frame that is no IP is in no flow, and goes with the least important ones. */
Test(facts, frames_are_left_out_when_overloaded)
{
	pipeline_set_shed(m.pipeline, 2);
	replay("arp-ping");
	cr_expect_eq(count, 0);
	cr_expect_eq(m.counters.non_ip, 5);
}
