/* SPDX-License-Identifier: Apache-2.0
 *
 * LLMNR (RFC 4795): hosts that ask the link for names. The format is that of DNS, so only
 * port 5355 tells them apart. Names are asked for as they are typed and never leave. */
#include "dissectors/dissector.h"

#include "dissectors/dns_message.h"
#include "dissectors/hostname_class.h"

enum { QUERIES, RESPONSES, BROKEN, PROXY_ASKED, HOSTNAME_CLASS };

static const struct field fields[] = {
	[QUERIES] = { "llmnr.queries", FIELD_COUNTER, GRAMMAR_NONE, "messages", "questions asked",
		      PHI_NONE, ABOUT_FLOW },
	[RESPONSES] = { "llmnr.responses", FIELD_COUNTER, GRAMMAR_NONE, "messages", "answers given",
			PHI_NONE, ABOUT_FLOW },
	[BROKEN] = { "llmnr.malformed", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		     "messages that break the format", PHI_NONE, ABOUT_FLOW },
	[PROXY_ASKED] = { "llmnr.proxy_asked", FIELD_FLAG, GRAMMAR_NONE, "",
			  "somebody looks for wpad: whoever answers becomes its proxy", PHI_NONE,
			  ABOUT_FLOW },
	[HOSTNAME_CLASS] = { "llmnr.hostname_class", FIELD_TEXT, GRAMMAR_TOKEN, "",
			     "what the name that a host answers to looks like: a word of a fixed "
			     "list",
			     PHI_NONE, ABOUT_FLOW },
	{ 0 },
};

enum { PORT = 5355 };

struct llmnr {
	bool known;
};

/* Section 2.1: one question, no opcode, and of a query neither answers nor a code. */
static bool read_message(struct cursor whole, struct dns_header *h, struct dns_question *q)
{
	struct cursor c = whole;

	if (dns_read_header(&c, h) != DNS_OK || dns_opcode(h) != 0 || h->count[DNS_QUESTION] != 1 ||
	    !dns_header_fits(h, cursor_left(&whole)))
		return false;
	if (!(h->flags & DNS_RESPONSE) && (dns_rcode(h) || h->count[DNS_ANSWER]))
		return false;
	return dns_read_question(whole, &c, q) == DNS_OK && q->type != 0 &&
	       (q->class == DNS_IN || q->class == 255);
}

static enum probe_result llmnr_probe(struct cursor bytes, enum transport transport,
				     uint16_t source_port, uint16_t dest_port, bool midstream)
{
	struct dns_header h;
	struct dns_question q;

	(void)midstream;
	if (transport != TRANSPORT_UDP || (source_port != PORT && dest_port != PORT))
		return PROBE_NO;
	return read_message(bytes, &h, &q) ? PROBE_YES : PROBE_NO;
}

static bool asks_for_proxy(const struct dns_name *name)
{
	static const char word[] = "wpad";

	if (name->length < 4 || (name->length > 4 && name->text[4] != '.'))
		return false;
	for (size_t i = 0; i < 4; i++)
		if ((name->text[i] | 0x20) != word[i])
			return false;
	return true;
}

static void record_response(const struct dns_header *h, const struct dns_question *q,
			    struct dissect_input *in, struct attributes *out)
{
	attributes_add(out, &fields[RESPONSES], 1);
	in->role = ROLE_SENDER_IS_SERVER;
	if (dns_rcode(h) || !h->count[DNS_ANSWER] || (q->type != DNS_A && q->type != DNS_AAAA))
		return;
	const char *class = hostname_class(q->name.text, q->name.length);
	if (!class)
		return;
	attributes_text(out, &fields[HOSTNAME_CLASS], class, strlen(class));
	(void)dissect_says(in, &fields[HOSTNAME_CLASS], FACT_SENDER, class, strlen(class));
}

static enum dissect_result llmnr_dissect(void *state, struct dissect_input *in,
					 struct attributes *out)
{
	struct llmnr *s = state;
	struct dns_header h;
	struct dns_question q;

	if (!read_message(in->bytes, &h, &q)) {
		if (!s->known)
			return DISSECT_NOT_MINE;
		attributes_add(out, &fields[BROKEN], 1);
		return DISSECT_MORE;
	}
	s->known = true;
	if (h.flags & DNS_RESPONSE) {
		record_response(&h, &q, in, out);
		return DISSECT_MORE;
	}
	attributes_add(out, &fields[QUERIES], 1);
	if (asks_for_proxy(&q.name))
		attributes_flag(out, &fields[PROXY_ASKED]);
	in->role = ROLE_SENDER_IS_CLIENT;
	return DISSECT_MORE;
}

const struct dissector dissector_llmnr = {
	.name = "llmnr",
	.summary = "Link-local multicast name resolution, UDP port 5355",
	.transports = TRANSPORT_UDP,
	.ports = (const uint16_t[]){ PORT, 0 },
	.fields = fields,
	.state_size = sizeof(struct llmnr),
	.probe = llmnr_probe,
	.dissect = llmnr_dissect,
};
