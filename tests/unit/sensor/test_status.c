/* SPDX-License-Identifier: Apache-2.0
 *
 * What the status socket tells, and that nobody who connects can hold it up. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "sensor/status_client.h"
#include "sensor/status_server.h"

#define SECOND ((int64_t)USEC_PER_SECOND)

static char folder[] = "/tmp/vigie-status-XXXXXX", path[STATUS_PATH], why[256];
static struct status_server server;
static struct sensor_config config;
static struct counters counters;
static struct usec now;

static void fill(void *context, struct status *out)
{
	(void)context;
	out->sensor = "span-1";
	out->site_revision = "0123";
	out->flows_most = 262144;
	out->interfaces[0] = (struct status_interface){ .name = "eno2",
							.link = STATUS_DOWN,
							.packets = 1234567,
							.drops_kernel = 5,
							.ring_bytes = 64 << 20,
							.ring_used = 16 << 20,
							.ring_known = true };
	out->interfaces[1] = (struct status_interface){ .name = "eno3" };
	out->interface_count = 2;
	out->workers[0] = (struct status_worker){ .counters = counters, .flows = 7 };
	out->workers[1] = (struct status_worker){ .counters = counters, .flows = 8, .shed = 2 };
	out->worker_count = 2;
}

static void begin(void)
{
	signal(SIGPIPE, SIG_IGN);
	cr_assert(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/sock", folder);
	sensor_config_init(&config);
	config.status_socket = strdup(path);
	counters = (struct counters){ 0 };
	now = clock_monotonic();
	cr_assert_eq(status_open(&server, &config, why), 0, "%s", why);
}

static void end(void)
{
	status_close(&server);
	sensor_config_finish(&config);
	unlink(path);
	rmdir(folder);
}

TestSuite(status, .init = begin, .fini = end);

static int reach(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void serve(int64_t later)
{
	now.v += later;
	status_serve(&server, now, fill, NULL);
}

/* The whole document that a client was given; NULL: none. */
static json_t *document(int fd)
{
	static char text[65536];
	size_t n = 0;

	for (ssize_t more; (more = read(fd, text + n, sizeof(text) - n)) > 0;)
		n += (size_t)more;
	close(fd);
	return n ? json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL) : NULL;
}

static json_t *at(json_t *j, const char *keys)
{
	char copy[128];

	snprintf(copy, sizeof(copy), "%s", keys);
	for (char *k = strtok(copy, "/"); j && k; k = strtok(NULL, "/"))
		j = *k >= '0' && *k <= '9' ? json_array_get(j, strtoul(k, NULL, 10))
					   : json_object_get(j, k);
	return j;
}

static json_int_t number(json_t *j, const char *keys)
{
	cr_assert(json_is_integer(at(j, keys)), "%s", keys);
	return json_integer_value(at(j, keys));
}

Test(status, workers_are_summed_up)
{
	counters = (struct counters){ .packets = 10, .drops_kernel = 3, .dpi_memory = 500 };
	int fd = reach();
	serve(0);
	json_t *d = document(fd);
	cr_assert(d);
	cr_assert_str_eq(json_string_value(at(d, "type")), "status");
	cr_assert_str_eq(json_string_value(at(d, "interfaces/0/state")), "down");
	cr_assert_eq(number(d, "interfaces/0/ring/used"), 16 << 20);
	cr_assert_not(at(d, "interfaces/1/ring/used"), "not known is absent");
	cr_assert_eq(number(d, "counters/packets"), 20);
	cr_assert_eq(number(d, "counters/drops.kernel"), 6);
	cr_assert_eq(number(d, "counters/dpi.memory"), 500, "a level");
	cr_assert_not(at(d, "counters/flows"), "zeros are left out");
	cr_assert_eq(number(d, "flows/open"), 15);
	cr_assert_eq(number(d, "workers/1/shed"), 2);
	cr_assert_gt(number(d, "memory/rss"), 100000);
	cr_assert_not(at(d, "exercise"));
	cr_assert_not(at(d, "spool"), "there is none");
	json_decref(d);
}

