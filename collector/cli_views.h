/* SPDX-License-Identifier: Apache-2.0
 *
 * The collector's answers as people read them. Pure: an answer in, text out.
 *
 * An answer is {"columns": [name, ...], "rows": [{name: value, ...}, ...]};
 * rows may also be arrays in the order of the columns. What is not there, or
 * is of another kind than expected, shows as an empty cell. */
#pragma once

#include <jansson.h>

#include "base/buf.h"
#include "collector/cli_table.h"

void view_flows(const json_t *answer, const struct style *style, struct buf *out);
void view_alerts(const json_t *answer, const struct style *style, struct buf *out);
/* Segment by segment (collector/cli_matrix.c): client segments down, server
 * segments across, then the pairs that are not as declared. */
void view_matrix(const json_t *answer, const struct style *style, struct buf *out);
/* How each segment is seen, how each sensor fares (collector/cli_health.c). */
void view_coverage(const json_t *answer, const struct style *style, struct buf *out);
void view_sensors(const json_t *answer, const struct style *style, struct buf *out);
/* Hosts, a line each; and all that is known of a few (collector/cli_hosts.c). */
void view_hosts(const json_t *answer, const struct style *style, struct buf *out);
void view_tenants(const json_t *answer, const struct style *style, struct buf *out);
/* Any rows, with short numbers and times. */
void view_rows(const json_t *answer, const struct style *style, struct buf *out);
/* Any rows, every value exactly as it came. */
void view_exact(const json_t *answer, const struct style *style, struct buf *out);

/* "1 alert", "2 alerts", "1,234 alerts". */
void view_count(size_t n, const char *noun, struct buf *out);

/* Appends "2026-01-02T03:04:05.000001Z" as "2026-01-02 03:04:05", from its character
 * `from` on: 11 where the day is said elsewhere. Anything else stays as it is. */
void view_time(const char *text, size_t from, struct buf *out);

/* A member's text or number; "" and 0 when it is not there. */
const char *row_text(const json_t *row, const char *name);
uint64_t row_number(const json_t *row, const char *name);
/* False for a row of coverage that somebody should look into. */
bool row_is_healthy(const json_t *row);
