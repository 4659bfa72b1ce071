/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificates of clinical services, as far as TLS 1.2 shows them. */
#include "events/judge.h"

static const char *const attributes[] = { "tls.certificate_expired",
					  "tls.certificate_not_yet_valid",
					  "tls.certificate_self_signed", NULL };

static void judge(const struct view *v)
{
	char server[END_TEXT];

	if (!impact_is_clinical(v->flow->server.impact))
		return;
	if (view_flag(v, "tls.certificate_expired"))
		view_raise(v, EVENT_CERTIFICATE_EXPIRED, WEIGHT_WARNING, ONCE,
			   "a service in %s shows a certificate that has expired",
			   view_end(&v->flow->server, server));
	if (view_flag(v, "tls.certificate_not_yet_valid"))
		view_raise(v, EVENT_CERTIFICATE_EXPIRED, WEIGHT_WARNING, ONCE,
			   "a service in %s shows a certificate that is not valid yet",
			   view_end(&v->flow->server, server));
	if (view_flag(v, "tls.certificate_self_signed"))
		view_raise(v, EVENT_CERTIFICATE_SELF_SIGNED, WEIGHT_NOTE, ONCE,
			   "a service in %s shows a certificate that it signed itself",
			   view_end(&v->flow->server, server));
}

const struct family certificate_family = { .judge = judge, .attributes = attributes };
