/* SPDX-License-Identifier: Apache-2.0
 *
 * What the packet path learns of the hospital's own hosts, on its way into the table
 * of hosts (assets/assets.h): from flows as they are recorded, and from facts as
 * dissectors find them. Hosts outside are not kept, nor those that never spoke. */
#pragma once

#include "assets/assets.h"
#include "sensor/config.h"
#include "sensor/flow_record.h"
#include "sensor/host_fact.h"

/* Who made which network card, by the lists that the configuration names; NULL, and a note
 * in the log, where there are none. */
struct oui *feed_vendors(const struct sensor_config *c);

/* A flow that was just recorded, with its attributes or NULL. */
void feed_flow(struct assets *a, const struct record_setting *setting, const struct flow *f,
	       const struct attributes *attributes, const struct record_flow *record);

void feed_fact(struct assets *a, const struct record_setting *setting,
	       const struct host_fact *fact);

/* Where hosts stand in another site. */
void feed_places(struct assets *a, const struct site *site);
