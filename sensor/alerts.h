/* SPDX-License-Identifier: Apache-2.0
 *
 * Folds findings into alerts: the same kind between the same ends for the same
 * service is one alert, however often it happens. What has been added is sent
 * once a minute of packet time, and at the end. */
#pragma once

#include "schema/counters.h"
#include "schema/record.h"

struct alerts;

/* `most` alerts are folded at a time; beyond that each finding is sent as it
 * comes. NULL: no memory. */
struct alerts *alerts_create(size_t most, struct counters *counters, record_sink *sink,
			     void *context);
void alerts_destroy(struct alerts *a); /* accepts NULL */

/* A finding about one flow: id, kind and all from its record. Texts that are not
 * copied (segment, rule, vendor, app, technique names) must outlive the alerts. */
void alerts_raise(struct alerts *a, const struct record_flow *flow, const char *kind,
		  const char *technique);

/* The same for an overloaded sensor: what finds no room for its ends is folded by
 * their segments, without addresses, instead of being sent as it comes. */
void alerts_raise_summed(struct alerts *a, const struct record_flow *flow, const char *kind,
			 const char *technique);

/* A finding about the two segments: without addresses, ports and vendor. */
void alerts_raise_segments(struct alerts *a, const struct record_flow *flow, const char *kind,
			   const char *technique);

/* A finding about the sensor itself, or about how it sees one segment. */
struct sensor_finding {
	const char *sensor, *site_revision, *exercise;
	const char *kind;
	const char *segment; /* or NULL: with its impact */
	enum impact impact;
	enum severity severity;
	const char *reason; /* is copied; the newest one holds */
	struct usec at;
	bool again; /* says how one goes on that was raised before: it is not counted */
};
void alerts_raise_sensor(struct alerts *a, const struct sensor_finding *what);

/* Sends what was added since the last time, oldest alert first. */
void alerts_flush(struct alerts *a);
