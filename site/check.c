/* SPDX-License-Identifier: Apache-2.0 */
#include "site/check.h"

#include "site/reader.h"

static void add_count(struct buf *out, size_t n, const char *one, const char *more)
{
	buf_format(out, "%zu %s", n, n == 1 ? one : more);
}

static void sum_up(const char *path, const struct site_counts *c, struct buf *out)
{
	buf_format(out, "%s: site %s, revision %s: ", path, c->name && *c->name ? c->name : "?",
		   c->revision);
	add_count(out, c->segments, "segment, ", "segments, ");
	add_count(out, c->services, "service, ", "services, ");
	add_count(out, c->conduits, "conduit, ", "conduits, ");
	add_count(out, c->exceptions, "exception, ", "exceptions, ");
	add_count(out, c->vendors, "vendor, ", "vendors, ");
	add_count(out, c->lifelines, "lifeline; ", "lifelines; ");
	add_count(out, c->mistakes, "mistake, ", "mistakes, ");
	add_count(out, c->findings, "finding\n", "findings\n");
}

int site_check(const char *path, struct usec now, struct buf *out)
{
	struct problems problems = { 0 };
	struct site_counts counts;
	struct site *s = site_read(path, NULL, 0, now, &problems, &counts);

	site_free(s);
	problems_print(&problems, out);
	if (counts.readable)
		sum_up(path, &counts, out);
	problems_finish(&problems);
	if (!counts.readable)
		return 2;
	return counts.mistakes || counts.findings ? 1 : 0;
}
