/* SPDX-License-Identifier: Apache-2.0
 *
 * Clinical web services: FHIR, DICOMweb and their like, in clear text. */
#include "events/judge.h"

enum { REFUSED = 10 };

static const char *const attributes[] = { "http.api", NULL };

static void judge(const struct view *v)
{
	static const char *const apps[] = { "http", NULL };
	char server[END_TEXT];

	if (!view_app_is(v, apps) || !view_text(v, "http.api"))
		return;
	if (view_number(v, "http.anonymous_ok"))
		view_raise(v, EVENT_HTTP_ANONYMOUS, WEIGHT_WARNING, ONCE,
			   "a clinical web service in %s answers whoever asks",
			   view_end(&v->flow->server, server));
	if (view_number(v, "http.bulk_requests"))
		view_raise(v, EVENT_HTTP_BULK, WEIGHT_GRAVE, EACH_RECORD,
			   "a clinical web service in %s was asked for everything at once",
			   view_end(&v->flow->server, server));
	if (view_number(v, "http.unauthorized") >= REFUSED)
		view_raise(v, EVENT_HTTP_REFUSED, WEIGHT_WARNING, EACH_RECORD,
			   "a clinical web service in %s refused %llu requests",
			   view_end(&v->flow->server, server),
			   (unsigned long long)view_number(v, "http.unauthorized"));
}

const struct family web_family = { .judge = judge, .attributes = attributes };
