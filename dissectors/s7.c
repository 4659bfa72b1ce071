/* SPDX-License-Identifier: Apache-2.0
 *
 * Siemens S7comm and S7comm-plus over ISO transport (TPKT RFC 1006, COTP RFC 905
 * class 0) on TCP, any port: what is asked of a controller. RDP and MMS use the
 * same transport: only an S7 header is proof of the claim; a connection request
 * alone, by its transport selectors, is one of low confidence.
 *
 * Siemens published neither protocol. S7comm's header, function codes and user
 * data are common knowledge of free tools (snap7, nmap's s7-info, Wireshark) and
 * agree with captures; what is known of S7comm-plus
 * stands in s7_plus.c. */
#include "dissectors/s7_internal.h"

const struct field s7_fields[S7_FIELD_COUNT + 1] = {
	/* clang-format off */
	[F_PROTOCOL] = { "s7.protocol", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		"s7comm (S7-300, 400; others where they allow it) or s7comm-plus (S7-1200, 1500)", PHI_NONE, ABOUT_FLOW },
	[F_CONNECTION] = { "s7.connection", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		"kind of connection asked for: pg (engineering), op (operating), basic, plus", PHI_NONE, ABOUT_FLOW },
	[F_RACK] = { "s7.rack", FIELD_NUMBER, GRAMMAR_NONE, "", "rack of the controller asked for", PHI_NONE, ABOUT_FLOW },
	[F_SLOT] = { "s7.slot", FIELD_NUMBER, GRAMMAR_NONE, "", "slot of the controller asked for", PHI_NONE, ABOUT_FLOW },
	[F_PDU_SIZE] = { "s7.pdu_size", FIELD_NUMBER, GRAMMAR_NONE, "bytes", "longest PDU agreed on", PHI_NONE, ABOUT_FLOW },
	[F_REQUESTS] = { "s7.requests", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"jobs, user data requests and S7comm-plus requests", PHI_NONE, ABOUT_FLOW },
	[F_READS] = { "s7.reads", FIELD_COUNTER, GRAMMAR_NONE, "messages", "requests to read variables", PHI_NONE, ABOUT_FLOW },
	[F_WRITES] = { "s7.writes", FIELD_COUNTER, GRAMMAR_NONE, "messages", "requests to write variables", PHI_NONE, ABOUT_FLOW },
	[F_UPLOADS] = { "s7.uploads", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"blocks of program or data that were asked for (start upload)", PHI_NONE, ABOUT_FLOW },
	[F_CONTROL] = { "s7.control", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"requests that change what the controller does: download, program invocation, stop", PHI_NONE, ABOUT_FLOW },
	[F_DOWNLOADS] = { "s7.downloads", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"of them, blocks of program or data for the controller (request download)", PHI_NONE, ABOUT_FLOW },
	[F_INVOCATIONS] = { "s7.invocations", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"of them, program invocation: start, activate or delete blocks, compress, copy", PHI_NONE, ABOUT_FLOW },
	[F_STOPS] = { "s7.stops", FIELD_COUNTER, GRAMMAR_NONE, "messages", "of them, stop", PHI_NONE, ABOUT_FLOW },
	[F_SERVICE] = { "s7.invocation", FIELD_TEXTS, GRAMMAR_TOKEN, "",
		"names of program invocations: P_PROGRAM (start), _INSE (activate), _DELE (delete), _MODU (copy to ROM), _GARB (compress) or other", PHI_NONE, ABOUT_FLOW },
	[F_SZL_READS] = { "s7.szl_reads", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"requests for lists of the system state, as inventories and scanners make", PHI_NONE, ABOUT_FLOW },
	[F_BLOCK_LISTS] = { "s7.block_lists", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"requests for lists of blocks or what a block is", PHI_NONE, ABOUT_FLOW },
	[F_CLOCK_SETS] = { "s7.clock_sets", FIELD_COUNTER, GRAMMAR_NONE, "messages", "requests to set the controller's clock", PHI_NONE, ABOUT_FLOW },
	[F_PASSWORDS] = { "s7.passwords", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"passwords sent to the controller, which S7comm does not encrypt", PHI_NONE, ABOUT_FLOW },
	[F_CYCLIC] = { "s7.cyclic", FIELD_COUNTER, GRAMMAR_NONE, "messages",
		"user data and notifications that came without a request", PHI_NONE, ABOUT_FLOW },
	[F_ERRORS] = { "s7.errors", FIELD_COUNTER, GRAMMAR_NONE, "messages", "responses with an error", PHI_NONE, ABOUT_FLOW },
	[F_WRITE_ERRORS] = { "s7.write_errors", FIELD_COUNTER, GRAMMAR_NONE, "items", "items that were not written", PHI_NONE, ABOUT_FLOW },
	[F_ORDER_NUMBER] = { "s7.order_number", FIELD_TEXT, GRAMMAR_PRODUCT, "",
		"the controller's order number, as 6ES7 315-2EH14-0AB0", PHI_DEVICE, ABOUT_SERVER },
	[F_FIRMWARE] = { "s7.firmware", FIELD_TEXT, GRAMMAR_VERSION, "", "the controller's firmware", PHI_DEVICE, ABOUT_SERVER },
	[F_MODULE_TYPE] = { "s7.module_type", FIELD_TEXT, GRAMMAR_PRODUCT, "",
		"the controller's type, as CPU 315-2 PN/DP", PHI_DEVICE, ABOUT_SERVER },
	[F_SERIAL] = { "s7.serial", FIELD_TEXT, GRAMMAR_PRODUCT, "", "the controller's serial number", PHI_DEVICE, ABOUT_SERVER },
	[F_MALFORMED] = { "s7.malformed", FIELD_COUNTER, GRAMMAR_NONE, "messages", "messages that break the format", PHI_NONE, ABOUT_FLOW },
	/* clang-format on */
	[S7_FIELD_COUNT] = { .name = NULL },
};

