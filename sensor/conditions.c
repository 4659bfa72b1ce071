/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/conditions.h"

#include <string.h>

static const struct usec minute = { 60LL * USEC_PER_SECOND };

static struct sensor_finding finding(const struct record_setting *setting, const char *kind,
				     enum severity severity, struct usec at)
{
	return (struct sensor_finding){
		.sensor = setting->sensor,
		.site_revision = site_revision(setting->site),
		.exercise = setting->exercise,
		.kind = kind,
		.severity = severity,
		.at = at,
	};
}

void conditions_shedding(struct alerts *a, const struct record_setting *setting, uint8_t before,
			 uint8_t now, struct usec at)
{
	static const char *const reasons[] = {
		"the sensor keeps up again; nothing is left out any more",
		"shedding at level 1: no nDPI for flows of administrative, guest and undeclared "
		"segments",
		"shedding at level 2: no payload is looked at in flows of administrative, guest "
		"and undeclared segments",
		"shedding at level 3: flows of administrative, guest and undeclared segments are "
		"counted for their two segments only; no nDPI for operational and care-critical "
		"ones",
		"shedding at level 4: only life-critical segments are treated fully; no payload is "
		"looked at for care-critical ones, the others are counted for their two segments "
		"only",
	};
	enum severity severity = now >= 3 ? SEVERITY_HIGH : SEVERITY_LOW;
	struct sensor_finding f = finding(setting, "sensor.shedding", severity, at);

	f.reason = reasons[now];
	f.again = before != 0;
	alerts_raise_sensor(a, &f);
}

void conditions_blind(struct alerts *a, const struct record_setting *setting,
		      const struct record_coverage *row)
{
	const struct segment *segment = site_segment_named(setting->site, row->segment);

	if (strcmp(row->state, "blind") != 0 || !segment || !impact_is_clinical(segment->impact))
		return;
	struct sensor_finding f =
		finding(setting, "sensor.blind",
			segment->impact == IMPACT_LIFE_CRITICAL ? SEVERITY_CRITICAL : SEVERITY_HIGH,
			(struct usec){ row->minute.v + minute.v });
	f.segment = segment->name;
	f.impact = segment->impact;
	f.reason = "most of what this segment said was missed; vigie coverage has the minutes";
	alerts_raise_sensor(a, &f);
}

void conditions_mirror(struct alerts *a, const struct record_setting *setting, struct usec end)
{
	struct sensor_finding f = finding(setting, "sensor.mirror-dead", SEVERITY_HIGH, end);

	f.reason = "not one frame came from the mirror, where there had been some; look at the "
		   "mirror session and the cable";
	alerts_raise_sensor(a, &f);
}

void conditions_clock(struct alerts *a, const struct record_setting *setting, bool back,
		      struct usec at)
{
	struct sensor_finding f = finding(setting, "sensor.clock-jumped", SEVERITY_LOW, at);

	f.reason = back ? "the clock that stamps packets was set back; open flows were ended"
			: "the clock that stamps packets was set ahead by more than an hour";
	alerts_raise_sensor(a, &f);
}