Test(status, rates_of_a_second_and_a_minute)
{
	json_t *d;
	int fd = reach();

	serve(0);
	d = document(fd);
	cr_assert_eq(json_object_size(at(d, "rates")), 0, "not after one sample");
	json_decref(d);
	for (int i = 1; i <= 100; i++) {
		counters.packets += i == 100 ? 500 : 5;
		counters.bytes += 1000;
		counters.flows += 1;
		serve(SECOND);
	}
	fd = reach();
	serve(SECOND / 2);
	d = document(fd);
	cr_assert_float_eq(json_number_value(at(d, "rates/second/packets")), 1000, 0.1);
	cr_assert_float_eq(json_number_value(at(d, "rates/second/bits")), 16000, 0.1);
	cr_assert_float_eq(json_number_value(at(d, "rates/minute/flows")), 2, 0.01);
	cr_assert_float_eq(json_number_value(at(d, "rates/minute/packets")),
			   (59 * 10 + 1000) / 60.0, 0.1);
	json_decref(d);
}

Test(status, its_socket_is_for_owner_and_group)
{
	struct stat st;

	cr_assert_eq(stat(path, &st), 0);
	cr_assert(S_ISSOCK(st.st_mode));
	cr_assert_eq(st.st_mode & 0777, 0660);
}

/* ---- clients ---- */

Test(status, silent_clients_are_answered_and_hung_up_on)
{
	int fd = reach();
	char byte[8];

	cr_assert_eq(read(fd, byte, 1), -1);
	cr_assert_eq(errno, EAGAIN, "nobody serves yet");
	serve(0);
	json_t *d = document(fd);
	cr_assert(d, "without a word of ours");
	json_decref(d);
	cr_assert_eq(server.answered, 1);
}

Test(status, garbage_is_not_read)
{
	char garbage[4096];
	int fd = reach();

	memset(garbage, 'A', sizeof(garbage));
	cr_assert_eq(write(fd, garbage, sizeof(garbage)), (ssize_t)sizeof(garbage));
	serve(0);
	json_t *d = document(fd);
	cr_assert(d);
	json_decref(d);
	cr_assert_eq(server.answered, 1);
}

Test(status, who_left_is_counted)
{
	close(reach());
	int fd = reach();
	shutdown(fd, SHUT_RD);
	serve(0);
	close(fd);
	cr_assert_eq(server.answered, 0);
	cr_assert_eq(server.dropped, 2);
	fd = reach();
	serve(SECOND);
	json_t *d = document(fd);
	cr_assert_eq(number(d, "clients/dropped"), 2);
	json_decref(d);
}

static size_t descriptors(void)
{
	size_t n = 0;

	for (int i = 0; i < 1024; i++)
		n += fcntl(i, F_GETFD) >= 0;
	return n;
}

/* Who keeps all that it got, and comes again and again, gets a few answers at a time. */
Test(status, a_hundred_at_once)
{
	int fds[100];
	size_t open = 0, answers = 0, before = descriptors();

	for (int round = 0; round < 200 && open < 100; round++) {
		int fd = reach();
		if (fd >= 0)
			fds[open++] = fd;
		uint64_t so_far = server.answered;
		serve(10000); /* 10 ms */
		cr_assert_leq(server.answered - so_far, 8);
	}
	cr_assert_eq(open, 100);
	cr_assert_leq(server.answered, 8 * 22u, "8 in 100 ms");
	for (int i = 0; i < 20; i++)
		serve(SECOND / 5);
	for (size_t i = 0; i < open; i++) {
		json_t *d = document(fds[i]);
		answers += d != NULL;
		json_decref(d);
	}
	cr_assert_eq(answers, 100, "all were served in the end");
	cr_assert_eq(descriptors(), before, "and nothing is left of them");
}

/* Between two fillings of the budget the main loop is not woken. */
Test(status, is_not_polled_when_it_would_not_answer)
{
	int fds[12];
	size_t open = 0;

	serve(0);
	cr_assert_eq(status_descriptor(&server), server.fd);
	while (open < 12 && (fds[open] = reach()) >= 0)
		open++;
	cr_assert_geq(open, 9);
	serve(1000);
	cr_assert_eq(server.answered, 8);
	cr_assert_eq(status_descriptor(&server), -1);
	serve(200000);
	cr_assert_eq(server.answered, open);
	cr_assert_eq(status_descriptor(&server), server.fd);
	while (open)
		close(fds[--open]);
}

/* ---- opening ---- */

Test(status, a_socket_that_was_left_behind_is_replaced)
{
	struct status_server next;

	status_close(&server);
	cr_assert_eq(access(path, F_OK), 0);
	cr_assert_eq(reach(), -1);
	cr_assert_eq(status_open(&next, &config, why), 0, "%s", why);
	status_close(&next);
}