enum {
	PORT = 102,
	TPKT_HEADER = 4,
	TPKT_LEAST = 7,
	TPKT_VERSION = 3,
	TPKT_SHOWN = 8192, /* of a TPKT; what is behind is skipped */
	BROKEN_MOST = 4,   /* in a row */
};

/* COTP, RFC 905 section 13 */
enum {
	COTP_DATA = 0xf0,
	COTP_CONNECT = 0xe0,
	COTP_CONFIRM = 0xd0,
	COTP_DISCONNECT = 0x80,
	COTP_ERROR = 0x70,
	COTP_DATA_LENGTH = 2,
	COTP_DATA_HEADER = 3,
	COTP_LAST = 0x80, /* the TPDU ends its TSDU */
	COTP_CONNECT_LEAST = 6,
	PARAMETER_CALLED = 0xc2,
	PARAMETER_CALLING = 0xc1,
};

/* S7comm: 32 kind 0000 reference16 parameters16 data16, and in answers an error16. */
enum { CLASSIC = 0x32, PLUS = 0x72, JOB = 1, ACK = 2, ACK_DATA = 3, USERDATA = 7 };
enum {
	READ = 0x04,
	WRITE = 0x05,
	REQUEST_DOWNLOAD = 0x1a,
	DOWNLOAD_BLOCK = 0x1b,
	END_DOWNLOAD = 0x1c,
	START_UPLOAD = 0x1d,
	CONTROL = 0x28,
	STOP = 0x29,
	SETUP = 0xf0,
};
/* User data: its kind and group share a byte. */
enum { UD_PUSH = 0, UD_REQUEST = 4, UD_RESPONSE = 8 };
enum { UD_BLOCKS = 3, UD_CPU = 4, UD_SECURITY = 5, UD_TIME = 7 };
enum { CPU_READ_SZL = 1, SECURITY_PASSWORD = 1, TIME_SET = 2, TIME_SET_FOLLOWING = 4 };
enum { RETURN_OK = 0xff };

