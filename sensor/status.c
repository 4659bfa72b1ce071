/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/status.h"

#include <unistd.h>

#include "base/json.h"

void status_sum(const struct status *s, struct counters *out)
{
	*out = (struct counters){ 0 };
	for (size_t w = 0; w < s->worker_count; w++)
		counters_add(out, &s->workers[w].counters);
}

/* ---- rates ---- */

enum { SAMPLES = STATUS_SECONDS + 1 };

void status_rates_note(struct status_rates *r, struct usec now, const struct counters *sums)
{
	r->last = r->count ? (r->last + 1) % SAMPLES : 0;
	r->samples[r->last] =
		(struct status_sample){ now, sums->packets, sums->bytes, sums->flows };
	if (r->count < SAMPLES)
		r->count++;
}

bool status_rates_over(const struct status_rates *r, unsigned seconds, struct status_rate *out)
{
	if (r->count < 2)
		return false;
	size_t back = seconds < r->count ? seconds : r->count - 1;
	const struct status_sample *b = &r->samples[r->last];
	const struct status_sample *a = &r->samples[(r->last + SAMPLES - back) % SAMPLES];
	double span = (double)(b->at.v - a->at.v) / USEC_PER_SECOND;
	if (span <= 0)
		return false;
	*out = (struct status_rate){
		.packets = (double)(b->packets - a->packets) / span,
		.bits = 8 * (double)(b->bytes - a->bytes) / span,
		.flows = (double)(b->flows - a->flows) / span,
	};
	return true;
}

/* ---- JSON ---- */

static void put_interface(struct json *j, const struct status_interface *f)
{
	static const char *const links[] = { "up", "down", "gone" };

	json_open(j, NULL, '{');
	json_text(j, "name", f->name);
	json_text(j, "state", links[f->link]);
	json_u64(j, "packets", f->packets);
	json_open(j, "drops", '{');
	json_u64(j, "kernel", f->drops_kernel);
	json_u64(j, "interface", f->drops_interface);
	json_close(j, '}');
	json_open(j, "ring", '{');
	json_u64(j, "bytes", f->ring_bytes);
	if (f->ring_known)
		json_u64(j, "used", f->ring_used);
	json_close(j, '}');
	json_close(j, '}');
}

static void put_rate(struct json *j, const char *key, const struct status_rates *rates,
		     unsigned seconds)
{
	struct status_rate rate;

	if (!status_rates_over(rates, seconds, &rate))
		return;
	json_open(j, key, '{');
	json_double(j, "packets", rate.packets);
	json_double(j, "bits", rate.bits);
	json_double(j, "flows", rate.flows);
	json_close(j, '}');
}

static void put_flows(struct json *j, const struct status *s)
{
	uint64_t open = 0;

	for (size_t i = 0; i < s->worker_count; i++)
		open += s->workers[i].flows;
	json_open(j, "flows", '{');
	json_u64(j, "open", open);
	json_u64(j, "table", s->flows_most);
	json_close(j, '}');
}

static void put_worker(struct json *j, const struct status_worker *w)
{
	json_open(j, NULL, '{');
	json_u64(j, "packets", w->counters.packets);
	json_u64(j, "flows", w->flows);
	json_u64(j, "shed", w->shed);
	json_close(j, '}');
}

static void put_destination(struct json *j, const struct spool_lag *l)
{
	json_open(j, NULL, '{');
	json_text(j, "name", l->destination);
	if (l->known) {
		json_u64(j, "waiting_bytes", l->bytes);
		json_u64(j, "waiting_s", l->seconds);
	}
	json_close(j, '}');
}

static void put_spool(struct json *j, const struct status *s)
{
	if (!s->spool)
		return;
	json_open(j, "spool", '{');
	json_u64(j, "bytes", s->spool_bytes);
	json_open(j, "destinations", '[');
	for (size_t i = 0; i < s->destination_count; i++)
		put_destination(j, &s->destinations[i]);
	json_close(j, ']');
	json_close(j, '}');
}

static void put_counters(struct json *j, const struct counters *c)
{
	json_open(j, "counters", '{');
	for (size_t i = 0; i < COUNTER_COUNT; i++)
		if (counter_value(c, i))
			json_u64(j, counter_infos[i].name, counter_value(c, i));
	json_close(j, '}');
}

static void put_head(struct json *j, const struct status *s)
{
	char time[CLOCK_TEXT];

	json_text(j, "type", "status");
	json_text(j, "sensor", s->sensor);
	json_text(j, "version", VIGIE_VERSION);
	json_u64(j, "pid", (uint64_t)getpid());
	json_text(j, "site_revision", s->site_revision);
	if (s->exercise)
		json_text(j, "exercise", s->exercise);
	json_text(j, "time", clock_text(s->now, time));
	json_u64(j, "uptime_s", (uint64_t)s->uptime.v / USEC_PER_SECOND);
}

static void put_memory(struct json *j, const struct status *s)
{
	json_open(j, "memory", '{');
	if (s->rss)
		json_u64(j, "rss", s->rss);
	json_u64(j, "dpi", s->dpi_memory);
	json_close(j, '}');
}

void status_json(const struct status *s, const struct status_rates *rates, struct buf *out)
{
	struct json j = { out, false };
	struct counters sums;

	status_sum(s, &sums);
	json_open(&j, NULL, '{');
	put_head(&j, s);
	json_open(&j, "interfaces", '[');
	for (size_t i = 0; i < s->interface_count; i++)
		put_interface(&j, &s->interfaces[i]);
	json_close(&j, ']');
	json_open(&j, "rates", '{');
	put_rate(&j, "second", rates, 1);
	put_rate(&j, "minute", rates, STATUS_SECONDS);
	json_close(&j, '}');
	put_flows(&j, s);
	json_open(&j, "workers", '[');
	for (size_t i = 0; i < s->worker_count; i++)
		put_worker(&j, &s->workers[i]);
	json_close(&j, ']');
	put_memory(&j, s);
	put_spool(&j, s);
	put_counters(&j, &sums);
	json_open(&j, "clients", '{');
	json_u64(&j, "answered", s->answered);
	json_u64(&j, "dropped", s->dropped);
	json_close(&j, '}');
	json_close(&j, '}');
	buf_char(out, '\n');
}
