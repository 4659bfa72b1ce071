/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/stream.h"

extern const struct dissector dissector_wsd;

#define NEW "http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01"
#define OLD "http://schemas.xmlsoap.org/ws/2005/04/discovery"

static char text[4096];

/* A message of one kind, with this inside. */
static size_t message(const char *space, const char *kind, const char *inside)
{
	int n = snprintf(text, sizeof(text),
			 "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://www.w3.org/2003/05/"
			 "soap-envelope\" xmlns:d=\"%s\"><s:Header><a:Action>%s/%s</a:Action>"
			 "<a:MessageID>urn:uuid:ZZPHI</a:MessageID></s:Header><s:Body><d:%s>%s"
			 "</d:%s></s:Body></s:Envelope>",
			 space, space, kind, kind, inside, kind);
	cr_assert(n > 0 && (size_t)n < sizeof(text));
	return (size_t)n;
}

#define PUMP \
	"<d:ProbeMatch><a:EndpointReference><a:Address>urn:uuid:ZZPHI</a:Address>" \
	"</a:EndpointReference><d:Types>dpws:Device\n mdpws:MedicalDevice x:ZZPHI</d:Types>" \
	"<d:Scopes>sdc.ctxt.loc:/ZZPHI?bed=ZZPHI zzphi:ZZPHI ZZPHI</d:Scopes>" \
	"<d:XAddrs>%s://ZZPHI:50001/ZZPHI</d:XAddrs></d:ProbeMatch>"

static struct conversation udp(uint16_t client_port, uint16_t server_port)
{
	struct conversation s;
	stream_init(&s, &dissector_wsd, TRANSPORT_UDP, client_port, server_port);
	return s;
}

static void check_no_canary(const struct conversation *s)
{
	for (size_t i = 0; i + 1 < s->out.text_used; i++)
		cr_expect(memcmp(s->out.texts + i, "ZZ", 2), "a canary");
}

Test(wsd, a_medical_device_answers)
{
	for (int tls = 0; tls < 2; tls++) {
		static char match[1024];
		struct conversation s = udp(50000, 40000); /* not its own port */

		snprintf(match, sizeof(match), PUMP, tls ? "https" : "http");
		size_t n = message(NEW, "Probe", "<d:Types>mdpws:MedicalDevice</d:Types>");
		stream_offer(&s, 0, text, n);
		cr_expect_eq(s.client_direction, 0);
		cr_expect_eq(stream_number(&s, "wsd.medical_device"), 0, "it only asks");
		cr_expect_eq(s.fact_count, 0);
		n = message(NEW, "ProbeMatches", match);
		stream_offer(&s, 1, text, n);
		cr_expect_eq(s.client_direction, 0);
		cr_expect_eq(stream_number(&s, "wsd.probe"), 1);
		cr_expect_eq(stream_number(&s, "wsd.probe_matches"), 1);
		cr_expect_str_eq(stream_text(&s, "wsd.probed_type", 0), "MedicalDevice");
		cr_expect_str_eq(stream_text(&s, "wsd.type", 0), "Device");
		cr_expect_str_eq(stream_text(&s, "wsd.type", 1), "MedicalDevice");
		cr_expect_str_eq(stream_text(&s, "wsd.type", 2), "other");
		cr_expect_str_eq(stream_text(&s, "wsd.scope_scheme", 0), "sdc.ctxt.loc");
		cr_expect_str_eq(stream_text(&s, "wsd.scope_scheme", 1), "other");
		cr_expect_str_eq(stream_text(&s, "wsd.scope_scheme", 2), "");
		cr_expect_str_eq(stream_text(&s, "wsd.device", 0), "MedicalDevice");
		cr_expect_eq(stream_number(&s, "wsd.medical_device"), 1);
		cr_expect_eq(stream_number(&s, "wsd.medical_clear_text"), !tls);
		cr_assert_eq(s.fact_count, 1);
		cr_expect_eq(s.facts[0].subject, FACT_SENDER);
		cr_expect(!memcmp(s.facts[0].text, "MedicalDevice", 13));
		check_no_canary(&s);
		stream_finish(&s);
	}
}

