/* SPDX-License-Identifier: Apache-2.0
 *
 * Query parameters into questions; the words are those of docs/api.md. */
#pragma once

#include "collector/present.h"
#include "collector/reply.h"

struct params {
	struct store_filter filter;
	enum store_by by;
	enum store_order order;
	size_t limit; /* 0: not given */
	const char *cursor, *sql;
	enum format format;
};

/* What a path takes beside the filters. */
enum params_extra {
	PARAMS_BY = 1,     /* by, order */
	PARAMS_CURSOR = 2, /* cursor */
	PARAMS_SQL = 4,    /* q; and of the filters since and until only */
	PARAMS_NONE = 8,   /* no filters, no limit */
};

/* False with the refusal in `reply`: an unknown word, or a value that is wrong.
 * Texts are lent by the request. `now` is what spans count back from. */
bool params_read(const struct request *q, unsigned extra, struct usec now, struct params *out,
		 struct reply *reply);
