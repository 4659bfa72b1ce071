/* SPDX-License-Identifier: Apache-2.0
 *
 * The sensor's configuration file (docs/man/vigie-sensor.8): read, checked,
 * with every mistake at its place. */
#pragma once

#include "config/yaml.h"
#include "sensor/flow.h"
#include "sensor/realm.h"
#include "sensor/shed.h"

enum {
	CONFIG_GEO_MOST = 4,
	CONFIG_INTERFACES_MOST = 16,
	CONFIG_WORKERS_MOST = 16,
	CONFIG_HANDLES_MOST = 64, /* interfaces times workers */
};

struct sensor_config {
	const char *user;   /* to become, or NULL */
	const char *sensor; /* name; also in the certificate */
	char *site;         /* paths, made absolute by the file's folder; owned */
	char *spool_dir;
	char *geo[CONFIG_GEO_MOST];
	size_t geo_count;
	uint64_t spool_max, spool_segment;
	bool spool_sync;
	uint64_t flows, contexts, buffers, fragments, dpi_flows, dpi_memory, alerts, names, events;
	uint64_t dissectors_off; /* a bit each, by number in dissectors[] */
	struct flow_timeouts timeouts;
	uint64_t hosts; /* of the table of assets */
	char *oui; /* folder of the lists of network cards' makers, or NULL: the usual one; owned */
	bool assets;
	bool dedup, dpi, dpi_thorough, promiscuous;
	const char *interfaces[CONFIG_INTERFACES_MOST], *filter;
	size_t interface_count;
	uint64_t ring, snaplen; /* ring: of an interface, all workers together */
	uint64_t workers;
	bool hardware_stamps;
	const char *exercise;
	bool status;         /* answer at the status socket */
	char *status_socket; /* where, or NULL: the usual place (status_server.h); owned */
	struct realms realms;
	struct shed_options shed;
	const char *path;  /* of the file; borrowed; NULL: there is none */
	struct yaml *file; /* holds the borrowed texts */
};

void sensor_config_init(struct sensor_config *c); /* the defaults, no file */
/* 0, or -EINVAL when `problems` has mistakes. `file:` names may be relative to
 * the file's folder. */
int sensor_config_read(struct sensor_config *c, const char *path, struct problems *problems);
void sensor_config_finish(struct sensor_config *c);
