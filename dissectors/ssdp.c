/* SPDX-License-Identifier: Apache-2.0
 *
 * SSDP, the discovery of UPnP (UPnP Device Architecture 1.1, section 1): what devices say
 * that they are, over UDP on any port. Never told: uuids, locations, and whatever other
 * header there is. */
#include "dissectors/dissector.h"

#include <ctype.h>

#include "dissectors/product_words.h"

enum { SEARCHES, ANNOUNCEMENTS, RESPONSES, SYSTEM, PRODUCT, SOUGHT, TYPES, TYPE };

static const struct field fields[] = {
	[SEARCHES] = { "ssdp.searches", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		       "searches (M-SEARCH)", PHI_NONE, ABOUT_FLOW },
	[ANNOUNCEMENTS] = { "ssdp.announcements", FIELD_COUNTER, GRAMMAR_NONE, "messages",
			    "announcements (NOTIFY)", PHI_NONE, ABOUT_FLOW },
	[RESPONSES] = { "ssdp.responses", FIELD_COUNTER, GRAMMAR_NONE, "messages",
			"answers to searches", PHI_NONE, ABOUT_FLOW },
	[SYSTEM] = { "ssdp.system", FIELD_TEXT, GRAMMAR_PRODUCT, "",
		     "first words of the SERVER or USER-AGENT header: the operating system",
		     PHI_DEVICE, ABOUT_FLOW },
	[PRODUCT] = { "ssdp.product", FIELD_TEXT, GRAMMAR_PRODUCT, "",
		      "what stands there behind the version of UPnP: the product", PHI_DEVICE,
		      ABOUT_FLOW },
	[SOUGHT] = { "ssdp.sought", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		     "types of devices and services looked for, of a list of known ones", PHI_NONE,
		     ABOUT_FLOW },
	[TYPES] = { "ssdp.types", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		    "types of devices and services offered, as MediaRenderer, of that list",
		    PHI_NONE, ABOUT_FLOW },
	[TYPE] = { "ssdp.type", FIELD_TEXT, GRAMMAR_TOKEN, "", "one of ssdp.types, of one host",
		   PHI_NONE, ABOUT_FLOW },
	{ 0 },
};

enum { PORT = 1900, HEADERS_MOST = 40 };

enum kind { NO_MESSAGE, NOTIFY, SEARCH, RESPONSE };

struct ssdp {
	bool known;
};

/* Up to the end of the line, which is taken. */
static struct cursor take_line(struct cursor *c)
{
	const uint8_t *start = c->at;
	size_t n = 0;

	while (n < cursor_left(c) && start[n] != '\n')
		n++;
	struct cursor line = cursor_sub(c, n);
	if (cursor_left(c))
		cursor_skip(c, 1);
	if (n && line.end[-1] == '\r')
		line.end--;
	return line;
}

static enum kind kind_of(struct cursor *c)
{
	struct cursor line = take_line(c);

	if (cursor_starts(&line, "NOTIFY * HTTP/1."))
		return NOTIFY;
	if (cursor_starts(&line, "M-SEARCH * HTTP/1."))
		return SEARCH;
	return cursor_starts(&line, "HTTP/1.1 200") || cursor_starts(&line, "HTTP/1.0 200")
		       ? RESPONSE
		       : NO_MESSAGE;
}

/* "NAME: VALUE": the value, without blanks around it; failed when it is another header.
 * Names have no case. */
static struct cursor value_of(struct cursor line, const char *name)
{
	size_t n = strlen(name);

	if (cursor_left(&line) <= n || line.at[n] != ':')
		return (struct cursor){ .failed = true };
	for (size_t i = 0; i < n; i++)
		if (toupper(line.at[i]) != name[i])
			return (struct cursor){ .failed = true };
	cursor_skip(&line, n + 1);
	while (cursor_peek(&line, 0) == ' ' || cursor_peek(&line, 0) == '\t')
		cursor_skip(&line, 1);
	while (cursor_left(&line) && (line.end[-1] == ' ' || line.end[-1] == '\t'))
		line.end--;
	return line;
}

/* Headers of a message; empty lines end it. */
static bool next_header(struct cursor *c, struct cursor *line)
{
	*line = take_line(c);
	return cursor_left(line) > 0;
}

/* A response has no first line of its own, but tells what it answers with ST, and USN. */
static bool is_response(struct cursor c)
{
	struct cursor line;
	bool target = false, name = false;

	for (unsigned i = 0; i < HEADERS_MOST && next_header(&c, &line); i++) {
		target |= !value_of(line, "ST").failed;
		name |= !value_of(line, "USN").failed;
	}
	return target && name;
}

/* What stands behind "urn:DOMAIN:device:" or "urn:DOMAIN:service:", up to the version's
 * colon; nothing for uuids and what else there is. */
static struct cursor type_in(struct cursor target)
{
	static const char *const kinds[] = { ":device:", ":service:" };
	struct cursor none = { .failed = true };

	if (!cursor_starts(&target, "urn:"))
		return none;
	for (; cursor_left(&target); cursor_skip(&target, 1)) {
		for (size_t i = 0; i < 2; i++) {
			if (!cursor_starts(&target, kinds[i]))
				continue;
			cursor_skip(&target, strlen(kinds[i]));
			size_t n = 0;
			while (n < cursor_left(&target) && target.at[n] != ':')
				n++;
			return cursor_sub(&target, n);
		}
	}
	return none;
}

/* What the UPnP Forum and a few makers have given names to, or NULL. Only these: a type is
 * its sender's own word, and may hold anything. */
