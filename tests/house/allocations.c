/* SPDX-License-Identifier: Apache-2.0
 *
 * No allocation of ours per packet. The whole pipeline, with the demo's site file,
 * dissectors, alerts and records, but without nDPI, whose memory is its own.
 *
 * The rule: the captures are replayed again and again through one pipeline, each time
 * half an hour later, when all flows of the time before have ended. The first 200
 * passes may grow the output's buffers: until then a batch of every stream was full
 * once. In the next 100 passes, from the first packet to the last, nothing of ours is
 * allocated, though batches of every stream are written. (Calls that this program's
 * objects make are counted, by the linker's --wrap; what libraries allocate inside is
 * not.)
 *
 * usage: allocations SITE GEO CAPTURE... Prints TAP. */
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sensor/capture.h"
#include "sensor/config.h"
#include "sensor/geo.h"
#include "sensor/pipeline.h"

enum { WARM_UP = 200, COUNTED = 100 };
#define LATER (1800LL * USEC_PER_SECOND)

/* Volatile: the C library's functions are declared not to call back. */
static volatile bool armed;
static volatile uint64_t calls;
static FILE *tap; /* what was standard output; records go nowhere */

/* The linker sends each call of NAME here, and __real_NAME to the C library. */
void *__real_malloc(size_t n);
void *__real_calloc(size_t count, size_t n);
void *__real_realloc(void *p, size_t n);
void *__real_reallocarray(void *p, size_t count, size_t n);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t n);
int __real_vasprintf(char **out, const char *format, va_list args);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t count, size_t n);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_reallocarray(void *p, size_t count, size_t n);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t n);
int __wrap_asprintf(char **out, const char *format, ...) __attribute__((format(printf, 2, 3)));

void *__wrap_malloc(size_t n)
{
	calls += armed;
	return __real_malloc(n);
}

void *__wrap_calloc(size_t count, size_t n)
{
	calls += armed;
	return __real_calloc(count, n);
}

void *__wrap_realloc(void *p, size_t n)
{
	calls += armed;
	return __real_realloc(p, n);
}

void *__wrap_reallocarray(void *p, size_t count, size_t n)
{
	calls += armed;
	return __real_reallocarray(p, count, n);
}

char *__wrap_strdup(const char *text)
{
	calls += armed;
	return __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t n)
{
	calls += armed;
	return __real_strndup(text, n);
}

int __wrap_asprintf(char **out, const char *format, ...)
{
	va_list args;

	calls += armed;
	va_start(args, format);
	int n = vasprintf(out, format, args);
	va_end(args);
	return n;
}

static void fail(const char *what)
{
	fprintf(tap ? tap : stdout, "Bail out! %s\n", what);
	exit(1);
}

/* Only reading and metering are counted, not the opening of a file. */
static void replay(struct pipeline *p, char *const *files, int count, int64_t later, bool counted)
{
	char why[256];
	struct frame frame;

	for (int i = 0; i < count; i++) {
		struct capture *c = capture_open(files[i], why);
		if (!c)
			fail(why);
		armed = counted;
		while (capture_next(c, &frame) == 1) {
			frame.time.v += later;
			pipeline_frame(p, &frame);
		}
		armed = false;
		capture_close(c);
	}
}

static struct pipeline_options settings(const struct sensor_config *c, const struct site *site,
					const struct geo *geo)
{
	return (struct pipeline_options){
		.flows = 4096,
		.fragments = c->fragments,
		.alerts = c->alerts,
		.names = c->names,
		.hosts = c->hosts,
		.dedup = true,
		.seed = 1,
		.timeouts = c->timeouts,
		.dissection = { .contexts = 4096, .buffers = 64, .dpi_flows = 0 },
		.setting = { .sensor = "test", .site = site, .geo = geo, .realms = &c->realms },
	};
}

static bool replay_warm(const struct site *site, const struct geo *geo, const char *spool,
			char *const *files, int count)
{
	char why[256] = "no output";
	struct counters counters = { 0 };
	struct sensor_config config;
	struct outlet_options to = {
		.json = !spool,
		.spool = { .dir = spool, .max_bytes = 64 << 20, .segment_bytes = 4 << 20 },
		.sensor = "test",
		.epoch = 1,
	};
	struct output_options marks = { .site_revision = site_revision(site) };

	sensor_config_init(&config);
	struct output *output = output_alone(&to, &marks, &counters, why);
	struct pipeline_options options = settings(&config, site, geo);
	struct pipeline *p = output ? pipeline_create(&options, &counters, output, why) : NULL;
	if (!p)
		fail(why);
	for (int pass = 0; pass < WARM_UP; pass++)
		replay(p, files, count, pass * LATER, false);
	uint64_t packets = counters.packets, records = counters.records;
	calls = 0;
	for (int pass = WARM_UP; pass < WARM_UP + COUNTED; pass++)
		replay(p, files, count, pass * LATER, true);
	packets = counters.packets - packets;
	records = counters.records - records;
	fprintf(tap, "# %llu packets, %llu records, %llu allocations\n",
		(unsigned long long)packets, (unsigned long long)records,
		(unsigned long long)calls);
	pipeline_flush(p, END_END_OF_INPUT);
	output_flush(output);
	pipeline_destroy(p);
	output_destroy(output);
	sensor_config_finish(&config);
	return packets > 100000 && records > 5000 && calls == 0;
}

static int remove_one(const char *path, const struct stat *what, int kind, struct FTW *where)
{
	(void)what, (void)kind, (void)where;
	return remove(path);
}

static int counting_works(void)
{
	armed = true;
	calls = 0;
	char *text = strdup("a");
	char *more = realloc(text, 64);
	armed = false;
	free(more ? more : text);
	return calls == 2;
}

int main(int argc, char **argv)
{
	struct problems problems = { 0 };
	char why[256], scratch[] = "/tmp/allocations-XXXXXX";

	if (argc < 4)
		return 2;
	tap = fdopen(dup(STDOUT_FILENO), "w");
	struct site *site =
		site_load(argv[1], (struct usec){ 1767225600LL * USEC_PER_SECOND }, &problems);
	struct geo *geo = geo_open((const char *const *)&argv[2], 1, why);
	if (!tap || !site || !geo || !mkdtemp(scratch))
		fail("no site, no database or no room in /tmp");
	int good[3] = { counting_works() };
	if (!freopen("/dev/null", "w", stdout))
		return 1;
	good[1] = replay_warm(site, geo, NULL, argv + 3, argc - 3);
	good[2] = replay_warm(site, geo, scratch, argv + 3, argc - 3);
	static const char *const names[] = { "allocations are counted",
					     "no allocation per packet, records as JSON",
					     "no allocation per packet, records into a spool" };
	for (int i = 0; i < 3; i++)
		fprintf(tap, "%s %d - %s\n", good[i] ? "ok" : "not ok", i + 1, names[i]);
	fprintf(tap, "1..3\n");
	nftw(scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	problems_finish(&problems);
	geo_close(geo);
	site_free(site);
	fclose(tap);
	return good[0] && good[1] && good[2] ? 0 : 1;
}
