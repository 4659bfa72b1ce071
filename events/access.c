/* SPDX-License-Identifier: Apache-2.0
 *
 * Remote access and tunnels, into clinical segments and out of them. */
#include "events/judge.h"

#include <string.h>

/* Services whose traffic is TLS to their own names; those of LogMeIn, GoTo, Splashtop,
 * RustDesk, DWService and Zoho from memory. No name alone is an event: the flow must be
 * one that nobody declared. */
static bool is_service(const char *name)
{
	static const char *const endings[] = {
		".anydesk.com",          ".teamviewer.com",    ".logmein.com",
		".logmeinrescue.com",    ".gotoassist.com",    ".bomgarcloud.com",
		".beyondtrustcloud.com", ".screenconnect.com", ".splashtop.com",
		".rustdesk.com",         ".dwservice.net",     ".zohoassist.com",
	};
	size_t n = name ? strlen(name) : 0;

	for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
		size_t end = strlen(endings[i]);
		if (n > end && !strcmp(name + n - end, endings[i]))
			return true;
	}
	return false;
}

static const char *const apps[] = {
	"rdp",       "vnc",         "ssh",       "telnet",  "teamviewer", "anydesk",
	"citrix",    "winrm",       "wireguard", "openvpn", "ipsec",      "rustdesk",
	"splashtop", "gotomeeting", "nomachine", "radmin",  NULL,
};
static const char *const attributes[] = { "tls.sni", "quic.sni", NULL };

static void judge(const struct view *v)
{
	const struct record_flow *f = v->flow;
	bool into = impact_is_clinical(f->server.impact);
	bool out_of = impact_is_clinical(f->client.impact) && view_is_external(&f->server);
	char client[END_TEXT], server[END_TEXT];

	if ((!into && !out_of) || !verdict_is_bad(f->verdict))
		return;
	bool service = is_service(view_text(v, "tls.sni")) || is_service(view_text(v, "quic.sni"));
	if (!service && !view_app_is(v, apps))
		return;
	view_raise(v, EVENT_REMOTE_ACCESS, WEIGHT_GRAVE, ONCE,
		   "%s opened remote access to %s over %s, which no conduit, exception or vendor "
		   "declares",
		   view_end(&f->client, client), view_end(&f->server, server),
		   service ? "a support service" : f->app);
}

const struct family access_family = { .judge = judge, .apps = apps, .attributes = attributes };
