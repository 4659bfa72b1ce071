/* SPDX-License-Identifier: Apache-2.0
 *
 * What the sources of this room share: the kinds, and a view of one record. */
#pragma once

#include "events/events.h"

/* X(CONSTANT, "kind", technique, meaning) */
/* clang-format off */
#define EVENT_KINDS(X)                                                                             \
	X(DICOM_DEFAULT_AE, "dicom.default-ae", NULL,                                              \
	  "an AE title that software has when nobody has set it up")                               \
	X(DICOM_UNKNOWN_AE, "dicom.unknown-ae", NULL,                                              \
	  "a calling AE title that is not among the expected ones, or was never seen before")      \
	X(DICOM_NEW_ADDRESS, "dicom.new-address", "T1036",                                         \
	  "a calling AE title that came from another address until now")                           \
	X(DICOM_REJECTED, "dicom.rejected", "T1110",                                               \
	  "five associations in a row that were rejected")                                         \
	X(DICOM_NEW_DESTINATION, "dicom.new-destination", "T1074.002",                             \
	  "C-MOVE to an AE title that is not among the expected ones, or never got images before") \
	X(DICOM_BULK, "dicom.bulk-retrieval", "T1213",                                             \
	  "more images retrieved at a time than are expected")                                     \
	X(DICOM_SCANNER, "dicom.scanner", "T1046",                                                 \
	  "an association as a scanner makes it")                                                  \
	X(HL7_UNKNOWN_SENDER, "hl7.unknown-sender", NULL,                                          \
	  "a sending application that is not among the expected ones, or was never seen before")   \
	X(HL7_NEW_ADDRESS, "hl7.new-address", "T1036",                                             \
	  "a sending application that came from another address until now")                        \
	X(HL7_NAKS, "hl7.nak-burst", NULL,                                                         \
	  "five messages or more, and a tenth of all, were answered with an error")                \
	X(HL7_UNANSWERED, "hl7.unanswered", NULL, "three messages or more without an answer")      \
	X(HL7_UNEXPECTED_TYPE, "hl7.unexpected-type", NULL,                                        \
	  "a message type that is not among the expected ones, or is new between these two")       \
	X(CLEAR_TEXT_CLINICAL, "clear-text.clinical", "T1040",                                     \
	  "patient data in clear text from one segment to another")                                \
	X(CLEAR_TEXT_PASSWORD, "clear-text.password", "T1040",                                     \
	  "a password was offered in clear text")                                                  \
	X(CONTROL_WRITE, "control.write", "T0855",                                                 \
	  "a controller was written to from outside the segments that may")                        \
	X(CONTROL_OPERATE, "control.operate", "T0858",                                             \
	  "a controller was stopped, restarted or loaded from outside the segments that may")      \
	X(REMOTE_ACCESS, "remote-access.undeclared", "T1021",                                      \
	  "remote access into, or out of, a clinical segment that nothing declares")               \
	X(CERTIFICATE_EXPIRED, "certificate.expired", NULL,                                        \
	  "a clinical service whose certificate has expired, or is not valid yet")                 \
	X(CERTIFICATE_SELF_SIGNED, "certificate.self-signed", NULL,                                \
	  "a clinical service whose certificate nobody else has signed")                           \
	X(FOREIGN_RESOLVER, "dns.foreign-resolver", "T1071.004",                                   \
	  "names were asked of a resolver that is not the hospital's")                             \
	X(HTTP_ANONYMOUS, "http.anonymous", "T1213",                                               \
	  "a clinical web service gave out data without any sign of who asked")                    \
	X(HTTP_BULK, "http.bulk-export", "T1213",                                                  \
	  "a clinical web service was asked for everything at once")                               \
	X(HTTP_REFUSED, "http.refused", "T1110",                                                   \
	  "ten requests or more to a clinical web service were refused")
/* clang-format on */

#define EVENT_ENUM(constant, kind, technique, meaning) EVENT_##constant,
enum event_kind { EVENT_KINDS(EVENT_ENUM) EVENT_KIND_COUNT };
#undef EVENT_ENUM

/* How grave it is by itself; the impact of the more critical end does the rest. */
enum weight { WEIGHT_NOTE, WEIGHT_WARNING, WEIGHT_GRAVE };

struct view {
	struct events *events;
	const struct site *site;
	const struct expectations *expect;
	const struct record_flow *flow;
	struct counters *counters;
	bool learning; /* what is new is only learnt */
	void (*raise)(void *context, const struct event *event);
	void *context;
};

/* Events of one kind of traffic. A family is asked about records of one of its
 * applications, or with one of its attributes; both lists end with NULL. */
struct family {
	void (*judge)(const struct view *v);
	const char *const *apps, *const *attributes; /* NULL: none */
};
extern const struct family dicom_family, hl7_family, control_family, access_family,
	clear_text_family, certificate_family, resolver_family, web_family;

/* An attribute of the record: NULL, 0 and false when it is not there. */
const struct record_attribute *view_attribute(const struct view *v, const char *name);
uint64_t view_number(const struct view *v, const char *name);
const char *view_text(const struct view *v, const char *name); /* of several, the first */
bool view_flag(const struct view *v, const char *name);
bool view_app_is(const struct view *v, const char *const *apps); /* NULL-terminated */

/* What was seen before, by up to three texts (NULL: none of it) and an address. */
uint64_t *view_memory(const struct view *v, const char *what, const char *a, const char *b,
		      const struct ip_addr *ip);
/* True the first time only. */
bool view_is_new(const struct view *v, const char *what, const char *a, const char *b,
		 const struct ip_addr *ip);

/* Raises an event of this flow. A state of the flow, as opposed to something that was
 * counted since its last record, is raised once: say so by `once`. */
enum repeat { EACH_RECORD, ONCE };
void view_raise(const struct view *v, enum event_kind kind, enum weight weight, enum repeat repeat,
		const char *format, ...) __attribute__((format(printf, 5, 6)));
/* The same about the two segments. */
void view_raise_segments(const struct view *v, enum event_kind kind, enum weight weight,
			 const char *format, ...) __attribute__((format(printf, 4, 5)));

/* "icu (life-critical)", "an address outside the hospital"; borrowed or in `out`. */
enum { END_TEXT = 96 };
const char *view_end(const struct record_endpoint *end, char out[END_TEXT]);
bool view_is_external(const struct record_endpoint *end);
