/* SPDX-License-Identifier: Apache-2.0
 *
 * The sensor's command line. */
#pragma once

#include "sensor/config.h"

struct arguments {
	const char *config, *site, *spool, *sensor, *exercise, *dedup;
	const char *geo[CONFIG_GEO_MOST];
	size_t geo_count;
	const char **files; /* owned list, borrowed texts */
	size_t file_count;
	const char *interfaces[CONFIG_INTERFACES_MOST];
	size_t interface_count;
	const char *filter;
	bool json, check, list, version, help, no_sandbox;
};

extern const char arguments_usage[];

/* False when they make no sense; what getopt said stands on standard error. */
bool arguments_parse(int argc, char **argv, struct arguments *a);
void arguments_finish(struct arguments *a);

/* What the command line says goes before what the file says. False when either
 * is wrong; the mistakes have been told. */
bool arguments_settle(const struct arguments *a, struct sensor_config *c);
