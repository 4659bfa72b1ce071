/* SPDX-License-Identifier: Apache-2.0
 *
 * vigie-shipper: carries the spool's batches to every destination. */
#include "exporters/shipper.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "daemon/notify.h"
#include "daemon/privilege.h"
#include "exporters/spool_files.h"

enum { DONE = 0, FOUND_WRONG = 1, WRONG_USAGE = 2, NOT_ALL = 3 }; /* docs/records.md */
enum { LOOK_MS = 200, TELL_SECONDS = 5 };

struct arguments {
	const char *config;
	bool check, drain, no_sandbox;
};

static const char usage[] =
	"usage: vigie-shipper -c FILE [--drain] [--no-sandbox]\n"
	"Carries the batches in the sensor's spool to every destination of its configuration.\n"
	"  -c FILE   the sensor's configuration: `spool` and `destinations`\n"
	"  --drain   stop when everything is acknowledged everywhere\n"
	"  -n        check the configuration and stop\n"
	"  --no-sandbox  do not limit what this program can do\n"
	"  -d        say more\n"
	"  -L        list the types of destinations and their options\n"
	"  -V        print the version\n";

/* ---- small answers ---- */

static int print_version(void)
{
	printf("vigie-shipper %s\n", VIGIE_VERSION);
	printf("destinations:");
	for (size_t i = 0; exporters[i]; i++)
		printf(" %s", exporters[i]->name);
	putchar('\n');
	return DONE;
}

static int print_destinations(void)
{
	for (size_t i = 0; exporters[i]; i++) {
		printf("%s: %s\n", exporters[i]->name, exporters[i]->summary);
		for (const struct exporter_option *o = exporters[i]->options; o->name; o++)
			printf("  %-12s %-7s %-9s %s\n", o->name, o->type,
			       o->standard ? o->standard : "required", o->meaning);
	}
	return DONE;
}

static int wrong_usage(void)
{
	fputs(usage, stderr);
	return WRONG_USAGE;
}

/* Fills `a`; an exit code, or -1 to go on. */
static int parse(int argc, char **argv, struct arguments *a)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "drain", no_argument, NULL, 'D' },
		{ "check", no_argument, NULL, 'n' },
		{ "no-sandbox", no_argument, NULL, 'X' },
		{ "list", no_argument, NULL, 'L' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};

	for (int c; (c = getopt_long(argc, argv, "c:ndLVh", longs, NULL)) != -1;) {
		switch (c) {
		case 'c':
			a->config = optarg;
			break;
		case 'D':
			a->drain = true;
			break;
		case 'n':
			a->check = true;
			break;
		case 'X':
			a->no_sandbox = true;
			break;
		case 'd':
			log_init("vigie-shipper", LOG_DEBUG);
			break;
		case 'L':
			return print_destinations();
		case 'V':
			return print_version();
		case 'h':
			fputs(usage, stdout);
			return DONE;
		default:
			return wrong_usage();
		}
	}
	if (optind < argc)
		log_error("%s: not an argument that is understood", argv[optind]);
	else if (!a->config)
		log_error("no configuration; give the sensor's with -c");
	else
		return -1;
	return wrong_usage();
}

/* ---- progress ---- */

/* Bytes of the spool that a destination has yet to acknowledge. What the writer
 * has preallocated counts as well: the figure is an upper bound. */
static uint64_t bytes_left(const char *dir, const struct delivery_state *state)
{
	struct spool_segments list = { 0 };
	uint64_t left = 0;

	for (int i = 0; i < STREAM_COUNT; i++) {
		struct spool_position p = state->acknowledged[i];
		if (spool_segments_list(dir, (enum stream)i, &list))
			continue;
		for (size_t k = 0; k < list.count; k++) {
			const struct spool_segment *s = &list.list[k];
			uint64_t done = s->number < p.segment ? s->bytes : 0;
			if (s->number == p.segment)
				done = p.offset < s->bytes ? p.offset : s->bytes;
			left += s->bytes - done;
		}
	}
	spool_segments_finish(&list);
	return left;
}

struct shipper {
	struct shipper_config config;
	struct delivery_thread threads[DESTINATIONS_MOST];
	size_t started;
	int lock;
	bool terminal;
	struct usec began, told; /* told: when the service manager last heard how it goes */
	struct notify notify;
};