static const char *known_type(struct cursor type)
{
	/* clang-format off */
	static const char *const known[] = {
		"AVTransport", "BasicDevice", "Basic", "BinaryLight", "ConfigurationManagement",
		"ConnectionManager", "ContentDirectory", "ContentSync", "DataStore",
		"DeviceProtection", "DeviceSecurity", "DigitalSecurityCamera",
		"DigitalSecurityCameraMotionImage", "DigitalSecurityCameraStillImage", "Dimming",
		"DimmableLight", "EnergyManagement", "ExternalActivity", "Feeder",
		"HVAC_System", "HVAC_ZoneThermostat", "InternetGatewayDevice", "LANDevice",
		"LANHostConfigManagement", "Layer3Forwarding", "LowPower", "ManageableDevice",
		"MediaRenderer", "MediaServer", "PrintBasic", "PrintEnhanced", "Printer",
		"PrinterBasic", "PrinterEnhanced", "QosDevice", "QosManager", "QosPolicyHolder",
		"RemoteUIClient", "RemoteUIClientDevice", "RemoteUIServer",
		"RemoteUIServerDevice", "RenderingControl", "Scan", "Scanner",
		"ScheduledRecording", "SensorManagement", "SensorTransportGeneric",
		"SolarProtectionBlind", "SwitchPower", "TelephonyClient", "TelephonyServer",
		"WANCableLinkConfig", "WANCommonInterfaceConfig", "WANConnectionDevice",
		"WANDSLLinkConfig", "WANDevice", "WANEthernetLinkConfig", "WANIPConnection",
		"WANIPv6FirewallControl", "WANPOTSLinkConfig", "WANPPPConnection",
		"WFADevice", "WFAWLANConfig", "WLANAccessPointDevice", "WLANConfiguration",
		"X_MS_MediaReceiverRegistrar", "ZonePlayer", "dial",
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (cursor_left(&type) == strlen(known[i]) && cursor_starts(&type, known[i]))
			return known[i];
	return NULL;
}

static void read_type(struct dissect_input *in, struct attributes *out, struct cursor target,
		      bool offered)
{
	const char *word = known_type(type_in(target));

	if (!word)
		return;
	attributes_text(out, &fields[offered ? TYPES : SOUGHT], word, strlen(word));
	if (offered)
		(void)dissect_says(in, &fields[TYPE], FACT_SENDER, word, strlen(word));
}

static void read_product(struct dissect_input *in, struct attributes *out, unsigned field,
			 struct cursor text)
{
	char words[PRODUCT_WORDS_MOST];
	size_t n = product_words(text.at, cursor_left(&text), words);

	if (n == 0)
		return;
	attributes_text(out, &fields[field], words, n);
	(void)dissect_says(in, &fields[field], FACT_SENDER, words, n);
}

/* "OS/version UPnP/1.0 product/version", some with commas. */
static void read_server(struct dissect_input *in, struct attributes *out, struct cursor value)
{
	struct cursor system = value;

	while (cursor_left(&value) && !cursor_starts(&value, "UPnP/"))
		cursor_skip(&value, 1);
	system.end = value.at;
	read_product(in, out, SYSTEM, system);
	while (cursor_left(&value) && cursor_peek(&value, 0) != ' ')
		cursor_skip(&value, 1);
	read_product(in, out, PRODUCT, value);
}

static void read_header(struct dissect_input *in, struct attributes *out, enum kind kind,
			struct cursor line)
{
	bool offered = kind != SEARCH;
	struct cursor target = value_of(line, kind == NOTIFY ? "NT" : "ST");
	struct cursor server = value_of(line, offered ? "SERVER" : "USER-AGENT");

	if (!target.failed)
		read_type(in, out, target, offered);
	if (!server.failed)
		read_server(in, out, server);
}

static enum probe_result ssdp_probe(struct cursor bytes, enum transport transport,
				    uint16_t source_port, uint16_t dest_port, bool midstream)
{
	(void)midstream;
	if (transport != TRANSPORT_UDP)
		return PROBE_NO;
	switch (kind_of(&bytes)) {
	case NOTIFY:
	case SEARCH:
		return PROBE_YES;
	case RESPONSE:
		return source_port == PORT || dest_port == PORT || is_response(bytes) ? PROBE_YES
										      : PROBE_NO;
	case NO_MESSAGE:
		break;
	}
	return PROBE_NO;
}

static enum dissect_result ssdp_dissect(void *state, struct dissect_input *in,
					struct attributes *out)
{
	static const unsigned counters[] = {
		[NOTIFY] = ANNOUNCEMENTS, [SEARCH] = SEARCHES, [RESPONSE] = RESPONSES
	};
	struct ssdp *s = state;
	struct cursor c = in->bytes, line;
	enum kind kind = kind_of(&c);

	if (kind == NO_MESSAGE)
		return s->known ? DISSECT_MORE : DISSECT_NOT_MINE;
	s->known = true;
	attributes_add(out, &fields[counters[kind]], 1);
	for (unsigned i = 0; i < HEADERS_MOST && next_header(&c, &line); i++)
		read_header(in, out, kind, line);
	in->role = kind == RESPONSE ? ROLE_SENDER_IS_SERVER : ROLE_SENDER_IS_CLIENT;
	return DISSECT_MORE;
}

const struct dissector dissector_ssdp = {
	.name = "ssdp",
	.summary = "SSDP, the discovery of UPnP, UDP, any port",
	.transports = TRANSPORT_UDP,
	.ports = (const uint16_t[]){ PORT, 0 },
	.fields = fields,
	.first = (const struct byte_range[]){ { 'H', 'H' }, { 'M', 'N' }, BYTE_RANGES_END },
	.state_size = sizeof(struct ssdp),
	.probe = ssdp_probe,
	.dissect = ssdp_dissect,
};
