/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/dissectors/stream.h"

extern const struct dissector dissector_ssdp;

static const char notify[] =
	"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n"
	"LOCATION: http://10.10.1.20/ZZPHI.xml\r\n"
	"Server:  Linux/5.10.0 UPnP/1.0 Example-TV/2.1\r\n"
	"NT: urn:schemas-upnp-org:device:MediaRenderer:1\r\nNTS: ssdp:alive\r\n"
	"USN: uuid:ZZPHI::urn:schemas-upnp-org:device:MediaRenderer:1\r\nX-ZZPHI: ZZ\r\n\r\n";
static const char search[] = "M-SEARCH * HTTP/1.1\r\nMAN: \"ssdp:discover\"\r\nMX: 2\r\n"
			     "ST: urn:dial-multiscreen-org:service:dial:1\r\n"
			     "USER-AGENT: Windows/10.0 UPnP/1.1 Browser/99\r\n\r\n";
static const char response[] = "HTTP/1.1 200 OK\r\nEXT:\r\nST: urn:x:device:Printer:1\r\n"
			       "SERVER: Printer OS, UPnP/1.0, Example 7\r\nUSN: uuid:ZZPHI\r\n\r\n";

static struct conversation offer(const char *text, uint16_t from, uint16_t to)
{
	struct conversation s;

	stream_init(&s, &dissector_ssdp, TRANSPORT_UDP, from, to);
	stream_offer(&s, 0, text, strlen(text));
	return s;
}

Test(ssdp, an_announcement_on_any_port)
{
	static const uint16_t ports[] = { 1900, 41900 };

	for (size_t i = 0; i < 2; i++) {
		struct conversation s = offer(notify, 50000, ports[i]);
		cr_assert(s.claimed);
		cr_expect_eq(stream_number(&s, "ssdp.announcements"), 1);
		cr_expect_str_eq(stream_text(&s, "ssdp.types", 0), "MediaRenderer");
		cr_expect(stream_says(&s, "ssdp.type", "MediaRenderer"));
		cr_expect(stream_says(&s, "ssdp.system", "Linux/5.10.0"));
		cr_expect(stream_says(&s, "ssdp.product", "Example-TV/2.1"));
		cr_expect_eq(s.facts[0].subject, FACT_SENDER);
		cr_expect(stream_hides(&s, "ZZ"));
		stream_finish(&s);
	}
}

Test(ssdp, a_search_and_its_answer)
{
	struct conversation s = offer(search, 50000, 1900);

	cr_assert(s.claimed);
	cr_expect_eq(stream_number(&s, "ssdp.searches"), 1);
	cr_expect_eq(s.client_direction, 0);
	cr_expect_str_eq(stream_text(&s, "ssdp.sought", 0), "dial");
	cr_expect_str_eq(stream_text(&s, "ssdp.types", 0), "", "who looks for it is none");
	cr_expect(stream_says(&s, "ssdp.system", "Windows/10.0"));
	stream_finish(&s);
	s = offer(response, 1900, 50000);
	cr_assert(s.claimed);
	cr_expect_eq(stream_number(&s, "ssdp.responses"), 1);
	cr_expect_eq(s.client_direction, 1);
	cr_expect(stream_says(&s, "ssdp.type", "Printer"));
	cr_expect(stream_says(&s, "ssdp.system", "Printer OS"));
	cr_expect(stream_says(&s, "ssdp.product", "Example 7"));
	cr_expect(stream_hides(&s, "ZZ"));
	stream_finish(&s);
}

Test(ssdp, every_truncation)
{
	for (size_t n = 0; n < sizeof(notify) - 1; n++) {
		char part[sizeof(notify)] = "";
		memcpy(part, notify, n);
		struct conversation s = offer(part, 50000, 1900);
		cr_expect_eq(s.claimed, n >= 16, "%zu bytes", n);
		cr_expect(stream_hides(&s, "ZZ"), "%zu bytes", n);
		stream_finish(&s);
	}
}

Test(ssdp, targets_that_name_one_thing_stay)
{
	static const char *const targets[] = { "uuid:ZZPHI-1",
					       "ssdp:all",
					       "upnp:rootdevice",
					       "urn:x:device:",
					       "urn:x:device:ZZ PHI:1",
					       "urn:x:device:ZZPHI:1",
					       "urn:ZZPHI",
					       "" };

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		char text[128];
		snprintf(text, sizeof(text), "NOTIFY * HTTP/1.1\r\nNT: %s\r\n\r\n", targets[i]);
		struct conversation s = offer(text, 50000, 1900);
		cr_assert(s.claimed);
		cr_expect_eq(s.fact_count, 0, "%s", targets[i]);
		cr_expect_str_eq(stream_text(&s, "ssdp.types", 0), "", "%s", targets[i]);
		stream_finish(&s);
	}
}

Test(ssdp, what_it_is_not)
{
	static const char *const others[] = {
		"GET / HTTP/1.1\r\n\r\n",
		"NOTIFY sip:a@b SIP/2.0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 404 Not Found\r\nST: a\r\nUSN: b\r\n\r\n",
		"M-SEARCH",
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct conversation s = offer(others[i], 50000, 50001);
		cr_expect(s.refused, "%s", others[i]);
		stream_finish(&s);
	}
	struct conversation s = offer(response, 50000, 50001);
	cr_expect(s.claimed, "ST and USN tell it on any port");
	stream_finish(&s);
}
