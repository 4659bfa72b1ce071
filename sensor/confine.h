/* SPDX-License-Identifier: Apache-2.0
 *
 * The sensor gives up what it does not need, before it reads the first packet.
 * False after an error, which the log has then. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "sensor/config.h"
#include "sensor/live.h"

/* User, groups and capabilities; after interfaces are open, and before captures
 * and spool are, so that those belong to whoever goes on. */
bool confine_privileges(const struct sensor_config *c);

/* Files and system calls of a replay; after its output is open. `sandbox`: false
 * when the user does without. */
bool confine_replay(const struct sensor_config *c, const char *const *files, size_t count,
		    bool sandbox);

/* The same for live capture: interfaces are open, and cannot be written to. */
bool confine_live(const struct sensor_config *c, struct live *const *inputs, size_t count,
		  bool sandbox);