static void show_progress(struct shipper *s)
{
	double seconds = (double)(clock_monotonic().v - s->began.v) / USEC_PER_SECOND;

	fputs("\r\033[K", stderr);
	for (size_t i = 0; i < s->started; i++) {
		struct delivery_state st = delivery_look(&s->threads[i]);
		fprintf(stderr, "%s%s: %" PRIu64 " batches, %.0f/s, %.1f MiB left%s", i ? "; " : "",
			s->config.destinations[i].name, st.batches,
			(double)st.batches / (seconds > 0.1 ? seconds : 0.1),
			(double)bytes_left(s->config.spool_dir, &st) / (1 << 20),
			st.waiting ? " (waiting)" : "");
	}
	fflush(stderr);
}

static void tell_manager(struct shipper *s)
{
	struct usec now = clock_monotonic();
	uint64_t batches = 0;
	size_t waiting = 0;

	notify_alive(&s->notify, now);
	log_tick(now);
	if (s->told.v && now.v - s->told.v < TELL_SECONDS * (int64_t)USEC_PER_SECOND)
		return;
	s->told = now;
	for (size_t i = 0; i < s->started; i++) {
		struct delivery_state st = delivery_look(&s->threads[i]);
		batches += st.batches;
		waiting += st.waiting;
	}
	notify_status(&s->notify,
		      "%" PRIu64 " batches delivered, %zu of %zu destinations waited for", batches,
		      waiting, s->started);
}

/* ---- running ---- */

/* Two shippers would trim under each other's feet. 0 or -errno. */
static int take_lock(struct shipper *s, char why[256])
{
	char path[PATH_MAX];
	int error = spool_join(path, "%s/shipper.lock", s->config.spool_dir);

	s->lock = error ? error : file_lock(path);
	if (s->lock >= 0)
		return 0;
	snprintf(why, 256, "%.150s: %s", s->config.spool_dir,
		 s->lock == -ENOENT ? "there is no spool; start the sensor first, or check `dir`"
		 : s->lock == -EBUSY
			 ? "another shipper works on this spool; give it all destinations"
			 : strerror(-s->lock));
	return s->lock;
}

/* Waits for a signal that ends us: its number, 0 when none came in time. */
static int wait_signal(const sigset_t *set)
{
	const struct timespec wait = { 0, LOOK_MS * 1000000L };
	int signal = sigtimedwait(set, NULL, &wait);
	return signal > 0 ? signal : 0;
}

/* A live shipper may be started before its sensor. */
static int wait_for_spool(struct shipper *s, const struct arguments *a, const sigset_t *signals)
{
	char why[256];
	bool said = false;

	for (;;) {
		int error = take_lock(s, why);
		if (!error)
			return -1;
		if (error != -ENOENT || a->drain) {
			log_error("%s", why);
			return WRONG_USAGE;
		}
		if (!said) {
			log_warn("%s; waiting for it", why);
			notify_ready(&s->notify);
			notify_status(&s->notify, "waiting for the sensor's spool");
		}
		said = true;
		notify_alive(&s->notify, clock_monotonic());
		if (wait_signal(signals))
			return DONE;
	}
}

/* The spool and what the destinations name are all that is needed from now on. */
static int confine(const struct shipper *s, const struct arguments *a)
{
	struct sandbox sandbox;
	char why[256] = "";

	if (a->no_sandbox) {
		sandbox_warn_without();
		return -1;
	}
	sandbox_init(&sandbox, SANDBOX_SHIPPER);
	sandbox_allow(&sandbox, SANDBOX_WRITE, s->config.spool_dir);
	for (size_t i = 0; i < s->config.count; i++) {
		const struct shipper_destination *d = &s->config.destinations[i];
		d->exporter->reach(d->state, &sandbox);
	}
	int error = sandbox_enter(&sandbox, why);
	sandbox_finish(&sandbox);
	if (!error)
		return -1;
	log_error("%s", *why ? why : strerror(-error));
	return WRONG_USAGE;
}

static int start_all(struct shipper *s, bool drain)
{
	char why[256] = "";

	for (size_t i = 0; i < s->config.count; i++) {
		const struct shipper_destination *d = &s->config.destinations[i];
		int error = d->exporter->open(d->state, why);
		if (!error)
			error = delivery_start(&s->threads[i], d, s->config.spool_dir, drain, why);
		if (error) {
			log_error("%s: %s", d->name, *why ? why : strerror(-error));
			return WRONG_USAGE;
		}
		s->started++;
	}
	return -1;
}

