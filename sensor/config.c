/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/sections.h"
#include "dissectors/dissector.h"
#include "schema/wire.h"

enum { SOCKET_PATH_MOST = 107 }; /* of struct sockaddr_un */

#define SECONDS(n) ((struct usec){ (int64_t)(n)*USEC_PER_SECOND })

void sensor_config_init(struct sensor_config *c)
{
	*c = (struct sensor_config){
		.sensor = "sensor",
		.spool_sync = true,
		.flows = 1048576,
		.contexts = 65536,
		.buffers = 4096,
		.fragments = 256,
		.dpi_flows = 16384,
		.dpi_memory = 16384,
		.alerts = 1024,
		.events = 65536,
		.names = 8192,
		.hosts = 16384,
		.assets = true,
		.timeouts = {
			.tcp_idle = SECONDS(300),
			.udp_idle = SECONDS(60),
			.other_idle = SECONDS(30),
			.closed = SECONDS(5),
			.handshake = SECONDS(30),
			.active = SECONDS(300),
		},
		.dedup = true,
		.promiscuous = true,
		.ring = 64 << 20,
		.workers = 1,
		.snaplen = 65535,
		.dpi = true,
		.status = true,
	};
	realms_init(&c->realms);
	shed_options_init(&c->shed);
}

void sensor_config_finish(struct sensor_config *c)
{
	free(c->site);
	free(c->spool_dir);
	free(c->status_socket);
	free(c->oui);
	for (size_t i = 0; i < c->geo_count; i++)
		free(c->geo[i]);
	yaml_close(c->file);
	*c = (struct sensor_config){ 0 };
}

/* A path as the file's reader means it: relative to the file's folder. */
static char *beside(const char *file, const char *path)
{
	const char *slash = strrchr(file, '/');
	char *joined;

	if (*path == '/' || !slash)
		return strdup(path);
	if (asprintf(&joined, "%.*s/%s", (int)(slash - file), file, path) < 0)
		return NULL;
	return joined;
}

static void read_path(const struct yaml_node *map, const char *key, const char *file, char **out)
{
	const char *text = NULL;

	if (!yaml_read_text(map, key, &text) || !text)
		return;
	free(*out);
	*out = beside(file, text);
}

static void read_spool(struct sensor_config *c, const struct yaml_node *n, const char *file)
{
	static const char *const keys[] = { "dir", "max", "segment", "sync", NULL };

	if (!n)
		return;
	yaml_only_keys(n, "spool", keys);
	read_path(n, "dir", file, &c->spool_dir);
	yaml_read_size(n, "max", &c->spool_max);
	yaml_read_size(n, "segment", &c->spool_segment);
	yaml_read_bool(n, "sync", &c->spool_sync);
}

static void read_geo(struct sensor_config *c, const struct yaml_node *n, const char *file)
{
	static const char *const keys[] = { "databases", NULL };
	const struct yaml_node *list = yaml_get(n, "databases");

	if (!n)
		return;
	yaml_only_keys(n, "geo", keys);
	if (yaml_kind(list) != YAML_LIST && yaml_kind(list) != YAML_ABSENT)
		yaml_problem(list, "databases is no list; write databases: [FILE.mmdb]");
	for (size_t i = 0; i < yaml_count(list); i++) {
		const struct yaml_node *path = yaml_element(list, i);
		if (!yaml_text(path))
			yaml_problem(path, "is no path of a MaxMind database (.mmdb)");
		else if (c->geo_count == CONFIG_GEO_MOST)
			yaml_problem(path, "there are more than %d databases", CONFIG_GEO_MOST);
		else
			c->geo[c->geo_count++] = beside(file, yaml_text(path));
	}
}

static void read_flows(struct sensor_config *c, const struct yaml_node *n)
{
	static const char *const keys[] = { "table",  "dissection", "reassembly", "fragments",
					    "alerts", "names",      "events",     NULL };

	if (!n)
		return;
	yaml_only_keys(n, "flows", keys);
	yaml_read_u64(n, "table", 64, 1 << 26, &c->flows);
	yaml_read_u64(n, "dissection", 1, 1 << 24, &c->contexts);
	yaml_read_u64(n, "reassembly", 1, 1 << 20, &c->buffers);
	yaml_read_u64(n, "fragments", 1, 65536, &c->fragments);
	yaml_read_u64(n, "alerts", 1, 65536, &c->alerts);
	yaml_read_u64(n, "events", 64, 1 << 24, &c->events);
	yaml_read_u64(n, "names", 16, 1 << 20, &c->names);
}

