/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers of the store as JSON, NDJSON or CSV. Flows, alerts and coverage are
 * the objects of docs/records.md; in CSV their members stand under dotted
 * names ("client.ip"), lists joined by blanks. */
#pragma once

#include "base/arena.h"
#include "collector/store.h"

enum format { FORMAT_JSON, FORMAT_NDJSON, FORMAT_CSV };

struct presenter {
	enum format format;
	struct buf *out; /* lent */
	bool started;    /* set by the caller: a CSV header stands already */
	size_t rows;
	/* inside */
	struct arena names;
	const char **columns;
	size_t column_count;
	struct buf line;
};

/* `question` names the columns of records; ignored for rows, which bring theirs. */
void present_open(struct presenter *p, enum store_question question);
struct store_sink present_sink(struct presenter *p);
/* JSON: what stands behind the rows. */
void present_close(struct presenter *p, const struct store_answer *answer);
void present_finish(struct presenter *p); /* frees; accepts a zeroed one */
