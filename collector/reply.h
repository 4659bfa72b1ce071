/* SPDX-License-Identifier: Apache-2.0
 *
 * A question over HTTP and its answer, without the HTTP library. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "collector/auth.h"

enum { REQUEST_PARAMS = 32 };

struct request {
	const char *method, *path; /* the path is decoded */
	struct request_param {
		const char *name, *value; /* decoded */
	} params[REQUEST_PARAMS];
	size_t param_count;
	const char *content_type, *content_encoding; /* known ones; else empty */
	const void *body;
	size_t length;
	const struct caller *caller;
	const char *peer; /* address, for the audit log */
};

/* The rest of an answer that is made while it is sent. */
struct reply_rest {
	/* Appends more to `out`; 1, 0 at the end, or -errno: the answer breaks off. */
	int (*more)(void *context, struct buf *out);
	void (*close)(void *context);
	void *context;
};

struct reply {
	unsigned status;  /* HTTP status */
	const char *type; /* static; NULL: JSON */
	struct buf body;
	unsigned retry_after;   /* seconds; 0: no such header */
	char next[64];          /* header Vigie-Next, or empty */
	bool cut;               /* header Vigie-Truncated */
	struct reply_rest rest; /* more == NULL: the body is all */
};

/* {"error":"..."}: what is wrong; what would be right. */
void reply_error(struct reply *r, unsigned status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void reply_finish(struct reply *r);
