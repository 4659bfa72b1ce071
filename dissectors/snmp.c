/* SPDX-License-Identifier: Apache-2.0
 *
 * SNMP versions 1, 2c and 3 (RFC 1157, 3416, 3412) over UDP, any port: who manages whom,
 * and what an agent says that it is (sysDescr.0, sysObjectID.0; of version 3, by whose
 * engine it runs). Communities, user names, and all other values are never told; that a
 * community is the one that everybody tries first is. */
#include "dissectors/dissector.h"

#include "base/line.h"
#include "dissectors/der.h"
#include "dissectors/product_words.h"

enum {
	VERSIONS,
	GETS,
	WALKS,
	SETS,
	RESPONSES,
	ERRORS,
	TRAPS,
	REPORTS,
	BROKEN,
	DEFAULT_COMMUNITY,
	SECURITY,
	SYSTEM,
	OBJECT_ID,
	ENGINE,
};

static const struct field fields[] = {
	[VERSIONS] = { "snmp.versions", FIELD_TEXTS, GRAMMAR_TOKEN, "", "versions spoken: 1, 2c, 3",
		       PHI_NONE, ABOUT_FLOW },
	[GETS] = { "snmp.gets", FIELD_COUNTER, GRAMMAR_NONE, "messages", "values asked for",
		   PHI_NONE, ABOUT_FLOW },
	[WALKS] = { "snmp.walks", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		    "next values asked for, one or many (get-next, get-bulk)", PHI_NONE,
		    ABOUT_FLOW },
	[SETS] = { "snmp.sets", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		   "values to be set: the device is changed", PHI_NONE, ABOUT_FLOW },
	[RESPONSES] = { "snmp.responses", FIELD_COUNTER, GRAMMAR_NONE, "messages", "answers",
			PHI_NONE, ABOUT_FLOW },
	[ERRORS] = { "snmp.errors", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		     "answers that are an error", PHI_NONE, ABOUT_FLOW },
	[TRAPS] = { "snmp.traps", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		    "notifications, acknowledged ones (inform) among them", PHI_NONE, ABOUT_FLOW },
	[REPORTS] = { "snmp.reports", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		      "version 3: engines that introduce themselves, or refuse", PHI_NONE,
		      ABOUT_FLOW },
	[BROKEN] = { "snmp.malformed", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		     "messages that break the format", PHI_NONE, ABOUT_FLOW },
	[DEFAULT_COMMUNITY] = { "snmp.default_community", FIELD_TEXTS, GRAMMAR_TOKEN, "",
				"communities used that everybody knows: public, private", PHI_NONE,
				ABOUT_FLOW },
	[SECURITY] = { "snmp.security", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		       "version 3: none, authenticated, encrypted", PHI_NONE, ABOUT_FLOW },
	[SYSTEM] = { "snmp.system", FIELD_TEXT, GRAMMAR_PRODUCT, "",
		     "first words of the agent's system description: product and version",
		     PHI_DEVICE, ABOUT_SERVER },
	[OBJECT_ID] = { "snmp.object_id", FIELD_TEXT, GRAMMAR_UID, "",
			"the agent's sysObjectID: maker and model, as registered", PHI_DEVICE,
			ABOUT_SERVER },
	[ENGINE] = { "snmp.engine_enterprise", FIELD_TEXT, GRAMMAR_UID, "",
		     "enterprise number of the agent's engine: its maker", PHI_DEVICE,
		     ABOUT_SERVER },
	{ 0 },
};

enum { PORT = 161, PORT_TRAPS = 162, BINDINGS_MOST = 32, COMMUNITY_MOST = 255 };

enum pdu {
	PDU_GET = 0xa0,
	PDU_GET_NEXT,
	PDU_RESPONSE,
	PDU_SET,
	PDU_TRAP_1,
	PDU_GET_BULK,
	PDU_INFORM,
	PDU_TRAP_2,
	PDU_REPORT,
};

struct snmp {
	bool known;
};

struct message {
	int64_t version;
	struct cursor community; /* versions 1 and 2c */
	uint8_t flags;           /* version 3: 1 authenticated, 2 encrypted, 4 wants a report */
	struct cursor engine;    /* version 3 */
	uint8_t pdu;             /* 0: encrypted */
	int64_t error;
	struct cursor bindings;
	bool has_bindings; /* all but traps of version 1 */
};

static bool take_integer(struct cursor *c, int64_t *v)
{
	struct cursor value = ber_take(c, DER_INTEGER);

	return !value.failed && der_integer(value, v);
}

/* request id, error or count, index or count, bindings; of a trap of version 1 other
 * things, which are not read. */
