/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dissectors/dissector.h"
#include "sensor/config.h"

#define LONG "/a-folder-with-a-very-very-long-name"

/* Reads a configuration; its mistakes as "line: text" lines. */
static const char *mistakes(const char *yaml, struct sensor_config *c)
{
	static char text[4096];
	char path[] = "/tmp/vigie-config-XXXXXX";
	struct problems problems = { 0 };
	size_t n = 0;
	int fd = mkstemp(path);

	cr_assert(fd >= 0 && write(fd, yaml, strlen(yaml)) == (ssize_t)strlen(yaml));
	close(fd);
	sensor_config_init(c);
	int error = sensor_config_read(c, path, &problems);
	unlink(path);
	cr_assert_eq(error != 0, problems.count != 0);
	text[0] = '\0';
	for (size_t i = 0; i < problems.count; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%u: %s\n", problems.list[i].line,
				      problems.list[i].text);
	problems_finish(&problems);
	return text;
}

Test(config, a_good_one)
{
	struct sensor_config c;

	cr_assert_str_eq(mistakes("sensor: span-1\nsite: site.yaml\n"
				  "timeouts: {tcp: 10m, active: 60s}\nflows: {table: 4096}\n"
				  "realms:\n  - {name: tenant, vlans: [20, 21], vnis: [7000]}\n"
				  "exercise: drill-1\nstatus: {socket: run/s.sock}\n"
				  "shed: {least: 2, high: {lag: 2s, ring: 60}, quiet: 30s}\n"
				  "assets: {hosts: 4096, oui: lists}\n",
				  &c),
			 "");
	cr_assert(c.status);
	cr_assert_str_eq(c.status_socket, "/tmp/run/s.sock", "beside the file");
	cr_assert_str_eq(c.sensor, "span-1");
	cr_assert_str_eq(c.site, "/tmp/site.yaml", "beside the file");
	cr_assert_eq(c.flows, 4096);
	cr_assert(c.assets);
	cr_assert_eq(c.hosts, 4096);
	cr_assert_str_eq(c.oui, "/tmp/lists", "beside the file");
	cr_assert_eq(c.timeouts.tcp_idle.v, 600 * (int64_t)USEC_PER_SECOND);
	cr_assert_eq(c.realms.count, 2);
	cr_assert_eq(c.realms.of_vlan[21], 1);
	cr_assert(c.shed.enabled);
	cr_assert_eq(c.shed.least, 2);
	cr_assert_eq(c.shed.quiet.v, 30 * (int64_t)USEC_PER_SECOND);
	cr_assert_eq(c.shed.high.ring, 60);
	cr_assert_eq(c.shed.high.lag.v, 2 * (int64_t)USEC_PER_SECOND);
	cr_assert_eq(c.shed.low.ring, 10, "as it was");
	sensor_config_finish(&c);
}

Test(config, dissectors_that_are_off)
{
	struct sensor_config c;

	cr_assert_str_eq(mistakes("sensor: a\ndissectors: {off: [dns, hl7]}\n", &c), "");
	cr_expect_eq(c.dissectors_off,
		     UINT64_C(1) << dissector_of("dns") | UINT64_C(1) << dissector_of("hl7"));
	sensor_config_finish(&c);
	cr_assert_str_eq(mistakes("sensor: a\ndissectors: {off: [dnss], on: [hl7]}\n", &c),
			 "2: \"dnss\" is no dissector; vigie-sensor -L lists them\n"
			 "2: dissectors has no key \"on\"; its keys are off\n");
	sensor_config_finish(&c);
}

Test(config, every_mistake_at_its_line)
{
	static const struct {
		const char *yaml, *line, *word;
	} cases[] = {
		{ "sensor: a/b\n", "1: ", "sensor name" },
		{ "sensor: a\nexercise: two words\n", "2: ", "an exercise" },
		{ "sensor: a\nstatus: {sockets: x}\n", "2: ", "socket" },
		{ "sensor: a\nstatus: {enabled: 7}\n", "2: ", "enabled" },
		{ "status:\n  socket: " LONG LONG LONG "\n", "2: ", "107 bytes" },
		{ "sensor: a\ntimeouts:\n  tcp: 0s\n", "3: ", "1s" },
		{ "sensor: a\ntimeouts:\n  active: 100000000d\n", "3: ", "7d" },
		{ "sensor: a\nassets: {hosts: 1}\n", "2: ", "hosts" },
		{ "sensor: a\nassets: {host: 100}\n", "2: ", "host" },
		{ "sensor: a\nflows: {table: 1}\n", "2: ", "table" },
		{ "sensor: a\nflow: {table: 100}\n", "2: ", "flows" },
		{ "realms: 3\n", "1: ", "list" },
		{ "realms:\n  - {vlans: [3]}\n", "2: ", "name" },
		{ "realms:\n  - {name: a, vlans: [4095]}\n", "2: ", "4094" },
		{ "realms:\n  - {name: a, vlans: 20}\n", "2: ", "list" },
		{ "realms:\n  - {name: a, vnis: 20}\n", "2: ", "list" },
		{ "realms:\n  - {name: a, vlans: [3]}\n  - {name: b, vlans: [3]}\n",
		  "3: ", "already" },
		{ "realms:\n  - {name: a}\n  - {name: a}\n", "3: ", "twice" },
		{ "realms:\n  - {name: default}\n", "2: ", "twice" },
		{ "realms:\n  - {name: \"a\\tb\"}\n", "2: ", "letters" },
		{ "geo: {databases: x.mmdb}\n", "1: ", "list" },
		{ "shed: {least: 5}\n", "1: ", "least" },
		{ "shed:\n  quiet: 0s\n", "2: ", "1s" },
		{ "shed: {high: {ring: 101}}\n", "1: ", "ring" },
		{ "shed: {high: {ring: 10}}\n", "1: ", "low mark of ring" },
		{ "shed: {low: {lag: 1s}}\n", "1: ", "low mark of lag" },
		{ "shed: {urgent: 50}\n", "1: ", "urgent" },
		{ "shed: {singles: many}\n", "1: ", "singles" },
		{ "shed: {hihg: {ring: 60}}\n", "1: ", "high" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sensor_config c;
		const char *got = mistakes(cases[i].yaml, &c);
		cr_expect(!strncmp(got, cases[i].line, 3) && strstr(got, cases[i].word),
			  "case %zu: %s", i, got);
		sensor_config_finish(&c);
	}
}
