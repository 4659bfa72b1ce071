/* SPDX-License-Identifier: Apache-2.0
 *
 * Multicast DNS (RFC 6762) and the service discovery that it carries (RFC 6763): which
 * services a host offers, and what product it is. The format is that of DNS, so only port
 * 5353 tells them apart. Never told: names of instances ("Dr X's iPad"), of hosts, and
 * texts other than the few that hold a maker or a model. */
#include "dissectors/dissector.h"

#include <ctype.h>

#include "dissectors/dns_message.h"
#include "dissectors/hostname_class.h"
#include "dissectors/product_words.h"

enum {
	QUERIES,
	RESPONSES,
	BROKEN,
	ASKED,
	SERVICES,
	SERVICE,
	PRODUCT,
	MODEL,
	MAKER,
	HOSTNAME_CLASS,
};

static const struct field fields[] = {
	[QUERIES] = { "mdns.queries", FIELD_COUNTER, GRAMMAR_NONE, "messages", "questions asked",
		      PHI_NONE, ABOUT_FLOW },
	[RESPONSES] = { "mdns.responses", FIELD_COUNTER, GRAMMAR_NONE, "messages",
			"answers and announcements", PHI_NONE, ABOUT_FLOW },
	[BROKEN] = { "mdns.malformed", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		     "messages that break the format", PHI_NONE, ABOUT_FLOW },
	[ASKED] = { "mdns.asked", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		    "types of service looked for, as _ipp._tcp", PHI_NONE, ABOUT_FLOW },
	[SERVICES] = { "mdns.services", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		       "types of service offered, as _dicom._tcp", PHI_NONE, ABOUT_FLOW },
	[SERVICE] = { "mdns.service", FIELD_TEXT, GRAMMAR_TOKEN, "",
		      "one of mdns.services, of one host", PHI_NONE, ABOUT_FLOW },
	[PRODUCT] = { "mdns.product", FIELD_TEXT, GRAMMAR_PRODUCT, "",
		      "make and model of a printer or scanner (TXT ty, product)", PHI_DEVICE,
		      ABOUT_FLOW },
	[MODEL] = { "mdns.model", FIELD_TEXT, GRAMMAR_PRODUCT, "",
		    "model (TXT model, md, am, usb_MDL)", PHI_DEVICE, ABOUT_FLOW },
	[MAKER] = { "mdns.manufacturer", FIELD_TEXT, GRAMMAR_PRODUCT, "", "maker (TXT usb_MFG, mf)",
		    PHI_DEVICE, ABOUT_FLOW },
	[HOSTNAME_CLASS] = { "mdns.hostname_class", FIELD_TEXT, GRAMMAR_TOKEN, "",
			     "what a host's name looks like: a word of a fixed list", PHI_NONE,
			     ABOUT_FLOW },
	{ 0 },
};

enum { PORT = 5353, RECORDS_MOST = 128, SERVICE_MOST = 15 };
enum { CLASS_MASK = 0x7fff }; /* the top bit: answer to me alone; or, forget older ones */

struct mdns {
	bool known;
};

static bool class_is_known(uint16_t class)
{
	return (class & CLASS_MASK) == DNS_IN || (class & CLASS_MASK) == 255;
}

/* Section 18: no opcode, no code. */
static bool header_is_sane(const struct dns_header *h, size_t length)
{
	unsigned records = 0;

	for (int i = 0; i < DNS_SECTIONS; i++)
		records += h->count[i];
	return dns_opcode(h) == 0 && dns_rcode(h) == 0 && records > 0 && dns_header_fits(h, length);
}

/* --- types of service --- */

/* One label that ends where `end` is; moves `end` before it. */
static struct cursor last_label(const struct dns_name *name, size_t *end)
{
	size_t stop = *end, start = stop;

	while (start && name->text[start - 1] != '.')
		start--;
	*end = start ? start - 1 : 0;
	return cursor_of(name->text + start, stop - start);
}