static bool read_pdu(struct cursor *c, struct message *m)
{
	struct der pdu;
	int64_t unused;

	if (!ber_next(c, &pdu) || pdu.tag < PDU_GET || pdu.tag > PDU_REPORT)
		return false;
	m->pdu = pdu.tag;
	if (pdu.tag == PDU_TRAP_1)
		return m->version == 0 && der_at(&pdu.value, DER_OID);
	if (!take_integer(&pdu.value, &unused) || !take_integer(&pdu.value, &m->error) ||
	    !take_integer(&pdu.value, &unused))
		return false;
	m->bindings = ber_take(&pdu.value, DER_SEQUENCE);
	m->has_bindings = true;
	return !m->bindings.failed && cursor_left(&pdu.value) == 0;
}

/* RFC 3414 section 2.4: engine, boots, time, user, and the keys of this message. */
static void read_security(struct cursor parameters, struct message *m)
{
	struct cursor usm = ber_take(&parameters, DER_SEQUENCE);

	m->engine = ber_take(&usm, DER_OCTET_STRING);
}

/* RFC 3412 section 6: id, size, flags, model | parameters | scoped PDU: context's engine,
 * context's name, PDU */
static bool read_version_3(struct cursor *c, struct message *m)
{
	enum { MODEL_USER = 3, FLAG_PRIVATE = 2 };
	struct cursor global = ber_take(c, DER_SEQUENCE);
	int64_t id, size, model;

	if (!take_integer(&global, &id) || !take_integer(&global, &size))
		return false;
	struct cursor flags = ber_take(&global, DER_OCTET_STRING);
	if (cursor_left(&flags) != 1 || !take_integer(&global, &model))
		return false;
	m->flags = cursor_u8(&flags);
	struct cursor parameters = ber_take(c, DER_OCTET_STRING);
	if (model == MODEL_USER)
		read_security(parameters, m);
	if (m->flags & FLAG_PRIVATE)
		return !ber_take(c, DER_OCTET_STRING).failed;
	struct cursor scoped = ber_take(c, DER_SEQUENCE);
	(void)ber_take(&scoped, DER_OCTET_STRING);
	(void)ber_take(&scoped, DER_OCTET_STRING);
	return !scoped.failed && read_pdu(&scoped, m);
}

static bool read_message(struct cursor bytes, struct message *m)
{
	struct cursor c = ber_take(&bytes, DER_SEQUENCE);

	*m = (struct message){ 0 };
	if (cursor_left(&bytes) || !take_integer(&c, &m->version))
		return false;
	if (m->version == 3)
		return read_version_3(&c, m) && !c.failed && cursor_left(&c) == 0;
	if (m->version != 0 && m->version != 1)
		return false;
	m->community = ber_take(&c, DER_OCTET_STRING);
	return cursor_left(&m->community) <= COMMUNITY_MOST && read_pdu(&c, m) &&
	       cursor_left(&c) == 0;
}

/* What stands at the beginning of a message that is shown in part. */
static bool begins_message(struct cursor c)
{
	uint8_t tag;
	uint32_t length;
	int64_t version;

	if (!ber_header(&c, &tag, &length) || tag != DER_SEQUENCE || length > UINT16_MAX ||
	    !take_integer(&c, &version))
		return false;
	if (version == 3)
		return der_at(&c, DER_SEQUENCE);
	if (version != 0 && version != 1)
		return false;
	(void)ber_take(&c, DER_OCTET_STRING);
	int pdu = cursor_peek(&c, 0);
	return pdu >= PDU_GET && pdu <= PDU_REPORT;
}

static enum probe_result snmp_probe(struct cursor bytes, enum transport transport,
				    uint16_t source_port, uint16_t dest_port, bool midstream)
{
	struct message m;

	(void)source_port;
	(void)dest_port;
	(void)midstream;
	if (transport != TRANSPORT_UDP)
		return PROBE_NO;
	if (cursor_left(&bytes) >= DISSECT_PROBE_MOST)
		return begins_message(bytes) ? PROBE_YES : PROBE_NO;
	return read_message(bytes, &m) ? PROBE_YES : PROBE_NO;
}

/* --- what it says --- */

static void record_word(struct attributes *out, unsigned field, const char *word)
{
	attributes_text(out, &fields[field], word, strlen(word));
}

static void record_community(const struct message *m, struct attributes *out)
{
	static const char *const known[] = { "public", "private" };

	for (size_t i = 0; i < 2; i++)
		if (cursor_left(&m->community) == strlen(known[i]) &&
		    cursor_starts(&m->community, known[i]))
			record_word(out, DEFAULT_COMMUNITY, known[i]);
}

static void record_security(const struct message *m, struct attributes *out)
{
	static const char *const words[] = { "none", "authenticated", "encrypted", "encrypted" };

	record_word(out, SECURITY, words[m->flags & 3]);
}

