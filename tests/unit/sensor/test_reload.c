/* SPDX-License-Identifier: Apache-2.0
 *
 * A configuration that is read again: what it changes, and what goes out before. */
#include "sensor/reload.h"
#include "tests/unit/sensor/frames.h"
#include "tests/unit/sensor/metering.h"

static struct sensor_config config_of(const char *yaml)
{
	char path[] = "/tmp/vigie-reload-XXXXXX";
	struct problems problems = { 0 };
	struct sensor_config c;
	int fd = mkstemp(path);

	cr_assert(fd >= 0 && write(fd, yaml, strlen(yaml)) == (ssize_t)strlen(yaml));
	close(fd);
	sensor_config_init(&c);
	cr_assert_eq(sensor_config_read(&c, path, &problems), 0);
	unlink(path);
	problems_finish(&problems);
	c.path = NULL; /* was ours */
	return c;
}

#define BASE \
	"sensor: span-1\nsite: /etc/vigie/site.yaml\nspool: {dir: /var/s}\n" \
	"capture: {interfaces: [a, b]}\n"

Test(reload, keys_that_wait_for_the_next_start)
{
	static const struct {
		const char *yaml, *keys;
	} cases[] = {
		{ BASE, "" },
		{ BASE "timeouts: {tcp: 9s}\nexercise: drill\n", "" },
		{ BASE "user: nobody\n", "user" },
		{ BASE "flows: {table: 128, alerts: 2}\n", "flows.table flows.alerts" },
		{ BASE "dpi: {enabled: false}\n", "dpi.enabled" },
		{ BASE "dpi: {memory: 0, thorough: true}\n", "dpi.memory dpi.thorough" },
		{ BASE "dissectors: {off: [dns]}\nflows: {events: 128}\n",
		  "flows.events dissectors.off" },
		{ BASE "realms: [{name: lab, vlans: [7]}]\n", "realms" },
		{ BASE "status: {enabled: false, socket: /s}\n", "status.enabled status.socket" },
		{ "sensor: span-2\nsite: /etc/vigie/site.yaml\n",
		  "sensor spool.dir capture.interfaces" },
		{ "sensor: span-1\nspool: {dir: /var/s, max: 1GiB, segment: 1MiB, sync: false}\n"
		  "capture: {interfaces: [a, c], ring: 1MiB, snaplen: 96, filter: ip, promiscuous: "
		  "false, workers: 2, timestamps: hardware}\n",
		  "spool.max spool.segment spool.sync capture.ring capture.workers "
		  "capture.timestamps capture.snaplen capture.filter capture.promiscuous "
		  "capture.interfaces" },
	};
	struct sensor_config started = config_of(BASE);

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct sensor_config fresh = config_of(cases[i].yaml);
		struct buf said = { 0 }, wanted = { 0 };
		char keys[256];
		size_t n = 0;
		snprintf(keys, sizeof(keys), "%s", cases[i].keys);
		for (char *k = strtok(keys, " "); k; k = strtok(NULL, " "), n++)
			buf_format(&wanted,
				   "%s has changed; it takes effect when the sensor is started "
				   "again\n",
				   k);
		cr_assert_eq(reload_fixed(&started, &fresh, &said), n, "%s", cases[i].yaml);
		cr_assert_str_eq(n ? said.data : "", n ? wanted.data : "");
		buf_finish(&said);
		buf_finish(&wanted);
		sensor_config_finish(&fresh);
	}
	sensor_config_finish(&started);
}

Test(reload, keys_that_change_now)
{
	struct sensor_config now = config_of(BASE "geo: {databases: [a.mmdb]}\n");
	struct sensor_config fresh = config_of(
		"sensor: span-1\nsite: /etc/vigie/new.yaml\nexercise: drill\n"
		"timeouts: {handshake: 9s}\ncapture: {dedup: false}\ngeo: {databases: [b.mmdb]}\n");
	struct buf said = { 0 };

	reload_changes(&now, &now, &said);
	cr_assert_eq(said.len, 0);
	reload_changes(&now, &fresh, &said);
	cr_assert_str_eq(said.data, "site, exercise, timeouts, capture.dedup, geo.databases");
	buf_finish(&said);
	sensor_config_finish(&now);
	sensor_config_finish(&fresh);
}

Test(reload, files_that_the_sandbox_hides)
{
	struct sensor_config started = config_of("site: /etc/vigie/a.yaml\n");
	struct sensor_config beside = config_of("site: /etc/vigie/b.yaml\n");
	struct sensor_config below = config_of("site: /etc/vigie/sub/b.yaml\n");
	struct sensor_config other =
		config_of("site: /etc/vigie/a.yaml\ngeo: {databases: [/usr/share/x.mmdb]}\n");

	cr_assert_not(reload_is_elsewhere(&started, &started));
	cr_assert_not(reload_is_elsewhere(&started, &beside));
	cr_assert(reload_is_elsewhere(&started, &below));
	cr_assert(reload_is_elsewhere(&started, &other));
	started.path = "/usr/share/sensor.yaml";
	cr_assert_not(reload_is_elsewhere(&started, &other));
	started.path = NULL;
	sensor_config_finish(&started);
	sensor_config_finish(&beside);
	sensor_config_finish(&below);
	sensor_config_finish(&other);
}