struct selectors {
	struct cursor calling, called;
};

/* RFC 905 section 13.3: references, class, then code u8, length u8, value each. */
static bool read_selectors(struct cursor cotp, struct selectors *out)
{
	*out = (struct selectors){ 0 };
	cursor_skip(&cotp, 6);
	while (cursor_left(&cotp)) {
		uint8_t code = cursor_u8(&cotp);
		struct cursor value = cursor_sub(&cotp, cursor_u8(&cotp));
		if (code == PARAMETER_CALLING)
			out->calling = value;
		else if (code == PARAMETER_CALLED)
			out->called = value;
	}
	return !cotp.failed && cursor_left(&out->called) && cursor_left(&out->calling);
}

/* Kind of connection u8, rack and slot in a byte; or the name that S7-1200 have. */
static const char *connection_kind(const struct selectors *s)
{
	static const char *const kinds[] = { NULL, "pg", "op", "basic" };
	int kind = cursor_peek(&s->called, 0);

	if (cursor_starts(&s->called, "SIMATIC-ROOT-"))
		return "plus";
	if (cursor_left(&s->called) != 2 || cursor_left(&s->calling) != 2)
		return NULL;
	return kind >= 1 && kind <= 3 ? kinds[kind] : NULL;
}

/* The lengths must come to what the TPKT holds; that is most of the proof. */
static bool classic_fits(struct cursor c, size_t n)
{
	cursor_skip(&c, 1);
	unsigned kind = cursor_u8(&c);
	unsigned redundancy = cursor_be16(&c);
	cursor_skip(&c, 2);
	size_t parameters = cursor_be16(&c);
	size_t data = cursor_be16(&c);
	size_t header = kind == ACK || kind == ACK_DATA ? 12 : 10;

	if (c.failed || redundancy || (kind != JOB && kind != USERDATA && header == 10))
		return false;
	return header + parameters + data == n && (parameters || kind == ACK);
}

static bool is_s7(struct cursor tsdu, size_t n, bool continues)
{
	int first = cursor_peek(&tsdu, 0);

	if (first == CLASSIC)
		return classic_fits(tsdu, n);
	return first == PLUS && s7_plus_fits(tsdu, n, continues);
}

enum { HEADER_SHOWN = TPKT_HEADER + COTP_DATA_HEADER + 10 };

/* At a TPKT: YES when it proves S7, MORE when the next ones may. */
static enum probe_result look(struct cursor c, size_t *size)
{
	if (cursor_peek(&c, 0) != TPKT_VERSION || cursor_peek(&c, 1) > 0)
		return PROBE_NO;
	if (cursor_left(&c) < TPKT_LEAST)
		return PROBE_MORE;
	cursor_skip(&c, 2);
	size_t n = *size = cursor_be16(&c);
	size_t length = cursor_u8(&c);
	struct cursor cotp = c;
	unsigned type = cursor_u8(&c);
	if (n < TPKT_LEAST || length < COTP_DATA_LENGTH || length + TPKT_HEADER >= n)
		return PROBE_NO;
	if (type == COTP_DATA && length == COTP_DATA_LENGTH) {
		unsigned last = cursor_u8(&c);
		if (n == TPKT_LEAST)
			return PROBE_MORE;
		if (!(last & COTP_LAST))
			return PROBE_NO;
		size_t whole = n < HEADER_SHOWN ? n : HEADER_SHOWN;
		if (cursor_left(&c) + TPKT_LEAST < whole)
			return PROBE_MORE;
		return is_s7(c, n - TPKT_LEAST, false) ? PROBE_YES : PROBE_NO;
	}
	if ((type != COTP_CONNECT && type != COTP_CONFIRM) || length < COTP_CONNECT_LEAST ||
	    length + TPKT_HEADER + 1 != n)
		return PROBE_NO;
	if (cursor_left(&cotp) < length)
		return PROBE_MORE;
	struct selectors s;
	if (!read_selectors(cursor_sub(&cotp, length), &s))
		return PROBE_NO;
	return type == COTP_CONNECT && connection_kind(&s) ? PROBE_YES : PROBE_MORE;
}

