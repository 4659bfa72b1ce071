/* SPDX-License-Identifier: Apache-2.0
 *
 * Remote access and tunnels, into clinical segments and out of them. */
#include "events/judge.h"

void judge_access(const struct view *v)
{
	static const char *const apps[] = {
		"rdp",       "vnc",         "ssh",       "telnet",  "teamviewer", "anydesk",
		"citrix",    "winrm",       "wireguard", "openvpn", "ipsec",      "rustdesk",
		"splashtop", "gotomeeting", "nomachine", "radmin",  NULL,
	};
	const struct record_flow *f = v->flow;
	bool into = impact_is_clinical(f->server.impact);
	bool out_of = impact_is_clinical(f->client.impact) && view_is_external(&f->server);
	char client[END_TEXT], server[END_TEXT];

	if ((!into && !out_of) || !verdict_is_bad(f->verdict) || !view_app_is(v, apps))
		return;
	view_raise(v, EVENT_REMOTE_ACCESS, WEIGHT_GRAVE, ONCE,
		   "%s opened remote access to %s over %s, which no conduit, exception or vendor "
		   "declares",
		   view_end(&f->client, client), view_end(&f->server, server), f->app);
}
