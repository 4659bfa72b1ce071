/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/settings.h"

#include <stdio.h>
#include <string.h>

static const char *const top_keys[] = { "user", "listen", "tls", "store", "limits", NULL };
static const char *const listen_keys[] = { "address", "port", NULL };
static const char *const tls_keys[] = { "certificate", "key", "ca", NULL };
static const char *const store_keys[] = { "dir", "partition", "retention", "sync", NULL };
static const char *const limits_keys[] = { "body", "queue", "connections", NULL };

/* A path as the user means it: from the file's own folder. */
static const char *beside(struct settings *s, const char *file, const char *path)
{
	const char *slash = strrchr(file, '/');
	size_t folder = slash ? (size_t)(slash - file) + 1 : 0;

	if (!path || *path == '/' || !folder)
		folder = 0;
	char *out = path ? arena_alloc(&s->memory, folder + strlen(path) + 1) : NULL;
	if (!out)
		return NULL;
	memcpy(out, file, folder);
	strcpy(out + folder, path);
	return out;
}

static const char *keep(struct settings *s, const char *text)
{
	return text ? arena_text(&s->memory, text, strlen(text)) : NULL;
}

/* A map that may be absent, with its keys checked. */
static const struct yaml_node *section(const struct yaml_node *root, const char *name,
				       const char *what, const char *const *keys)
{
	const struct yaml_node *map = yaml_get(root, name);

	if (map)
		yaml_only_keys(map, what, keys);
	return map;
}

static void read_user(struct settings *s, const struct yaml_node *root)
{
	const char *user = NULL;

	yaml_read_text(root, "user", &user);
	s->user = keep(s, user);
}

static void read_listen(struct settings *s, const struct yaml_node *root)
{
	const struct yaml_node *map = section(root, "listen", "listen", listen_keys);
	const char *address = "127.0.0.1";

	s->port = 8440;
	yaml_read_text(map, "address", &address);
	yaml_read_u64(map, "port", 0, 65535, &s->port);
	s->address = keep(s, address);
}

static void read_path(struct settings *s, const char *file, const struct yaml_node *owner,
		      const struct yaml_node *map, const char *key, const char **out)
{
	const char *path = NULL;

	if (yaml_read_text(map, key, &path) && !path)
		yaml_problem(map ? map : owner, "%s is missing; name a file or folder", key);
	*out = beside(s, file, path);
}

static void read_tls(struct settings *s, const char *file, const struct yaml_node *root)
{
	const struct yaml_node *map = section(root, "tls", "tls", tls_keys);

	if (!map) {
		yaml_problem(root,
			     "tls is missing; give certificate, key and ca (packaging/make-ca "
			     "makes them)");
		return;
	}
	read_path(s, file, root, map, "certificate", &s->certificate);
	read_path(s, file, root, map, "key", &s->key);
	read_path(s, file, root, map, "ca", &s->ca);
}

static void read_store(struct settings *s, const char *file, const struct yaml_node *root)
{
	const struct yaml_node *map = section(root, "store", "store", store_keys);
	const char *partition = NULL;

	s->store.retention.v = 90 * 86400LL * USEC_PER_SECOND;
	s->store.sync = true;
	if (!map) {
		yaml_problem(root, "store is missing; give it a dir");
		return;
	}
	read_path(s, file, root, map, "dir", &s->store.dir);
	yaml_read_text(map, "partition", &partition);
	if (partition && !strcmp(partition, "hour"))
		s->store.partition = STORE_BY_HOUR;
	else if (partition && strcmp(partition, "day"))
		yaml_problem(yaml_get(map, "partition"), "partition is %.20s; write day or hour",
			     partition);
	if (yaml_read_span(map, "retention", &s->store.retention) &&
	    s->store.retention.v < 3600LL * USEC_PER_SECOND)
		yaml_problem(yaml_get(map, "retention"),
			     "retention is less than an hour; write for instance 90d");
	yaml_read_bool(map, "sync", &s->store.sync);
}

static void read_limits(struct settings *s, const struct yaml_node *root)
{
	const struct yaml_node *map = section(root, "limits", "limits", limits_keys);

	s->body = WIRE_BATCH_MOST;
	s->queue = 64;
	s->connections = 256;
	if (yaml_read_size(map, "body", &s->body) && (s->body < 65536 || s->body > WIRE_BATCH_MOST))
		yaml_problem(yaml_get(map, "body"), "body is out of range; write 64KiB to 8MiB");
	yaml_read_u64(map, "queue", 1, 4096, &s->queue);
	yaml_read_u64(map, "connections", 4, 4096, &s->connections);
}

bool settings_read(const char *path, struct settings *out, struct problems *problems)
{
	size_t before = problems->count;
	struct yaml *y = yaml_open(path, problems);

	*out = (struct settings){ 0 };
	if (!y)
		return false;
	const struct yaml_node *root = yaml_root(y);
	yaml_only_keys(root, "the file", top_keys);
	read_user(out, root);
	read_listen(out, root);
	read_tls(out, path, root);
	read_store(out, path, root);
	read_limits(out, root);
	yaml_close(y);
	return problems->count == before;
}

void settings_finish(struct settings *s)
{
	arena_finish(&s->memory);
}
