/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/sensor.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "daemon/notify.h"
#include "sensor/asset_feed.h"
#include "sensor/capture.h"
#include "sensor/confine.h"
#include "sensor/crew.h"
#include "sensor/monitor.h"
#include "sensor/reload.h"
#include "sensor/replay.h"
#include "sensor/stages.h"

enum { EXIT_USAGE = 2 };

volatile sig_atomic_t sensor_stop, sensor_reload;

struct sensor {
	const struct arguments *arguments;
	const struct sensor_config *config; /* as it was at the start */
	struct sensor_config now;           /* as it was read last, for what can change */
	struct site *site;
	struct geo *geo;
	struct oui *oui;
	struct counters counters;
	struct outlet *outlet;
	/* of a replay */
	struct output *output;
	struct pipeline *pipeline;
	/* of live capture: as many handles of each interface as there are workers */
	struct crew *crew;
	uint64_t tables; /* bytes that it has reserved */
	struct live *inputs[CONFIG_HANDLES_MOST];
	size_t input_count;
	struct ports *ports;
	struct notify notify; /* of live capture */
	struct status_server status;
	struct monitor monitor;
};

static struct site *load_site(const char *path)
{
	struct problems problems = { 0 };

	if (!path) {
		log_warn("no site file: every address is unknown-internal or external "
			 "(--site FILE)");
		return site_empty();
	}
	struct site *site = site_load(path, clock_wall(), &problems);
	problems_tell(&problems);
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

static uint64_t random_seed(void)
{
	uint64_t seed = 0;

	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		seed = (uint64_t)clock_monotonic().v;
	return seed;
}

static struct pipeline_options settings_of(const struct sensor *s, bool live, uint64_t seed)
{
	const struct sensor_config *c = s->config;

