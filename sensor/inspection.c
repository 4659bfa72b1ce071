/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/inspection.h"

#include <stdlib.h>
#include <string.h>

#include "sensor/dpi.h"
#include "sensor/dpi_servers.h"
#include "sensor/stages.h"

enum { UDP = 17 };

struct inspection {
	struct dpi *dpi;
	bool thorough;
	struct dpi_servers *servers; /* NULL: no memory of them */
	struct dpi_server *begun;    /* by nDPI's slot: how its flow began */
	struct counters *counters;
};

struct inspection *inspection_create(const struct dissection_options *options,
				     struct counters *counters, char why[256])
{
	struct inspection *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->counters = counters;
	n->thorough = options->dpi_thorough;
	n->begun = calloc(options->dpi_flows, sizeof(*n->begun));
	if (options->dpi_memory && !n->thorough) {
		n->servers = dpi_servers_create(options->dpi_memory, counters);
		if (!n->servers)
			goto fail;
	}
	if (n->begun)
		n->dpi = dpi_create(options->dpi_flows, n->thorough, why);
	if (n->dpi)
		return n;
fail:
	inspection_destroy(n);
	return NULL;
}

void inspection_destroy(struct inspection *n)
{
	if (!n)
		return;
	dpi_destroy(n->dpi);
	dpi_servers_destroy(n->servers);
	free(n->begun);
	free(n);
}

void inspection_end(struct inspection *n, struct flow *f)
{
	if (f->dpi_slot >= 0)
		dpi_flow_end(n->dpi, f->dpi_slot);
	f->dpi_slot = -1;
}

/* How a flow begins, and at whose port; of protocol 0 when that says nothing: its first
 * bytes were not seen, one of our dissectors may yet claim it, or it is of two peers
 * rather than of a client and a server. */
static struct dpi_server server_of(const struct flow *f, const struct packet *p, unsigned side,
				   bool undecided)
{
	enum { CLIENTS_PORTS = 32768 }; /* where the ports begin that clients are given */
	unsigned server = !f->client_side;
	struct dpi_server who = { 0 };
	struct cursor payload = p->payload;

	if (f->stage != FLOW_PROBING || undecided || flow_begins_late(f) || f->shown != 1 ||
	    cursor_left(&payload) < sizeof(who.first) ||
	    (p->protocol == UDP && f->key.port[server] >= CLIENTS_PORTS))
		return who;
	who.ip = f->key.ip[server];
	who.port = f->key.port[server];
	who.realm = f->key.realm;
	who.protocol = p->protocol;
	who.speaks_first = side == server;
	who.first = cursor_be16(&payload);
	return who;
}

/* Names that say what one flow carries, and nothing of the next one at that port. */
static bool is_of_one_flow(const char *app)
{
	static const char *const names[] = { "bittorrent", "dtls", "ftp-data", "quic",
					     "rtcp",       "rtp",  "stun",     "tftp" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], app) == 0)
			return true;
	return false;
}

/* What takes more than a packet to tell is not remembered: till then our own dissectors
 * look on, as they do when it is not. */
static void learn(struct inspection *n, const struct flow *f, const struct packet *p,
		  const char *app)
{
	const struct dpi_server *server = &n->begun[f->dpi_slot];

	if (!n->servers || !server->protocol)
		return;
	struct dpi_server any = dpi_server_however(server);
	if (app)
		dpi_servers_forget(n->servers, &any);
	else
		dpi_servers_learn(n->servers, &any, p->time.v, NULL);
	if (app && (f->shown > 1 || is_of_one_flow(app)))
		dpi_servers_forget(n->servers, server);
	else
		dpi_servers_learn(n->servers, server, p->time.v, app);
}

static void name_flow(struct flow *f, const char *app, enum confidence confidence)
{
	if (!app)
		return;
	f->app = app;
	f->named = true;
	f->app_source = APP_SOURCE_NDPI;
	f->app_confidence = (uint8_t)confidence;
}

static bool begins_with_text(const struct packet *p)
{
	enum { ENOUGH = 4 };

	for (size_t i = 0; i < ENOUGH; i++) {
		int byte = cursor_peek(&p->payload, i);
		if (byte >= 0 && (byte < ' ' || byte >= 0x7f) && byte != '\r' && byte != '\n' &&
		    byte != '\t')
			return false;
	}
	return true;
}

static unsigned most_packets(const struct inspection *n, const struct flow *f)
{
	if (n->thorough)
		return DPI_PACKETS_THOROUGH;
	if (flow_begins_late(f))
		return DPI_PACKETS_MIDSTREAM;
	return f->key.protocol == UDP ? DPI_PACKETS_UDP : DPI_PACKETS;
}

static bool recall(struct inspection *n, const struct dpi_server *server, int64_t now,
		   const char **app)
{
	if (!n->servers || !server->protocol)
		return false;
	struct dpi_server any = dpi_server_however(server);
	return dpi_servers_recall(n->servers, server, now, app) ||
	       dpi_servers_recall(n->servers, &any, now, app);
}

/* False when there is no slot, or no need of one. */
static bool begin(struct inspection *n, struct flow *f, const struct packet *p, unsigned side,
		  bool undecided)
{
	struct dpi_server server = server_of(f, p, side, undecided);
	const char *app;

	if (recall(n, &server, p->time.v, &app)) {
		name_flow(f, app, CONFIDENCE_LOW);
		return false;
	}
	f->dpi_slot = dpi_flow_begin(n->dpi, f->stage == FLOW_PROBING && !flow_begins_late(f) &&
						     !begins_with_text(p));
	if (f->dpi_slot < 0) {
		n->counters->dpi_refused++;
		return false;
	}
	n->begun[f->dpi_slot] = server;
	n->counters->dpi_flows++;
	return true;
}

bool inspection_see(struct inspection *n, struct flow *f, const struct packet *p, unsigned side,
		    const struct inspection_terms *terms)
{
	unsigned most = most_packets(n, f);
	struct dpi_answer answer = { 0 };

	f->dpi_over = true; /* refused, recalled or left out, unless it goes on below */
	if (f->dpi_slot < 0 && f->shown > 1)
		return false;
	if (terms->forbidden) {
		n->counters->shed_dpi += !f->uninspected;
		f->uninspected = true;
		inspection_end(n, f);
		return true;
	}
	if (f->dpi_slot < 0 && !begin(n, f, p, side, terms->undecided))
		return false;
	n->counters->dpi_packets++;
	enum stage before = stage_enter(STAGE_DPI);
	bool final = dpi_inspect(n->dpi, f->dpi_slot, p->ip.at, cursor_left(&p->ip),
				 (uint64_t)(p->time.v / 1000), &answer);
	stage_enter(before);
	name_flow(f, answer.app, CONFIDENCE_MEDIUM);
	f->dpi_over = final || f->shown >= most;
	if (f->dpi_over) {
		learn(n, f, p, answer.app);
		inspection_end(n, f);
	}
	return false;
}
