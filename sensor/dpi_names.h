/* SPDX-License-Identifier: Apache-2.0
 *
 * nDPI's names of protocols in Vigie's words. Names, not numbers: the numbers
 * change from release to release. X("nDPI's name", "ours" or NULL)
 *
 * NULL: not believed. Cassandra, AJP and the Skype pair are what nDPI 4.2 calls
 * DICOM and building automation, NATS what it calls Redis (measured on captures);
 * DICOM, HL7 and industry are our own dissectors' to say, whose rules are
 * stricter: "S7comm" is whatever nDPI sees on port 102. What
 * has no row is passed on in lower case if its category is technical. */
#pragma once

/* clang-format off */
#define DPI_NAMES(X)                        \
	X("Cassandra", NULL)                \
	X("SkypeCall", NULL)                \
	X("Skype_Teams", NULL)              \
	X("Skype_TeamsCall", NULL)          \
	X("AJP", NULL)                      \
	X("Nats", NULL)                     \
	X("DICOM", NULL)                    \
	X("HL7", NULL)                      \
	X("EthernetIP", NULL)               \
	X("OPC-UA", NULL)                   \
	X("S7comm", NULL)                   \
	X("S7CommPlus", NULL)               \
	X("AFP", "afp")                     \
	X("BACnet", "bacnet")               \
	X("BitTorrent", "bittorrent")       \
	X("CiscoSkinny", "skinny")          \
	X("Citrix", "citrix")               \
	X("COAP", "coap")                   \
	X("DCE_RPC", "dcerpc")              \
	X("DHCPV6", "dhcpv6")               \
	X("DNScrypt", "dnscrypt")           \
	X("DoH_DoT", NULL)                  \
	X("DTLS", "dtls")                   \
	X("FTP_CONTROL", "ftp")             \
	X("FTP_DATA", "ftp-data")           \
	X("FTPS", "ftp")                    \
	X("Git", "git")                     \
	X("GTP_C", "gtp-c")                 \
	X("GTP_U", "gtp-u")                 \
	X("H323", "h323")                   \
	X("HTTP", "http")                   \
	X("HTTP2", "http")                  \
	X("HTTP_Connect", "http")           \
	X("HTTP_Proxy", "http")             \
	X("IAX", "iax")                     \
	X("IEC60870", "iec104")             \
	X("IMAP", "imap")                   \
	X("IMAPS", "imap")                  \
	X("IPP", "ipp")                     \
	X("IPsec", "ipsec")                 \
	X("IRC", "irc")                     \
	X("ISO9506-1-MMS", "mms")           \
	X("Jabber", "xmpp")                 \
	X("KNXnet_IP", "knxnetip")          \
	X("LISP", "lisp")                   \
	X("LotusNotes", "lotus-notes")      \
	X("MDNS", "mdns")                   \
	X("Megaco", "megaco")               \
	X("MGCP", "mgcp")                   \
	X("MPEG_TS", "mpeg-ts")             \
	X("MsSQL-TDS", "mssql")             \
	X("NetBIOS", "netbios")             \
	X("NFS", "nfs")                     \
	X("NOE", "noe")                     \
	X("POP3", "pop3")                   \
	X("POPS", "pop3")                   \
	X("PROFINET/IO", "profinet")        \
	X("QUIC", "quic")                   \
	X("RSYNC", "rsync")                 \
	X("RTCP", "rtcp")                   \
	X("RTMP", "rtmp")                   \
	X("RTP", "rtp")                     \
	X("RTSP", "rtsp")                   \
	X("SIP", "sip")                     \
	X("SMBv1", "smb")                   \
	X("SMBv23", "smb")                  \
	X("SMPP", "smpp")                   \
	X("SMTP", "smtp")                   \
	X("SMTPS", "smtp")                  \
	X("SOAP", "http")                   \
	X("SOCKS", "socks")                 \
	X("SRTP", "rtp")                    \
	X("SSDP", "ssdp")                   \
	X("STUN", "stun")                   \
	X("TFTP", "tftp")                   \
	X("TLS", "tls")                     \
	X("Usenet", "nntp")                 \
	X("WebSocket", "http")              \
	X("WSD", "wsd")
/* clang-format on */
