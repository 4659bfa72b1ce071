/* SPDX-License-Identifier: Apache-2.0
 *
 * The program itself, run against spools, files and a real HTTPS server. */
#include "tests/unit/exporters/spool_helper.h"
#include "tests/unit/exporters/https_server.h"
#include "config/sections.h"

#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <sys/wait.h>

static void prepare(void)
{
	make_dir();
}

static void clean(void)
{
	server_stop();
	remove_dir();
}

TestSuite(shipper, .init = prepare, .fini = clean, .timeout = 170);

static void write_config(const char *destinations)
{
	char path[128];
	struct buf text = { 0 };

	snprintf(path, sizeof(path), "%s/sensor.yaml", dir);
	buf_format(&text,
		   "sensor: span-1\nspool:\n  dir: .\nflows: {table: 100}\ndestinations:\n%s",
		   destinations);
	cr_assert_eq(file_replace(path, text.data, text.len, 0600), 0);
	buf_finish(&text);
}

static const char file_destination[] = "  - {name: file, type: ndjson, path: out.json}\n";

static void write_collector_config(uint16_t port)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "  - name: soc\n    type: collector\n    url: https://127.0.0.1:%u\n"
		 "    ca: ca.crt\n    certificate: span-1.crt\n    key: span-1.key\n",
		 port);
	write_config(text);
}

