/* SPDX-License-Identifier: Apache-2.0
 *
 * The API under /v1 (docs/api.md): who may ask what, and how it is answered.
 * Knows nothing of the HTTP library. */
#pragma once

#include "collector/ingest.h"
#include "collector/reply.h"
#include "collector/writer.h"

struct api {
	const struct store_driver *driver;
	void *store;
	struct writer *writer;
	int audit;           /* descriptor of audit_open() */
	struct usec started; /* monotonic */
	struct ingest_counts counts;
};

/* What can be said before the body is there: false with the refusal in reply. */
bool api_may(const struct request *q, struct reply *reply);
/* Answers, or lets stand what api_may() said, and notes it in the audit log. */
void api_answer(struct api *a, const struct request *q, struct reply *reply);
