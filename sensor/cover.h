/* SPDX-License-Identifier: Apache-2.0
 *
 * Notes what happens to packets and flows in the coverage ledger: in the rows of
 * both ends' segments, once where both share one. */
#pragma once

#include "sensor/dedup.h"
#include "sensor/flow.h"
#include "sensor/ledger.h"

/* `segments`: numbers of the site's segments, as in struct flow. */
void cover_packet(struct ledger *l, const uint16_t segments[2], const struct packet *packet);
void cover_copy(struct ledger *l, const uint16_t segments[2], enum dedup_answer answer);
void cover_shed(struct ledger *l, const uint16_t segments[2], uint8_t level);
/* A flow that gives a record. */
void cover_flow(struct ledger *l, const struct flow *f, enum end_reason reason);
