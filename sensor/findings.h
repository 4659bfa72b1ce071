/* SPDX-License-Identifier: Apache-2.0
 *
 * From a flow's record to alerts: its verdict, where that is a bad one, and the
 * events that its attributes tell of. */
#pragma once

#include "events/events.h"
#include "sensor/alerts.h"

struct findings {
	struct alerts *alerts;
	struct events *events;
	struct counters *counters;
	const struct site *site;
	bool summed; /* the sensor is overloaded: what finds no room is told by segments */
};

/* The verdict; to be told once for a flow. */
void findings_verdict(const struct findings *f, const struct record_flow *flow,
		      const char *technique);
/* The events of this record. */
void findings_events(const struct findings *f, const struct record_flow *flow);