static bool is_label(struct cursor label, const char *text)
{
	size_t n = strlen(text);

	if (cursor_left(&label) != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (tolower(label.at[i]) != text[i])
			return false;
	return true;
}

/* RFC 6335 section 5.1: letters, digits and '-', a letter at least, 15 at most. */
static bool is_service(struct cursor label)
{
	bool letter = false;

	if (cursor_u8(&label) != '_' || cursor_left(&label) > SERVICE_MOST)
		return false;
	for (const uint8_t *p = label.at; p < label.end; p++) {
		if (!isalnum(*p) && *p != '-')
			return false;
		letter |= isalpha(*p) != 0;
	}
	return letter;
}

/* "[INSTANCE.]_ipp._tcp.local" holds a type; its length, or 0. */
static size_t service_type(const struct dns_name *name, char out[24])
{
	size_t end = name->length;
	struct cursor local = last_label(name, &end);
	struct cursor protocol = last_label(name, &end);
	struct cursor service = last_label(name, &end);
	bool udp = is_label(protocol, "_udp");

	if (!is_label(local, "local") || (!udp && !is_label(protocol, "_tcp")) ||
	    !is_service(service) || is_label(service, "_dns-sd"))
		return 0;
	size_t n = cursor_left(&service);
	for (size_t i = 0; i < n; i++)
		out[i] = (char)tolower(service.at[i]);
	memcpy(out + n, udp ? "._udp" : "._tcp", 5);
	return n + 5;
}

/* --- what a host says of itself --- */

static void offer(struct dissect_input *in, struct attributes *out, const struct dns_name *name)
{
	char type[24];
	size_t n = service_type(name, type);

	if (n == 0)
		return;
	for (size_t i = 0; i < in->fact_count; i++)
		if (in->facts[i].field == &fields[SERVICE] && in->facts[i].length == n &&
		    !memcmp(in->facts[i].text, type, n))
			return;
	attributes_text(out, &fields[SERVICES], type, n);
	(void)dissect_says(in, &fields[SERVICE], FACT_SENDER, type, n);
}

static void say_product(struct dissect_input *in, struct attributes *out, unsigned field,
			struct cursor text)
{
	char words[PRODUCT_WORDS_MOST];

	/* product=(HP LaserJet 400) */
	if (cursor_peek(&text, 0) == '(' && text.end[-1] == ')') {
		text.at++;
		text.end--;
	}
	size_t n = product_words(text.at, cursor_left(&text), words);
	if (n == 0)
		return;
	attributes_text(out, &fields[field], words, n);
	(void)dissect_says(in, &fields[field], FACT_SENDER, words, n);
}

static bool is_key(const struct cursor *pair, const char *key)
{
	size_t n = strlen(key);

	if (cursor_left(pair) <= n || pair->at[n] != '=')
		return false;
	for (size_t i = 0; i < n; i++)
		if (tolower(pair->at[i]) != tolower((unsigned char)key[i]))
			return false;
	return true;
}

/* RFC 6763 section 6: strings KEY=VALUE, each with its length before it. */
static void read_texts(struct dissect_input *in, struct attributes *out, struct cursor data)
{
	static const struct {
		const char *key;
		unsigned field;
	} keys[] = {
		{ "ty", PRODUCT }, { "product", PRODUCT }, { "usb_MDL", MODEL }, { "model", MODEL },
		{ "md", MODEL },   { "am", MODEL },        { "usb_MFG", MAKER }, { "mf", MAKER },
	};

	while (cursor_left(&data)) {
		struct cursor pair = cursor_sub(&data, cursor_u8(&data));
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
			if (!is_key(&pair, keys[i].key))
				continue;
			cursor_skip(&pair, strlen(keys[i].key) + 1);
			say_product(in, out, keys[i].field, pair);
			break;
		}
	}
}

static void name_host(struct dissect_input *in, struct attributes *out,
		      const struct dns_record *record)
{
	bool v4 = record->type == DNS_A;
	const char *class = hostname_class(record->owner.text, record->owner.length);

	if (!class || cursor_left(&record->data) != (v4 ? 4 : 16))
		return;
	attributes_text(out, &fields[HOSTNAME_CLASS], class, strlen(class));
	struct dissect_fact *fact =
		dissect_says(in, &fields[HOSTNAME_CLASS], FACT_IP, class, strlen(class));
	if (fact)
		fact->ip = v4 ? ip_from_v4(record->data.at) : ip_from_v6(record->data.at);
}

