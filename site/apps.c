/* SPDX-License-Identifier: Apache-2.0
 *
 * App names that are common enough to be meant when a similar one is written.
 * The list need not be complete: a name that is not near to any of these is
 * taken as it is. */
#include "site/reader.h"

#include <string.h>

#include "config/nearest.h"

/* clang-format off */
static const char *const apps[] = {
	/* what Vigie dissects */
	"astm", "bacnet", "dicom", "dns", "enip", "fox", "hl7", "http", "intellivue",
	"knxnetip", "modbus", "opcua", "poct1a", "quic", "rdp", "s7", "smb", "ssh", "tls", "vnc",
	/* protocols without ports */
	"icmp", "icmpv6", "igmp", "gre", "esp", "ah", "ospf", "vrrp", "pim", "sctp",
	/* what nDPI finds, as far as hospitals may want to name it */
	"activesync", "afp", "ajp", "amqp", "anydesk", "apple", "bgp", "bittorrent", "bjnp",
	"cassandra", "citrix", "cloudflare", "coap", "dhcp", "dhcpv6", "diameter", "dnp3", "doh_dot",
	"dropbox", "dtls", "elasticsearch", "ftp_control", "ftp_data", "ftp", "ftps", "git", "gmail",
	"google", "gotomeeting", "h323", "http2", "http_connect", "http_proxy", "iec60870",
	"imap", "imaps", "ipp", "ipsec", "iscsi", "isakmp", "iso9506-1-mms", "kafka", "kerberos",
	"l2tp", "ldap", "ldaps", "lisp", "lldp", "llmnr", "mdns", "memcached", "microsoft", "mms",
	"mongodb", "mpeg-ts", "mqtt", "mssql", "mysql", "natpmp", "nats", "netbios", "netflow",
	"nfs", "ntp", "openvpn", "opcda", "oracle", "outlook", "pop3", "pops", "postgresql", "pptp",
	"profinet", "radius", "radmin", "redis", "resp", "rlogin", "rmcp", "rpc", "rsh", "rsync",
	"rtcp", "rtmp", "rtp", "rtsp", "rustdesk", "sap", "sflow", "sip", "skype", "smbv1", "smbv23",
	"smpp", "smtp", "smtps", "snmp", "socks", "splashtop", "ssdp", "stun", "syslog", "tacacs",
	"tailscale", "teams", "teamspeak", "teamviewer", "telnet", "teredo", "tftp", "tor", "tpkt",
	"vmware", "vxlan", "webex", "websocket", "whois-das", "windowsupdate", "winrm", "wireguard",
	"ws-discovery", "wsd", "x11", "xdmcp", "xmpp", "zabbix", "zoom",
};
/* clang-format on */

/* What people write for what is seen under another name. */
static const char *const other_words[][2] = {
	{ "https", "tls" },  { "mllp", "hl7" }, { "fhir", "http" }, { "dicomweb", "http" },
	{ "cifs", "smb" },   { "rfb", "vnc" },  { "ping", "icmp" }, { "openssh", "ssh" },
	{ "ms-rdp", "rdp" }, { "ssl", "tls" },
};

enum {
	APP_COUNT = sizeof(apps) / sizeof(*apps),
	OTHER_COUNT = sizeof(other_words) / sizeof(*other_words),
	CLEAR_LENGTH = 4,
};

const char *app_correction(const char *name)
{
	struct nearest near = nearest_to(name);

	for (size_t i = 0; i < OTHER_COUNT; i++)
		if (!strcmp(other_words[i][0], name))
			return other_words[i][1];
	for (size_t i = 0; i < APP_COUNT; i++) {
		if (!strcmp(apps[i], name))
			return NULL;
		nearest_offer(&near, apps[i]);
	}
	/* Short words are near to each other without being slips: one letter counts
	 * only from a certain length on, more than one never. */
	if (!near.best || strlen(name) < CLEAR_LENGTH)
		return NULL;
	return nearest_distance(name, near.best, 1) <= 1 ? near.best : NULL;
}
