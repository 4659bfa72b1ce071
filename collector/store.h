/* SPDX-License-Identifier: Apache-2.0
 *
 * Where records are kept, and how they are asked for. One contract, two
 * implementations to be: SQLite embedded in the collector, and ClickHouse.
 * tests/unit/collector/test_store.c is the conformance suite of the contract:
 * same batches, same questions, same answers.
 *
 * Exactly once: a batch is known by (sensor, stream, epoch, sequence). Ingesting
 * it again changes nothing, whether the first time was complete or was cut
 * short at any moment by a crash. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/ip.h"
#include "schema/record.h"
#include "schema/wire.h"

enum store_partition { STORE_BY_DAY, STORE_BY_HOUR };

struct store_options {
	const char *dir; /* created when missing, 0750 */
	enum store_partition partition;
	struct usec retention; /* how long records are kept; 0: for ever */
	bool sync;             /* an ingested batch survives a power cut, not just a crash */
};

struct store_batch {
	struct batch_identity identity;
	const struct record *records; /* with the envelope's texts filled in; lent */
	size_t count;
	bool known; /* out: it was stored before */
};

/* A field that is not set asks for nothing. Texts are compared whole. */
struct store_filter {
	bool has_since, has_until;
	struct usec since, until; /* since <= time < until */
	const char *segment;      /* at either end */
	const char *client_segment, *server_segment;
	bool has_ip;
	struct ip_prefix ip; /* of either end */
	bool has_port;
	uint16_t port; /* the server's */
	const char *app, *vendor, *sensor;
	const char *role; /* of a host */
	bool has_verdict;
	enum verdict verdict;   /* of alerts: their kind */
	enum severity severity; /* at least */
	const char *exercise;   /* NULL: what belongs to no exercise, and only that */
};

enum store_question {
	STORE_FLOWS,    /* records, the newest start first */
	STORE_ALERTS,   /* records, the most severe first, then the last seen */
	STORE_COVERAGE, /* records, the newest minute first */
	STORE_HOSTS,    /* records, by address, each one's tenants in the order of time */
	STORE_TOP,      /* rows: key by `by`, sums, ordered by `order` */
	STORE_MATRIX,   /* rows: client segment, server segment, verdict, sums */
	STORE_SENSORS,  /* rows: one per sensor, by name */
	STORE_SEGMENTS, /* rows: coverage summed up by segment and sensor, the worst first */
};

/* X(CONSTANT, "word") */
#define STORE_BYS(X) \
	X(STORE_BY_CLIENT, "client") \
	X(STORE_BY_SERVER, "server") \
	X(STORE_BY_APP, "app") \
	X(STORE_BY_SEGMENT, "segment") /* each flow at both its ends, once inside one */ \
	X(STORE_BY_PAIR, "pair") \
	X(STORE_BY_VENDOR, "vendor") /* flows of no vendor are left out */ \
	X(STORE_BY_VERDICT, "verdict")

#define STORE_ORDERS(X) \
	X(STORE_ORDER_BYTES, "bytes") \
	X(STORE_ORDER_PACKETS, "packets") \
	X(STORE_ORDER_FLOWS, "flows")

#define STORE_ENUM(constant, word) constant,
enum store_by { STORE_BYS(STORE_ENUM) STORE_BY_COUNT };
enum store_order { STORE_ORDERS(STORE_ENUM) STORE_ORDER_COUNT };
#undef STORE_ENUM

enum { STORE_CURSOR = 64, STORE_LIMIT_MOST = 10000 };

struct store_query {
	enum store_question question;
	struct store_filter filter;
	enum store_by by;
	enum store_order order;
	size_t limit;         /* 1 .. STORE_LIMIT_MOST */
	const char *cursor;   /* `next` of the answer before, or NULL */
	struct usec deadline; /* monotonic */
	struct usec now;      /* wall clock: from when on a sensor is overdue; 0: none is */
};

struct store_sql {
	const char *text; /* one SELECT */
	bool has_since, has_until;
	struct usec since, until; /* which partitions the views span */
	size_t limit;
	struct usec deadline;
};

enum store_type { STORE_NULL, STORE_INTEGER, STORE_REAL, STORE_TEXT, STORE_JSON };

struct store_value {
	enum store_type type;
	int64_t integer;
	double real;
	const char *text; /* TEXT, JSON */
};

/* Who takes an answer: either records, or columns once and then rows. Each
 * returns 0, or -errno, which ends the query with that value. All is lent. */
struct store_sink {
	void *context;
	record_sink *record;
	int (*columns)(void *context, const char *const *names, size_t count);
	int (*row)(void *context, const struct store_value *values, size_t count);
};

struct store_answer {
	char next[STORE_CURSOR];                  /* empty: there is no more */
	bool cut;                                 /* SQL: rows were left off because of the limit */
	char from[CLOCK_TEXT], until[CLOCK_TEXT]; /* SQL: what the views span; may be empty */
	char why[256]; /* after an error: what was wrong, for the one who asked */
};

struct store_stats {
	uint64_t partitions, bytes;
	char oldest[CLOCK_TEXT], newest[CLOCK_TEXT]; /* bounds of the partitions, or empty */
};

/* Functions that can fail return 0 or -errno. `ingest` and `trim` are called
 * from one thread, all else from any, also at the same time. */
struct store_driver {
	const char *name;
	size_t state_size; /* allocated zeroed, and freed, by the caller */

	/* `why` says what failed and what to do about it. */
	int (*open)(void *state, const struct store_options *options, char why[256]);
	void (*close)(void *state); /* also after a failed open */

	/* Stores batches, all of them or some: after 0 every one is durable and its
	 * `known` is set; after an error any of them may be, and the sender sends all
	 * again. -ENOSPC: disk full; -EIO: the disk failed, and nothing may be
	 * believed until the store is opened anew. `now`: wall clock. */
	int (*ingest)(void *state, struct store_batch *batches, size_t count, struct usec now);
	/* Forgets what is older than the retention. -EBUSY: not now. */
	int (*trim)(void *state, struct usec now);

	/* -EINVAL: the question is wrong, -ETIMEDOUT: it took too long; answer->why. */
	int (*query)(void *state, const struct store_query *query, const struct store_sink *sink,
		     struct store_answer *answer);
	int (*sql)(void *state, const struct store_sql *sql, const struct store_sink *sink,
		   struct store_answer *answer);
	int (*stats)(void *state, struct store_stats *out);
};

extern const struct store_driver store_sqlite;

const char *store_by_name(enum store_by v);
int store_by_of(const char *word); /* or -1 */
int store_order_of(const char *word);
