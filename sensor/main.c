/* SPDX-License-Identifier: Apache-2.0
 *
 * vigie-sensor: meters captures into records (docs/man/vigie-sensor.8). */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "schema/wire.h"
#include "sensor/capture.h"
#include "sensor/config.h"
#include "sensor/replay.h"

enum { EXIT_USAGE = 2 };

static volatile sig_atomic_t stop;

static const char usage_text[] =
	"usage: vigie-sensor -r FILE... [--site FILE] --json | --spool DIR [OPTION...]\n"
	"       vigie-sensor -c sensor.yaml -r FILE...\n"
	"       vigie-sensor -n -c sensor.yaml | -L | -V\n"
	"\n"
	"  -r, --read FILE...  replay captures (pcap, pcapng, gzip; - is standard input)\n"
	"  -c, --config FILE   the sensor's configuration\n"
	"      --site FILE     the site file: segments, conduits, vendors\n"
	"      --json          records as JSON lines on standard output\n"
	"      --spool DIR     records into a spool, for vigie-shipper\n"
	"      --sensor NAME   the name in every record (default: sensor)\n"
	"      --geo FILE      a MaxMind database; may be given several times\n"
	"      --dedup on|off  whether copies that the mirror shows count once (default: on)\n"
	"      --exercise NAME mark every record as part of an exercise\n"
	"  -n, --check         check configuration, site file and databases, then stop\n"
	"  -L, --list          list dissectors and the fields they export\n"
	"  -V, --version       versions of vigie-sensor and its libraries\n";

struct arguments {
	const char *config, *site, *spool, *sensor, *exercise, *dedup;
	const char *geo[CONFIG_GEO_MOST];
	size_t geo_count;
	const char **files; /* owned list, borrowed texts */
	size_t file_count;
	bool json, check, list, version, live;
};

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

static void list_dissectors(void)
{
	static const char *const types[] = { "number", "counter", "flag", "text", "texts" };

	for (size_t i = 0; dissectors[i]; i++) {
		printf("%-8s %s\n", dissectors[i]->name, dissectors[i]->summary);
		for (const struct field *f = dissectors[i]->fields; f && f->name; f++)
			printf("    %-28s %-8s %-9s %s\n", f->name, types[f->type],
			       f->unit ? f->unit : "", f->meaning);
	}
}

static void print_version(void)
{
	printf("vigie-sensor %s\n%s\n%s\n%s\n", VIGIE_VERSION, capture_library(), dpi_version(),
	       geo_library());
}

static bool parse_option(int option, struct arguments *a)
{
	switch (option) {
	case 'r':
		a->files[a->file_count++] = optarg;
		return true;
	case 'c':
		a->config = optarg;
		return true;
	case 'i':
		a->live = true;
		return true;
	case 'n':
		a->check = true;
		return true;
	case 'L':
		a->list = true;
		return true;
	case 'V':
		a->version = true;
		return true;
	case 's':
		a->site = optarg;
		return true;
	case 'j':
		a->json = true;
		return true;
	case 'o':
		a->spool = optarg;
		return true;
	case 'N':
		a->sensor = optarg;
		return true;
	case 'd':
		a->dedup = optarg;
		return true;
	case 'e':
		a->exercise = optarg;
		return true;
	case 'g':
		if (a->geo_count < CONFIG_GEO_MOST)
			a->geo[a->geo_count++] = optarg;
		return true;
	default:
		return false;
	}
}

