/* SPDX-License-Identifier: Apache-2.0
 *
 * One request to the collector over mutual TLS 1.3. The only source of this
 * program that includes libcurl's header is cli_http.c. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "collector/cli_config.h"

/* Takes a piece of a good answer (status 2xx), as it arrives; false ends it. */
typedef bool http_sink(void *context, const char *bytes, size_t n);

enum http_outcome {
	HTTP_DONE,      /* all of a good answer went to the sink */
	HTTP_STOPPED,   /* the sink wanted no more */
	HTTP_REFUSED,   /* the collector says that the request is wrong (4xx) */
	HTTP_FAILED,    /* not reached, broken off, or the collector's own failure */
	HTTP_UNTRUSTED, /* a certificate is wrong, on either side */
};

/* `target` is path and query. `body` is posted as plain text when not NULL.
 * Unless HTTP_DONE or HTTP_STOPPED, `problem` has one sentence. */
enum http_outcome http_fetch(const struct connection *c, const char *target, const char *body,
			     http_sink *sink, void *context, struct buf *problem);