	return (struct pipeline_options){
		.flows = c->flows,
		.fragments = c->fragments,
		.alerts = c->alerts,
		.names = c->names,
		.hosts = c->assets ? c->hosts : 0,
		.oui = s->oui,
		.event_memory = c->events,
		.shed = (uint8_t)c->shed.least,
		.singles = c->shed.singles,
		.dedup = c->dedup,
		.live = live,
		.seed = seed,
		.timeouts = c->timeouts,
		.dissection = {
			.contexts = c->contexts,
			.buffers = c->buffers,
			.dpi_flows = c->dpi ? c->dpi_flows : 0,
			.dpi_memory = c->dpi_memory,
			.dpi_thorough = c->dpi_thorough,
			.off = c->dissectors_off,
		},
		.setting = {
			.sensor = c->sensor,
			.exercise = c->exercise,
			.site = s->site,
			.geo = s->geo,
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

static void salt_with_sizes(struct buf *salt, const struct sensor_config *c)
{
	const struct flow_timeouts *t = &c->timeouts;
	const uint64_t sizes[] = { c->flows,
				   c->contexts,
				   c->buffers,
				   c->fragments,
				   c->dissectors_off,
				   c->dpi_flows,
				   c->dpi_memory,
				   c->dpi_thorough,
				   c->alerts,
				   c->names,
				   c->events,
				   c->shed.least,
				   c->assets ? c->hosts : 0 };
	const struct usec spans[] = { t->tcp_idle, t->udp_idle,  t->other_idle,
				      t->closed,   t->handshake, t->active };

	buf_bytes(salt, sizes, sizeof(sizes));
	buf_bytes(salt, spans, sizeof(spans));
}

/* A replay's epoch follows from what is replayed, and from all that shapes the
 * records: the same epoch must mean the same batches. A live run has its own. */
static uint64_t epoch_of(const struct sensor *s, const struct arguments *a)
{
	const struct sensor_config *c = s->config;
	struct buf salt = { 0 };

	if (!a->file_count)
		return (uint64_t)clock_wall().v;
	buf_format(&salt, "%s|%s|%s|%s|%s|%d%d", VIGIE_VERSION, dpi_version(), c->sensor,
		   site_revision(s->site), c->exercise ? c->exercise : "", c->dedup, c->dpi);
	salt_with_sizes(&salt, c);
	salt_with_realms(&salt, &c->realms);
	buf_format(&salt, "|%016" PRIx64, oui_fingerprint(s->oui));
	for (size_t i = 0; i < c->geo_count; i++)
		buf_format(&salt, "|%016" PRIx64, capture_fingerprint(c->geo[i]));
	uint64_t epoch = replay_epoch(a->files, a->file_count, salt.data, salt.len);
	buf_finish(&salt);
	return epoch;
}

/* The kernel takes a ring's memory for good, and others may have to die for it. */
static bool memory_holds(uint64_t bytes)
{
	uint64_t there = memory_available();

	if (!there || bytes < there / 2)
		return true;
	log_error("rings of %" PRIu64 " MiB are more than half of the %" PRIu64 " MiB of memory "
		  "that are free; lower capture.ring",
		  bytes >> 20, there >> 20);
	return false;
}

/* False after an error; NULL when there are no databases. */
static bool open_geo(const struct sensor_config *c, struct geo **out)
{
	char why[256];

	*out = NULL;
	if (!c->geo_count)
		return true;
	*out = geo_open((const char *const *)c->geo, c->geo_count, why);
	if (!*out)
		log_error("%s", why);
	return *out;
}

static bool open_input(struct sensor *s, size_t number)
{
	const struct sensor_config *c = s->config;
	size_t first = number - number % c->workers;
	char why[256];
	struct live_options o = {
		.interface = c->interfaces[number / c->workers],
		.ring_bytes = c->ring / c->workers,
		.snaplen = (uint32_t)c->snaplen,
		.promiscuous = c->promiscuous,
		.hardware_stamps = c->hardware_stamps,
		.filter = c->filter,
		.shares = (unsigned)c->workers,
		.together = number == first ? NULL : s->inputs[first],
	};

	s->inputs[number] = live_open(&o, why);
	if (!s->inputs[number])
		log_error("%s", why);
	return s->inputs[number];
}

static void advise_on_link(const struct live *l)
{
	if (!decode_knows(live_link_type(l)))
		log_warn("%s: link type %u is not decoded, so nothing of it is metered; capture on "
			 "an Ethernet, raw IP or Linux cooked interface",
			 live_interface(l), live_link_type(l));
}

/* Interfaces come first: a mistake there is told before anything is begun. */
static bool open_inputs(struct sensor *s)
{
	const struct sensor_config *c = s->config;
	size_t handles = c->interface_count * c->workers;

	if (!memory_holds(c->ring * c->interface_count))
		return false;
	for (; s->input_count < handles; s->input_count++)
		if (!open_input(s, s->input_count))
			return false;
	s->ports = ports_open(c->interfaces, c->interface_count);
	if (!s->ports) {
		log_error("not enough memory to begin");
		return false;
	}
	for (size_t i = 0; i < handles; i += c->workers)
		advise_on_link(s->inputs[i]);
	ports_advise(s->ports);
	return true;
}

static bool open_outlet(struct sensor *s, const struct arguments *a, uint64_t epoch)
{
	const struct sensor_config *c = s->config;
	char why[256];
	struct outlet_options o = {
		.json = a->json,
		.spool = { .dir = c->spool_dir,
			   .max_bytes = c->spool_max,
			   .segment_bytes = c->spool_segment,
			   .sync = c->spool_sync,
			   .replay = a->file_count > 0 },
		.sensor = c->sensor,
		.epoch = epoch,
	};

	s->outlet = outlet_open(&o, why);
	if (!s->outlet)
		log_error("%s", why);
	return s->outlet;
}

/* All tables are reserved at the start, so this is what they can grow to. */
static void print_memory(const struct sensor *s, FILE *out)
{
	const struct sensor_config *c = s->config;
	uint64_t rings = c->ring * (c->interface_count ? c->interface_count : 1);

	fprintf(out,
		"memory: %" PRIu64 " MiB at most, besides site file and databases: rings %" PRIu64
		", tables %" PRIu64 ", batches that wait for the disk %d\n",
		(rings + s->tables + OUTLET_MEMORY_MOST) >> 20, rings >> 20, s->tables >> 20,
		OUTLET_MEMORY_MOST >> 20);
}

static bool make_crew(struct sensor *s, const struct output_options *to, size_t interfaces)
{
	struct pipeline_options settings = settings_of(s, true, random_seed());
	char why[256];
	struct crew_options o = {
		.workers = (unsigned)s->config->workers,
		.pipeline = &settings,
		.output = to,
		.outlet = s->outlet,
		.shed = &s->config->shed,
		.ports = s->ports,
		.inputs = s->inputs,
		.interfaces = interfaces,
	};

	uint64_t before = memory_reserved();
	s->crew = crew_create(&o, why);
	if (!s->crew)
		log_error("%s", why);
	s->tables = memory_reserved() - before;
	return s->crew;
}

/* A replay's hashes are seeded with its epoch, so that a full table of copies
 * forgets the same ones each time. */
static bool make_pipeline(struct sensor *s, const struct output_options *to, uint64_t epoch)
{
	struct pipeline_options settings = settings_of(s, false, epoch);
	char why[256] = "not enough memory";

	s->output = output_create(s->outlet, to, &s->counters);
	if (s->output)
		s->pipeline = pipeline_create(&settings, &s->counters, s->output, why);
	if (!s->pipeline)
		log_error("%s", why);
	return s->pipeline;
}

static bool open_output(struct sensor *s, const struct arguments *a)
{
	uint64_t epoch = epoch_of(s, a);
	struct output_options to = {
		.site_revision = site_revision(s->site),
		.exercise = s->config->exercise,
		.json = a->json,
		.first = true,
	};

	if (!open_outlet(s, a, epoch))
		return false;
	return a->file_count ? make_pipeline(s, &to, epoch)
			     : make_crew(s, &to, s->config->interface_count);
}

/* What is read again, until all of it is known to be good. */
struct fresh {
	struct sensor_config config;
	struct site *site;
	struct geo *geo;
};

static bool read_again(struct sensor *s, struct fresh *f)
{
	if (!arguments_settle(s->arguments, &f->config))
		return false;
	f->site = load_site(f->config.site);
	return f->site && open_geo(&f->config, &f->geo);
}

static void tell_reload(const struct sensor *s, const struct fresh *f)
{
	const struct sensor_config *now = s->now.sensor ? &s->now : s->config;
	struct buf text = { 0 };

	reload_fixed(s->config, &f->config, &text);
	char *rest = text.data;
	for (char *line; (line = strsep(&rest, "\n")) && *line;)
		log_warn("%s", line);
	buf_clear(&text);
	reload_changes(now, &f->config, &text);
	log_info("read again: site file of %zu segments, revision %s%s%s",
		 site_segment_count(f->site), site_revision(f->site), text.len ? "; changed: " : "",
		 text.len ? text.data : "");
	buf_finish(&text);
}

/* What was seen until now goes out under the settings of its time. Then what was
 * used until now is what `f` holds. */
static bool exchange(struct sensor *s, struct fresh *f)
{
	const struct fresh old = { s->now, s->site, s->geo };
	const struct pipeline_settings settings = {
		.site = f->site,
		.geo = f->geo,
		.exercise = f->config.exercise,
		.timeouts = f->config.timeouts,
		.dedup = f->config.dedup,
	};

	if (crew_change(s->crew, &settings)) {
		log_error("not enough memory for another site file");
		return false;
	}
	tell_reload(s, f);
	s->now = f->config;
	s->site = f->site;
	s->geo = f->geo;
	*f = old;
	return true;
}

/* All is read aside; when any of it is bad, all stays as it was. */
static void reload(void *context)
{
	struct sensor *s = context;
	struct fresh f = { 0 };

	sensor_reload = 0;
	notify_reloading(&s->notify);
	if (!read_again(s, &f) || !exchange(s, &f)) {
		bool elsewhere =
			!s->arguments->no_sandbox && reload_is_elsewhere(s->config, &f.config);
		log_warn("nothing was changed: the sensor goes on as before%s",
			 elsewhere ? "; a file is named in another folder than at the start, where "
				     "the sandbox lets nothing be read: start the sensor again"
				   : "");
	}
	site_free(f.site);
	geo_close(f.geo);
	sensor_config_finish(&f.config);
	notify_ready(&s->notify);
}

static void fill_status(void *context, struct status *out)
{
	struct sensor *s = context;

	for (size_t i = 0; i < s->config->interface_count; i++)
		out->interfaces[i].ring_bytes = s->config->ring;
	monitor_status(&s->monitor, out);
	out->sensor = s->config->sensor;
	out->site_revision = site_revision(s->site);
	out->exercise = s->now.sensor ? s->now.exercise : s->config->exercise;
	out->flows_most = s->config->flows;
}

static bool start_threads(struct sensor *s)
{
	int error = outlet_start(s->outlet);

	if (!error)
		error = crew_start(s->crew);
	if (!error)
		return true;
	crew_stop(s->crew);
	log_error("no thread can be started: %s; raise the limit of tasks (TasksMax=, "
		  "ulimit -u)",
		  strerror(-error));
	return false;
}

static int watch(struct sensor *s)
{
	const struct sensor_config *c = s->config;

	s->monitor = (struct monitor){
		.crew = s->crew,
		.outlet = s->outlet,
		.interfaces = c->interface_count,
		.ports = s->ports,
		.can_rejoin = live_can_rejoin(s->inputs[0]),
		.stop = &sensor_stop,
		.reload = &sensor_reload,
		.on_reload = reload,
		.context = s,
		.notify = &s->notify,
		.status = &s->status,
		.fill = fill_status,
	};

	for (size_t i = 0; i < c->interface_count; i++)
		log_info("capturing on %s", c->interfaces[i]);
	if (!start_threads(s))
		return EXIT_USAGE;
	notify_ready(&s->notify);
	int status = monitor_run(&s->monitor);
	notify_stopping(&s->notify);
	crew_stop(s->crew);
	s->counters = crew_counters(s->crew);
	struct counters ports = ports_counters(s->ports);
	counters_add(&s->counters, &ports);
	int error = outlet_problem(s->outlet);
	if (error) {
		log_error("output: %s; %" PRIu64 " records were lost: make room", strerror(-error),
			  s->counters.spool_refused);
		return 1;
	}
	return status;
}

static int replay(struct sensor *s, const struct arguments *a)
{
	int status = replay_run(&(struct replay){ a->files, a->file_count, s->pipeline,
						  &s->counters, s->output, &sensor_stop });

	if (s->counters.batches_known)
		log_info("%" PRIu64 " batches were in the spool already: this capture was replayed "
			 "before with the same site file",
			 s->counters.batches_known);
	return status;
}

static void finish(struct sensor *s)
{
	crew_destroy(s->crew);
	pipeline_destroy(s->pipeline);
	output_destroy(s->output);
	outlet_close(s->outlet);
	/* After the spool is closed: no file of it may get their muted numbers. */
	for (size_t i = 0; i < s->input_count; i++)
		live_close(s->inputs[i]);
	ports_close(s->ports);
	notify_close(&s->notify);
	status_close(&s->status);
	sensor_config_finish(&s->now);
	geo_close(s->geo);
	oui_free(s->oui);
	site_free(s->site);
}

static bool usage_is_right(const struct arguments *a, const struct sensor_config *c)
{
	if (a->check)
		return true;
	if (!a->file_count && !c->interface_count) {
		log_error("what shall be metered? give -i IFACE, capture.interfaces in the "
			  "configuration, or captures with -r FILE...");
		return false;
	}
	if (a->file_count && a->interface_count) {
		log_error("-r and -i exclude one another");
		return false;
	}
	if (a->json == (c->spool_dir != NULL) && !(a->json && !a->spool)) {
		log_error(a->json ? "--json and --spool exclude one another"
				  : "where shall the records go? give --json or --spool DIR");
		return false;
	}
	return true;
}

/* A manager that cannot be reached is worth a warning, no more. */
static bool open_notify(struct sensor *s)
{
	int error = notify_open(&s->notify);

	if (error)
		log_warn("the service manager cannot be told: %s", strerror(-error));
	return true;
}

/* One that is asked for must open; the usual one, for somebody who starts a sensor by
 * hand, need not. */
static bool open_status(struct sensor *s)
{
	const struct sensor_config *c = s->config;
	char why[256];

	if (!status_open(&s->status, c, why))
		return true;
	if (c->status_socket)
		log_error("status socket: %s", why);
	else
		log_warn("no status socket: %s", why);
	return !c->status_socket;
}

/* Once interfaces are open, rights go; once the output is, all that is left. */
static bool begin(struct sensor *s, const struct arguments *a)
{
	const struct sensor_config *c = s->config;

	if (!a->file_count && (!open_inputs(s) || !open_notify(s)))
		return false;
	if (!confine_privileges(c) || !replay_check(a->files, a->file_count) || !open_output(s, a))
		return false;
	if (!a->file_count && !open_status(s))
		return false;
	return a->file_count
		       ? confine_replay(c, a->files, a->file_count, !a->no_sandbox)
		       : confine_live(c, s->inputs, s->input_count, s->notify.fd, !a->no_sandbox);
}

/* Interfaces are not touched: another sensor may have them. */
static int check(struct sensor *s)
{
	if (!make_crew(s, &(struct output_options){ 0 }, 0))
		return EXIT_USAGE;
	printf("configuration, site file (%zu segments, revision %s) and databases are good\n",
	       site_segment_count(s->site), site_revision(s->site));
	print_memory(s, stdout);
	return 0;
}

int sensor_run(const struct arguments *a, const struct sensor_config *c)
{
	struct sensor s = { .arguments = a,
			    .config = c,
			    .notify = { .fd = -1 },
			    .status = { .fd = -1, .statm = -1 } };
	int status = EXIT_USAGE;

	if (!usage_is_right(a, c))
		return EXIT_USAGE;
	s.site = load_site(c->site);
	if (!s.site || !open_geo(c, &s.geo))
		goto out;
	s.oui = feed_vendors(c);
	if (a->check) {
		status = check(&s);
		goto out;
	}
	if (!begin(&s, a))
		goto out;
	status = a->file_count ? replay(&s, a) : watch(&s);
	print_summary(&s.counters, c->sensor);
out:
	finish(&s);
	if (s.counters.packets)
		stages_print(stderr, s.counters.packets);
	return status;
}
