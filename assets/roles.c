/* SPDX-License-Identifier: Apache-2.0
 *
 * Sources: DICOM PS3.4 (who offers which service), HL7 v2.8 chapters 3 to 7 and IHE PCD
 * (which system sends which message), RFC 2132 and RFC 3925 (DHCP options). Rules marked
 * [M] rest on memory or habit alone, and give medium confidence at most. */
#include "assets/roles.h"

#include <ctype.h>
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

enum { CLIENT = 0, SERVER = 1 };

/* What an end of a flow is, when the application is `app`, the attribute `has` is there
 * (a number that is not 0, or a text that begins with one of the '|'-separated `text`),
 * and `without` is not. */
struct flow_rule {
	const char *app;
	int end;
	const char *has, *text, *without;
	const char *role;
	enum confidence confidence;
};

#define WORKLIST "1.2.840.10008.5.1.4.31|1.2.840.10008.3.1.2.3.3"
#define QUERY "1.2.840.10008.5.1.4.1.2."
#define COMMITMENT "1.2.840.10008.1.20.1"
#define PRINT "1.2.840.10008.5.1.1."
#define SOP "dicom.used_sop_class"
#define MOVED "dicom.move_originator"

/* Sorted by application; the rules of one in the order in which they are to be told. */
/* clang-format off */
static const struct flow_rule flow_rules[] = {
	{ "anydesk", CLIENT, NULL, NULL, NULL, "remote-access-target", CONFIDENCE_LOW },
	{ "astm", CLIENT, NULL, NULL, NULL, "analyser", CONFIDENCE_MEDIUM },
	{ "astm", SERVER, NULL, NULL, NULL, "lis", CONFIDENCE_MEDIUM },
	/* Both ends of building and industry protocols may be controllers; who is only ever
	 * asked is one. */
	{ "bacnet", SERVER, NULL, NULL, NULL, "building-controller", CONFIDENCE_MEDIUM },
	{ "carescape", CLIENT, NULL, NULL, NULL, "monitor", CONFIDENCE_MEDIUM },
	{ "citrix", CLIENT, NULL, NULL, NULL, "remote-access-source", CONFIDENCE_MEDIUM },
	{ "dhcp", SERVER, NULL, NULL, NULL, "address-server", CONFIDENCE_MEDIUM },
	/* Objects that a C-MOVE asked for come from an archive, to who looks at them. */
	{ "dicom", CLIENT, "dicom.c_store", NULL, MOVED, "modality", CONFIDENCE_MEDIUM },
	{ "dicom", SERVER, "dicom.c_store", NULL, MOVED, "archive", CONFIDENCE_MEDIUM },
	{ "dicom", CLIENT, MOVED, "", NULL, "archive", CONFIDENCE_HIGH },
	{ "dicom", SERVER, MOVED, "", NULL, "imaging-workstation", CONFIDENCE_MEDIUM },
	{ "dicom", CLIENT, SOP, WORKLIST, NULL, "modality", CONFIDENCE_HIGH },
	{ "dicom", SERVER, SOP, WORKLIST, NULL, "worklist-server", CONFIDENCE_HIGH },
	{ "dicom", CLIENT, SOP, QUERY, NULL, "imaging-workstation", CONFIDENCE_MEDIUM },
	{ "dicom", SERVER, SOP, QUERY, NULL, "archive", CONFIDENCE_HIGH },
	{ "dicom", CLIENT, SOP, COMMITMENT, NULL, "modality", CONFIDENCE_MEDIUM },
	{ "dicom", SERVER, SOP, COMMITMENT, NULL, "archive", CONFIDENCE_MEDIUM },
	{ "dicom", SERVER, SOP, PRINT, NULL, "film-printer", CONFIDENCE_HIGH },
	{ "dns", SERVER, "dns.answers", NULL, NULL, "name-server", CONFIDENCE_HIGH },
	{ "enip", SERVER, NULL, NULL, NULL, "plc", CONFIDENCE_MEDIUM },
	{ "fox", SERVER, NULL, NULL, NULL, "building-controller", CONFIDENCE_HIGH },
	{ "fox", CLIENT, NULL, NULL, NULL, "building-workstation", CONFIDENCE_LOW },
	{ "ftp", SERVER, NULL, NULL, NULL, "file-server", CONFIDENCE_MEDIUM },
	{ "hl7", CLIENT, "hl7.messages", NULL, NULL, "hl7-sender", CONFIDENCE_HIGH },
	{ "hl7", SERVER, "hl7.messages", NULL, NULL, "hl7-receiver", CONFIDENCE_HIGH },
	{ "hl7", CLIENT, "hl7.message_type", "ADT^A01|ADT^A02|ADT^A03|ADT^A04|ADT^A08", NULL,
		"patient-administration", CONFIDENCE_MEDIUM },
	/* IHE PCD: alarms (ACM) and pump events (IPEC). [M] */
	{ "hl7", CLIENT, "hl7.message_type", "ORU^R40", NULL, "monitor-gateway", CONFIDENCE_MEDIUM },
	{ "hl7", CLIENT, "hl7.message_type", "ORU^R42|ORU^R43", NULL, "pump-gateway", CONFIDENCE_MEDIUM },
	/* Unsolicited results of specimens, and orders for them, are the laboratory's (chapter 7). */
	{ "hl7", CLIENT, "hl7.message_type", "OUL^", NULL, "analyser", CONFIDENCE_MEDIUM },
	{ "hl7", SERVER, "hl7.message_type", "OUL^|OML^", NULL, "lis", CONFIDENCE_MEDIUM },
	{ "http", SERVER, "http.api", "fhir|dicomweb|xds|hl7v3", NULL, "clinical-server", CONFIDENCE_MEDIUM },
	{ "http", SERVER, "http.api", "orthanc", NULL, "archive", CONFIDENCE_MEDIUM },
	{ "http", SERVER, "http.api", "sdc", NULL, "medical-device", CONFIDENCE_MEDIUM },
	{ "intellivue", SERVER, NULL, NULL, NULL, "monitor", CONFIDENCE_HIGH },
	{ "intellivue", CLIENT, NULL, NULL, NULL, "monitor-gateway", CONFIDENCE_MEDIUM },
	{ "ipp", SERVER, NULL, NULL, NULL, "printer", CONFIDENCE_MEDIUM },
	{ "kerberos", SERVER, NULL, NULL, NULL, "directory-server", CONFIDENCE_HIGH },
	{ "knxnetip", SERVER, NULL, NULL, NULL, "building-controller", CONFIDENCE_MEDIUM },
	{ "ldap", SERVER, NULL, NULL, NULL, "directory-server", CONFIDENCE_MEDIUM },
	{ "modbus", SERVER, NULL, NULL, NULL, "plc", CONFIDENCE_MEDIUM },
	{ "opcua", SERVER, NULL, NULL, NULL, "server", CONFIDENCE_LOW },
	{ "poct1a", CLIENT, NULL, NULL, NULL, "analyser", CONFIDENCE_HIGH },
	{ "poct1a", SERVER, NULL, NULL, NULL, "lis", CONFIDENCE_HIGH },
	{ "rdp", SERVER, NULL, NULL, NULL, "remote-access-target", CONFIDENCE_HIGH },
	{ "rdp", CLIENT, NULL, NULL, NULL, "remote-access-source", CONFIDENCE_HIGH },
	{ "s7", SERVER, NULL, NULL, NULL, "plc", CONFIDENCE_HIGH },
	{ "s7", CLIENT, NULL, NULL, NULL, "engineering-workstation", CONFIDENCE_LOW },
	{ "smb", SERVER, NULL, NULL, NULL, "file-server", CONFIDENCE_LOW },
	{ "ssh", SERVER, NULL, NULL, NULL, "remote-access-target", CONFIDENCE_MEDIUM },
	{ "ssh", CLIENT, NULL, NULL, NULL, "remote-access-source", CONFIDENCE_MEDIUM },
	{ "teamviewer", CLIENT, NULL, NULL, NULL, "remote-access-target", CONFIDENCE_LOW },
	{ "telnet", SERVER, NULL, NULL, NULL, "remote-access-target", CONFIDENCE_MEDIUM },
	{ "telnet", CLIENT, NULL, NULL, NULL, "remote-access-source", CONFIDENCE_MEDIUM },
	{ "vnc", SERVER, NULL, NULL, NULL, "remote-access-target", CONFIDENCE_HIGH },
	{ "vnc", CLIENT, NULL, NULL, NULL, "remote-access-source", CONFIDENCE_HIGH },
};
/* clang-format on */

