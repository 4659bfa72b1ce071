/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/bytes.h"
#include "tests/unit/dissectors/stream.h"

extern const struct dissector dissector_mdns, dissector_dns;

enum { QUERY = 0, RESPONSE = 0x8400, PTR = 12, TXT = 16, AAAA = 28, SRV = 33, A = 1 };

static struct conversation offer(const struct bytes *b, uint16_t from, uint16_t to)
{
	struct conversation s;

	stream_init(&s, &dissector_mdns, TRANSPORT_UDP, from, to);
	stream_offer(&s, 0, b->at, b->n);
	return s;
}

static void put_pointer(struct bytes *b, const char *owner, const char *to)
{
	struct bytes name = { .n = 0 };

	put_name(&name, to);
	put_record(b, owner, PTR, name.at, name.n);
}

static struct bytes announcement(void)
{
	static const char texts[] = "\x0bty=MX800 II\x10note=ZZPHI ward3\x0fusb_MFG=Example"
				    "\x1cproduct=(Example MX800 (II))\x0frp=ZZPHI/print/";
	struct bytes b = { .n = 0 };

	put_dns(&b, RESPONSE, 0, 6, 1);
	put_pointer(&b, "_ipp._tcp.local", "Dr ZZPHI's printer._ipp._tcp.local");
	put_pointer(&b, "_services._dns-sd._udp.local", "_dicom._tcp.local");
	put_pointer(&b, "_universal._sub._ipp._tcp.local", "Dr ZZPHI's printer._ipp._tcp.local");
	put_record(&b, "Dr ZZPHI's printer._ipp._tcp.local", TXT, texts, sizeof(texts) - 1);
	put_record(&b, "ZZPHI-doe-ipad.local", A, "\12\12\1\24", 4);
	put_record(&b, "Dr ZZPHI._device-info._tcp.local", TXT, "\x14model=MacBookPro14,3", 21);
	put_record(&b, "ZZ._acr-nema._tcp.local", SRV, "\0\0\0\0\0\x68\0", 7);
	return b;
}

Test(mdns, a_host_tells_what_it_offers)
{
	static const char *const services[] = { "_ipp._tcp", "_dicom._tcp", "_acr-nema._tcp" };
	struct bytes b = announcement();
	struct conversation s = offer(&b, 5353, 5353);
	char text[IP_TEXT];

	cr_assert(s.claimed);
	cr_expect_eq(stream_number(&s, "mdns.responses"), 1);
	for (size_t i = 0; i < 3; i++) {
		cr_expect_str_eq(stream_text(&s, "mdns.services", i), services[i]);
		cr_expect(stream_says(&s, "mdns.service", services[i]));
	}
	cr_expect_null(stream_fact(&s, "mdns.service", 3), "each of them once");
	cr_expect(stream_says(&s, "mdns.product", "MX800 II"));
	cr_expect(stream_says(&s, "mdns.product", "Example MX800 (II)"));
	cr_expect(stream_says(&s, "mdns.manufacturer", "Example"));
	cr_expect(stream_says(&s, "mdns.model", "MacBookPro14"));
	cr_expect(stream_says(&s, "mdns.hostname_class", "apple"));
	const struct dissect_fact *name = stream_fact(&s, "mdns.hostname_class", 0);
	cr_expect_eq(name->subject, FACT_IP);
	cr_expect_str_eq(ip_text(&name->ip, text), "10.10.1.20");
	cr_expect(stream_hides(&s, "ZZ"));
	cr_expect(stream_hides(&s, "zzphi"));
	stream_finish(&s);
}

Test(mdns, every_truncation)
{
	struct bytes b = announcement();

	for (size_t n = 0; n < b.n; n++) {
		struct bytes part = { .n = n };
		memcpy(part.at, b.at, n);
		struct conversation s = offer(&part, 5353, 5353);
		cr_expect_not(s.claimed, "%zu bytes", n);
		cr_expect_eq(s.out.count + s.fact_count, 0);
		stream_finish(&s);
		s = offer(&b, 5353, 5353);
		size_t facts = s.fact_count;
		stream_offer(&s, 0, part.at, n);
		cr_expect_eq(stream_number(&s, "mdns.malformed"), 1);
		cr_expect_eq(s.fact_count, facts, "of a broken message nothing is taken");
		stream_finish(&s);
	}
}

Test(mdns, questions_tell_what_is_looked_for_and_of_nobody)
{
	struct bytes b = { .n = 0 };

	put_dns(&b, QUERY, 3, 1, 0);
	put_question(&b, "_dicom._tcp.local", PTR, 1);
	put_question(&b, "_IPP._TCP.Local", PTR, 0x8001);
	put_question(&b, "ZZPHI-doe.local", A, 1);
	put_pointer(&b, "_ssh._tcp.local", "known already._ssh._tcp.local");
	struct conversation s = offer(&b, 5353, 5353);
	cr_assert(s.claimed);
	cr_expect_eq(stream_number(&s, "mdns.queries"), 1);
	cr_expect_str_eq(stream_text(&s, "mdns.asked", 0), "_dicom._tcp");
	cr_expect_str_eq(stream_text(&s, "mdns.asked", 1), "_ipp._tcp");
	cr_expect_str_eq(stream_text(&s, "mdns.services", 0), "");
	cr_expect_eq(s.fact_count, 0);
	cr_expect(stream_hides(&s, "ZZ"));
	stream_finish(&s);
}

Test(mdns, what_is_no_type_of_service)
{
	static const char *const names[] = {
		"_zzphi patient._tcp.local",
		"_0123456789abcdef._tcp.local",
		"_80._tcp.local",
		"zzphi._tcp.local",
		"_ipp._sctp.local",
		"_ipp._tcp.example",
		"_services._dns-sd._udp.local",
		"_tcp.local",
		"local",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct bytes b = { .n = 0 };
		put_dns(&b, RESPONSE, 0, 1, 0);
		put_pointer(&b, names[i], names[i]);
		struct conversation s = offer(&b, 5353, 5353);
		cr_assert(s.claimed);
		cr_expect_eq(s.fact_count, 0, "%s", names[i]);
		cr_expect_str_eq(stream_text(&s, "mdns.services", 0), "", "%s", names[i]);
		stream_finish(&s);
	}
}

/* An answer to one host goes to a port of its own choice. */
Test(mdns, one_port_is_enough_and_none_is_not)
{
	struct bytes b = announcement();
	struct conversation s = offer(&b, 5353, 40000);

	cr_expect(s.claimed);
	cr_expect_eq(s.role_sender[ROLE_SENDER_IS_SERVER], 1);
	stream_finish(&s);
	s = offer(&b, 40000, 40001);
	cr_expect(s.refused);
	stream_finish(&s);
}

Test(mdns, dns_leaves_it_alone)
{
	struct bytes b = { .n = 0 };
	struct conversation s;

	put_dns(&b, QUERY, 1, 0, 0);
	put_question(&b, "_dicom._tcp.local", PTR, 1);
	stream_init(&s, &dissector_dns, TRANSPORT_UDP, 40000, 5353);
	stream_offer(&s, 0, b.at, b.n);
	cr_expect(s.refused);
	stream_finish(&s);
}
