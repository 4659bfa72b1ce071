/* SPDX-License-Identifier: Apache-2.0
 *
 * A memory of what nDPI found servers to speak, so that it need not look at each of
 * their flows. A server is an address and a port; what is remembered of it is told apart
 * by how a flow begins: who speaks first, and with which bytes. Only what several flows
 * in a row agreed on is remembered, every sixteenth is looked at all the same, what has
 * not been confirmed for a while is not relied on, and one that differs makes it
 * forgotten. That nDPI has no name for a server's flows is remembered as well; and when it
 * had none for many of them in a row, that it has none however they begin.
 *
 * Fixed memory, one object per worker; what is full forgets what was confirmed longest
 * ago. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "schema/counters.h"

/* A server, and how a flow of it begins; no padding, it is compared as it is. */
struct dpi_server {
	struct ip_addr ip;
	uint16_t port, realm;
	uint16_t first;       /* two bytes */
	uint8_t protocol;     /* of IP; 0: nothing that is to be remembered */
	uint8_t speaks_first; /* 1: it does, not its client */
	uint8_t zero[2];
};

enum {
	DPI_SERVERS_AGREE = 3, /* flows before it is relied on */
	DPI_SERVERS_AGREE_HOWEVER = 16,
	DPI_SERVERS_RECHECK = 16, /* each so many flows one is looked at */
	DPI_SERVERS_SECONDS = 600,
};

struct dpi_servers;

/* Counts in `counters` (borrowed). NULL: no memory. */
struct dpi_servers *dpi_servers_create(size_t entries, struct counters *counters);
void dpi_servers_destroy(struct dpi_servers *s); /* accepts NULL */

/* The same server, for all its flows, however they begin. Of these only that there is no
 * name is to be learned. */
struct dpi_server dpi_server_however(const struct dpi_server *server);

/* True when a flow that begins so need not be looked at: `app` is then its name, or NULL
 * when nDPI would know none. `now`: us, the packet's time. */
bool dpi_servers_recall(struct dpi_servers *s, const struct dpi_server *server, int64_t now,
			const char **app);

/* What nDPI said of one that it looked at to the end; `app` outlives the object, and the
 * same name is the same pointer. */
void dpi_servers_learn(struct dpi_servers *s, const struct dpi_server *server, int64_t now,
		       const char *app);

/* Its flows differ, or take more than a packet to tell: nothing is to be relied on. */
void dpi_servers_forget(struct dpi_servers *s, const struct dpi_server *server);