Test(status, two_sensors_with_one_name)
{
	struct status_server second;

	cr_assert_eq(status_open(&second, &config, why), -EADDRINUSE);
	cr_assert(strstr(why, "another sensor answers there"), "%s", why);
	status_close(&second);
	int fd = reach();
	serve(0);
	json_decref(document(fd));
	cr_assert_eq(server.answered, 1, "the first one goes on; the second's knock is no answer");
}

Test(status, files_are_left_alone)
{
	struct status_server other;
	char file[STATUS_PATH];

	snprintf(file, sizeof(file), "%s/file", folder);
	close(open(file, O_CREAT | O_WRONLY, 0600));
	free(config.status_socket);
	config.status_socket = strdup(file);
	cr_assert_eq(status_open(&other, &config, why), -EEXIST);
	status_close(&other);
	cr_assert_eq(unlink(file), 0);
	free(config.status_socket);
	config.status_socket = strdup("/nonexistent/sock");
	cr_assert_eq(status_open(&other, &config, why), -ENOENT);
	cr_assert(strstr(why, "folder does not exist"), "%s", why);
	status_close(&other);
}

Test(status, can_be_turned_off)
{
	struct status_server none;

	config.status = false;
	cr_assert_eq(status_open(&none, &config, why), 0);
	cr_assert_eq(status_descriptor(&none), -1);
	status_serve(&none, now, fill, NULL);
	status_close(&none);
}

Test(status, its_usual_place)
{
	char usual[STATUS_PATH];

	free(config.status_socket);
	config.status_socket = NULL;
	config.sensor = "span-7";
	status_path(&config, usual);
	cr_assert_str_eq(usual, "/run/vigie/sensor-span-7.sock");
}

/* ---- in words ---- */

Test(status, every_part_in_words)
{
	struct status s = { .sensor = "span-1",
			    .site_revision = "0123",
			    .exercise = "drill",
			    .uptime = { 7500 * SECOND },
			    .rss = 50 << 20,
			    .spool = true,
			    .spool_bytes = 2048,
			    .destination_count = 4,
			    .destinations = { { "a", true, 0, 0 },
					      { "b", true, 3 << 20, 0 },
					      { "c", true, 1 << 10, 300 },
					      { "d", false, 0, 0 } } };
	static const char *const parts[] = {
		"span-1  ",
		"up 2 h 5 min, site 0123\n",
		"exercise drill",
		"eno2            down       1,234,567            5            0   64.0 MiB  25 %\n",
		"eno3            up                 0            0            0    0 bytes\n",
		"flows     15 open, room for 262,144\n",
		"memory    50.0 MiB, of it nDPI 0 bytes\n",
		"worker 1: level 2\n",
		"spool     2.0 KiB\n",
		"a: all is acknowledged\n",
		"b: 3.0 MiB not yet acknowledged\n",
		"c: 1.0 KiB not yet acknowledged, the oldest for 5 min or more\n",
		"d: its position may not be read by the sensor\n",
		"COUNTER",
		"drops.interface                                  2  frames that the capture "
		"device",
	};
	struct status_rates rates = { 0 };
	struct buf json = { 0 }, view = { 0 };

	counters.drops_interface = 1;
	fill(NULL, &s);
	s.exercise = "drill";
	status_json(&s, &rates, &json);
	cr_assert(status_view(json.data, json.len, &view));
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		cr_assert(strstr(view.data, parts[i]), "%s in:\n%s", parts[i], view.data);
	for (const char *line = view.data; *line; line += strcspn(line, "\n") + 1)
		if (!strstr(line, "COUNTER") ||
		    strstr(line, "COUNTER") > line + strcspn(line, "\n"))
			cr_assert_leq(strcspn(line, "\n"), 80);
		else
			break;
	buf_finish(&json);
	buf_finish(&view);
}

Test(status, what_is_no_document)
{
	static const char *const texts[] = { "",         "{",  "[1]", "{\"type\":\"flow\"}",
					     "\xff\xfe", "- a" };
	struct buf view = { 0 };

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		cr_assert_not(status_view(texts[i], strlen(texts[i]), &view), "%s", texts[i]);
	cr_assert_eq(view.len, 0);
}
