/* SPDX-License-Identifier: Apache-2.0
 *
 * The words that users see, each list once: it makes the enum, the name table
 * and the reverse look-up. The words are a promise (docs/records.md): they may
 * grow, and a word never changes its meaning. */
#pragma once

#include <stdbool.h>

/* X(CONSTANT, "word") */
/* clang-format off */
#define IMPACTS(X)                        \
	X(IMPACT_NONE, "")                \
	X(IMPACT_GUEST, "guest")          \
	X(IMPACT_ADMINISTRATIVE, "administrative") \
	X(IMPACT_OPERATIONAL, "operational")       \
	X(IMPACT_CARE_CRITICAL, "care-critical")   \
	X(IMPACT_LIFE_CRITICAL, "life-critical")

#define VERDICTS(X)                                        \
	X(VERDICT_NOT_EVALUATED, "not-evaluated")          \
	X(VERDICT_INTRA_SEGMENT, "intra-segment")          \
	X(VERDICT_CONDUIT, "conduit")                      \
	X(VERDICT_EXCEPTION, "exception")                  \
	X(VERDICT_VENDOR, "vendor")                        \
	X(VERDICT_VENDOR_OUT_OF_HOURS, "vendor-out-of-hours") \
	X(VERDICT_VENDOR_UNEXPECTED, "vendor-unexpected")  \
	X(VERDICT_UNKNOWN_THIRD_PARTY, "unknown-third-party") \
	X(VERDICT_WRONG_SERVICE, "wrong-service")          \
	X(VERDICT_WRONG_DIRECTION, "wrong-direction")      \
	X(VERDICT_CROSS_SEGMENT, "cross-segment")          \
	X(VERDICT_UNKNOWN_SEGMENT, "unknown-segment")

#define SEVERITIES(X)             \
	X(SEVERITY_INFO, "info")  \
	X(SEVERITY_LOW, "low")    \
	X(SEVERITY_HIGH, "high")  \
	X(SEVERITY_CRITICAL, "critical")

#define END_REASONS(X)                      \
	X(END_FIN, "fin")                   \
	X(END_RESET, "reset")               \
	X(END_IDLE, "idle")                 \
	X(END_ACTIVE, "active")             \
	X(END_EVICTED, "evicted")           \
	X(END_END_OF_INPUT, "end-of-input") \
	X(END_SHUTDOWN, "shutdown")         \
	X(END_SHED, "shed")

#define ORIENTATIONS(X)                       \
	X(ORIENTATION_FIRST_PACKET, "first-packet") \
	X(ORIENTATION_PORT, "port")           \
	X(ORIENTATION_DISSECTOR, "dissector") \
	X(ORIENTATION_HANDSHAKE, "handshake")

#define APP_SOURCES(X)               \
	X(APP_SOURCE_NONE, "none")   \
	X(APP_SOURCE_NDPI, "ndpi")   \
	X(APP_SOURCE_DISSECTOR, "dissector")

#define CONFIDENCES(X)                   \
	X(CONFIDENCE_NONE, "none")       \
	X(CONFIDENCE_LOW, "low")         \
	X(CONFIDENCE_MEDIUM, "medium")   \
	X(CONFIDENCE_HIGH, "high")

#define STREAMS(X)                \
	X(STREAM_ALERTS, "alerts") \
	X(STREAM_HEALTH, "health") \
	X(STREAM_FLOWS, "flows")
/* clang-format on */

#define NAMES_ENUM(constant, word) constant,
enum impact { IMPACTS(NAMES_ENUM) IMPACT_COUNT };
enum verdict { VERDICTS(NAMES_ENUM) VERDICT_COUNT };
enum severity { SEVERITIES(NAMES_ENUM) SEVERITY_COUNT };
enum end_reason { END_REASONS(NAMES_ENUM) END_REASON_COUNT };
enum orientation { ORIENTATIONS(NAMES_ENUM) ORIENTATION_COUNT };
enum app_source { APP_SOURCES(NAMES_ENUM) APP_SOURCE_COUNT };
enum confidence { CONFIDENCES(NAMES_ENUM) CONFIDENCE_COUNT };
/* Delivery streams, the most precious first (STREAM_HEALTH carries coverage too). */
enum stream { STREAMS(NAMES_ENUM) STREAM_COUNT };
#undef NAMES_ENUM

const char *impact_name(enum impact v);
const char *verdict_name(enum verdict v);
const char *severity_name(enum severity v);
const char *end_reason_name(enum end_reason v);
const char *orientation_name(enum orientation v);
const char *app_source_name(enum app_source v);
const char *confidence_name(enum confidence v);
const char *stream_name(enum stream v);

/* The constant of a word, or -1. */
int impact_of(const char *word);
int verdict_of(const char *word);
int severity_of(const char *word);
int end_reason_of(const char *word);
int orientation_of(const char *word);
int app_source_of(const char *word);
int confidence_of(const char *word);
int stream_of(const char *word);

/* Protocol names of IP protocol numbers: "tcp", "udp", ... or, where there is
 * no name, the number as text. `out` is used only in that case. */
const char *protocol_name(unsigned number, char out[4]);
int protocol_of(const char *word); /* name or number; -1 if neither */

/* Somebody should look at it. */
static inline bool verdict_is_bad(enum verdict v)
{
	return v >= VERDICT_VENDOR_OUT_OF_HOURS && v <= VERDICT_UNKNOWN_SEGMENT;
}

/* Life-critical or care-critical: where a failure reaches patients. */
static inline bool impact_is_clinical(enum impact v)
{
	return v == IMPACT_CARE_CRITICAL || v == IMPACT_LIFE_CRITICAL;
}