Test(wsd, each_kind_of_message_is_counted)
{
	static const struct {
		const char *kind, *field;
	} kinds[] = { { "Hello", "wsd.hello" },       { "Bye", "wsd.bye" },
		      { "Probe", "wsd.probe" },       { "ProbeMatches", "wsd.probe_matches" },
		      { "Resolve", "wsd.resolve" },   { "ResolveMatches", "wsd.resolve_matches" },
		      { "Nonsense", "wsd.malformed" } };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct conversation s = udp(50000, 3702);
		size_t n = message(OLD, kinds[i].kind, "");
		stream_offer(&s, 0, text, n);
		cr_expect(s.claimed);
		for (size_t j = 0; j < sizeof(kinds) / sizeof(kinds[0]); j++)
			cr_expect_eq(stream_number(&s, kinds[j].field), i == j, "%s: %s",
				     kinds[i].kind, kinds[j].field);
		stream_finish(&s);
	}
}

Test(wsd, the_most_telling_type_is_the_device)
{
	struct conversation s = udp(3702, 3702);
	size_t n = message(OLD, "Hello",
			   "<d:Types>wsdp:Device wprt:PrintDeviceType pub:Computer</d:Types>");

	stream_offer(&s, 0, text, n);
	cr_expect_str_eq(stream_text(&s, "wsd.device", 0), "PrintDeviceType");
	cr_expect_eq(stream_number(&s, "wsd.medical_device"), 0);
	cr_expect_eq(s.role_sender[ROLE_SENDER_IS_CLIENT] + s.role_sender[ROLE_SENDER_IS_SERVER], 0,
		     "whoever says hello serves nobody yet");
	stream_finish(&s);
}

/* Within a claimed flow, what is cut counts as broken, and says nothing of a device. */
Test(wsd, every_truncation)
{
	static char match[1024];
	struct conversation whole = udp(50000, 3702);

	snprintf(match, sizeof(match), PUMP, "http");
	size_t n = message(NEW, "ProbeMatches", match);
	for (size_t cut = 0; cut < n; cut++) {
		struct conversation s = udp(50000, 3702);
		s.claimed = true;
		stream_offer(&s, 1, text, cut);
		cr_expect_eq(stream_number(&s, "wsd.probe_matches"), 0, "%zu bytes", cut);
		cr_expect_eq(stream_number(&s, "wsd.malformed"), 1, "%zu bytes", cut);
		cr_expect_eq(stream_number(&s, "wsd.medical_device"), 0, "%zu bytes", cut);
		cr_expect_eq(s.fact_count, 0);
		check_no_canary(&s);
		stream_finish(&s);
	}
	stream_offer(&whole, 1, text, n);
	cr_expect_eq(stream_number(&whole, "wsd.probe_matches"), 1);
	stream_finish(&whole);
}

Test(wsd, what_else_is_xml_is_left_alone)
{
	static const char *const others[] = {
		"<?xml version=\"1.0\"?><Envelope/>",
		"<s:Envelope "
		"xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body/></s:Envelope>",
		"<Probe xmlns=\"" NEW "\"/>",
		"NOTIFY * HTTP/1.1\r\nX: " NEW "\r\n\r\n",
		"<",
		"",
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct conversation s = udp(50000, 3702);
		stream_offer(&s, 0, others[i], strlen(others[i]));
		cr_expect_not(s.claimed, "%s", others[i]);
		stream_finish(&s);
	}
}

/* Namespaces fill all that a probe sees: then the port decides. */
Test(wsd, a_late_namespace_needs_the_port)
{
	static char far[2048];
	size_t n = (size_t)snprintf(far, sizeof(far),
				    "<s:Envelope xmlns:x=\"%0600d\" xmlns:d=\"" OLD
				    "\"><s:Body><d:Bye/></s:Body></s:Envelope>",
				    7);
	struct conversation own = udp(50000, 3702), other = udp(50000, 40000);

	stream_offer(&own, 0, far, n);
	stream_offer(&other, 0, far, n);
	cr_expect(own.claimed);
	cr_expect_eq(stream_number(&own, "wsd.bye"), 1);
	cr_expect(other.refused);
	stream_finish(&own);
	stream_finish(&other);
}
