/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/sensor.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/notify.h"
#include "sensor/capture.h"
#include "sensor/confine.h"
#include "sensor/monitor.h"
#include "sensor/replay.h"

enum { EXIT_USAGE = 2 };

volatile sig_atomic_t sensor_stop, sensor_reload;

struct sensor {
	const struct sensor_config *config;
	struct site *site;
	struct geo *geo;
	struct counters counters;
	struct output *output;
	struct pipeline *pipeline;
	struct live *inputs[CONFIG_INTERFACES_MOST];
	size_t input_count;
	struct ports *ports;
	struct notify notify; /* of live capture */
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
		.dedup = c->dedup,
		.live = live,
		.ports = s->ports,
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
	const uint64_t sizes[] = { c->flows,     c->contexts, c->buffers, c->fragments,
				   c->dpi_flows, c->alerts,   c->names };
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
	for (size_t i = 0; i < c->geo_count; i++)
		buf_format(&salt, "|%016" PRIx64, capture_fingerprint(c->geo[i]));
	uint64_t epoch = replay_epoch(a->files, a->file_count, salt.data, salt.len);
	buf_finish(&salt);
	return epoch;
}

static bool open_geo(struct sensor *s)
{
	char why[256];

	if (!s->config->geo_count)
		return true;
	s->geo = geo_open((const char *const *)s->config->geo, s->config->geo_count, why);
	if (!s->geo)
		log_error("%s", why);
	return s->geo;
}

/* Interfaces come first: a mistake there is told before anything is begun. */
static bool open_inputs(struct sensor *s)
{
	const struct sensor_config *c = s->config;
	char why[256];

	for (; s->input_count < c->interface_count; s->input_count++) {
		struct live_options o = {
			.interface = c->interfaces[s->input_count],
			.number = (uint16_t)s->input_count,
			.ring_bytes = c->ring,
			.snaplen = (uint32_t)c->snaplen,
			.promiscuous = c->promiscuous,
			.filter = c->filter,
		};
		s->inputs[s->input_count] = live_open(&o, why);
		if (!s->inputs[s->input_count]) {
			log_error("%s", why);
			return false;
		}
	}
	s->ports = ports_open(c->interfaces, c->interface_count);
	if (!s->ports) {
		log_error("not enough memory to begin");
		return false;
	}
	for (size_t i = 0; i < s->input_count; i++) {
		uint16_t type = live_link_type(s->inputs[i]);
		live_expect(s->inputs[i], ports_frame_most(s->ports, i));
		if (!decode_knows(type))
			log_warn("%s: link type %u is not decoded, so nothing of it is metered; "
				 "capture on an Ethernet, raw IP or Linux cooked interface",
				 live_interface(s->inputs[i]), type);
	}
	ports_advise(s->ports);
	return true;
}

static bool open_output(struct sensor *s, const struct arguments *a)
{
	const struct sensor_config *c = s->config;
	char why[256];
	struct output_options o = {
		.json = a->json,
		.spool = { .dir = c->spool_dir,
			   .max_bytes = c->spool_max,
			   .segment_bytes = c->spool_segment,
			   .sync = c->spool_sync,
			   .replay = a->file_count > 0 },
		.sensor = c->sensor,
		.site_revision = site_revision(s->site),
		.exercise = c->exercise,
		.epoch = epoch_of(s, a),
	};

	s->output = output_open(&o, &s->counters, why);
	if (!s->output) {
		log_error("%s", why);
		return false;
	}
	/* A replay's hashes are seeded with its epoch, so that a full table of copies
	 * forgets the same ones each time. */
	struct pipeline_options settings =
		settings_of(s, !a->file_count, a->file_count ? o.epoch : random_seed());
	s->pipeline = pipeline_create(&settings, &s->counters, s->output, why);
	if (!s->pipeline)
		log_error("%s", why);
	return s->pipeline;
}

/* The new site is compiled aside; a bad file is refused, and the old one stays. */
static void reload(void *context)
{
	struct sensor *s = context;

	sensor_reload = 0;
	if (!s->config->site)
		return;
	struct site *site = load_site(s->config->site);
	if (!site) {
		log_warn("the site file is as it was before");
		return;
	}
	output_flush(s->output);
	if (pipeline_set_site(s->pipeline, site)) {
		log_warn("not enough memory for the new site file; the old one stays");
		site_free(site);
		return;
	}
	output_flush(s->output);
	output_set_revision(s->output, site_revision(site));
	site_free(s->site);
	s->site = site;
	log_info("site file read again: %zu segments, revision %s", site_segment_count(site),
		 site_revision(site));
}

static int watch(struct sensor *s)
{
	struct monitor m = {
		.inputs = s->inputs,
		.count = s->input_count,
		.pipeline = s->pipeline,
		.counters = &s->counters,
		.output = s->output,
		.ports = s->ports,
		.stop = &sensor_stop,
		.reload = &sensor_reload,
		.on_reload = reload,
		.context = s,
		.notify = &s->notify,
	};

	for (size_t i = 0; i < s->input_count; i++)
		log_info("capturing on %s", live_interface(s->inputs[i]));
	notify_ready(&s->notify);
	int status = monitor_run(&m);
	notify_stopping(&s->notify);
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
	pipeline_destroy(s->pipeline);
	output_close(s->output);
	/* After the spool is closed: no file of it may get their muted numbers. */
	for (size_t i = 0; i < s->input_count; i++)
		live_close(s->inputs[i]);
	ports_close(s->ports);
	notify_close(&s->notify);
	geo_close(s->geo);
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

/* Once interfaces are open, rights go; once the output is, all that is left. */
static bool begin(struct sensor *s, const struct arguments *a)
{
	const struct sensor_config *c = s->config;

	if (!a->file_count && (!open_inputs(s) || !open_notify(s)))
		return false;
	if (!confine_privileges(c) || !replay_check(a->files, a->file_count) || !open_output(s, a))
		return false;
	return a->file_count
		       ? confine_replay(c, a->files, a->file_count, !a->no_sandbox)
		       : confine_live(c, s->inputs, s->input_count, s->notify.fd, !a->no_sandbox);
}

int sensor_run(const struct arguments *a, const struct sensor_config *c)
{
	struct sensor s = { .config = c, .notify = { .fd = -1 } };
	int status = EXIT_USAGE;

	if (!usage_is_right(a, c))
		return EXIT_USAGE;
	s.site = load_site(c->site);
	if (!s.site || !open_geo(&s))
		goto out;
	if (a->check) {
		printf("configuration, site file (%zu segments, revision %s) and databases are "
		       "good\n",
		       site_segment_count(s.site), site_revision(s.site));
		status = 0;
		goto out;
	}
	if (!begin(&s, a))
		goto out;
	status = a->file_count ? replay(&s, a) : watch(&s);
	print_summary(&s.counters, c->sensor);
out:
	finish(&s);
	return status;
}