/* A place where a TPKT of S7 begins, anywhere in the bytes: moves there, or to where
 * one may begin that is not all here. */
static enum probe_result find(struct cursor *c)
{
	while (cursor_left(c)) {
		const uint8_t *at = memchr(c->at, TPKT_VERSION, cursor_left(c));
		if (!at)
			break;
		cursor_skip(c, (size_t)(at - c->at));
		size_t size = 0;
		enum probe_result found = look(*c, &size);
		if (found == PROBE_YES || (found == PROBE_MORE && cursor_left(c) < HEADER_SHOWN))
			return found;
		cursor_skip(c, 1);
	}
	cursor_skip(c, cursor_left(c));
	return PROBE_NO;
}

static enum probe_result s7_probe(struct cursor bytes, enum transport transport,
				  uint16_t source_port, uint16_t dest_port, bool midstream)
{
	struct cursor c = bytes;
	(void)transport;
	(void)source_port;
	(void)dest_port;

	for (;;) {
		size_t size = 0;
		enum probe_result r = look(c, &size);
		if (r == PROBE_NO && midstream)
			return find(&bytes);
		if (r != PROBE_MORE || size == 0 || cursor_left(&c) <= size)
			return r;
		cursor_skip(&c, size);
	}
}

static void connect(struct s7_call *call, struct cursor cotp, bool request)
{
	struct selectors s;

	call->in->role = request ? ROLE_SENDER_IS_CLIENT : ROLE_SENDER_IS_SERVER;
	const char *kind = read_selectors(cotp, &s) ? connection_kind(&s) : NULL;
	if (!request || !kind)
		return;
	s7_word(call, F_CONNECTION, kind);
	if (cursor_left(&s.called) != 2)
		return;
	attributes_number(call->out, &s7_fields[F_RACK], (uint64_t)(s.called.at[1] >> 5));
	attributes_number(call->out, &s7_fields[F_SLOT], s.called.at[1] & 0x1f);
}

/* 28, seven bytes, a block of its own length, then length u8 and name. */
static void record_service(struct s7_call *call, struct cursor parameters)
{
	static const char *const known[] = { "P_PROGRAM", "_INSE", "_DELE", "_MODU", "_GARB" };

	cursor_skip(&parameters, 8);
	cursor_skip(&parameters, cursor_be16(&parameters));
	struct cursor name = cursor_sub(&parameters, cursor_u8(&parameters));
	if (parameters.failed)
		return;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (cursor_left(&name) == strlen(known[i]) && cursor_starts(&name, known[i])) {
			s7_word(call, F_SERVICE, known[i]);
			return;
		}
	}
	s7_word(call, F_SERVICE, "other");
}

static void read_job(struct s7_call *call, struct cursor parameters)
{
	unsigned function = (unsigned)cursor_peek(&parameters, 0);

	/* What is downloaded is fetched: these two are asked by the controller. */
	bool by_server = function == DOWNLOAD_BLOCK || function == END_DOWNLOAD;
	call->in->role = by_server ? ROLE_SENDER_IS_SERVER : ROLE_SENDER_IS_CLIENT;
	s7_count(call, F_REQUESTS);
	switch (function) {
	case READ:
		s7_count(call, F_READS);
		break;
	case WRITE:
		s7_count(call, F_WRITES);
		break;
	case REQUEST_DOWNLOAD:
		s7_count(call, F_DOWNLOADS);
		s7_count(call, F_CONTROL);
		break;
	case START_UPLOAD:
		s7_count(call, F_UPLOADS);
		break;
	case CONTROL:
		s7_count(call, F_INVOCATIONS);
		s7_count(call, F_CONTROL);
		record_service(call, parameters);
		break;
	case STOP:
		s7_count(call, F_STOPS);
		s7_count(call, F_CONTROL);
		break;
	default:
		break;
	}
}