static bool starts(const char *text, const char *with, size_t n)
{
	return !strncmp(text, with, n);
}

/* `choices`: "a|b"; "" fits all. */
static bool begins_with_one(const char *text, const char *choices)
{
	for (;;) {
		size_t n = strcspn(choices, "|");
		if (starts(text, choices, n))
			return true;
		if (!choices[n])
			return false;
		choices += n + 1;
	}
}

static bool attribute_says(const struct record_attribute *a, const char *text)
{
	if (a->type == ATTRIBUTE_NUMBER || a->type == ATTRIBUTE_FLAG)
		return a->number != 0;
	for (size_t i = 0; i < a->count; i++)
		if (begins_with_one(a->texts[i], text ? text : ""))
			return true;
	return false;
}

static bool flow_says(const struct record_flow *f, const char *name, const char *text)
{
	for (size_t i = 0; i < f->attribute_count; i++)
		if (!strcmp(f->attributes[i].name, name))
			return attribute_says(&f->attributes[i], text);
	return false;
}

static bool rule_fits(const struct flow_rule *r, const struct record_flow *f)
{
	return (!r->has || flow_says(f, r->has, r->text)) &&
	       (!r->without || !flow_says(f, r->without, NULL));
}

/* The first rule of an application. */
static size_t first_of(const char *app)
{
	size_t from = 0, to = COUNT(flow_rules);

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		if (strcmp(flow_rules[middle].app, app) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

size_t roles_of_flow(const struct record_flow *f, bool server, struct role_guess out[ROLE_GUESSES])
{
	size_t n = 0;

	if (!f->app || !f->packets_to_client || !f->packets_to_server)
		return 0; /* nobody has answered: a scan makes no server */
	for (size_t i = first_of(f->app); i < COUNT(flow_rules) && n < ROLE_GUESSES; i++) {
		const struct flow_rule *r = &flow_rules[i];
		if (strcmp(r->app, f->app) != 0)
			break;
		if (r->end != (int)server || !rule_fits(r, f))
			continue;
		out[n++] = (struct role_guess){
			.role = r->role,
			.from = r->has ? r->has : r->app,
			.confidence = r->confidence < f->app_confidence ? r->confidence
									: f->app_confidence,
		};
	}
	return n;
}

bool fact_holds(const struct record_flow *f, const char *field)
{
	return strcmp(field, "dicom.called_ae") != 0 ||
	       flow_says(f, "dicom.association", "accepted");
}

bool roles_exclude(const char *a, const char *b)
{
	static const char *const pairs[][2] = {
		{ "modality", "archive" },
		{ "analyser", "lis" },
		{ "monitor", "modality" },
		{ "pump", "modality" },
	};

	for (size_t i = 0; i < COUNT(pairs); i++)
		if ((!strcmp(pairs[i][0], a) && !strcmp(pairs[i][1], b)) ||
		    (!strcmp(pairs[i][0], b) && !strcmp(pairs[i][1], a)))
			return true;
	return false;
}

/* --- facts --- */

/* What a field is about, by the end of its name; the first that fits. What is not listed
 * is about its noun. */
static const struct {
	const char *end, *name;
} subjects[] = {
	{ "calling_ae", "ae_title" },
	{ "called_ae", "ae_title" },
	{ "calling_version", "software" },
	{ "called_version", "software" },
	{ "calling_implementation", "implementation" },
	{ "called_implementation", "implementation" },
	{ "software", "software" },
	{ "user_agent", "software" },
	{ "application", "software" },
	{ ".server", "software" }, /* all of the noun */
	{ "product", "model" },
	{ "firmware", "firmware" },
	{ "software_version", "firmware" },
	{ "sw_version", "firmware" },
	{ "model", "model" },
	{ "model_name", "model" },
	{ "platform", "model" },
	{ "order_number", "model" },
	{ "product_name", "model" },
	{ "serial", "serial" },
	{ "serial_number", "serial" },
	{ "manufacturer", "vendor" },
	{ "vendor", "vendor" },
	{ "vendor_name", "vendor" },
	{ "os", "os" },
	{ "os_name", "os" },
	{ "device_type", "type" },
	{ "hostname_class", "name_class" },
};

enum match { ANYWHERE, WHOLE, WORD };

/* What a value tells: where the field's name begins with `field` ("" is any), and the
 * value has `text` in it, whatever the case. */
struct value_rule {
	const char *field;
	enum match match;
	const char *text;
	const char *role;
	enum confidence role_confidence;
	const char *os;
	enum confidence os_confidence;
};

#define OS(field, text, os, confidence) \
	{ \
		field, ANYWHERE, text, NULL, 0, os, confidence \
	}
#define ROLE(field, match, text, role, confidence) \
	{ \
		field, match, text, role, confidence, NULL, 0 \
	}

/* The first that fits gives the role, the first that fits the system. */
/* clang-format off */
static const struct value_rule value_rules[] = {
	/* DHCP option 60. [M] but for the first. */
	OS("dhcp.vendor_class", "MSFT", "windows", CONFIDENCE_HIGH),
	OS("dhcp.vendor_class", "android", "android", CONFIDENCE_HIGH),
	OS("dhcp.vendor_class", "dhcpcd", "linux", CONFIDENCE_MEDIUM),
	OS("dhcp.vendor_class", "udhcp", "linux-embedded", CONFIDENCE_MEDIUM),
	ROLE("dhcp.vendor_class", ANYWHERE, "Cisco AP", "access-point", CONFIDENCE_MEDIUM),
	ROLE("dhcp.vendor_class", ANYWHERE, "Phone", "phone", CONFIDENCE_MEDIUM),
	ROLE("dhcp.vendor_class", ANYWHERE, "printer", "printer", CONFIDENCE_MEDIUM),
	ROLE("dhcp.vendor_class", ANYWHERE, "JetDirect", "printer", CONFIDENCE_MEDIUM),
	ROLE("dhcp.vendor_class", ANYWHERE, "CARESCAPE", "monitor", CONFIDENCE_MEDIUM),
	/* DHCP option 55: option 249 is Microsoft's own; 114 and 108 beside 252, Apple's habit. [M] */
	OS("dhcp.fingerprint", ",249", "windows", CONFIDENCE_MEDIUM),
	OS("dhcp.fingerprint", "1,121,3,6,15,", "apple", CONFIDENCE_LOW),
	ROLE("dhcp.role", WHOLE, "server", "address-server", CONFIDENCE_HIGH),
	ROLE("dhcp.role", WHOLE, "relay", "router", CONFIDENCE_MEDIUM),
	ROLE("dhcpv6.role", WHOLE, "server", "address-server", CONFIDENCE_HIGH),
	ROLE("dhcpv6.role", WHOLE, "relay", "router", CONFIDENCE_MEDIUM),
	/* What services announce (DNS-SD service names, IANA). */
	ROLE("mdns.", ANYWHERE, "_dicom.", "archive", CONFIDENCE_LOW),
	ROLE("mdns.", ANYWHERE, "_acr-nema.", "archive", CONFIDENCE_LOW),
	ROLE("mdns.", ANYWHERE, "_ipp", "printer", CONFIDENCE_HIGH),
	ROLE("mdns.", ANYWHERE, "_pdl-datastream", "printer", CONFIDENCE_HIGH),
	ROLE("mdns.", ANYWHERE, "_printer.", "printer", CONFIDENCE_HIGH),
	ROLE("mdns.", ANYWHERE, "_airplay", "mobile", CONFIDENCE_LOW),
	OS("mdns.", "_companion-link", "apple", CONFIDENCE_MEDIUM),
	OS("mdns.", "_apple-mobdev", "apple", CONFIDENCE_MEDIUM),
	ROLE("wsd.", ANYWHERE, "MedicalDevice", "medical-device", CONFIDENCE_HIGH),
	ROLE("sdc.", ANYWHERE, "MedicalDevice", "medical-device", CONFIDENCE_HIGH),
	ROLE("wsd.", ANYWHERE, "PrintDevice", "printer", CONFIDENCE_HIGH),
	ROLE("wsd.", ANYWHERE, "NetworkVideoTransmitter", "camera", CONFIDENCE_HIGH),
	ROLE("wsd.", WORD, "Computer", "workstation", CONFIDENCE_LOW),
	ROLE("ssdp.", ANYWHERE, "InternetGatewayDevice", "router", CONFIDENCE_MEDIUM),
	ROLE("ssdp.", ANYWHERE, "Printer", "printer", CONFIDENCE_MEDIUM),
	/* NetBIOS name suffixes (MS-NBTE 1.8). */
	ROLE("netbios.role", WHOLE, "domain-controller", "directory-server", CONFIDENCE_HIGH),
	ROLE("netbios.role", WHOLE, "domain-master-browser", "directory-server", CONFIDENCE_MEDIUM),
	ROLE("netbios.role", WHOLE, "server", "file-server", CONFIDENCE_LOW),
	ROLE("netbios.role", WHOLE, "workstation", "workstation", CONFIDENCE_LOW),
	/* IEEE 802.1AB system capabilities, and CDP's. */
	OS("netbios.role", "", "windows", CONFIDENCE_LOW),
	ROLE("lldp.capabilities", WORD, "telephone", "phone", CONFIDENCE_HIGH),
	ROLE("lldp.capabilities", WORD, "phone", "phone", CONFIDENCE_HIGH),
	ROLE("lldp.capabilities", WORD, "wlan-ap", "access-point", CONFIDENCE_HIGH),
	ROLE("lldp.capabilities", WORD, "wlan-access-point", "access-point", CONFIDENCE_HIGH),
	ROLE("lldp.capabilities", WORD, "router", "router", CONFIDENCE_MEDIUM),
	ROLE("lldp.capabilities", WORD, "bridge", "switch", CONFIDENCE_MEDIUM),
	ROLE("cdp.capabilities", WORD, "phone", "phone", CONFIDENCE_HIGH),
	ROLE("cdp.capabilities", WORD, "router", "router", CONFIDENCE_MEDIUM),
	ROLE("cdp.capabilities", WORD, "switch", "switch", CONFIDENCE_HIGH),
	ROLE("cdp.capabilities", WORD, "bridge", "switch", CONFIDENCE_MEDIUM),
	OS("cdp.software", "Cisco", "cisco-ios", CONFIDENCE_MEDIUM),
	ROLE("cdp.platform", ANYWHERE, "IP Phone", "phone", CONFIDENCE_HIGH),
	ROLE("intellivue.", WORD, "monitor", "monitor", CONFIDENCE_HIGH),
	/* Who says what controller it is, is one. */
	ROLE("s7.order_number", ANYWHERE, "", "plc", CONFIDENCE_HIGH),
	ROLE("s7.module_type", ANYWHERE, "", "plc", CONFIDENCE_HIGH),
	ROLE("enip.device_type", ANYWHERE, "", "plc", CONFIDENCE_MEDIUM),
	ROLE("bacnet.device_instance", ANYWHERE, "", "building-controller", CONFIDENCE_MEDIUM),
	ROLE("poct1a.model", ANYWHERE, "", "analyser", CONFIDENCE_HIGH),
	/* NTLM tells the version of Windows, or of who plays it. */
	OS("smb.server_build", "10.0.", "windows", CONFIDENCE_MEDIUM),
	OS("smb.server_build", "6.1.0", "unix-like", CONFIDENCE_LOW),
	OS("smb.server_build", "6.", "windows", CONFIDENCE_LOW),
	/* What names look like (dissectors' hostname_class). */
	OS("", "windows-default", "windows", CONFIDENCE_LOW),
	/* Products that are made for one thing. */
	ROLE("dicom.", ANYWHERE, "ORTHANC", "archive", CONFIDENCE_LOW),
	ROLE("", ANYWHERE, "Orthanc", "archive", CONFIDENCE_MEDIUM),
	ROLE("", ANYWHERE, "IntelliVue", "monitor", CONFIDENCE_MEDIUM),
	ROLE("", ANYWHERE, "LaserJet", "printer", CONFIDENCE_MEDIUM),
	ROLE("", ANYWHERE, "JetDirect", "printer", CONFIDENCE_MEDIUM),
	ROLE("", ANYWHERE, "Catalyst", "switch", CONFIDENCE_MEDIUM),
	ROLE("", ANYWHERE, "CUPS", "printer", CONFIDENCE_LOW),
	/* Banners: SSH (RFC 4253 4.2 comments), HTTP, SNMP sysDescr, SMB. */
	OS("", "Windows", "windows", CONFIDENCE_MEDIUM),
	OS("", "Microsoft", "windows", CONFIDENCE_MEDIUM),
	OS("", "Ubuntu", "linux", CONFIDENCE_MEDIUM),
	OS("", "Debian", "linux", CONFIDENCE_MEDIUM),
	OS("", "Raspbian", "linux", CONFIDENCE_MEDIUM),
	OS("", "Linux", "linux", CONFIDENCE_MEDIUM),
	OS("", "FreeBSD", "freebsd", CONFIDENCE_MEDIUM),
	OS("", "dropbear", "linux-embedded", CONFIDENCE_LOW),
	OS("", "VxWorks", "vxworks", CONFIDENCE_MEDIUM),
	OS("", "QNX", "qnx", CONFIDENCE_MEDIUM),
	OS("", "Darwin", "apple", CONFIDENCE_MEDIUM),
	OS("", "Mac OS", "apple", CONFIDENCE_MEDIUM),
	OS("", "macOS", "apple", CONFIDENCE_MEDIUM),
	OS("", "Cisco IOS", "cisco-ios", CONFIDENCE_MEDIUM),
	OS("", "Cisco-1.25", "cisco-ios", CONFIDENCE_MEDIUM),
	OS("", "Android", "android", CONFIDENCE_MEDIUM),
};
/* clang-format on */

static bool is_inside(const char *text, const char *at, size_t n)
{
	return (at > text && isalnum((unsigned char)at[-1])) || isalnum((unsigned char)at[n]);
}

static bool value_fits(const struct value_rule *r, const char *value)
{
	size_t n = strlen(r->text);

	if (r->match == WHOLE)
		return !strcasecmp(value, r->text);
	for (const char *at = value; (at = strcasestr(at, r->text)) != NULL; at++)
		if (r->match == ANYWHERE || !is_inside(value, at, n))
			return true;
	return false;
}

/* Which letters there are, whatever their case; some share a bit. */
static uint32_t letter(char c)
{
	return 1U << (c & 31);
}

static uint32_t letters_in(const char *text)
{
	uint32_t bits = 0;

	for (; *text; text++)
		bits |= letter(*text);
	return bits;
}

/* Whether it could be found there, by its first two letters; no text is in all. */
static bool may_be_in(const char *text, uint32_t there)
{
	uint32_t two = *text ? letter(text[0]) | (text[1] ? letter(text[1]) : 0) : 0;

	return (there & two) == two;
}

static const char *subject_of(const char *field)
{
	const char *dot = strchr(field, '.'), *noun = dot ? dot + 1 : field;
	size_t length = strlen(noun);

	for (size_t i = 0; i < COUNT(subjects); i++) {
		const char *end = subjects[i].end;
		bool whole = *end == '.';
		size_t n = strlen(end += whole);
		bool fits = n <= length && !strcmp(noun + length - n, end) &&
			    (n == length || (!whole && noun[length - n - 1] == '_'));
		if (fits)
			return subjects[i].name;
	}
	return noun;
}

/* Who has which address just now: that is the host itself. JA3 changes from connection to
 * connection with clients that shuffle their extensions, and JA3S with who asks. */
static bool is_passing(const char *field)
{
	static const char *const fields[] = { "arp.binding", "dhcp.lease", "dhcpv6.lease",
					      "tls.ja3",     "tls.ja3s",   "quic.ja3" };

	for (size_t i = 0; i < COUNT(fields); i++)
		if (!strcmp(field, fields[i]))
			return true;
	return false;
}

/* A class that is a role hints at it. */
static void name_class_sense(const char *class, struct fact_sense *s)
{
	static const char *const roles[] = { "printer",  "phone",  "camera",
					     "modality", "server", "workstation" };

	for (size_t i = 0; i < COUNT(roles); i++)
		if (!strcmp(class, roles[i]))
			s->role = roles[i];
	if (!strcmp(class, "android") || !strcmp(class, "apple"))
		s->os = !strcmp(class, "apple") ? "apple" : "android";
	s->role_confidence = s->role ? CONFIDENCE_LOW : CONFIDENCE_NONE;
	s->os_confidence = s->os ? CONFIDENCE_LOW : CONFIDENCE_NONE;
}

struct fact_sense fact_sense(const char *field, const char *value)
{
	struct fact_sense s = { .name = subject_of(field), .passing = is_passing(field) };

	if (!strcmp(s.name, "name_class"))
		name_class_sense(value, &s);
	uint32_t there = letters_in(value);
	for (size_t i = 0; i < COUNT(value_rules) && !(s.role && s.os); i++) {
		const struct value_rule *r = &value_rules[i];
		if (!may_be_in(r->text, there) || !starts(field, r->field, strlen(r->field)) ||
		    !value_fits(r, value))
			continue;
		if (r->role && !s.role) {
			s.role = r->role;
			s.role_confidence = r->role_confidence;
		}
		if (r->os && !s.os) {
			s.os = r->os;
			s.os_confidence = r->os_confidence;
		}
	}
	return s;
}

/* --- hints --- */

/* By the first words of the registry's name. A maker of many things gives no hint. */
static const struct {
	const char *vendor, *role;
} vendors[] = {
	{ "Philips Patient Monitoring", "monitor" },
	{ "Philips Medical Systems - Cardiac", "monitor" },
	{ "Masimo", "monitor" },
	{ "SPACELABS", "monitor" },
	{ "Nihon Kohden", "monitor" },
	{ "Welch Allyn", "monitor" },
	{ "Draeger Medical", "medical-device" },
	{ "Dr\xc3\xa4gerwerk", "medical-device" },
	{ "Shenzhen Mindray", "medical-device" },
	{ "GE Medical", "medical-device" },
	{ "Baxter", "pump" },
	{ "CareFusion", "pump" },
	{ "Smiths Medical", "pump" },
	{ "Hospira", "pump" },
	{ "B. Braun", "medical-device" },
	{ "Sysmex", "analyser" },
	{ "Roche Diagnostics", "analyser" },
	{ "Radiometer", "analyser" },
	{ "Siemens Building", "building-controller" },
	{ "Tridium", "building-controller" },
	{ "SAUTER", "building-controller" },
	{ "Rockwell Automation", "plc" },
	{ "Allen-Bradley", "plc" },
	{ "WAGO", "plc" },
	{ "Beckhoff", "plc" },
	{ "Zebra Technologies", "printer" },
	{ "LEXMARK", "printer" },
	{ "Brother industries", "printer" },
	{ "Axis Communications", "camera" },
	{ "Hangzhou Hikvision", "camera" },
	{ "Zhejiang Dahua", "camera" },
	{ "Polycom", "phone" },
	{ "YEALINK", "phone" },
	{ "Snom", "phone" },
	{ "Ruckus Wireless", "access-point" },
};

const char *role_of_vendor(const char *vendor)
{
	for (size_t i = 0; vendor && i < COUNT(vendors); i++)
		if (letter(*vendor) == letter(*vendors[i].vendor) &&
		    !strncasecmp(vendor, vendors[i].vendor, strlen(vendors[i].vendor)))
			return vendors[i].role;
	return NULL;
}

const char *os_of_ttl(uint8_t ttl)
{
	return ttl == 128 ? "windows" : ttl == 64 ? "unix-like" : ttl == 255 ? "embedded" : NULL;
}

/* Words in the first label of names; digits around them do not count. */
static const struct {
	const char *word, *role;
} name_words[] = {
	{ "ct", "modality" },
	{ "mr", "modality" },
	{ "mri", "modality" },
	{ "irm", "modality" },
	{ "us", "modality" },
	{ "xray", "modality" },
	{ "scanner", "modality" },
	{ "modality", "modality" },
	{ "pacs", "archive" },
	{ "vna", "archive" },
	{ "archive", "archive" },
	{ "ris", "worklist-server" },
	{ "worklist", "worklist-server" },
	{ "ehr", "clinical-server" },
	{ "emr", "clinical-server" },
	{ "his", "clinical-server" },
	{ "fhir", "clinical-server" },
	{ "lis", "lis" },
	{ "lims", "lis" },
	{ "analyser", "analyser" },
	{ "analyzer", "analyser" },
	{ "monitor", "monitor" },
	{ "mon", "monitor" },
	{ "pump", "pump" },
	{ "bms", "building-workstation" },
	{ "gtb", "building-workstation" },
	{ "plc", "plc" },
	{ "printer", "printer" },
	{ "prn", "printer" },
	{ "prt", "printer" },
	{ "print", "printer" },
	{ "cam", "camera" },
	{ "camera", "camera" },
	{ "phone", "phone" },
	{ "tel", "phone" },
	{ "ap", "access-point" },
	{ "wap", "access-point" },
	{ "sw", "switch" },
	{ "switch", "switch" },
	{ "router", "router" },
	{ "rtr", "router" },
	{ "gw", "router" },
	{ "fw", "router" },
	{ "dc", "directory-server" },
	{ "ns", "name-server" },
	{ "dns", "name-server" },
	{ "nas", "file-server" },
	{ "srv", "server" },
	{ "server", "server" },
	{ "ws", "workstation" },
	{ "wks", "workstation" },
	{ "pc", "workstation" },
	{ "desktop", "workstation" },
	{ "laptop", "workstation" },
	{ "iphone", "mobile" },
	{ "ipad", "mobile" },
	{ "android", "mobile" },
};

static const char *name_word(const char *word, size_t n)
{
	for (size_t i = 0; i < COUNT(name_words); i++)
		if (strlen(name_words[i].word) == n && !strncasecmp(word, name_words[i].word, n))
			return name_words[i].role;
	return NULL;
}

static size_t letters(const char *text)
{
	size_t n = 0;

	while (isalpha((unsigned char)text[n]))
		n++;
	return n;
}

const char *host_name_class(const char *name)
{
	while (*name && *name != '.') {
		size_t n = letters(name);
		const char *role = n ? name_word(name, n) : NULL;
		if (role)
			return role;
		name += n ? n : 1;
	}
	return NULL;
}

bool is_host_role(const char *word)
{
#define ROLE_WORD(role, meaning) role,
	static const char *const words[] = { HOST_ROLES(ROLE_WORD) };
#undef ROLE_WORD

	for (size_t i = 0; i < COUNT(words); i++)
		if (!strcmp(words[i], word))
			return true;
	return false;
}
