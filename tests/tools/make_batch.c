/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes one batch, as a shipper would put it, to standard output:
 *   make_batch SENSOR STREAM EPOCH SEQUENCE RECORDS [EXERCISE]
 * STREAM may also be `hosts`: of the stream health, hosts 10.30.1.1 and so on.
 * Flow ids are EPOCH-SEQUENCE-N; times go on by a minute a batch from 2026-01-02. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/file.h"
#include "schema/wire.h"

static struct ip_addr ip(unsigned a, unsigned b, unsigned c, unsigned d)
{
	return ip_from_v4((uint8_t[]){ (uint8_t)a, (uint8_t)b, (uint8_t)c, (uint8_t)d });
}

static struct record_endpoint client(unsigned i)
{
	return (struct record_endpoint){ .ip = ip(10, 30, i / 250 % 250, i % 250 + 1),
					 .has_port = true,
					 .port = (uint16_t)(20000 + i % 40000),
					 .segment = "imaging",
					 .impact = IMPACT_CARE_CRITICAL };
}

static struct record_endpoint server(void)
{
	return (struct record_endpoint){ .ip = ip(10, 40, 8, 2),
					 .has_port = true,
					 .port = 104,
					 .segment = "pacs",
					 .impact = IMPACT_CARE_CRITICAL };
}

static struct record make(enum stream stream, const char *id, struct usec t, unsigned i)
{
	if (stream == STREAM_ALERTS)
		return (struct record){ .type = RECORD_ALERT,
					.alert = { .id = id,
						   .kind = "cross-segment",
						   .count = 1,
						   .severity = SEVERITY_HIGH,
						   .first_seen = t,
						   .last_seen = t,
						   .protocol = 6,
						   .client = client(i),
						   .server = server(),
						   .reason = "no conduit joins the two" } };
	if (stream == STREAM_HEALTH)
		return (struct record){ .type = RECORD_COVERAGE,
					.coverage = { .segment = "icu",
						      .state = "partial",
						      .minute = t,
						      .packets = 7,
						      .frames = 9,
						      .drops = 1,
						      .reasons = { "drops" },
						      .reason_count = 1 } };
	return (struct record){
		.type = RECORD_FLOW,
		.flow = { .id = id,
			  .start = t,
			  .end = { t.v + 1000 },
			  .protocol = 6,
			  .client = client(i),
			  .server = server(),
			  .packets_to_server = 3,
			  .packets_to_client = 2,
			  .bytes_to_server = 300,
			  .bytes_to_client = 200,
			  .app = "dicom",
			  .app_source = APP_SOURCE_DISSECTOR,
			  .verdict = i % 10 ? VERDICT_CONDUIT : VERDICT_CROSS_SEGMENT,
			  .severity = i % 10 ? SEVERITY_INFO : SEVERITY_CRITICAL,
			  .reason = "imaging may store to pacs, \"over dicom\"" },
	};
}

static struct record host(unsigned i, struct usec t)
{
	static const struct record_role role = { "modality", CONFIDENCE_HIGH,
						 "dicom.used_sop_class" };
	static struct record_fact fact = {
		.name = "os", .value = "windows", .from = "ip.ttl", .confidence = CONFIDENCE_LOW
	};

	fact.first_seen = fact.last_seen = t;
	return (struct record){ .type = RECORD_ASSET,
				.asset = { .realm = "default",
					   .has_ip = true,
					   .ip = ip(10, 30, 1, i % 250 + 1),
					   .has_mac = true,
					   .mac = { 0, 9, 0x5c, 0, 0, (uint8_t)i },
					   .mac_vendor = "Acme",
					   .segment = "imaging",
					   .impact = IMPACT_CARE_CRITICAL,
					   .first_seen = t,
					   .last_seen = t,
					   .roles = &role,
					   .role_count = 1,
					   .facts = &fact,
					   .fact_count = 1 } };
}

static int pack(const struct batch_identity *id, bool hosts, unsigned records, struct buf *out)
{
	const int64_t start = 1767322800LL * USEC_PER_SECOND; /* 2026-01-02T03:00:00Z */
	struct usec t = { start + (int64_t)id->sequence * 60 * USEC_PER_SECOND };
	struct wire_shared shared = { 0 };
	int error = wire_append_identity(out, id);

	for (unsigned i = 0; i < records && !error; i++, t.v += 1000) {
		char name[RECORD_ID];
		snprintf(name, sizeof(name), "%u-%u-%u", (unsigned)id->epoch,
			 (unsigned)id->sequence, i);
		struct record r = hosts ? host(i, t) : make(id->stream, name, t, i);
		error = wire_append_record(out, &shared, &r);
	}
	if (!error)
		error = wire_append_shared(out, &shared);
	wire_shared_finish(&shared);
	return error;
}

int main(int argc, char **argv)
{
	struct buf plain = { 0 };

	bool hosts = argc > 2 && !strcmp(argv[2], "hosts");
	if (argc < 6 || (!hosts && stream_of(argv[2]) < 0))
		return 2;
	struct batch_identity id = { .sensor = argv[1],
				     .stream = hosts ? STREAM_HEALTH
						     : (enum stream)stream_of(argv[2]),
				     .epoch = strtoull(argv[3], NULL, 10),
				     .sequence = strtoull(argv[4], NULL, 10),
				     .site_revision = "0123456789abcdef",
				     .exercise = argc > 6 ? argv[6] : NULL };
	if (pack(&id, hosts, (unsigned)strtoul(argv[5], NULL, 10), &plain))
		return 1;
	size_t room = ZSTD_compressBound(plain.len);
	void *packed = malloc(room);
	size_t n = ZSTD_compress(packed, room, plain.data ? plain.data : "", plain.len, 3);
	int error = ZSTD_isError(n) ? 1 : file_write_all(STDOUT_FILENO, packed, n);
	free(packed);
	buf_finish(&plain);
	return error ? 1 : 0;
}