static void read_answer(struct s7_call *call, unsigned error, struct cursor parameters,
			struct cursor data)
{
	unsigned function = cursor_left(&parameters) ? parameters.at[0] : 0;

	if (function != DOWNLOAD_BLOCK && function != END_DOWNLOAD)
		call->in->role = ROLE_SENDER_IS_SERVER;
	if (error) {
		s7_count(call, F_ERRORS);
		return;
	}
	if (function == SETUP) { /* reserved u8, two u16, size u16 */
		cursor_skip(&parameters, 6);
		uint16_t size = cursor_be16(&parameters);
		if (!parameters.failed)
			attributes_number(call->out, &s7_fields[F_PDU_SIZE], size);
	}
	if (function != WRITE)
		return;
	cursor_skip(&parameters, 1);
	for (unsigned items = cursor_u8(&parameters); items && cursor_left(&data); items--)
		if (cursor_u8(&data) != RETURN_OK)
			s7_count(call, F_WRITE_ERRORS);
}

static void userdata_request(struct s7_call *call, unsigned group, unsigned function)
{
	s7_count(call, F_REQUESTS);
	if (group == UD_CPU && function == CPU_READ_SZL)
		s7_count(call, F_SZL_READS);
	else if (group == UD_BLOCKS)
		s7_count(call, F_BLOCK_LISTS);
	else if (group == UD_TIME && (function == TIME_SET || function == TIME_SET_FOLLOWING))
		s7_count(call, F_CLOCK_SETS);
	else if (group == UD_SECURITY && function == SECURITY_PASSWORD)
		s7_count(call, F_PASSWORDS);
}

/* Parameters: 00 01 12, length u8, method u8, kind and group u8, function u8,
 * sequence u8; in answers reference u8, more u8, error u16. Data: return code u8,
 * transport u8, length u16. */
static void read_userdata(struct s7_call *call, struct cursor parameters, struct cursor data)
{
	cursor_skip(&parameters, 5);
	unsigned kind = cursor_u8(&parameters);
	unsigned function = cursor_u8(&parameters);
	cursor_skip(&parameters, 2);
	bool more = cursor_u8(&parameters);
	unsigned error = cursor_be16(&parameters);
	unsigned group = kind & 0xf;

	switch (kind >> 4) {
	case UD_REQUEST:
		call->in->role = ROLE_SENDER_IS_CLIENT;
		userdata_request(call, group, function);
		break;
	case UD_RESPONSE:
		call->in->role = ROLE_SENDER_IS_SERVER;
		if (error)
			s7_count(call, F_ERRORS);
		cursor_skip(&data, 4);
		if (group == UD_CPU && function == CPU_READ_SZL && !error && !data.failed)
			s7_read_szl(call, data, more);
		else
			call->flow->szl.open = false;
		break;
	case UD_PUSH:
		s7_count(call, F_CYCLIC);
		break;
	default:
		break;
	}
}

static void read_classic(struct s7_call *call, struct cursor c)
{
	cursor_skip(&c, 1);
	unsigned kind = cursor_u8(&c);
	cursor_skip(&c, 4);
	size_t parameters_size = cursor_be16(&c);
	size_t data_size = cursor_be16(&c);
	unsigned error = kind == ACK || kind == ACK_DATA ? cursor_be16(&c) : 0;
	struct cursor parameters = cursor_sub(&c, parameters_size);
	size_t here = cursor_left(&c) < data_size ? cursor_left(&c) : data_size;
	struct cursor data = cursor_sub(&c, here);

	s7_word(call, F_PROTOCOL, "s7comm");
	if (c.failed)
		return;
	if (kind == JOB)
		read_job(call, parameters);
	else if (kind == USERDATA)
		read_userdata(call, parameters, data);
	else
		read_answer(call, error, parameters, data);
}

