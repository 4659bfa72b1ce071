/* SPDX-License-Identifier: Apache-2.0
 *
 * What anybody on the way can read: patient data between segments, and passwords. */
#include "events/judge.h"

#include <string.h>

static const char *const apps[] = { "dicom", "hl7", "astm", "poct1a", "intellivue", NULL };
static const char *const attributes[] = {
	"http.api",
	"dicom.identity",
	"http.clear_text_password",
	"ftp.clear_text_password",
	"telnet.clear_text_password",
	NULL,
};

static bool carries_patients(const struct view *v)
{
	static const char *const web[] = { "http", NULL };

	return view_app_is(v, apps) || (view_app_is(v, web) && view_text(v, "http.api"));
}

static bool offers_password(const struct view *v)
{
	const char *identity = view_text(v, "dicom.identity");

	return (identity && !strcmp(identity, "user-password")) ||
	       view_flag(v, "http.clear_text_password") ||
	       view_flag(v, "ftp.clear_text_password") ||
	       view_flag(v, "telnet.clear_text_password");
}

static void judge(const struct view *v)
{
	const struct record_flow *f = v->flow;
	char client[END_TEXT], server[END_TEXT];

	if (f->encrypted)
		return;
	bool outside = view_is_external(&f->client) || view_is_external(&f->server);
	bool crosses = f->client.segment && f->server.segment &&
		       strcmp(f->client.segment, f->server.segment) != 0;
	if (crosses && carries_patients(v))
		view_raise_segments(v, EVENT_CLEAR_TEXT_CLINICAL,
				    outside ? WEIGHT_GRAVE : WEIGHT_NOTE,
				    "%s goes from %s to %s in clear text", f->app,
				    view_end(&f->client, client), view_end(&f->server, server));
	if (offers_password(v))
		view_raise(v, EVENT_CLEAR_TEXT_PASSWORD, WEIGHT_WARNING, ONCE,
			   "%s sent a password in clear text over %s", view_end(&f->client, client),
			   f->app);
}

const struct family clear_text_family = { .judge = judge, .apps = apps, .attributes = attributes };