/* ---- a pipeline that goes on ---- */

static struct metering m;

static void apply(const char *exercise, int64_t udp_seconds, bool dedup)
{
	struct pipeline_settings to = {
		.site = m.site,
		.exercise = exercise,
		.timeouts = m.options.timeouts,
		.dedup = dedup,
	};

	to.timeouts.udp_idle.v = udp_seconds * SECOND;
	struct pipeline_change *change = pipeline_prepare(m.pipeline, &to);
	cr_assert(change);
	pipeline_conclude(m.pipeline, change);
	pipeline_apply(m.pipeline, change);
	pipeline_change_free(change);
}

static void datagrams(int64_t at, unsigned n, uint16_t source)
{
	for (unsigned i = 0; i < n; i++)
		shoot(&m, (struct shot){ .at = at + i * 1000,
					 .from = 9,
					 .to = 2,
					 .protocol = 17,
					 .source = source,
					 .dest = 4711,
					 .id = (uint16_t)(i + 1),
					 .bytes = "x",
					 .n = 1 });
}

Test(reload, what_came_before_an_exercise_is_not_marked)
{
	metering_begin(&m);
	datagrams(0, 3, 41000);
	apply("drill-1", 60, true);
	datagrams(SECOND, 5, 41000);
	apply("drill-1", 60, true);
	datagrams(2 * SECOND, 1, 41000);
	apply(NULL, 60, true);
	datagrams(3 * SECOND, 2, 42000);
	metering_flush(&m);
	cr_assert_eq(count_of(&m, "flow"), 4, "two of it marked otherwise, its end, and the other");
	cr_assert_eq(number(flow(&m, 0), "packets/to_server"), 3);
	cr_assert_not(at(flow(&m, 0), "exercise"));
	cr_assert_str_eq(text(flow(&m, 0), "end_reason"), "active");
	cr_assert_eq(number(flow(&m, 1), "packets/to_server"), 6,
		     "not split where nothing changed");
	cr_assert_str_eq(text(flow(&m, 1), "exercise"), "drill-1");
	cr_assert_str_neq(text(flow(&m, 1), "id"), text(flow(&m, 0), "id"),
			  "an exercise has ids of its own");
	cr_assert_eq(number(flow(&m, 1), "interim"), 1);
	cr_assert_eq(sum(&m, "packets/to_server"), 11);
	cr_assert_not(at(flow(&m, 2), "exercise"));
	cr_assert_eq(count_of(&m, "health"), 4, "one for each change, and the end");
	cr_assert_eq(number(nth(&m, "health", 1), "counters/packets"), 5);
	cr_assert_eq(number(nth(&m, "health", 2), "counters/packets"), 1);
	cr_assert_str_eq(text(nth(&m, "health", 1), "exercise"), "drill-1");
	cr_assert_str_eq(text(nth(&m, "health", 2), "exercise"), "drill-1");
	cr_assert_not(at(nth(&m, "health", 3), "exercise"));
	metering_end(&m);
}

Test(reload, shorter_time_outs_hold_for_open_flows)
{
	metering_begin(&m);
	datagrams(0, 1, 41000);
	apply(NULL, 2, true);
	datagrams(4 * SECOND, 1, 42000);
	metering_read(&m);
	cr_assert_eq(count_of(&m, "flow"), 1);
	cr_assert_str_eq(text(flow(&m, 0), "end_reason"), "idle");
	apply(NULL, 120, true);
	datagrams(100 * SECOND, 1, 43000);
	metering_flush(&m);
	cr_assert_eq(count_of(&m, "flow"), 2 + 1, "the first is still in the file");
	cr_assert_str_eq(text(flow(&m, 1), "end_reason"), "end-of-input", "longer ones, too");
	metering_end(&m);
}

Test(reload, copies_are_told_apart_from_now_on)
{
	metering_begin(&m);
	apply(NULL, 60, false);
	datagrams(0, 2, 41000);
	datagrams(100, 2, 41000);
	cr_assert_eq(m.counters.copies_mirror, 0);
	cr_assert_eq(m.counters.metered, 4);
	apply(NULL, 60, true);
	datagrams(SECOND, 2, 41000);
	datagrams(SECOND + 100, 2, 41000);
	cr_assert_eq(m.counters.copies_mirror, 2);
	apply(NULL, 60, true); /* what it remembers stays */
	datagrams(SECOND + 200, 2, 41000);
	cr_assert_eq(m.counters.copies_mirror, 4);
	metering_flush(&m);
	metering_end(&m);
}

Test(reload, nothing_was_seen_yet)
{
	metering_begin(&m);
	apply("drill-1", 60, true);
	datagrams(0, 1, 41000);
	metering_flush(&m);
	cr_assert_eq(count_of(&m, "flow"), 1);
	cr_assert_str_eq(text(flow(&m, 0), "exercise"), "drill-1");
	metering_end(&m);
}