/* Sums with packet times must not overflow; nothing that short is a time-out. */
static void read_timeout(const struct yaml_node *n, const char *key, struct usec *out)
{
	struct usec v = *out;

	if (!yaml_read_span(n, key, &v))
		return;
	if (v.v < USEC_PER_SECOND || v.v > 7 * 86400 * (int64_t)USEC_PER_SECOND)
		yaml_problem(yaml_get(n, key), "%s is not between 1s and 7d", key);
	else
		*out = v;
}

static void read_timeouts(struct sensor_config *c, const struct yaml_node *n)
{
	static const char *const keys[] = { "tcp",       "udp",    "other", "closed",
					    "handshake", "active", NULL };

	if (!n)
		return;
	yaml_only_keys(n, "timeouts", keys);
	read_timeout(n, "tcp", &c->timeouts.tcp_idle);
	read_timeout(n, "udp", &c->timeouts.udp_idle);
	read_timeout(n, "other", &c->timeouts.other_idle);
	read_timeout(n, "closed", &c->timeouts.closed);
	read_timeout(n, "handshake", &c->timeouts.handshake);
	read_timeout(n, "active", &c->timeouts.active);
}

static void read_dissectors(struct sensor_config *c, const struct yaml_node *n)
{
	static const char *const keys[] = { "off", NULL };
	const struct yaml_node *list = yaml_get(n, "off");

	if (!n)
		return;
	yaml_only_keys(n, "dissectors", keys);
	if (yaml_kind(list) != YAML_LIST && yaml_kind(list) != YAML_ABSENT)
		yaml_problem(list, "off is no list; write off: [telnet, ftp]");
	for (size_t i = 0; i < yaml_count(list); i++) {
		const struct yaml_node *item = yaml_element(list, i);
		const char *name = yaml_text(item);
		int number = name ? dissector_of(name) : -1;
		if (number < 0)
			yaml_problem(item, "\"%.64s\" is no dissector; vigie-sensor -L lists them",
				     name ? name : "");
		else
			c->dissectors_off |= UINT64_C(1) << number;
	}
}

static void read_dpi(struct sensor_config *c, const struct yaml_node *n)
{
	static const char *const keys[] = { "enabled", "flows", "memory", "thorough", NULL };

	if (!n)
		return;
	yaml_only_keys(n, "dpi", keys);
	yaml_read_bool(n, "enabled", &c->dpi);
	yaml_read_u64(n, "flows", 1, 1 << 20, &c->dpi_flows);
	yaml_read_u64(n, "memory", 0, 1 << 20, &c->dpi_memory);
	yaml_read_bool(n, "thorough", &c->dpi_thorough);
}

static void read_assets(struct sensor_config *c, const struct yaml_node *n, const char *file)
{
	static const char *const keys[] = { "enabled", "hosts", "oui", NULL };

	if (!n)
		return;
	yaml_only_keys(n, "assets", keys);
	yaml_read_bool(n, "enabled", &c->assets);
	yaml_read_u64(n, "hosts", 64, 1 << 22, &c->hosts);
	read_path(n, "oui", file, &c->oui);
}

static void read_interfaces(struct sensor_config *c, const struct yaml_node *list)
{
	for (size_t i = 0; i < yaml_count(list); i++) {
		const struct yaml_node *n = yaml_element(list, i);
		if (!yaml_text(n))
			yaml_problem(n, "is no name of an interface; `ip link` lists them");
		else if (c->interface_count == CONFIG_INTERFACES_MOST)
			yaml_problem(n, "there are more than %d interfaces",
				     CONFIG_INTERFACES_MOST);
		else
			c->interfaces[c->interface_count++] = yaml_text(n);
	}
}