/* A pointer's owner is a type, or the list of all types; then what it points to is one. */
static void read_pointer(struct cursor whole, struct dissect_input *in, struct attributes *out,
			 const struct dns_record *record)
{
	struct dns_name to;
	struct cursor at = record->data;

	offer(in, out, &record->owner);
	if (dns_read_name(whole, &at, &to) == DNS_OK)
		offer(in, out, &to);
}

static void read_answer(struct cursor whole, struct dissect_input *in, struct attributes *out,
			const struct dns_record *record)
{
	if ((record->class & CLASS_MASK) != DNS_IN)
		return;
	switch (record->type) {
	case DNS_PTR:
		read_pointer(whole, in, out, record);
		break;
	case DNS_SRV:
		offer(in, out, &record->owner);
		break;
	case DNS_TXT:
		read_texts(in, out, record->data);
		break;
	case DNS_A:
	case DNS_AAAA:
		name_host(in, out, record);
		break;
	default:
		break;
	}
}

/* --- messages --- */

static void read_asked(struct attributes *out, const struct dns_question *q)
{
	char type[24];
	size_t n = service_type(&q->name, type);

	if (n)
		attributes_text(out, &fields[ASKED], type, n);
}

/* `out` NULL: only whether it is one. What it says is taken as far as it is good. */
static bool read_message(struct cursor whole, struct dissect_input *in, struct attributes *out)
{
	struct cursor c = whole;
	struct dns_header h;
	struct dns_question question;
	struct dns_record record;

	if (dns_read_header(&c, &h) != DNS_OK || !header_is_sane(&h, cursor_left(&whole)))
		return false;
	bool response = h.flags & DNS_RESPONSE;
	unsigned left = RECORDS_MOST;
	for (unsigned i = 0; i < h.count[DNS_QUESTION] && left; i++, left--) {
		if (dns_read_question(whole, &c, &question) != DNS_OK ||
		    !class_is_known(question.class))
			return false;
		if (out && !response)
			read_asked(out, &question);
	}
	unsigned records = h.count[DNS_ANSWER] + h.count[DNS_AUTHORITY] + h.count[DNS_ADDITIONAL];
	for (unsigned i = 0; i < records && left; i++, left--) {
		if (dns_read_record(whole, &c, &record) != DNS_OK)
			return false;
		/* Answers in a question are what is known already, of others. */
		if (out && response)
			read_answer(whole, in, out, &record);
	}
	return true;
}

static enum probe_result mdns_probe(struct cursor bytes, enum transport transport,
				    uint16_t source_port, uint16_t dest_port, bool midstream)
{
	(void)midstream;
	if (transport != TRANSPORT_UDP || (source_port != PORT && dest_port != PORT))
		return PROBE_NO;
	if (cursor_left(&bytes) >= DISSECT_PROBE_MOST) { /* shown in part */
		struct dns_header h;
		return dns_read_header(&bytes, &h) == DNS_OK && header_is_sane(&h, UINT16_MAX)
			       ? PROBE_YES
			       : PROBE_NO;
	}
	return read_message(bytes, NULL, NULL) ? PROBE_YES : PROBE_NO;
}

static enum dissect_result mdns_dissect(void *state, struct dissect_input *in,
					struct attributes *out)
{
	struct mdns *s = state;
	struct cursor flags = in->bytes;

	if (!read_message(in->bytes, in, NULL)) {
		if (!s->known)
			return DISSECT_NOT_MINE;
		attributes_add(out, &fields[BROKEN], 1);
		return DISSECT_MORE;
	}
	s->known = true;
	cursor_skip(&flags, 2);
	bool response = cursor_be16(&flags) & DNS_RESPONSE;
	attributes_add(out, &fields[response ? RESPONSES : QUERIES], 1);
	in->role = response && in->dest_port != PORT ? ROLE_SENDER_IS_SERVER : ROLE_UNKNOWN;
	read_message(in->bytes, in, out);
	return DISSECT_MORE;
}

const struct dissector dissector_mdns = {
	.name = "mdns",
	.summary = "Multicast DNS and service discovery, UDP port 5353",
	.transports = TRANSPORT_UDP,
	.ports = (const uint16_t[]){ PORT, 0 },
	.fields = fields,
	.state_size = sizeof(struct mdns),
	.probe = mdns_probe,
	.dissect = mdns_dissect,
};
