/* SPDX-License-Identifier: Apache-2.0
 *
 * App names that are common enough to be meant when a similar one is written.
 * The list need not be complete: a name that is not near to any of these is
 * taken as it is. */
#include "site/model.h"
#include "site/reader.h"

#include <netinet/in.h>
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

/* What a connection that was never used would have been, by its server port:
 * IANA's for most, and where DICOM and HL7 are found besides. */
static const struct {
	const char *app;
	uint16_t port;
} usual[] = {
	{ "ftp", 21 },          { "ssh", 22 },   { "telnet", 23 },       { "smtp", 25 },
	{ "dns", 53 },          { "http", 80 },  { "kerberos", 88 },     { "dicom", 104 },
	{ "pop3", 110 },        { "ntp", 123 },  { "netbios", 139 },     { "imap", 143 },
	{ "ldap", 389 },        { "tls", 443 },  { "smb", 445 },         { "modbus", 502 },
	{ "ipp", 631 },         { "tls", 636 },  { "mssql", 1433 },      { "citrix", 1494 },
	{ "fox", 1911 },        { "hl7", 2575 }, { "dicom", 2761 },      { "dicom", 2762 },
	{ "mysql", 3306 },      { "rdp", 3389 }, { "dicom", 4242 },      { "opcua", 4840 },
	{ "postgresql", 5432 }, { "vnc", 5900 }, { "teamviewer", 5938 }, { "winrm", 5985 },
	{ "http", 8080 },       { "tls", 8443 }, { "dicom", 11112 },     { "bacnet", 47808 },
};

const char *app_usual(uint8_t protocol, uint16_t port)
{
	for (size_t i = 0; protocol == IPPROTO_TCP && i < sizeof(usual) / sizeof(*usual); i++)
		if (usual[i].port == port)
			return usual[i].app;
	return NULL;
}