static void trim(struct shipper *s)
{
	static struct log_limit limit = { .interval = { 60LL * USEC_PER_SECOND } };

	for (int i = 0; i < STREAM_COUNT; i++) {
		struct spool_position least = { UINT64_MAX, 0 };
		for (size_t k = 0; k < s->started; k++) {
			struct spool_position p = delivery_look(&s->threads[k]).acknowledged[i];
			if (p.segment < least.segment)
				least = p;
		}
		int error = spool_trim(s->config.spool_dir, (enum stream)i, least);
		if (error)
			log_limited(&limit, LOG_WARN, "%s: cannot delete acknowledged segments: %s",
				    s->config.spool_dir, strerror(-error));
	}
}

/* An exit code when it is time to stop, or -1. */
static int look(struct shipper *s, const struct arguments *a)
{
	size_t drained = 0, failed = 0;

	for (size_t i = 0; i < s->started; i++) {
		struct delivery_state st = delivery_look(&s->threads[i]);
		drained += st.drained;
		failed += st.failed != 0;
	}
	if (failed)
		return NOT_ALL;
	return a->drain && drained == s->started ? DONE : -1;
}

static int run(struct shipper *s, const struct arguments *a, const sigset_t *signals)
{
	int code = -1;

	while (code < 0) {
		if (wait_signal(signals))
			code = a->drain ? NOT_ALL : DONE;
		else
			code = look(s, a);
		trim(s);
		tell_manager(s);
		if (s->terminal)
			show_progress(s);
	}
	if (s->terminal)
		fputc('\n', stderr);
	return code;
}

static int stop_all(struct shipper *s, int code)
{
	uint64_t refused = 0, damaged = 0;

	for (size_t i = 0; i < s->started; i++)
		atomic_store(&s->threads[i].stop, true);
	for (size_t i = 0; i < s->started; i++) {
		delivery_stop(&s->threads[i]);
		const struct delivery_state *st = &s->threads[i].state;
		log_info("%s: %" PRIu64 " batches, %" PRIu64 " records delivered, %" PRIu64
			 " batches refused",
			 s->config.destinations[i].name, st->batches, st->records, st->refused);
		refused += st->refused;
		if (st->damaged > damaged)
			damaged = st->damaged;
	}
	trim(s);
	if (damaged)
		log_warn("%s: %" PRIu64
			 " damaged places were skipped; `vigie spool verify` shows them",
			 s->config.spool_dir, damaged);
	return code == DONE && (refused || damaged) ? FOUND_WRONG : code;
}

static int ship(struct shipper *s, const struct arguments *a)
{
	sigset_t signals;
	char why[256];

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	int error = notify_open(&s->notify);
	if (error)
		log_warn("the service manager cannot be told that this program is ready: %s",
			 strerror(-error));
	if (privilege_drop(s->config.user, why)) {
		log_error("%s", why);
		return WRONG_USAGE;
	}
	s->terminal = a->drain && isatty(STDERR_FILENO);
	s->began = clock_monotonic();
	int code = wait_for_spool(s, a, &signals);
	if (code < 0)
		code = confine(s, a);
	if (code < 0)
		code = start_all(s, a->drain);
	if (code < 0) {
		notify_ready(&s->notify);
		code = run(s, a, &signals);
	}
	notify_stopping(&s->notify);
	code = stop_all(s, code);
	notify_close(&s->notify);
	if (s->lock >= 0)
		close(s->lock);
	return code == FOUND_WRONG && !a->drain ? DONE : code;
}

int main(int argc, char **argv)
{
	static struct shipper shipper = { .lock = -1, .notify.fd = -1 };
	struct arguments a = { 0 };
	struct problems problems = { 0 };

	log_init("vigie-shipper", LOG_INFO);
	int code = parse(argc, argv, &a);
	if (code >= 0)
		return code;
	if (!shipper_config_read(&shipper.config, a.config, &problems)) {
		problems_tell(&problems);
		code = WRONG_USAGE;
	} else if (a.check) {
		printf("%s: no mistakes\n", a.config);
		code = DONE;
	} else {
		code = ship(&shipper, &a);
	}
	shipper_config_finish(&shipper.config);
	problems_finish(&problems);
	return code;
}
