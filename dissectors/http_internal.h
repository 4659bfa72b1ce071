/* SPDX-License-Identifier: Apache-2.0
 *
 * What the sources of the HTTP dissector share. */
#pragma once

#include "dissectors/dissector.h"
#include "dissectors/xml.h"

enum http_field {
	HTTP_GET,
	HTTP_POST,
	HTTP_PUT,
	HTTP_DELETE,
	HTTP_HEAD,
	HTTP_OTHER_METHOD,
	HTTP_STATUS_1XX,
	HTTP_STATUS_2XX,
	HTTP_STATUS_3XX,
	HTTP_STATUS_4XX,
	HTTP_STATUS_5XX,
	HTTP_UNAUTHORIZED,
	HTTP_API,
	HTTP_FHIR_INTERACTION,
	HTTP_FHIR_RESOURCE,
	HTTP_DICOMWEB,
	HTTP_SOAP_ACTION,
	HTTP_SDC_SETS,
	HTTP_ANONYMOUS_OK,
	HTTP_BULK_REQUESTS,
	HTTP_AUTH,
	HTTP_CLEAR_TEXT_PASSWORD,
	HTTP_HOST,
	HTTP_USER_AGENT,
	HTTP_SERVER,
	HTTP_REQUEST_TYPE,
	HTTP_RESPONSE_TYPE,
	HTTP_REQUEST_BYTES,
	HTTP_RESPONSE_BYTES,
	HTTP_UPGRADE,
	HTTP_SUBPROTOCOL,
	HTTP_MALFORMED,
	HTTP_FIELD_COUNT,
};

extern const struct field http_fields[];

enum {
	HTTP_LINE_MOST = 4096, /* of a line; what is behind is passed over */
	HTTP_WAITING = 8,      /* requests without an answer that are remembered */
	HTTP_BAD_MOST = 4,     /* start lines in a row that are none */
	HTTP_SOAP_MOST = 8192, /* bytes of a SOAP request that are searched for its action */
};

/* What a request was about, for its answer: bits. */
enum {
	ASKED_HEAD = 1,
	ASKED_CONNECT = 2,
	ASKED_FHIR = 4,      /* has the form of FHIR; a content type makes it so */
	ASKED_CLINICAL = 8,  /* a clinical API for certain */
	ASKED_PATIENTS = 16, /* for data of patients, not of the service itself */
	ASKED_KNOWN = 32,    /* with some sign of who asks */
	ASKED_BULK = 64,
};

struct http_request {
	uint8_t bits;
	uint8_t resource, interaction; /* of http_api.c's lists, plus one */
};

enum http_stage {
	STAGE_START,
	STAGE_HEADERS,
	STAGE_BODY,       /* `left` bytes */
	STAGE_CHUNK_SIZE, /* a line */
	STAGE_CHUNK_END,  /* the line end behind a chunk */
	STAGE_TRAILERS,
	STAGE_TO_THE_END, /* of the connection */
	STAGE_LOST,       /* until something starts a message */
};

struct http_side {
	enum http_stage stage;
	uint64_t left;
	uint64_t length; /* as a header said */
	bool has_length, chunked, long_line, answer, upgraded;
	uint16_t status;
	struct http_request request; /* whose head is being read */
};

struct http {
	struct http_side sides[2];
	struct http_request waiting[HTTP_WAITING];
	uint8_t first, count;
	uint8_t bad;
	bool known; /* a whole start line was seen */

	/* Of the request under way: */
	bool soap;       /* its body is SOAP, and no header named its action so far */
	uint16_t looked; /* how many of its bytes were */
	struct xml xml;
};

_Static_assert(sizeof(struct http) <= DISSECT_STATE_MOST, "two directions in one slot");

struct http_call {
	struct http *flow;
	struct http_side *side;
	struct dissect_input *in;
	struct attributes *out;
};

/* Is this the first line of a request or an answer, as far as it goes? */
enum probe_result http_probe_start(struct cursor c);
/* A start line, without its end. False: it is none. */
bool http_take_start(struct http_call *call, struct cursor line);
/* A header line. */
void http_take_header(struct http_call *call, struct cursor line);
/* The head is complete: what its headers together mean, and how long the body is. */
void http_end_head(struct http_call *call);

/* What a path, with its query, is about. `server_port` is that of the server. */
void http_classify_path(struct http_call *call, struct cursor path, const char *method,
			uint16_t server_port);
void http_classify_type(struct http_call *call, struct cursor type);
void http_classify_action(struct http_call *call, struct cursor action);
/* A request that had the form of FHIR was FHIR. */
void http_confirm_fhir(struct http_call *call, struct http_request *request);

/* The next bytes of a request's body while `soap` is set: clears it when the action was
 * found, or will not be. Takes nothing. */
void http_look_for_action(struct http_call *call, struct cursor body);

/* Do these bytes begin with the first `n` of the word, letters' case aside? */
bool http_same(const uint8_t *bytes, const char *word, size_t n);

/* Does `c` hold this word, letters' case aside, and nothing else? Inline, so that most
 * are told by their length. */
static inline bool http_is(struct cursor c, const char *word)
{
	size_t n = strlen(word);
	return cursor_left(&c) == n && http_same(c.at, word, n);
}

/* Where the word begins within `c`, letters' case aside; or SIZE_MAX. */
size_t http_find(struct cursor c, const char *word);
/* Up to the next `stop`, which is taken, too. */
struct cursor http_until(struct cursor *c, char stop);
