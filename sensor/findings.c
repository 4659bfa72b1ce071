/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/findings.h"

struct raising {
	const struct findings *findings;
	const struct record_flow *flow;
};

void findings_verdict(const struct findings *f, const struct record_flow *flow,
		      const char *technique)
{
	const char *kind = verdict_name(flow->verdict);

	if (f->summed)
		alerts_raise_summed(f->alerts, flow, kind, technique);
	else
		alerts_raise(f->alerts, flow, kind, technique);
}

static void raise_event(void *context, const struct event *event)
{
	const struct raising *r = context;
	struct record_flow flow = *r->flow;

	flow.severity = event->severity;
	flow.reason = event->reason;
	if (event->of_segments)
		alerts_raise_segments(r->findings->alerts, &flow, event->kind, event->technique);
	else if (r->findings->summed)
		alerts_raise_summed(r->findings->alerts, &flow, event->kind, event->technique);
	else
		alerts_raise(r->findings->alerts, &flow, event->kind, event->technique);
}

void findings_events(const struct findings *f, const struct record_flow *flow)
{
	struct raising r = { f, flow };

	events_judge(f->events, f->site, flow, f->counters, raise_event, &r);
}
