/* SPDX-License-Identifier: Apache-2.0
 *
 * Whom names are asked of, in the clear or over TLS and HTTPS. */
#include "events/judge.h"

static const char *const apps[] = { "dns", NULL };
static const char *const attributes[] = { "tls.dns_over", "quic.dns_over", NULL };

static bool asks_names(const struct view *v)
{
	return (view_app_is(v, apps) && view_number(v, "dns.queries")) ||
	       view_text(v, "tls.dns_over") || view_text(v, "quic.dns_over");
}

static void judge(const struct view *v)
{
	const struct record_flow *f = v->flow;
	char client[END_TEXT];

	if (site_is_local_peer(&f->server.ip))
		return;
	if (v->expect->resolver_count
		    ? site_expects_resolver(v->site, &f->server.ip) ||
			      site_expects_resolver(v->site, &f->client.ip)
		    : !view_is_external(&f->server) || !impact_is_clinical(f->client.impact))
		return;
	if (!asks_names(v))
		return;
	view_raise(v, EVENT_FOREIGN_RESOLVER, WEIGHT_WARNING, ONCE,
		   "%s asked for names of a resolver that is not the hospital's",
		   view_end(&f->client, client));
}

const struct family resolver_family = { .judge = judge, .apps = apps, .attributes = attributes };
