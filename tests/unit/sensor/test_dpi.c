/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "sensor/dpi.h"

enum { CLIENT = 40000 };

/* IPv4 and TCP headers without options, then a text. `server` is the port that
 * the packet comes from (answer) or goes to. */
static size_t tcp_packet(uint8_t *out, bool answer, uint16_t server, uint32_t seq,
			 const void *payload, size_t n)
{
	static const uint8_t hosts[2][4] = { { 192, 0, 2, 10 }, { 192, 0, 2, 20 } };
	uint16_t total = (uint16_t)(40 + n);
	uint16_t from = answer ? server : CLIENT, to = answer ? CLIENT : server;
	/* clang-format off */
	uint8_t header[40] = {
		0x45, 0, (uint8_t)(total >> 8), (uint8_t)total, 0, 1, 0x40, 0, 64, 6,
		[20] = (uint8_t)(from >> 8), (uint8_t)from, (uint8_t)(to >> 8), (uint8_t)to,
		(uint8_t)(seq >> 24), (uint8_t)(seq >> 16), (uint8_t)(seq >> 8), (uint8_t)seq,
		0, 0, 0, 1, 0x50, 0x18, 0xff, 0xff,
	};
	/* clang-format on */

	memcpy(header + 12, hosts[answer], 4);
	memcpy(header + 16, hosts[!answer], 4);
	memcpy(out, header, sizeof(header));
	if (n)
		memcpy(out + sizeof(header), payload, n);
	return total;
}

static struct dpi *create(size_t slots)
{
	char why[256] = "";

	if (strcmp(dpi_version(), "none") == 0)
		cr_skip_test("built without nDPI");
	struct dpi *d = dpi_create(slots, false, why);
	cr_assert_not_null(d, "%s", why);
	return d;
}

/* Shows a TCP payload of the client as the first of a flow. */
static const char *name_of(struct dpi *d, uint16_t port, const void *payload, size_t n)
{
	uint8_t packet[2048];
	struct dpi_answer answer = { 0 };
	int slot = dpi_flow_begin(d, false);

	cr_assert_geq(slot, 0);
	size_t len = tcp_packet(packet, false, port, 1, payload, n);
	dpi_inspect(d, slot, packet, len, 1000, &answer);
	dpi_flow_end(d, slot);
	return answer.app ? answer.app : "";
}

static const char get[] = "GET / HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: x\r\n\r\n";

Test(dpi, http_on_any_port)
{
	struct dpi *d = create(1);

	cr_assert_str_eq(name_of(d, 80, get, sizeof(get) - 1), "http");
	cr_assert_str_eq(name_of(d, 18080, get, sizeof(get) - 1), "http");
	dpi_destroy(d);
}

Test(dpi, no_lines_are_looked_for_where_a_flow_is_binary)
{
	struct dpi *d = create(1);
	struct dpi_answer answer = { 0 };
	uint8_t packet[2048];
	int slot = dpi_flow_begin(d, true);

	size_t n = tcp_packet(packet, false, 8123, 1, get, sizeof(get) - 1);
	dpi_inspect(d, slot, packet, n, 1000, &answer);
	cr_expect_null(answer.app, "%s", answer.app);
	dpi_flow_end(d, slot);
	dpi_destroy(d);
}

Test(dpi, a_thorough_one_looks_for_all)
{
	char why[256] = "";

	if (strcmp(dpi_version(), "none") == 0)
		cr_skip_test("built without nDPI");
	struct dpi *d = dpi_create(1, true, why);
	struct dpi_answer answer = { 0 };
	uint8_t packet[2048];
	int slot = dpi_flow_begin(d, true);

	size_t n = tcp_packet(packet, false, 8123, 1, get, sizeof(get) - 1);
	dpi_inspect(d, slot, packet, n, 1000, &answer);
	cr_expect_str_eq(answer.app ? answer.app : "", "http");
	dpi_flow_end(d, slot);
	dpi_destroy(d);
}

Test(dpi, ssh_from_both_banners)
{
	static const char banner[] = "SSH-2.0-OpenSSH_9.2\r\n";
	struct dpi *d = create(1);
	struct dpi_answer answer;
	uint8_t packet[256];
	int slot = dpi_flow_begin(d, false);

	size_t n = tcp_packet(packet, false, 2222, 1, banner, sizeof(banner) - 1);
	bool final = dpi_inspect(d, slot, packet, n, 1000, &answer);
	n = tcp_packet(packet, true, 2222, 1, banner, sizeof(banner) - 1);
	if (!final)
		final = dpi_inspect(d, slot, packet, n, 1001, &answer);
	cr_assert(final);
	cr_assert_str_eq(answer.app, "ssh");
	dpi_flow_end(d, slot);
	dpi_destroy(d);
}