/* RFC 3411 section 5: a top bit, and 31 bits of enterprise number. Only the agent's own
 * engine is looked at: that of an answer. */
static void record_engine(const struct message *m, struct attributes *out)
{
	struct cursor engine = m->engine;
	char text[16];
	struct line l = line_in(text, sizeof(text));

	if (cursor_left(&engine) < 5)
		return;
	line_u64(&l, cursor_be32(&engine) & 0x7fffffff);
	attributes_text(out, &fields[ENGINE], text, (size_t)(l.at - text));
}

static void record_system(struct cursor value, struct attributes *out)
{
	char words[PRODUCT_WORDS_MOST];

	attributes_text(out, &fields[SYSTEM], words,
			product_words(value.at, cursor_left(&value), words));
}

static void record_object(struct cursor value, struct attributes *out)
{
	char text[65];

	attributes_text(out, &fields[OBJECT_ID], text, der_oid_text(value, text, sizeof(text)));
}

/* 1.3.6.1.2.1.1.1.0 and .2.0; RFC 3418. */
static void record_values(const struct message *m, struct attributes *out)
{
	static const uint8_t description[] = { 0x2b, 6, 1, 2, 1, 1, 1, 0 };
	static const uint8_t object[] = { 0x2b, 6, 1, 2, 1, 1, 2, 0 };
	struct cursor c = m->bindings;
	struct der value;

	for (unsigned i = 0; i < BINDINGS_MOST && cursor_left(&c); i++) {
		struct cursor binding = ber_take(&c, DER_SEQUENCE);
		struct cursor name = ber_take(&binding, DER_OID);
		if (!ber_next(&binding, &value))
			return;
		if (value.tag == DER_OCTET_STRING &&
		    der_is(&name, description, sizeof(description)))
			record_system(value.value, out);
		else if (value.tag == DER_OID && der_is(&name, object, sizeof(object)))
			record_object(value.value, out);
	}
}

static void record_response(const struct message *m, struct attributes *out)
{
	attributes_add(out, &fields[RESPONSES], 1);
	if (m->error)
		attributes_add(out, &fields[ERRORS], 1);
	else
		record_values(m, out);
	record_engine(m, out);
}

static void record_pdu(const struct message *m, struct dissect_input *in, struct attributes *out)
{
	in->role = ROLE_SENDER_IS_CLIENT;
	switch (m->pdu) {
	case PDU_GET:
		attributes_add(out, &fields[GETS], 1);
		break;
	case PDU_GET_NEXT:
	case PDU_GET_BULK:
		attributes_add(out, &fields[WALKS], 1);
		break;
	case PDU_SET:
		attributes_add(out, &fields[SETS], 1);
		break;
	case PDU_TRAP_1:
	case PDU_TRAP_2:
	case PDU_INFORM:
		attributes_add(out, &fields[TRAPS], 1);
		break;
	case PDU_RESPONSE:
		in->role = ROLE_SENDER_IS_SERVER;
		record_response(m, out);
		break;
	case PDU_REPORT:
		in->role = ROLE_SENDER_IS_SERVER;
		attributes_add(out, &fields[REPORTS], 1);
		record_engine(m, out);
		break;
	default: /* encrypted: who asks is not told */
		in->role = ROLE_UNKNOWN;
		break;
	}
}

static void record(const struct message *m, struct dissect_input *in, struct attributes *out)
{
	static const char *const versions[] = { "1", "2c", "", "3" };

	record_word(out, VERSIONS, versions[m->version]);
	if (m->version == 3)
		record_security(m, out);
	else
		record_community(m, out);
	record_pdu(m, in, out);
}

static enum dissect_result snmp_dissect(void *state, struct dissect_input *in,
					struct attributes *out)
{
	struct snmp *s = state;
	struct message m;

	if (read_message(in->bytes, &m)) {
		record(&m, in, out);
	} else if (!s->known && !begins_message(in->bytes)) {
		return DISSECT_NOT_MINE;
	} else {
		attributes_add(out, &fields[BROKEN], 1);
	}
	s->known = true;
	return DISSECT_MORE;
}

const struct dissector dissector_snmp = {
	.name = "snmp",
	.summary = "SNMP versions 1, 2c and 3, UDP, any port",
	.transports = TRANSPORT_UDP,
	.ports = (const uint16_t[]){ PORT, PORT_TRAPS, 0 },
	.fields = fields,
	.first = (const struct byte_range[]){ { DER_SEQUENCE, DER_SEQUENCE }, BYTE_RANGES_END },
	.state_size = sizeof(struct snmp),
	.probe = snmp_probe,
	.dissect = snmp_dissect,
};
