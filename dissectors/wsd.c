/* SPDX-License-Identifier: Apache-2.0
 *
 * WS-Discovery (OASIS WS-DD 1.1, and the draft of April 2005 that Windows, printers and
 * cameras speak) on UDP, any port: SOAP messages with which devices say that they are
 * there. Among them are the medical devices of IEEE 11073 SDC (20702: type
 * mdpws:MedicalDevice). Read are the kinds of messages, the types and the schemes of
 * scopes and addresses, each by a fixed list: scopes hold names of beds and rooms, addresses
 * and endpoints tell one device from another. */
#include "dissectors/dissector.h"
#include "dissectors/xml.h"

enum field_number {
	HELLO,
	BYE,
	PROBE,
	PROBE_MATCHES,
	RESOLVE,
	RESOLVE_MATCHES,
	TYPE,
	PROBED_TYPE,
	SCOPE,
	ADDRESS,
	DEVICE,
	MEDICAL,
	MEDICAL_CLEAR,
	MALFORMED,
	FIELD_COUNT,
};

static const struct field fields[] = {
	/* clang-format off */
	[HELLO] = { "wsd.hello", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"a device says that it is there", PHI_NONE, ABOUT_FLOW },
	[BYE] = { "wsd.bye", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"a device says that it leaves", PHI_NONE, ABOUT_FLOW },
	[PROBE] = { "wsd.probe", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"questions for devices", PHI_NONE, ABOUT_FLOW },
	[PROBE_MATCHES] = { "wsd.probe_matches", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"answers to them", PHI_NONE, ABOUT_FLOW },
	[RESOLVE] = { "wsd.resolve", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"questions for the address of one device", PHI_NONE, ABOUT_FLOW },
	[RESOLVE_MATCHES] = { "wsd.resolve_matches", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"answers to them", PHI_NONE, ABOUT_FLOW },
	[TYPE] = { "wsd.type", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		"types that devices give themselves, of a fixed list, or other", PHI_NONE, ABOUT_FLOW },
	[PROBED_TYPE] = { "wsd.probed_type", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		"types that were asked for, of the same list", PHI_NONE, ABOUT_FLOW },
	[SCOPE] = { "wsd.scope_scheme", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		"schemes of the scopes, of a fixed list, or other", PHI_NONE, ABOUT_FLOW },
	[ADDRESS] = { "wsd.address_scheme", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		"how a device's services are reached: http, https, other", PHI_NONE, ABOUT_FLOW },
	[DEVICE] = { "wsd.device", FIELD_TEXT, GRAMMAR_TOKEN, "",
		"the most telling of a device's types; also a fact about it", PHI_DEVICE, ABOUT_FLOW },
	[MEDICAL] = { "wsd.medical_device", FIELD_FLAG, GRAMMAR_NONE, "",
		"the sender is a medical device of IEEE 11073 SDC", PHI_NONE, ABOUT_FLOW },
	[MEDICAL_CLEAR] = { "wsd.medical_clear_text", FIELD_FLAG, GRAMMAR_NONE, "",
		"a medical device offers its services without TLS", PHI_NONE, ABOUT_FLOW },
	[MALFORMED] = { "wsd.malformed", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"datagrams that do not end, or that are of no known kind", PHI_NONE, ABOUT_FLOW },
	/* clang-format on */
	[FIELD_COUNT] = { .name = NULL },
};

/* Local names of types, the most telling first. Sources: IEEE 11073-20702, DPWS 1.1, the
 * ONVIF core specification, WS-Print, WS-Scan, Microsoft's publication services. */
static const char *const types[] = {
	"MedicalDevice",
	"NetworkVideoTransmitter",
	"NetworkVideoDisplay",
	"NetworkVideoStorage",
	"NetworkVideoAnalytics",
	"PrintDeviceType",
	"PrinterServiceType",
	"ScanDeviceType",
	"ScannerServiceType",
	"Printer",
	"Scanner",
	"ProjectorDeviceType",
	"Computer",
	"DiscoveryProxy",
	"TargetService",
	"Device",
	NULL,
};

