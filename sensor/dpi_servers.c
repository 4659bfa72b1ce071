/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/dpi_servers.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/pages.h"

enum { WAYS = 4, HOWEVER = 2 };

struct entry {
	struct dpi_server server;
	const char *app;
	int64_t confirmed; /* us */
	uint8_t agreed;    /* flows in a row, what it takes at most; 0: free */
	uint8_t recalled;  /* since it was confirmed */
};

struct dpi_servers {
	struct entry (*sets)[WAYS];
	size_t count; /* of sets */
	struct counters *counters;
};

struct dpi_servers *dpi_servers_create(size_t entries, struct counters *counters)
{
	struct dpi_servers *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->counters = counters;
	s->count = (entries + WAYS - 1) / WAYS;
	s->sets = pages_map(s->count * sizeof(s->sets[0]));
	if (s->sets)
		return s;
	free(s);
	return NULL;
}

void dpi_servers_destroy(struct dpi_servers *s)
{
	if (!s)
		return;
	pages_unmap(s->sets, s->count * sizeof(s->sets[0]));
	free(s);
}

struct dpi_server dpi_server_however(const struct dpi_server *server)
{
	struct dpi_server s = *server;

	s.first = 0;
	s.speaks_first = HOWEVER;
	return s;
}

static uint8_t agreement(const struct dpi_server *server)
{
	return server->speaks_first == HOWEVER ? DPI_SERVERS_AGREE_HOWEVER : DPI_SERVERS_AGREE;
}

static struct entry *set_of(const struct dpi_servers *s, const struct dpi_server *server)
{
	uint64_t hash = XXH3_64bits(server, sizeof(*server));

	return s->sets[(hash >> 32) * s->count >> 32];
}

static struct entry *find(struct entry *set, const struct dpi_server *server)
{
	for (size_t i = 0; i < WAYS; i++)
		if (set[i].agreed && !memcmp(&set[i].server, server, sizeof(*server)))
			return &set[i];
	return NULL;
}

static struct entry *oldest(struct entry *set)
{
	struct entry *e = &set[0];

	for (size_t i = 0; i < WAYS; i++) {
		if (!set[i].agreed)
			return &set[i];
		if (set[i].confirmed < e->confirmed)
			e = &set[i];
	}
	return e;
}

/* Clocks of captures may go back: then it is as far from now, and no less doubtful. */
static bool is_recent(const struct entry *e, int64_t now)
{
	return llabs(now - e->confirmed) < DPI_SERVERS_SECONDS * INT64_C(1000000);
}

bool dpi_servers_recall(struct dpi_servers *s, const struct dpi_server *server, int64_t now,
			const char **app)
{
	struct entry *e = find(set_of(s, server), server);

	if (!e || e->agreed < agreement(server))
		return false;
	if (e->recalled >= DPI_SERVERS_RECHECK - 1 || !is_recent(e, now)) {
		/* One that finds no slot, or ends early, is not for all others to make good. */
		e->recalled = 0;
		s->counters->dpi_rechecks++;
		return false;
	}
	e->recalled++;
	s->counters->dpi_recalled++;
	*app = e->app;
	return true;
}

static void forget(struct dpi_servers *s, struct entry *e)
{
	s->counters->dpi_changed += e->agreed == agreement(&e->server);
	e->agreed = 0;
}

void dpi_servers_learn(struct dpi_servers *s, const struct dpi_server *server, int64_t now,
		       const char *app)
{
	struct entry *set = set_of(s, server), *e = find(set, server);

	if (e && e->app != app)
		forget(s, e);
	if (!e)
		*(e = oldest(set)) = (struct entry){ .server = *server };
	e->app = app;
	e->confirmed = now;
	e->recalled = 0;
	e->agreed += e->agreed < agreement(server);
}

void dpi_servers_forget(struct dpi_servers *s, const struct dpi_server *server)
{
	struct entry *e = find(set_of(s, server), server);

	if (e)
		forget(s, e);
}
