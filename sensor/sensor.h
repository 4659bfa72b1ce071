/* SPDX-License-Identifier: Apache-2.0
 *
 * A sensor put together: configuration, site, databases, output and pipeline,
 * over captures or live interfaces. */
#pragma once

#include <signal.h>

#include "sensor/arguments.h"

/* Set by signal handlers: SIGINT, SIGTERM; SIGHUP. */
extern volatile sig_atomic_t sensor_stop, sensor_reload;

/* Runs what the arguments ask for, to the end. Exit code of docs/records.md. */
int sensor_run(const struct arguments *a, const struct sensor_config *c);
