/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/ingest.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum { RECORDS_MOST = 65536, WINDOW_LOG_MOST = 23, RETRY_QUEUE = 1, RETRY_DISK = 30 };

static bool read_number(const char **p, char end, uint64_t *out)
{
	uint64_t v = 0;
	const char *from = *p;

	for (; isdigit((unsigned char)**p); (*p)++) {
		unsigned digit = (unsigned)(**p - '0');
		if (v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	/* One spelling only: no leading zeros. */
	if (*p == from || (*from == '0' && *p - from > 1) || **p != end)
		return false;
	*out = v;
	if (end)
		(*p)++;
	return true;
}

static bool read_word(const char **p, char *out, size_t room)
{
	size_t n = strcspn(*p, "/");

	if (n >= room || (*p)[n] != '/')
		return false;
	memcpy(out, *p, n);
	out[n] = '\0';
	*p += n + 1;
	return true;
}

bool ingest_target_parse(const char *path, struct ingest_target *out)
{
	static const char prefix[] = "/v1/sensors/";
	const char *p = path;
	char stream[16];

	if (strncmp(p, prefix, sizeof(prefix) - 1))
		return false;
	p += sizeof(prefix) - 1;
	if (!read_word(&p, out->sensor, sizeof(out->sensor)) ||
	    !read_word(&p, stream, sizeof(stream)) || !wire_sensor_name_is_valid(out->sensor))
		return false;
	int known = stream_of(stream);
	if (known < 0)
		return false;
	out->stream = (enum stream)known;
	return read_number(&p, '/', &out->epoch) && read_number(&p, '\0', &out->sequence);
}

/* The second form is for those who have the frame in a file. */
static bool is_zstd(const struct request *q)
{
	if (!strcmp(q->content_type, "application/x-protobuf"))
		return !strcmp(q->content_encoding, "zstd");
	return !strcmp(q->content_type, "application/zstd") && !*q->content_encoding;
}

bool ingest_may(const struct request *q, struct reply *reply)
{
	struct ingest_target target;

	if (!ingest_target_parse(q->path, &target))
		reply_error(reply, 404,
			    "there is nothing to put here; a batch goes to "
			    "/v1/sensors/SENSOR/alerts|health|flows/EPOCH/SEQUENCE");
	else if (!q->caller->is_sensor)
		reply_error(reply, 403,
			    "the certificate of %s is not a sensor's; use one with OU=sensor",
			    q->caller->name);
	else if (!caller_has_name(q->caller, target.sensor))
		reply_error(
			reply, 403,
			"the certificate is for %s, not for sensor %s; the sensor's name must be "
			"its common name or a DNS name",
			q->caller->name, target.sensor);
	else if (!is_zstd(q))
		reply_error(reply, 415,
			    "a batch is sent as Content-Type: application/x-protobuf with "
			    "Content-Encoding: zstd");
	else
		return true;
	return false;
}

/* The records of one batch; what they point to lives in the arena. */
struct unpacked {
	struct arena arena;
	struct batch_identity identity;
	struct record *records;
	size_t count, room;
};

static int keep(void *context, const struct record *record)
{
	struct unpacked *u = context;

	if (u->count == RECORDS_MOST)
		return -E2BIG;
	if (u->count == u->room) {
		size_t room = u->room ? u->room * 2 : 256;
		struct record *grown = realloc(u->records, room * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		u->records = grown;
		u->room = room;
	}
	u->records[u->count++] = *record;
	return 0;
}

/* Bounded by what comes out, whatever the frame promises. */
static int decompress(const void *bytes, size_t n, struct buf *out, const char **why)
{
	ZSTD_DStream *stream = ZSTD_createDStream();
	ZSTD_inBuffer in = { bytes, n, 0 };
	size_t left = 1;
	int error = 0;

	if (!stream)
		return -ENOMEM;
	ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, WINDOW_LOG_MOST);
	while (left && !error) {
		if (!buf_reserve(out, 65536)) {
			error = -ENOMEM;
			break;
		}
		ZSTD_outBuffer to = { out->data + out->len, 65536, 0 };
		size_t before = in.pos;
		left = ZSTD_decompressStream(stream, &to, &in);
		out->len += to.pos;
		if (ZSTD_isError(left)) {
			*why = "the body is not a zstd frame";
			error = -EBADMSG;
		} else if (out->len > WIRE_BATCH_MOST) {
			*why = "the batch is larger than 8 MiB";
			error = -EFBIG;
		} else if (left && in.pos == n && in.pos == before && !to.pos) {
			*why = "the zstd frame is cut short";
			error = -EBADMSG;
		}
	}
	if (!error && in.pos != n) {
		*why = "there is something behind the zstd frame";
		error = -EBADMSG;
	}
	ZSTD_freeDStream(stream);
	return error;
}

int ingest_unpack(const void *bytes, size_t n, struct arena *arena, struct batch_identity *identity,
		  record_sink *sink, void *context, const char **why)
{
	struct buf plain = { 0 };

	*why = NULL;
	int error = decompress(bytes, n, &plain, why);
	if (!error)
		error = wire_unpack(plain.data, plain.len, arena, identity, sink, context, why);
	buf_finish(&plain);
	return error;
}

static bool is_same(const struct ingest_target *t, const struct batch_identity *id)
{
	return !strcmp(t->sensor, id->sensor) && t->stream == id->stream && t->epoch == id->epoch &&
	       t->sequence == id->sequence;
}

/* Each record type travels in its own stream. */
static bool fits_stream(const struct unpacked *u)
{
	for (size_t i = 0; i < u->count; i++)
		if (record_stream(u->records[i].type) != u->identity.stream)
			return false;
	return true;
}

static bool unpack(const struct request *q, struct unpacked *u, struct reply *reply)
{
	struct ingest_target target;
	const char *why;
	int error = ingest_unpack(q->body, q->length, &u->arena, &u->identity, keep, u, &why);

	if (error == -ENOMEM) {
		reply_error(reply, 503, "out of memory; try again");
		reply->retry_after = RETRY_DISK;
	} else if (error == -EFBIG) {
		reply_error(reply, 413, "%s; send smaller batches", why);
	} else if (error == -E2BIG) {
		reply_error(reply, 413, "the batch has more than %d records; send smaller batches",
			    RECORDS_MOST);
	} else if (error) {
		reply_error(reply, 400, "%s", why ? why : "the batch cannot be read");
	} else if (!ingest_target_parse(q->path, &target) || !is_same(&target, &u->identity)) {
		reply_error(reply, 400,
			    "the batch says it is %s/%s/%" PRIu64 "/%" PRIu64
			    ", which is not the path it was put to",
			    u->identity.sensor, stream_name(u->identity.stream), u->identity.epoch,
			    u->identity.sequence);
	} else if (!fits_stream(u)) {
		reply_error(reply, 400, "the batch holds records of another stream than %s",
			    stream_name(target.stream));
	} else {
		return true;
	}
	return false;
}

static void delay(struct reply *reply, int error)
{
	if (error == -EAGAIN)
		reply_error(reply, 503, "too many batches wait for the store; try again");
	else if (error == -ENOSPC)
		reply_error(reply, 503, "the collector's disk is full; try again later");
	else
		reply_error(reply, 503, "the store cannot take the batch now; try again later");
	reply->retry_after = error == -EAGAIN ? RETRY_QUEUE : RETRY_DISK;
}

static void store(struct writer *writer, struct ingest_counts *counts, const struct unpacked *u,
		  struct reply *reply)
{
	struct store_batch batch = { .identity = u->identity,
				     .records = u->records,
				     .count = u->count };
	int error = writer_submit(writer, &batch);

	if (error) {
		atomic_fetch_add(&counts->delayed, 1);
		delay(reply, error);
		return;
	}
	reply->status = 200;
	if (batch.known) {
		atomic_fetch_add(&counts->known, 1);
		buf_text(&reply->body, "{\"stored\":false,\"known\":true}\n");
		return;
	}
	atomic_fetch_add(&counts->batches, 1);
	atomic_fetch_add(&counts->records, u->count);
	buf_text(&reply->body, "{\"stored\":true}\n");
}

void ingest_put(struct writer *writer, struct ingest_counts *counts, const struct request *q,
		struct reply *reply)
{
	struct unpacked u = { 0 };

	if (unpack(q, &u, reply))
		store(writer, counts, &u, reply);
	else
		atomic_fetch_add(&counts->refused, 1);
	free(u.records);
	arena_finish(&u.arena);
}