Test(dpi, smb_and_not_what_carries_it)
{
	/* Session header, then an SMB 2 header and nothing of its body. */
	static const uint8_t negotiate[68] = { 0, 0, 0, 64, 0xfe, 'S', 'M', 'B', 64 };
	struct dpi *d = create(1);

	cr_assert_str_eq(name_of(d, 445, negotiate, sizeof(negotiate)), "smb");
	dpi_destroy(d);
}

/* What nDPI is sure of, and wrong about. */
Test(dpi, known_mistakes_are_not_repeated)
{
	/* LDAP bind: to nDPI 4.2 an MQTT publication. */
	static const uint8_t bind[] = { 0x30, 0x13, 2,   1,   2,   0x60, 0x0e, 2,   1,    3, 4,
					7,    'c',  'n', '=', 'a', 'd',  'm',  'i', 0x80, 0 };
	struct dpi *d = create(1);

	cr_assert_str_neq(name_of(d, 389, bind, sizeof(bind)), "mqtt");
	dpi_destroy(d);
}

Test(dpi, memory_returns_to_where_it_was)
{
	uint64_t before = dpi_memory();
	struct dpi *d = create(4);
	uint64_t idle = dpi_memory();

	cr_assert_gt(idle, before);
	for (int i = 0; i < 200; i++)
		name_of(d, 80, get, sizeof(get) - 1);
	uint64_t after = dpi_memory();
	for (int i = 0; i < 200; i++)
		name_of(d, 80, get, sizeof(get) - 1);
	cr_assert_eq(dpi_memory(), after, "a flow that ended holds nothing");
	dpi_destroy(d);
	cr_assert_eq(dpi_memory(), before, "%lu bytes are left", (unsigned long)dpi_memory());
}

Test(dpi, a_port_alone_is_no_answer)
{
	static const uint16_t ports[] = { 22, 80, 443, 3389, 445, 1433 };
	struct dpi *d = create(1);

	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		cr_assert_str_eq(name_of(d, ports[i], "0123456789abcdef", 16), "", "port %u",
				 ports[i]);
	dpi_destroy(d);
}

Test(dpi, every_truncation)
{
	struct dpi *d = create(1);
	uint8_t packet[256];
	size_t n = tcp_packet(packet, false, 80, 1, get, sizeof(get) - 1);

	for (size_t len = 0; len <= n; len++) {
		uint8_t *exact = malloc(len ? len : 1);
		struct dpi_answer answer;
		int slot = dpi_flow_begin(d, false);
		cr_assert_not_null(exact);
		memcpy(exact, packet, len);
		dpi_inspect(d, slot, exact, len, 1000, &answer);
		cr_assert(len > 40 || !answer.app, "%zu bytes", len);
		dpi_flow_end(d, slot);
		free(exact);
	}
	dpi_destroy(d);
}

Test(dpi, slots_are_limited_and_used_again)
{
	struct dpi *d = create(3);
	bool seen[3] = { false };
	int slots[3];

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 3; i++) {
			slots[i] = dpi_flow_begin(d, false);
			cr_assert(slots[i] >= 0 && slots[i] < 3);
			cr_assert_eq(seen[slots[i]], round > 0, "slot %d given out twice",
				     slots[i]);
			seen[slots[i]] = true;
		}
		cr_assert_eq(dpi_flow_begin(d, false), -1);
		if (round == 0)
			for (int i = 0; i < 3; i++)
				dpi_flow_end(d, slots[i]);
	}
	dpi_destroy(d); /* with flows under way */
}
Test(dpi, the_library_is_named)
{
	const char *version = dpi_version();

	cr_assert(strcmp(version, "none") == 0 || strncmp(version, "nDPI ", 5) == 0, "%s", version);
}

Test(dpi, without_a_library_nothing_is_inspected)
{
	char why[256];

	if (strcmp(dpi_version(), "none"))
		cr_skip_test("built with nDPI");
	struct dpi *d = dpi_create(3, false, why);
	cr_assert_not_null(d);
	cr_assert_eq(dpi_flow_begin(d, false), -1);
	cr_assert_eq(dpi_memory(), 0);
	dpi_destroy(d);
}
