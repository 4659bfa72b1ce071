/* SPDX-License-Identifier: Apache-2.0
 *
 * Flows per second from compressed batches to durable, indexed, rolled-up rows,
 * on one core: bench_ingest [FLOWS [DIR]]. Four thousand clients talk to eight
 * servers each; a flow comes every 4 ms. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zstd.h>

#include "base/buf.h"
#include "collector/ingest.h"

enum { BATCH = 1000, GROUP = 32 };

static const char *const segments[] = { "icu", "imaging",  "pacs",  "lab",
					"ehr", "pharmacy", "guest", "building" };
static const char *const apps[] = { "dicom", "hl7", "tls", "dns", "http", "smb", "rdp", "" };

static uint64_t seed = 42;

static uint32_t pick(uint32_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % below;
}

static struct record_endpoint endpoint(uint8_t net, uint32_t host, uint16_t port)
{
	uint8_t v4[4] = { 10, net, (uint8_t)(host / 250), (uint8_t)(host % 250) };
	return (struct record_endpoint){ .ip = ip_from_v4(v4),
					 .has_port = true,
					 .port = port,
					 .has_mac = true,
					 .mac = { 0, 9, 0x5c, net, v4[2], v4[3] },
					 .segment = segments[host % 8],
					 .impact = IMPACT_OPERATIONAL };
}

static struct record flow(uint64_t n, char id[RECORD_ID])
{
	static const char *const titles[] = { "CT_MODALITY1" };
	static const struct record_attribute attributes[] = {
		{ .name = "dicom.calling_ae", .type = ATTRIBUTE_TEXT, .texts = titles, .count = 1 },
		{ .name = "dicom.c_store", .type = ATTRIBUTE_NUMBER, .number = 12 },
	};
	uint32_t client = pick(4000), server = (client * 31 + pick(8)) % 300;
	uint32_t app = server % 8;
	struct usec t = { 1767322800LL * USEC_PER_SECOND + (int64_t)n * 4000 };

	snprintf(id, RECORD_ID, "%016llx%016llx", (unsigned long long)n, (unsigned long long)seed);
	return (struct record){
		.type = RECORD_FLOW,
		.flow = { .id = id,
			  .start = t,
			  .end = { t.v + pick(60000000) },
			  .protocol = 6,
			  .community_id = "1:LQU9qZlK+B5F3KDmev6m5PMibrg=",
			  .realm = "default",
			  .client = endpoint(30, client, (uint16_t)(20000 + pick(40000))),
			  .server = endpoint(40, server, (uint16_t)(100 + app)),
			  .orientation = ORIENTATION_HANDSHAKE,
			  .packets_to_server = pick(1000),
			  .packets_to_client = pick(1000),
			  .bytes_to_server = pick(1000000),
			  .bytes_to_client = pick(1000000),
			  .has_tcp = true,
			  .app = apps[app],
			  .app_source = APP_SOURCE_DISSECTOR,
			  .attributes = attributes,
			  .attribute_count = app ? 0 : 2,
			  .verdict = (enum verdict)(1 + pick(11)),
			  .severity = pick(20) ? SEVERITY_INFO : SEVERITY_HIGH,
			  .rule = "modality-store",
			  .reason = "imaging may store to pacs over dicom" },
	};
}

struct packed {
	void *bytes;
	size_t n;
};

static struct packed make(uint64_t sequence)
{
	struct batch_identity identity = { .sensor = "span-1",
					   .stream = STREAM_FLOWS,
					   .epoch = 7,
					   .sequence = sequence,
					   .site_revision = "0123456789abcdef" };
	struct buf plain = { 0 };
	struct wire_shared shared = { 0 };
	char id[RECORD_ID];

	wire_append_identity(&plain, &identity);
	for (uint64_t i = 0; i < BATCH; i++) {
		struct record r = flow(sequence * BATCH + i, id);
		wire_append_record(&plain, &shared, &r);
	}
	wire_append_shared(&plain, &shared);
	wire_shared_finish(&shared);
	size_t room = ZSTD_compressBound(plain.len);
	struct packed p = { .bytes = malloc(room) };
	p.n = ZSTD_compress(p.bytes, room, plain.data, plain.len, 1);
	buf_finish(&plain);
	return p;
}

struct unpacked {
	struct arena arena;
	struct batch_identity identity;
	struct record records[BATCH];
	size_t count;
};

static int keep(void *context, const struct record *r)
{
	struct unpacked *u = context;
	u->records[u->count++] = *r;
	return 0;
}

static double cpu_seconds(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv)
{
	size_t batches = (argc > 1 ? strtoull(argv[1], NULL, 10) : 500000) / BATCH;
	char made[] = "/tmp/bench-ingest-XXXXXX", why[256] = "";
	const char *dir = argc > 2 ? argv[2] : mkdtemp(made);
	struct store_options options = { .dir = dir, .sync = true };
	void *state = calloc(1, store_sqlite.state_size);
	struct packed *input = calloc(batches + 1, sizeof(*input));
	struct unpacked *group = calloc(GROUP, sizeof(*group));

	if (!state || !input || !group || store_sqlite.open(state, &options, why)) {
		fprintf(stderr, "bench_ingest: %s\n", why);
		return 1;
	}
	for (size_t i = 0; i < batches; i++)
		input[i] = make(i + 1);
	double cpu = cpu_seconds(), unpacking = 0;
	struct usec start = clock_monotonic();
	for (size_t at = 0; at < batches;) {
		struct store_batch list[GROUP];
		size_t n = 0;
		double before = cpu_seconds();
		for (; n < GROUP && at < batches; n++, at++) {
			struct unpacked *u = &group[n];
			const char *reason;
			u->count = 0;
			arena_reset(&u->arena);
			if (ingest_unpack(input[at].bytes, input[at].n, &u->arena, &u->identity,
					  keep, u, &reason))
				return 1;
			list[n] = (struct store_batch){ u->identity, u->records, u->count, false };
		}
		unpacking += cpu_seconds() - before;
		if (store_sqlite.ingest(state, list, n, clock_wall()))
			return 1;
	}
	double wall = (double)(clock_monotonic().v - start.v) / 1e6;
	double flows = (double)batches * BATCH;
	cpu = cpu_seconds() - cpu;
	struct store_stats stats;
	store_sqlite.stats(state, &stats);
	printf("%.0f flows: %.0f flows/s wall, %.0f flows/CPU-s (unpacking %.0f %% of it), "
	       "%.0f bytes a flow, sync on\n",
	       flows, flows / wall, flows / cpu, 100 * unpacking / cpu,
	       (double)stats.bytes / flows);
	store_sqlite.close(state);
	printf("kept in %s\n", dir);
	return 0;
}