static void read_workers(struct sensor_config *c, const struct yaml_node *n)
{
	uint64_t interfaces = c->interface_count ? c->interface_count : 1;

	yaml_read_u64(n, "workers", 1, CONFIG_WORKERS_MOST, &c->workers);
	if (c->workers * interfaces > CONFIG_HANDLES_MOST)
		yaml_problem(yaml_get(n, "workers"),
			     "workers times interfaces is more than %d; lower workers",
			     CONFIG_HANDLES_MOST);
}

static void read_timestamps(struct sensor_config *c, const struct yaml_node *n)
{
	const char *from = NULL;

	if (!yaml_read_text(n, "timestamps", &from) || !from)
		return;
	c->hardware_stamps = !strcmp(from, "hardware");
	if (!c->hardware_stamps && strcmp(from, "kernel") != 0)
		yaml_problem(yaml_get(n, "timestamps"), "is neither kernel nor hardware");
}

static void read_capture(struct sensor_config *c, const struct yaml_node *n)
{
	static const char *const keys[] = { "interfaces", "dedup",      "ring",
					    "snaplen",    "filter",     "promiscuous",
					    "workers",    "timestamps", NULL };

	if (!n)
		return;
	yaml_only_keys(n, "capture", keys);
	read_interfaces(c, yaml_get(n, "interfaces"));
	yaml_read_bool(n, "dedup", &c->dedup);
	yaml_read_bool(n, "promiscuous", &c->promiscuous);
	yaml_read_text(n, "filter", &c->filter);
	yaml_read_u64(n, "snaplen", 64, 262144, &c->snaplen);
	yaml_read_size(n, "ring", &c->ring);
	read_workers(c, n);
	read_timestamps(c, n);
}

static void read_status(struct sensor_config *c, const struct yaml_node *n, const char *file)
{
	static const char *const keys[] = { "enabled", "socket", NULL };

	if (!n)
		return;
	yaml_only_keys(n, "status", keys);
	yaml_read_bool(n, "enabled", &c->status);
	read_path(n, "socket", file, &c->status_socket);
	if (c->status_socket && strlen(c->status_socket) > SOCKET_PATH_MOST)
		yaml_problem(yaml_get(n, "socket"),
			     "this path is longer than the %d bytes that a socket's may have",
			     SOCKET_PATH_MOST);
}

int sensor_config_read(struct sensor_config *c, const char *path, struct problems *problems)
{
	static const char *const keys[] = { SENSOR_SECTIONS, NULL };

	c->path = path;
	c->file = yaml_open(path, problems);
	if (!c->file)
		return -EINVAL;
	const struct yaml_node *root = yaml_root(c->file);
	yaml_only_keys(root, "the sensor's configuration", keys);
	yaml_read_text(root, "user", &c->user);
	yaml_read_text(root, "sensor", &c->sensor);
	if (!wire_sensor_name_is_valid(c->sensor))
		yaml_problem(yaml_get(root, "sensor"),
			     "is no sensor name; use 1 to 63 letters, digits, '.', '_' or '-'");
	read_path(root, "site", path, &c->site);
	yaml_read_text(root, "exercise", &c->exercise);
	if (c->exercise && !wire_sensor_name_is_valid(c->exercise))
		yaml_problem(yaml_get(root, "exercise"),
			     "is no name of an exercise; use 1 to 63 letters, digits, '.', '_' "
			     "or '-'");
	read_spool(c, yaml_get(root, "spool"), path);
	read_geo(c, yaml_get(root, "geo"), path);
	read_flows(c, yaml_get(root, "flows"));
	read_timeouts(c, yaml_get(root, "timeouts"));
	read_dissectors(c, yaml_get(root, "dissectors"));
	read_dpi(c, yaml_get(root, "dpi"));
	read_assets(c, yaml_get(root, "assets"), path);
	read_capture(c, yaml_get(root, "capture"));
	read_status(c, yaml_get(root, "status"), path);
	realms_read(&c->realms, yaml_get(root, "realms"));
	shed_options_read(&c->shed, yaml_get(root, "shed"));
	return problems->count ? -EINVAL : 0;
}
