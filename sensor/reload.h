/* SPDX-License-Identifier: Apache-2.0
 *
 * What a configuration that is read again changes in a sensor that runs, and what
 * must wait for its next start. */
#pragma once

#include "base/buf.h"
#include "sensor/config.h"

/* Appends "KEY has changed; it takes effect when the sensor is started again", a
 * line each, for every key that differs and cannot change at run time; how many. */
size_t reload_fixed(const struct sensor_config *started, const struct sensor_config *fresh,
		    struct buf *out);

/* Appends the names of what differs and does change, as in "timeouts, exercise". */
void reload_changes(const struct sensor_config *now, const struct sensor_config *fresh,
		    struct buf *out);

/* Whether `fresh` names a file in a folder that `started` did not: the sandbox keeps
 * it from us. */
bool reload_is_elsewhere(const struct sensor_config *started, const struct sensor_config *fresh);
