/* SPDX-License-Identifier: Apache-2.0
 *
 * What packing (wire_pack.c) and unpacking (wire_unpack.c) share. These two include
 * protobuf-c's headers, and nothing else does. */
#pragma once

#include "base/clock.h"
#include "schema/vigie.pb-c.h"
#include "schema/wire.h"

enum {
	BATCH_FLOWS = 10, /* field numbers of the Batch's lists */
	BATCH_ALERTS = 11,
	BATCH_COVERAGE = 12,
	BATCH_HEALTH = 13,
	BATCH_ASSETS = 14,
	WIRE_DELIMITED = 2,
};

/* What clock_text can show: years 0 to 9999. */
#define WIRE_EARLIEST (-INT64_C(62167219200) * USEC_PER_SECOND)
#define WIRE_LATEST (INT64_C(253402300800) * USEC_PER_SECOND - 1)