/* Starts the shipper with its standard error in DIR/stderr. */
static pid_t start(const char *option)
{
	char config[128], errors[128];

	snprintf(config, sizeof(config), "%s/sensor.yaml", dir);
	snprintf(errors, sizeof(errors), "%s/stderr", dir);
	pid_t child = fork();
	if (child == 0) {
		const char *program = getenv("VIGIE_SHIPPER");
		int fd = open(errors, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		dup2(fd, STDERR_FILENO);
		execl(program, program, "-c", config, option, (char *)NULL);
		_exit(99);
	}
	return child;
}

static int wait_exit(pid_t child)
{
	int status;

	cr_assert_eq(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void read_errors(struct buf *out)
{
	char path[128];

	buf_clear(out);
	snprintf(path, sizeof(path), "%s/stderr", dir);
	cr_assert_eq(file_read(path, 1 << 20, out), 0);
	buf_char(out, '\n');
}

static void expect(const char *option, int code, const char *said)
{
	struct buf text = { 0 };

	int got = wait_exit(start(option));
	read_errors(&text);
	cr_assert_eq(got, code, "%d: %s", got, text.data);
	cr_assert(strstr(text.data, said), "%s", text.data);
	buf_finish(&text);
}

/* Waits until the running shipper has said something. */
static void wait_said(const char *what)
{
	struct buf text = { 0 };

	do {
		usleep(20000);
		read_errors(&text);
	} while (!strstr(text.data, what));
	buf_finish(&text);
}

static void fill(uint64_t from, uint64_t to, uint64_t segment)
{
	struct spool *s = open_spool(64 << 20, segment);

	for (uint64_t i = from; i <= to; i++)
		for (int stream = 0; stream < STREAM_COUNT; stream++)
			cr_assert_eq(put(s, (enum stream)stream, 6, i), 0);
	spool_close(s);
}

/* Lines of each type in DIR/out.json, and that they are distinct. */
static void count_lines(const char *type, unsigned expected)
{
	char command[512];

	snprintf(command, sizeof(command),
		 "cd '%s' && test $(grep -c '^{\"type\":\"%s\"' out.json) = %u && "
		 "test $(grep '^{\"type\":\"%s\"' out.json | sort -u | wc -l) = %u",
		 dir, type, expected, type, expected);
	cr_assert_eq(system(command), 0, "not %u of %s", expected, type);
}

Test(shipper, drains_into_a_file_the_precious_first)
{
	char path[128];
	struct buf text = { 0 };

	write_config(file_destination);
	fill(1, 50, 4096);
	expect("--drain", 0, "150 batches, 150 records delivered, 0 batches refused");
	count_lines("flow", 50);
	count_lines("alert", 50);
	count_lines("coverage", 50);
	snprintf(path, sizeof(path), "%s/out.json", dir);
	file_read(path, 1 << 20, &text);
	cr_assert_eq(strncmp(text.data, "{\"type\":\"alert\"", 15), 0);
	buf_finish(&text);
	for (int stream = 0; stream < STREAM_COUNT; stream++)
		cr_assert_leq(segment_count((enum stream)stream), 1);
	/* Nothing is left, and what comes later is added. */
	expect("--drain", 0, "0 batches, 0 records");
	fill(51, 60, 4096);
	expect("--drain", 0, "30 batches");
	count_lines("flow", 60);
}

/* Killed at any moment, the file still gets each record exactly once. */
Test(shipper, killed_shipper_doubles_nothing_in_a_file)
{
	write_config(file_destination);
	fill(1, 1500, 16384);
	srand(3);
	for (int i = 0; i < 12; i++) {
		pid_t child = start("--drain");
		usleep(5000 + (unsigned)rand() % 60000);
		kill(child, SIGKILL);
		wait_exit(child);
	}
	expect("--drain", 0, "0 batches refused");
	count_lines("flow", 1500);
	count_lines("alert", 1500);
	count_lines("coverage", 1500);
}

static struct answer sometimes_busy(unsigned n, const char *url)
{
	(void)url;
	if (n % 29 == 3)
		return (struct answer){ 503, NULL, "busy" };
	return (struct answer){ .status = 200 };
}

static void check_stored(unsigned each)
{
	unsigned n[STREAM_COUNT] = { 0 };

	for (size_t i = 0; i < server.stored_count; i++) {
		char word[16];
		unsigned long long epoch, sequence;
		cr_assert_eq(sscanf(server.stored[i].url, "/v1/sensors/span-1/%15[a-z]/%llu/%llu",
				    word, &epoch, &sequence),
			     3);
		cr_assert_eq(epoch, 6);
		n[stream_of(word)]++;
		struct spool_frame f = {
			.stream = (enum stream)stream_of(word),
			.epoch = epoch,
			.sequence = sequence,
			.payload = server.stored[i].body.data,
			.length = server.stored[i].body.len,
		};
		check_frame(&f);
	}
	for (int stream = 0; stream < STREAM_COUNT; stream++)
		cr_assert_eq(n[stream], each);
	cr_assert_eq(server.unlike, 0);
}

Test(shipper, collector_gets_every_batch_over_kills_and_a_busy_server)
{
	make_certificates(dir);
	server.script = sometimes_busy;
	server_start(dir, 0, tls13);
	write_collector_config(server.port);
	fill(1, 100, 16384);
	srand(4);
	for (int i = 0; i < 6; i++) {
		pid_t child = start("--drain");
		usleep(20000 + (unsigned)rand() % 100000);
		kill(child, SIGKILL);
		wait_exit(child);
	}
	expect("--drain", 0, "0 batches refused");
	check_stored(100);
}

Test(shipper, drain_waits_for_a_destination_that_is_down)
{
	make_certificates(dir);
	uint16_t port = free_port();
	write_collector_config(port);
	fill(1, 5, 16384);
	pid_t child = start("--drain");
	wait_said("soc: waiting: https://127.0.0.1:");
	server_start(dir, port, tls13);
	cr_assert_eq(wait_exit(child), 0);
	check_stored(5);
}

static struct answer refuse_third(unsigned n, const char *url)
{
	(void)n;
	if (strstr(url, "/flows/6/3"))
		return (struct answer){ 400, NULL, "{\"error\":\"time in the far future\"}" };
	return (struct answer){ .status = 200 };
}

Test(shipper, refused_batch_is_put_aside_and_the_row_goes_on)
{
	char path[160];
	struct buf text = { 0 };

	make_certificates(dir);
	server.script = refuse_third;
	server_start(dir, 0, tls13);
	write_collector_config(server.port);
	fill(1, 6, 16384);
	expect("--drain", 1, "refused flows batch 6/3: 400 time in the far future");
	cr_assert_eq(server.stored_count, 17);
	snprintf(path, sizeof(path), "%s/quarantine/soc/0000000000000006-3.flows.txt", dir);
	cr_assert_eq(file_read(path, 4096, &text), 0);
	cr_assert_str_eq(text.data, "400 time in the far future\n");
	memcpy(path + strlen(path) - 3, "zst", 3);
	buf_clear(&text);
	cr_assert_eq(file_read(path, 65536, &text), 0);
	struct spool_frame f = { .stream = STREAM_FLOWS,
				 .epoch = 6,
				 .sequence = 3,
				 .payload = text.data,
				 .length = text.len };
	check_frame(&f);
	buf_finish(&text);
}

Test(shipper, destinations_do_not_wait_for_each_other)
{
	make_certificates(dir);
	char text[512];
	uint16_t port = free_port();

	snprintf(text, sizeof(text),
		 "  - {name: soc, type: collector, url: \"https://127.0.0.1:%u\", ca: ca.crt, "
		 "certificate: span-1.crt, key: span-1.key}\n%s",
		 port, file_destination);
	write_config(text);
	fill(1, 40, 4096);
	pid_t child = start(NULL);
	/* The file is complete while the collector is down, and nothing is deleted. */
	char done[256];
	snprintf(done, sizeof(done), "test $(grep -c . '%s/out.json') = 120", dir);
	while (system(done))
		usleep(50000);
	cr_assert_gt(segment_count(STREAM_FLOWS), 2);
	kill(child, SIGTERM);
	cr_assert_eq(wait_exit(child), 0);
	server_start(dir, port, tls13);
	expect("--drain", 0, "soc: 120 batches");
	check_stored(40);
	cr_assert_leq(segment_count(STREAM_FLOWS), 1);
}

Test(shipper, interrupted_drain_says_so)
{
	make_certificates(dir);
	write_collector_config(free_port());
	fill(1, 5, 16384);
	pid_t child = start("--drain");
	wait_said("waiting");
	kill(child, SIGTERM);
	cr_assert_eq(wait_exit(child), 3);
}

Test(shipper, second_shipper_is_sent_away)
{
	make_certificates(dir);
	write_collector_config(free_port());
	fill(1, 1, 16384);
	pid_t child = start("--drain");
	wait_said("waiting");
	expect("--drain", 2, "another shipper works on this spool");
	kill(child, SIGTERM);
	wait_exit(child);
}

Test(shipper, mistakes_in_the_configuration)
{
	write_config("  - {name: a/b, type: ndjson, path: x}\n  - {type: kafka}\n"
		     "  - {type: ndjson, pth: x}\n");
	expect("-n", 2, "sensor.yaml:6:12: is no destination's name");
	expect("-n", 2, "there is no destination type \"kafka\"; the types are collector, ndjson");
	expect("-n", 2, "needs \"path\"");
	expect("-n", 2, "has no key \"pth\"");
	write_config(" []\n");
	expect("-n", 2, "there is no destination");
	write_config("  - {type: ndjson, path: o}\n  - {type: ndjson, path: p}\n");
	expect("-n", 2, "two destinations are called ndjson");
	write_config(file_destination);
	expect("-n", 0, "");
	expect("--nonsense", 2, "usage:");
}

/* Each section of the sensor's file, whatever is in it, is none of its business. */
Test(shipper, the_sensor_s_sections_are_no_mistakes)
{
	static const char *const all[] = { SENSOR_SECTIONS };
	char text[2048];
	size_t n = (size_t)snprintf(text, sizeof(text), "%s", file_destination);

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(all[i], "sensor") && strcmp(all[i], "spool") &&
		    strcmp(all[i], "flows") && strcmp(all[i], "destinations") &&
		    strcmp(all[i], "user")) /* which it reads */
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s: {x: 1}\n", all[i]);
	write_config(text);
	expect("-n", 0, "");
}

Test(shipper, missing_spool_is_named)
{
	char path[128];
	static const char text[] = "spool: {dir: nowhere}\n"
				   "destinations: [{type: ndjson, path: out.json}]\n";

	snprintf(path, sizeof(path), "%s/sensor.yaml", dir);
	file_replace(path, text, sizeof(text) - 1, 0600);
	expect("--drain", 2, "nowhere: there is no spool; start the sensor first");
}
