/* SPDX-License-Identifier: Apache-2.0
 *
 * Alerts about the sensor itself: that it sheds work, sees too little, or had its
 * clock set. */
#pragma once

#include "sensor/alerts.h"
#include "sensor/flow_record.h"

/* The level of shedding was `before` and is `now`; also to be told while it goes on. */
void conditions_shedding(struct alerts *a, const struct record_setting *setting, uint8_t before,
			 uint8_t now, struct usec at);

/* A row of the coverage ledger: raised when a clinical segment was not seen. */
void conditions_blind(struct alerts *a, const struct record_setting *setting,
		      const struct record_coverage *row);

/* A whole minute without a frame, where there had been some. */
void conditions_mirror(struct alerts *a, const struct record_setting *setting, struct usec end);

void conditions_clock(struct alerts *a, const struct record_setting *setting, bool back,
		      struct usec at);