static bool read_data(struct s7_call *call, struct cursor tsdu, size_t size, bool last)
{
	struct s7_side *side = &call->flow->sides[call->in->direction & 1];
	bool continues = side->continued;

	if (size == 0) /* S7-1200 send empty ones */
		return true;
	side->continued = !last;
	if (continues)
		return call->flow->known;
	if (last ? !is_s7(tsdu, size, side->plus_open)
		 : (cursor_peek(&tsdu, 0) != CLASSIC && cursor_peek(&tsdu, 0) != PLUS))
		return false;
	call->in->confidence =
		call->flow->known || !call->in->gap ? CONFIDENCE_HIGH : CONFIDENCE_MEDIUM;
	call->flow->known = true;
	if (cursor_peek(&tsdu, 0) == CLASSIC)
		read_classic(call, tsdu);
	else
		s7_plus(call, tsdu, size);
	return true;
}

/* A TPKT behind its header; `size` is what it has, of which not all may be shown. */
static bool read_tpdu(struct s7_call *call, struct cursor c, size_t size)
{
	size_t length = cursor_u8(&c);
	struct cursor cotp = cursor_sub(&c, length);
	unsigned type = (unsigned)cursor_peek(&cotp, 0);

	if (cotp.failed || length < COTP_DATA_LENGTH)
		return false;
	switch (type) {
	case COTP_DATA:
		return length == COTP_DATA_LENGTH &&
		       read_data(call, c, size - COTP_DATA_HEADER, cotp.at[1] & COTP_LAST);
	case COTP_CONNECT:
	case COTP_CONFIRM:
		connect(call, cotp, type == COTP_CONNECT);
		if (!call->flow->known)
			call->in->confidence = CONFIDENCE_LOW;
		return true;
	case COTP_DISCONNECT:
	case COTP_ERROR:
		return true;
	default:
		return false;
	}
}

/* Behind a gap: true when the bytes start with a message again. */
static bool found_again(struct s7_call *call)
{
	struct s7_side *side = &call->flow->sides[call->in->direction & 1];

	side->continued = side->plus_open = false;
	call->flow->szl.open = false;
	side->lost = find(&call->in->bytes) != PROBE_YES;
	return !side->lost;
}

static enum dissect_result s7_dissect(void *state, struct dissect_input *in, struct attributes *out)
{
	struct s7_call call = { .flow = state, .in = in, .out = out };
	struct s7_side *side = &call.flow->sides[in->direction & 1];

	side->lost |= in->gap;
	while (cursor_left(&in->bytes) && !in->skip) {
		if (side->lost && !found_again(&call))
			return DISSECT_MORE;
		struct cursor ahead = in->bytes;
		unsigned version = cursor_be16(&ahead);
		size_t size = cursor_be16(&ahead);
		bool sane = version == TPKT_VERSION << 8 && size >= TPKT_LEAST;
		size_t shown = size < TPKT_SHOWN ? size : TPKT_SHOWN;

		if (ahead.failed || (sane && cursor_left(&in->bytes) < shown))
			return DISSECT_MORE;
		if (sane &&
		    read_tpdu(&call, cursor_sub(&ahead, shown - TPKT_HEADER), size - TPKT_HEADER)) {
			call.flow->broken = 0;
		} else {
			if (!call.flow->known)
				return DISSECT_NOT_MINE;
			s7_count(&call, F_MALFORMED);
			if (++call.flow->broken == BROKEN_MOST)
				return DISSECT_MALFORMED;
			side->lost = true;
			size = sane ? size : 1;
		}
		dissect_pass_over(in, size);
	}
	return DISSECT_MORE;
}

const struct dissector dissector_s7 = {
	.name = "s7",
	.summary = "Siemens S7comm and S7comm-plus over ISO transport",
	.transports = TRANSPORT_TCP,
	.ports = (const uint16_t[]){ PORT, 0 },
	.fields = s7_fields,
	.first = (const struct byte_range[]){ { TPKT_VERSION, TPKT_VERSION }, BYTE_RANGES_END },
	.seeks = true,
	.state_size = sizeof(struct s7),
	.probe = s7_probe,
	.dissect = s7_dissect,
};
