/* SPDX-License-Identifier: Apache-2.0
 *
 * vigie-collector: receives batches from sensors, keeps them, answers questions. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "collector/api.h"
#include "collector/audit.h"
#include "collector/auth.h"
#include "collector/db.h"
#include "collector/http.h"
#include "collector/settings.h"
#include "daemon/notify.h"
#include "daemon/privilege.h"
#include "daemon/sandbox.h"

enum { DONE = 0, FAILED = 1, WRONG_USAGE = 2 };

static const char usage[] = "usage: vigie-collector -c FILE [-n] [--no-sandbox]\n"
			    "       vigie-collector -V\n"
			    "  -c FILE  configuration, see vigie-collector(8)\n"
			    "  -n       check the configuration and the certificates, then stop\n"
			    "  -V       versions\n"
			    "  --no-sandbox  do not limit what this program can do\n";

struct arguments {
	const char *config;
	bool check_only, no_sandbox;
};

/* -1: go on; else the exit code. */
static int read_arguments(int argc, char **argv, struct arguments *out)
{
	static const struct option longs[] = {
		{ "no-sandbox", no_argument, NULL, 'X' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};

	for (int o; (o = getopt_long(argc, argv, "c:nVh", longs, NULL)) != -1;) {
		switch (o) {
		case 'c':
			out->config = optarg;
			break;
		case 'n':
			out->check_only = true;
			break;
		case 'X':
			out->no_sandbox = true;
			break;
		case 'V':
			printf("vigie-collector %s\nlibmicrohttpd %s\ngnutls %s\nsqlite %s\n",
			       VIGIE_VERSION, http_library(), auth_library(), db_library());
			return DONE;
		case 'h':
			fputs(usage, stdout);
			return DONE;
		default:
			fputs(usage, stderr);
			return WRONG_USAGE;
		}
	}
	if (out->config && optind == argc)
		return -1;
	fputs(usage, stderr);
	return WRONG_USAGE;
}

/* Everything that runs, in the order in which it is started. */
struct collector {
	struct settings settings;
	struct auth_texts tls;
	struct api api;
	struct http *http;
	struct notify notify;
};

static bool read_settings(struct collector *c, const char *path)
{
	struct problems problems = { 0 };
	char why[512] = "";

	bool good = settings_read(path, &c->settings, &problems);
	problems_tell(&problems);
	problems_finish(&problems);
	if (!good)
		return false;
	struct auth_files files = { c->settings.certificate, c->settings.key, c->settings.ca };
	int error = auth_load(&files, &c->tls, why);
	if (error)
		log_error("%s", why[0] ? why : strerror(-error));
	return !error;
}

static bool open_store(struct collector *c)
{
	const struct store_driver *driver = &store_sqlite;
	char why[256] = "", path[PATH_MAX];

	c->api.audit = -1;
	c->api.driver = driver;
	c->api.store = calloc(1, driver->state_size);
	int error = c->api.store ? driver->open(c->api.store, &c->settings.store, why) : -ENOMEM;
	if (error) {
		log_error("store: %s", why[0] ? why : strerror(-error));
		return false;
	}
	snprintf(path, sizeof(path), "%s/audit.log", c->settings.store.dir);
	c->api.audit = audit_open(path);
	if (c->api.audit < 0)
		log_error("cannot open %s: %s; it must be a file that this user may append to",
			  path, strerror(-c->api.audit));
	return c->api.audit >= 0;
}

static bool say(int error, const char *why)
{
	if (error)
		log_error("%s", why[0] ? why : strerror(-error));
	return !error;
}

static bool listen_first(struct collector *c)
{
	const struct settings *s = &c->settings;
	struct http_options http = { .address = s->address,
				     .port = (uint16_t)s->port,
				     .body = s->body,
				     .connections = (unsigned)s->connections,
				     .tls = &c->tls,
				     .api = &c->api };
	char why[256] = "";

	int error = notify_open(&c->notify);
	if (error)
		log_warn("the service manager cannot be told that this program is ready: %s",
			 strerror(-error));
	return say(http_open(&http, &c->http, why), why);
}

/* The socket is open and the keys are in memory: from here on the store is all
 * that is needed. */
static bool confine(const struct collector *c, const struct arguments *arguments)
{
	const char *dir = c->settings.store.dir;
	struct sandbox sandbox;
	char why[256] = "";

	int error = privilege_drop(c->settings.user, why);
	if (!error) {
		error = file_make_dirs(dir, 0750);
		if (error)
			snprintf(why, sizeof(why),
				 "store: cannot write to %.150s: %s; create it, owned by this user",
				 dir, strerror(-error));
	}
	/* Large answers are sorted in files, which must lie where files may. */
	setenv("SQLITE_TMPDIR", dir, 1);
	if (!error && arguments->no_sandbox) {
		sandbox_warn_without();
	} else if (!error) {
		sandbox_init(&sandbox, SANDBOX_COLLECTOR);
		sandbox_allow(&sandbox, SANDBOX_WRITE, dir);
		error = sandbox_enter(&sandbox, why);
		sandbox_finish(&sandbox);
	}
	return say(error, why);
}

static bool start(struct collector *c)
{
	struct writer_options writer = { c->api.driver, c->api.store, c->settings.queue };
	char why[256] = "";

	c->api.started = clock_monotonic();
	int error = writer_start(&writer, &c->api.writer);
	if (!error)
		error = http_start(c->http, why);
	return say(error, why);
}

/* Whatever was started, and only that. */
static void stop(struct collector *c)
{
	http_stop(c->http);
	writer_stop(c->api.writer);
	if (c->api.store) {
		c->api.driver->close(c->api.store);
		free(c->api.store);
		if (c->api.audit >= 0)
			close(c->api.audit);
	}
	notify_close(&c->notify);
	auth_finish(&c->tls);
	settings_finish(&c->settings);
}

/* Until a signal ends it, or the disk does. */
static int serve(struct collector *c, const sigset_t *signals)
{
	const struct timespec second = { .tv_sec = 1 };
	bool six = strchr(c->settings.address, ':');

	printf("listening on https://%s%s%s:%u\n", six ? "[" : "", c->settings.address,
	       six ? "]" : "", http_port(c->http));
	fflush(stdout);
	notify_ready(&c->notify);
	notify_status(&c->notify, "listening on port %u", http_port(c->http));
	while (!writer_failed(c->api.writer)) {
		notify_alive(&c->notify, clock_monotonic());
		log_tick(clock_monotonic());
		if (sigtimedwait(signals, NULL, &second) > 0) {
			log_info("stopping");
			notify_stopping(&c->notify);
			return DONE;
		}
	}
	log_error("stopping, since the store's disk failed; what was acknowledged is on it as far "
		  "as it still reads; start again once it is repaired");
	return FAILED;
}

static int run(struct collector *c, const struct arguments *arguments)
{
	sigset_t signals;

	/* Blocked before any thread starts, so that only sigtimedwait() gets them. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (!read_settings(c, arguments->config))
		return WRONG_USAGE;
	if (arguments->check_only)
		return DONE;
	if (!listen_first(c) || !confine(c, arguments) || !open_store(c) || !start(c))
		return WRONG_USAGE;
	return serve(c, &signals);
}

int main(int argc, char **argv)
{
	struct arguments arguments = { 0 };
	struct collector c = { .api.audit = -1, .notify.fd = -1 };

	log_init("vigie-collector", LOG_INFO);
	int code = read_arguments(argc, argv, &arguments);
	if (code >= 0)
		return code;
	code = run(&c, &arguments);
	stop(&c);
	return code;
}