static bool parse(int argc, char **argv, struct arguments *a)
{
	static const struct option options[] = {
		{ "read", required_argument, NULL, 'r' },
		{ "config", required_argument, NULL, 'c' },
		{ "interface", required_argument, NULL, 'i' },
		{ "check", no_argument, NULL, 'n' },
		{ "list", no_argument, NULL, 'L' },
		{ "version", no_argument, NULL, 'V' },
		{ "site", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "spool", required_argument, NULL, 'o' },
		{ "sensor", required_argument, NULL, 'N' },
		{ "geo", required_argument, NULL, 'g' },
		{ "dedup", required_argument, NULL, 'd' },
		{ "exercise", required_argument, NULL, 'e' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option;

	a->files = calloc((size_t)argc + 1, sizeof(*a->files));
	while (a->files && (option = getopt_long(argc, argv, "r:c:i:nLVh", options, NULL)) != -1) {
		if (option == 'h') {
			fputs(usage_text, stdout);
			exit(0);
		}
		if (!parse_option(option, a))
			return false;
	}
	while (a->files && optind < argc)
		a->files[a->file_count++] = argv[optind++];
	return a->files != NULL;
}

static bool print_problems(const struct problems *problems)
{
	struct buf text = { 0 };

	problems_print(problems, &text);
	if (text.len)
		fputs(text.data, stderr);
	buf_finish(&text);
	return problems->count > 0;
}

static void take_text(char **out, const char *text)
{
	if (!text)
		return;
	free(*out);
	*out = strdup(text);
}

/* What the command line says goes before what the file says. */
static bool settle_config(const struct arguments *a, struct sensor_config *c)
{
	struct problems problems = { 0 };
	bool bad = false;

	sensor_config_init(c);
	if (a->config)
		bad = sensor_config_read(c, a->config, &problems) != 0;
	print_problems(&problems);
	problems_finish(&problems);
	if (bad)
		return false;
	take_text(&c->site, a->site);
	take_text(&c->spool_dir, a->spool);
	c->sensor = a->sensor ? a->sensor : c->sensor;
	c->exercise = a->exercise ? a->exercise : c->exercise;
	for (size_t i = 0; i < a->geo_count && c->geo_count < CONFIG_GEO_MOST; i++)
		c->geo[c->geo_count++] = strdup(a->geo[i]);
	if (!wire_sensor_name_is_valid(c->sensor)) {
		log_error("--sensor: this is no sensor name; use 1 to 63 letters, digits, '.', "
			  "'_' or '-'");
		return false;
	}
	if (c->exercise && !wire_sensor_name_is_valid(c->exercise)) {
		log_error("--exercise: this is no exercise name; use 1 to 63 letters, digits, '.', "
			  "'_' or '-'");
		return false;
	}
	if (!a->dedup)
		return true;
	c->dedup = !strcmp(a->dedup, "on");
	if (c->dedup || !strcmp(a->dedup, "off"))
		return true;
	log_error("--dedup takes on or off");
	return false;
}

static struct site *load_site(const char *path)
{
	struct problems problems = { 0 };

	if (!path) {
		log_warn("no site file: every address is unknown-internal or external "
			 "(--site FILE)");
		return site_empty();
	}
	struct site *site = site_load(path, clock_wall(), &problems);
	print_problems(&problems);
	problems_finish(&problems);
	if (!site)
		log_error("%s: the site file cannot be used; mend the above, and see `vigie site "
			  "check`",
			  path);
	return site;
}

static void print_summary(const struct counters *c, const char *sensor)
{
	fprintf(stderr,
		"%s: %" PRIu64 " packets, %" PRIu64 " metered, %" PRIu64 " flows, %" PRIu64
		" records, %" PRIu64 " findings\n",
		sensor, c->packets, c->metered, c->flows, c->records, c->alerts);
	for (size_t i = 0; i < COUNTER_COUNT; i++) {
		const struct counter_info *info = &counter_infos[i];
		uint64_t v = counter_value(c, i);
		if (v)
			fprintf(stderr, "  %-26s %12" PRIu64 " %-9s %s\n", info->name, v,
				info->unit, info->meaning);
	}
}

static struct pipeline_options pipeline_settings(const struct sensor_config *c,
						 const struct site *site, const struct geo *geo,
						 uint64_t seed)
{
	return (struct pipeline_options){
		.flows = c->flows,
		.fragments = c->fragments,
		.alerts = c->alerts,
		.names = c->names,
		.dedup = c->dedup,
		.seed = seed,
		.timeouts = c->timeouts,
		.dissection = {
			.contexts = c->contexts,
			.buffers = c->buffers,
			.dpi_flows = c->dpi ? c->dpi_flows : 0,
		},
		.setting = {
			.sensor = c->sensor,
			.exercise = c->exercise,
			.site = site,
			.geo = geo,
			.realms = &c->realms,
		},
	};
}

static void salt_with_realms(struct buf *salt, const struct realms *r)
{
	for (size_t i = 0; i < r->count; i++)
		buf_format(salt, "|%s", r->names[i]);
	buf_bytes(salt, r->of_vlan, sizeof(r->of_vlan));
	for (size_t i = 0; i < r->vni_count; i++)
		buf_format(salt, "|%u=%u", r->vnis[i].vni, r->vnis[i].realm);
}

/* Of all that shapes the records: the same epoch must mean the same batches. */
static uint64_t epoch_of(const struct arguments *a, const struct sensor_config *c,
			 const struct site *site)
{
	const struct flow_timeouts *t = &c->timeouts;
	struct buf salt = { 0 };

	buf_format(&salt, "%s|%s|%s|%s|%s|%d%d", VIGIE_VERSION, dpi_version(), c->sensor,
		   site_revision(site), c->exercise ? c->exercise : "", c->dedup, c->dpi);
	buf_format(&salt, "|%" PRIu64 "|%" PRIu64 "|%" PRIu64 "|%" PRIu64, c->flows, c->contexts,
		   c->buffers, c->fragments);
	buf_format(&salt, "|%" PRIu64 "|%" PRIu64 "|%" PRIu64, c->dpi_flows, c->alerts, c->names);
	buf_format(&salt, "|%" PRId64 "|%" PRId64 "|%" PRId64, t->tcp_idle.v, t->udp_idle.v,
		   t->other_idle.v);
	buf_format(&salt, "|%" PRId64 "|%" PRId64 "|%" PRId64, t->closed.v, t->handshake.v,
		   t->active.v);
	salt_with_realms(&salt, &c->realms);
	for (size_t i = 0; i < c->geo_count; i++)
		buf_format(&salt, "|%016" PRIx64, capture_fingerprint(c->geo[i]));
	uint64_t epoch = replay_epoch(a->files, a->file_count, salt.data, salt.len);
	buf_finish(&salt);
	return epoch;
}

static int replay(const struct arguments *a, const struct sensor_config *c, const struct site *site,
		  const struct geo *geo)
{
	struct counters counters = { 0 };
	struct pipeline *pipeline = NULL;
	char why[256];
	int status = EXIT_USAGE;
	struct output_options options = {
		.json = a->json,
		.spool = { .dir = c->spool_dir,
			   .max_bytes = c->spool_max,
			   .segment_bytes = c->spool_segment,
			   .sync = c->spool_sync },
		.sensor = c->sensor,
		.site_revision = site_revision(site),
		.exercise = c->exercise,
		.epoch = epoch_of(a, c, site),
	};

	struct output *output = output_open(&options, &counters, why);
	if (!output) {
		log_error("%s", why);
		return EXIT_USAGE;
	}
	/* The epoch seeds the hashes: unforeseeable to who sends packets, and the same
	 * the next time, so that a full table of copies forgets the same ones. */
	struct pipeline_options settings = pipeline_settings(c, site, geo, options.epoch);
	pipeline = pipeline_create(&settings, &counters, output, why);
	if (!pipeline) {
		log_error("%s", why);
		goto out;
	}
	status = replay_run(
		&(struct replay){ a->files, a->file_count, pipeline, &counters, output, &stop });
	print_summary(&counters, c->sensor);
	if (counters.batches_known)
		log_info("%" PRIu64 " batches were in the spool already: this capture was replayed "
			 "before with the same site file",
			 counters.batches_known);
out:
	pipeline_destroy(pipeline);
	output_close(output);
	return status;
}

static bool usage_is_right(const struct arguments *a, const struct sensor_config *c)
{
	if (a->check)
		return true;
	if (a->live || !a->file_count) {
		log_error("live capture is not built into this version; replay captures with "
			  "-r FILE...");
		return false;
	}
	if (a->json == (c->spool_dir != NULL) && !(a->json && !a->spool)) {
		log_error(a->json ? "--json and --spool exclude one another"
				  : "where shall the records go? give --json or --spool DIR");
		return false;
	}
	return replay_check(a->files, a->file_count);
}

static int run(const struct arguments *a, struct sensor_config *c)
{
	struct geo *geo = NULL;
	char why[256];
	int status = EXIT_USAGE;

	if (!settle_config(a, c) || !usage_is_right(a, c))
		return EXIT_USAGE;
	struct site *site = load_site(c->site);
	if (!site)
		return EXIT_USAGE;
	if (c->geo_count) {
		geo = geo_open((const char *const *)c->geo, c->geo_count, why);
		if (!geo) {
			log_error("%s", why);
			goto out;
		}
	}
	if (a->check) {
		printf("configuration, site file (%zu segments, revision %s) and databases are "
		       "good\n",
		       site_segment_count(site), site_revision(site));
		status = 0;
	} else {
		status = replay(a, c, site, geo);
	}
out:
	geo_close(geo);
	site_free(site);
	return status;
}

int main(int argc, char **argv)
{
	struct arguments arguments = { 0 };
	struct sensor_config config = { 0 };
	struct sigaction action = { .sa_handler = on_signal };
	int status = 0;

	log_init("vigie-sensor", LOG_INFO);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (!parse(argc, argv, &arguments)) {
		fputs(usage_text, stderr);
		status = EXIT_USAGE;
	} else if (arguments.list) {
		list_dissectors();
	} else if (arguments.version) {
		print_version();
	} else {
		status = run(&arguments, &config);
		sensor_config_finish(&config);
	}
	free(arguments.files);
	return status;
}
