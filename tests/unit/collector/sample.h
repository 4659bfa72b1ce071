/* SPDX-License-Identifier: Apache-2.0
 *
 * Records and questions that the tests of this room share. */
#pragma once

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "collector/store.h"
#include "schema/record.h"

/* A folder of its own under TMPDIR. */
static inline char *sample_dir(char out[64])
{
	snprintf(out, 64, "/tmp/vigie-store-XXXXXX");
	if (!mkdtemp(out))
		abort();
	return out;
}

/* The folder holds files only. */
static inline void sample_remove(const char *dir)
{
	char path[512];
	DIR *d = opendir(dir);

	for (struct dirent *e; d && (e = readdir(d));) {
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		unlink(path);
	}
	if (d)
		closedir(d);
	rmdir(dir);
}

static inline struct usec sample_time(const char *text)
{
	struct usec t;
	if (!clock_parse(text, &t))
		abort();
	return t;
}

static inline struct ip_addr sample_ip(const char *text)
{
	struct ip_addr ip;
	if (!ip_parse(text, &ip))
		abort();
	return ip;
}

static inline struct record sample_flow(const char *id, const char *start)
{
	struct usec t = sample_time(start);
	return (struct record){
		.type = RECORD_FLOW,
		.flow = {
			.id = id, .sensor = "span-1", .site_revision = "rev", .start = t,
			.end = { t.v + 1000 }, .end_reason = END_FIN, .protocol = 6,
			.community_id = "1:abc", .realm = "default",
			.client = { .ip = sample_ip("10.30.1.5"), .has_port = true, .port = 40112,
			            .segment = "imaging", .impact = IMPACT_CARE_CRITICAL },
			.server = { .ip = sample_ip("10.40.8.2"), .has_port = true, .port = 104,
			            .segment = "pacs", .impact = IMPACT_CARE_CRITICAL },
			.orientation = ORIENTATION_HANDSHAKE,
			.packets_to_server = 5, .packets_to_client = 4,
			.bytes_to_server = 800, .bytes_to_client = 200,
			.app = "dicom", .app_source = APP_SOURCE_DISSECTOR,
			.app_confidence = CONFIDENCE_HIGH, .verdict = VERDICT_CONDUIT,
			.rule = "modality-store", .reason = "imaging may store to pacs over dicom",
			.vendor = "Acme Imaging",
		},
	};
}

static inline struct store_batch sample_batch(uint64_t sequence, const struct record *records,
					      size_t count)
{
	return (struct store_batch){
		.identity = { .sensor = "span-1",
			      .stream = STREAM_FLOWS,
			      .epoch = 7,
			      .sequence = sequence,
			      .site_revision = "rev" },
		.records = records,
		.count = count,
	};
}

/* An answer as text: one JSON object or "a=1 b=x" row per line. */
struct answer_text {
	struct buf text;
	const char *names[64];
	size_t records, rows;
};

static inline int take_record(void *context, const struct record *r)
{
	struct answer_text *a = context;
	record_json(r, &a->text);
	buf_char(&a->text, '\n');
	a->records++;
	return 0;
}

static inline int take_columns(void *context, const char *const *names, size_t count)
{
	struct answer_text *a = context;
	memcpy(a->names, names, count * sizeof(*names));
	return 0;
}

static inline int take_row(void *context, const struct store_value *values, size_t count)
{
	struct answer_text *a = context;

	for (size_t i = 0; i < count; i++) {
		if (values[i].type == STORE_NULL)
			continue;
		buf_format(&a->text, "%s=", a->names[i]);
		if (values[i].type == STORE_INTEGER)
			buf_format(&a->text, "%lld ", (long long)values[i].integer);
		else if (values[i].type == STORE_REAL)
			buf_format(&a->text, "%g ", values[i].real);
		else
			buf_format(&a->text, "%s ", values[i].text);
	}
	buf_char(&a->text, '\n');
	a->rows++;
	return 0;
}

static inline struct store_sink sample_sink(struct answer_text *a)
{
	buf_clear(&a->text);
	buf_text(&a->text, "");
	a->records = a->rows = 0;
	return (struct store_sink){ a, take_record, take_columns, take_row };
}

static inline struct usec soon(void)
{
	return (struct usec){ clock_monotonic().v + 60LL * USEC_PER_SECOND };
}
