/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/shipper.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/sections.h"
#include "schema/wire.h"

enum { KEYS_MOST = 32 };

static void read_spool(struct shipper_config *c, const struct yaml_node *root)
{
	static const char *const keys[] = { "dir", "max", "segment", "sync", NULL };
	const struct yaml_node *spool = yaml_get(root, "spool");

	if (!spool) {
		yaml_problem(root, "there is no spool; write \"spool: {dir: FOLDER}\", the same as "
				   "the sensor's");
		return;
	}
	yaml_only_keys(spool, "spool", keys);
	yaml_read_text(spool, "dir", &c->spool_dir);
	if (!yaml_get(spool, "dir"))
		yaml_problem(spool, "the spool has no folder; write \"dir: FOLDER\"");
	else if (c->spool_dir && !*c->spool_dir)
		yaml_problem(yaml_get(spool, "dir"), "is no folder's name");
}

static void check_keys(const struct yaml_node *at, const struct exporter *e)
{
	const char *keys[KEYS_MOST] = { "name", "type" };
	size_t n = 2;

	for (const struct exporter_option *o = e->options; o->name && n + 1 < KEYS_MOST; o++) {
		keys[n++] = o->name;
		if (!o->standard && !yaml_get(at, o->name))
			yaml_problem(at, "a destination of type %s needs \"%s\": %s", e->name,
				     o->name, o->meaning);
	}
	yaml_only_keys(at, "this destination", keys);
}

static const struct exporter *read_type(const struct yaml_node *at)
{
	const char *type = NULL;

	if (!yaml_read_text(at, "type", &type))
		return NULL;
	const struct exporter *e = type ? exporter_find(type) : NULL;
	if (e)
		return e;
	char known[128] = "";
	for (size_t i = 0; exporters[i]; i++) {
		strncat(known, i ? ", " : "", sizeof(known) - strlen(known) - 1);
		strncat(known, exporters[i]->name, sizeof(known) - strlen(known) - 1);
	}
	if (type)
		yaml_problem(yaml_get(at, "type"),
			     "there is no destination type \"%.64s\"; the "
			     "types are %s",
			     type, known);
	else
		yaml_problem(at, "this destination has no type; the types are %s", known);
	return NULL;
}

static void read_name(struct shipper_config *c, const struct yaml_node *at,
		      struct shipper_destination *d)
{
	d->name = d->exporter->name;
	yaml_read_text(at, "name", &d->name);
	const struct yaml_node *place = yaml_get(at, "name") ? yaml_get(at, "name") : at;
	if (!wire_sensor_name_is_valid(d->name))
		yaml_problem(place, "is no destination's name; use 1 to 63 letters, digits, '.', "
				    "'_' or '-'");
	for (size_t i = 0; i < c->count; i++)
		if (!strcmp(c->destinations[i].name, d->name))
			yaml_problem(place,
				     "two destinations are called %s; give each a name of its "
				     "own",
				     d->name);
}

static void read_destination(struct shipper_config *c, const struct yaml_node *at)
{
	struct shipper_destination d = { 0 };

	if (yaml_kind(at) != YAML_MAP) {
		yaml_problem(at, "is no destination; write \"{name: ..., type: ..., ...}\"");
		return;
	}
	d.exporter = read_type(at);
	if (!d.exporter)
		return;
	read_name(c, at, &d);
	check_keys(at, d.exporter);
	if (c->count == DESTINATIONS_MOST) {
		yaml_problem(at, "there are more than %d destinations", DESTINATIONS_MOST);
		return;
	}
	d.state = calloc(1, d.exporter->state_size);
	if (!d.state)
		return;
	d.exporter->configure(d.state, at, c->sensor);
	c->destinations[c->count++] = d;
}

/* Paths in the file are relative to its folder. */
static void change_folder(const struct yaml_node *root, const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;

	if (!slash)
		return;
	if (n < sizeof(folder)) {
		memcpy(folder, path, n);
		folder[n] = '\0';
	}
	if (n >= sizeof(folder) || chdir(n ? folder : "/"))
		yaml_problem(root, "the file's folder cannot be made the working folder: %s",
			     strerror(errno));
}

bool shipper_config_read(struct shipper_config *c, const char *path, struct problems *problems)
{
	/* The other sections are the sensor's, which checks them. */
	static const char *const keys[] = { SENSOR_SECTIONS, NULL };

	*c = (struct shipper_config){ .sensor = "sensor" };
	c->file = yaml_open(path, problems);
	if (!c->file)
		return false;
	const struct yaml_node *root = yaml_root(c->file);
	change_folder(root, path);
	yaml_only_keys(root, "the sensor's configuration", keys);
	yaml_read_text(root, "user", &c->user);
	yaml_read_text(root, "sensor", &c->sensor);
	if (!wire_sensor_name_is_valid(c->sensor))
		yaml_problem(yaml_get(root, "sensor"), "is no sensor name; use 1 to 63 letters, "
						       "digits, '.', '_' or '-'");
	read_spool(c, root);
	const struct yaml_node *list = yaml_get(root, "destinations");
	if (yaml_kind(list) != YAML_LIST || yaml_count(list) == 0)
		yaml_problem(list ? list : root,
			     "there is no destination; write \"destinations:\" and "
			     "a list of them");
	for (size_t i = 0; yaml_kind(list) == YAML_LIST && i < yaml_count(list); i++)
		read_destination(c, yaml_element(list, i));
	return problems->count == 0;
}

void shipper_config_finish(struct shipper_config *c)
{
	for (size_t i = 0; i < c->count; i++) {
		c->destinations[i].exporter->close(c->destinations[i].state);
		free(c->destinations[i].state);
	}
	yaml_close(c->file);
	*c = (struct shipper_config){ 0 };
}