/* SDC's are of IEEE 11073-20701 (sdc.*) and its MDPWS profile. */
static const char *const scopes[] = {
	"sdc.ctxt.loc", "sdc.ctxt.ens", "sdc.ctxt.pat", "sdc.ctxt.wfl",    "sdc.ctxt.opr",
	"sdc.ctxt.mns", "sdc.mds.pkp",  "sdc.cdc.type", "biceps.ctxt.loc", "biceps.ctxt.ens",
	"onvif",        "ldap",         "http",         "https",           "urn",
	"uuid",         NULL,
};

static const char *const schemes[] = { "http", "https", NULL };

static const char *const old_names[] = { "http://schemas.xmlsoap.org/ws/2005/04/discovery",
					 "urn:schemas-xmlsoap-org:ws:2005:04:discovery" };
static const char *const new_names[] = { "http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01",
					 "urn:docs-oasis-open-org:ws-dd:ns:discovery:2009:01" };

enum { PORT = 3702, HEAD_MOST = 256 };

static bool is_space(int byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static bool contains(struct cursor c, const char *text)
{
	while (cursor_left(&c)) {
		const uint8_t *at = memchr(c.at, text[0], cursor_left(&c));
		cursor_skip(&c, at ? (size_t)(at - c.at) : cursor_left(&c));
		if (cursor_starts(&c, text))
			return true;
		cursor_skip(&c, cursor_left(&c) > 0);
	}
	return false;
}

/* The root element is a SOAP envelope. */
static bool is_envelope(struct cursor c)
{
	struct xml xml = { 0 };

	if (cursor_starts(&c, "\xef\xbb\xbf"))
		cursor_skip(&c, 3);
	while (is_space(cursor_peek(&c, 0)))
		cursor_skip(&c, 1);
	return cursor_peek(&c, 0) == '<' && xml_next(&xml, &c) == XML_OPEN &&
	       xml_is(&xml, "Envelope");
}

static enum probe_result wsd_probe(struct cursor bytes, enum transport transport,
				   uint16_t source_port, uint16_t dest_port, bool midstream)
{
	(void)midstream;
	if (transport != TRANSPORT_UDP || !is_envelope(bytes))
		return PROBE_NO;
	for (size_t i = 0; i < 2; i++)
		if (contains(bytes, old_names[i]) || contains(bytes, new_names[i]))
			return PROBE_YES;
	/* Some declare so many namespaces that discovery's is too far behind. */
	bool large = cursor_left(&bytes) == DISSECT_PROBE_MOST;
	return large && (source_port == PORT || dest_port == PORT) ? PROBE_YES : PROBE_NO;
}

struct call {
	struct dissect_input *in;
	struct attributes *out;
	struct xml xml;
	uint8_t kind;    /* a counter, or FIELD_COUNT while unknown */
	uint8_t telling; /* the best of `types` so far */
	bool clear;      /* an address is http: */
};

static const char *look_up(const char *const *list, const char *word, size_t n, size_t *at)
{
	for (*at = 0; list[*at]; ++*at)
		if (strlen(list[*at]) == n && !memcmp(list[*at], word, n))
			return list[*at];
	return "other";
}

static void record(struct call *call, enum field_number field, const char *word)
{
	attributes_text(call->out, &fields[field], word, strlen(word));
}

static size_t scheme_length(const struct xml *xml)
{
	const char *colon = memchr(xml->value, ':', xml->value_length);

	return colon ? (size_t)(colon - xml->value) : 0;
}

static void read_type(struct call *call)
{
	const struct xml *xml = &call->xml;
	size_t n = xml->value_length, prefix = n, at;

	while (prefix > 0 && xml->value[prefix - 1] != ':')
		prefix--;
	const char *word = look_up(types, xml->value + prefix, n - prefix, &at);
	bool asked = call->kind == PROBE || call->kind == RESOLVE;
	record(call, asked ? PROBED_TYPE : TYPE, word);
	if (!asked && types[at] && at < call->telling)
		call->telling = (uint8_t)at;
}

static void read_address(struct call *call)
{
	size_t at;
	const char *word = look_up(schemes, call->xml.value, scheme_length(&call->xml), &at);

	record(call, ADDRESS, word);
	call->clear |= at == 0;
}

static void read_word(struct call *call)
{
	const struct xml *xml = &call->xml;
	size_t at;

	if (xml_is(xml, "Types"))
		read_type(call);
	else if (xml_is(xml, "XAddrs"))
		read_address(call);
	else
		record(call, SCOPE, look_up(scopes, xml->value, scheme_length(xml), &at));
}

/* In the Body: the kind, and what is in it. */
static void opened(struct call *call)
{
	static const struct {
		const char *element;
		uint8_t field;
	} kinds[] = { { "Hello", HELLO },     { "Bye", BYE },
		      { "Probe", PROBE },     { "ProbeMatches", PROBE_MATCHES },
		      { "Resolve", RESOLVE }, { "ResolveMatches", RESOLVE_MATCHES } };
	struct xml *xml = &call->xml;

	if (call->kind == FIELD_COUNT) {
		for (size_t i = 0; xml->depth == 3 && i < sizeof(kinds) / sizeof(kinds[0]); i++)
			if (xml_is(xml, kinds[i].element))
				call->kind = kinds[i].field;
		return;
	}
	xml->keep = xml_is(xml, "Types") || xml_is(xml, "Scopes") || xml_is(xml, "XAddrs");
}

static void conclude(struct call *call)
{
	if (call->kind == FIELD_COUNT) {
		attributes_add(call->out, &fields[MALFORMED], 1);
		return;
	}
	attributes_add(call->out, &fields[call->kind], 1);
	bool asks = call->kind == PROBE || call->kind == RESOLVE;
	bool answers = call->kind == PROBE_MATCHES || call->kind == RESOLVE_MATCHES;
	if (asks || answers)
		call->in->role = asks ? ROLE_SENDER_IS_CLIENT : ROLE_SENDER_IS_SERVER;
	const char *device = types[call->telling];
	if (!device)
		return;
	record(call, DEVICE, device);
	dissect_says(call->in, &fields[DEVICE], FACT_SENDER, device, strlen(device));
	if (call->telling > 0)
		return;
	attributes_flag(call->out, &fields[MEDICAL]);
	if (call->clear)
		attributes_flag(call->out, &fields[MEDICAL_CLEAR]);
}

static enum dissect_result wsd_dissect(void *state, struct dissect_input *in,
				       struct attributes *out)
{
	struct call call = { .in = in,
			     .out = out,
			     .kind = FIELD_COUNT,
			     .telling = sizeof(types) / sizeof(types[0]) - 1 };
	enum xml_event event;
	bool whole = false;

	(void)state;
	if (in->transport != TRANSPORT_UDP)
		return DISSECT_NOT_MINE;
	while (cursor_left(&in->bytes) && !whole) {
		event = xml_next(&call.xml, &in->bytes);
		if (event == XML_OPEN)
			opened(&call);
		else if (event == XML_WORD)
			read_word(&call);
		else if (event == XML_BAD)
			break;
		whole = event == XML_CLOSE && call.xml.depth == 0;
	}
	if (!whole)
		call.kind = FIELD_COUNT;
	conclude(&call);
	return DISSECT_MORE;
}

const struct dissector dissector_wsd = {
	.name = "wsd",
	.summary = "WS-Discovery: what devices are there, medical ones (SDC) among them",
	.transports = TRANSPORT_UDP,
	.ports = (const uint16_t[]){ PORT, 0 },
	.fields = fields,
	.first = (const struct byte_range[]){ { '\t', '\r' },
					      { ' ', ' ' },
					      { '<', '<' },
					      { 0xef, 0xef },
					      BYTE_RANGES_END },
	.state_size = 0,
	.probe = wsd_probe,
	.dissect = wsd_dissect,
};
