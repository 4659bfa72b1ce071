/* SPDX-License-Identifier: Apache-2.0
 *
 * Flows and alerts as protobuf, written straight into a batch. These two are
 * made by the hundred thousand: through protobuf-c, which first fills a struct,
 * then measures it, then writes it, they cost several times as much. What they
 * write is what protobuf-c would, byte for byte (schema/vigie.proto; the unit
 * test compares). Of no interest outside wire*.c. */
#pragma once

#include "base/buf.h"
#include "schema/record.h"

/* What clock_text can show: years 0 to 9999. */
#define WIRE_EARLIEST (-INT64_C(62167219200) * USEC_PER_SECOND)
#define WIRE_LATEST (INT64_C(253402300800) * USEC_PER_SECOND - 1)

static inline int64_t wire_time(struct usec t)
{
	return t.v < WIRE_EARLIEST ? WIRE_EARLIEST : t.v > WIRE_LATEST ? WIRE_LATEST : t.v;
}

/* Append one record as a batch's field. 0 or -ENOMEM. */
int wire_pack_flow(struct buf *out, unsigned field, const struct record_flow *f);
int wire_pack_alert(struct buf *out, unsigned field, const struct record_alert *a);
