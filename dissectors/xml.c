/* SPDX-License-Identifier: Apache-2.0 */
#include "dissectors/xml.h"

enum stage {
	STAGE_TEXT,
	STAGE_TAG,    /* behind `<` */
	STAGE_NAME,   /* in its name */
	STAGE_INSIDE, /* behind its name, or an attribute */
	STAGE_SLASH,  /* behind the `/` of an empty element */
	STAGE_ATTRIBUTE,
	STAGE_EQUALS, /* behind an attribute's name */
	STAGE_QUOTE,  /* behind `=` */
	STAGE_VALUE,
	STAGE_BANG,        /* behind `<!` */
	STAGE_DASH,        /* behind `<!-` */
	STAGE_COMMENT,     /* up to `-->` */
	STAGE_CDATA_NAME,  /* in `CDATA[` */
	STAGE_CDATA,       /* up to `]]>` */
	STAGE_INSTRUCTION, /* up to `?>` */
	STAGE_BAD,
};

void xml_begin(struct xml *x)
{
	x->stage = STAGE_TEXT;
	x->depth = x->name_length = x->attribute_length = x->value_length = 0;
	x->keep = x->spent = x->clipped = false;
}

static bool is_space(uint8_t byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* Not the whole of the standard's list: bytes above 0x7f are all taken for letters. */
static bool begins_name(uint8_t byte)
{
	uint8_t letter = byte | 0x20;

	return (letter >= 'a' && letter <= 'z') || byte == '_' || byte == ':' || byte >= 0x80;
}

static void append(char *to, uint8_t *length, size_t most, uint8_t byte)
{
	if (*length < most)
		to[(*length)++] = (char)byte;
}

static void append_value(struct xml *x, uint8_t byte)
{
	x->clipped |= x->value_length == XML_VALUE_MOST;
	append(x->value, &x->value_length, XML_VALUE_MOST, byte);
}

static enum xml_event bad(struct xml *x)
{
	x->stage = STAGE_BAD;
	return XML_BAD;
}

static enum xml_event spend(struct xml *x, enum xml_event event)
{
	x->spent = true;
	return event;
}

static enum xml_event text(struct xml *x, struct cursor *bytes)
{
	uint8_t byte = cursor_u8(bytes);

	if (byte == '<') {
		x->stage = STAGE_TAG;
		x->closing = false;
	}
	if (!x->keep) {
		const uint8_t *tag = cursor_left(bytes) && byte != '<'
					     ? memchr(bytes->at, '<', cursor_left(bytes))
					     : bytes->at;
		cursor_skip(bytes, tag ? (size_t)(tag - bytes->at) : cursor_left(bytes));
		return XML_MORE;
	}
	if (byte != '<' && !is_space(byte))
		append_value(x, byte);
	else if (x->value_length)
		return spend(x, XML_WORD);
	return XML_MORE;
}

static enum xml_event tag(struct xml *x, uint8_t byte)
{
	x->keep = false;
	x->name_length = 0;
	if (byte == '/' && !x->closing) {
		x->closing = true;
		return XML_MORE;
	}
	if (byte == '!' || byte == '?') {
		x->stage = byte == '!' ? STAGE_BANG : STAGE_INSTRUCTION;
		x->run = 0;
		return x->closing ? bad(x) : XML_MORE;
	}
	if (!begins_name(byte))
		return bad(x);
	append(x->name, &x->name_length, XML_NAME_MOST, byte);
	x->stage = STAGE_NAME;
	return XML_MORE;
}

static enum xml_event close_element(struct xml *x)
{
	if (x->depth == 0)
		return bad(x);
	x->depth--;
	x->keep = false;
	x->stage = STAGE_TEXT;
	return XML_CLOSE;
}

static enum xml_event inside(struct xml *x, uint8_t byte)
{
	if (is_space(byte))
		return XML_MORE;
	if (byte == '>') {
		x->stage = STAGE_TEXT;
		return x->closing ? close_element(x) : XML_MORE;
	}
	if (x->closing)
		return bad(x);
	if (byte == '/') {
		x->stage = STAGE_SLASH;
		return XML_MORE;
	}
	if (!begins_name(byte))
		return bad(x);
	x->attribute_length = 0;
	append(x->attribute, &x->attribute_length, XML_ATTRIBUTE_MOST, byte);
	x->stage = STAGE_ATTRIBUTE;
	return XML_MORE;
}

/* The byte behind a name belongs to what follows: `inside` sees it after the event. */
static enum xml_event name(struct xml *x, struct cursor *bytes)
{
	int byte = cursor_peek(bytes, 0);

	if (byte != '>' && byte != '/' && !is_space((uint8_t)byte)) {
		append(x->name, &x->name_length, XML_NAME_MOST, (uint8_t)byte);
		cursor_skip(bytes, 1);
		return byte == '<' ? bad(x) : XML_MORE;
	}
	x->stage = STAGE_INSIDE;
	if (x->closing)
		return XML_MORE;
	if (x->depth == XML_DEPTH_MOST)
		return bad(x);
	x->depth++;
	return XML_OPEN;
}

static enum xml_event attribute(struct xml *x, uint8_t byte)
{
	if (byte == '=')
		x->stage = STAGE_QUOTE;
	else if (is_space(byte))
		x->stage = STAGE_EQUALS;
	else if (byte == '<' || byte == '>' || byte == '/')
		return bad(x);
	else
		append(x->attribute, &x->attribute_length, XML_ATTRIBUTE_MOST, byte);
	return XML_MORE;
}

static enum xml_event quote(struct xml *x, uint8_t byte)
{
	if (is_space(byte))
		return XML_MORE;
	if (byte != '"' && byte != '\'')
		return bad(x);
	x->quote = byte;
	x->stage = STAGE_VALUE;
	return XML_MORE;
}

static enum xml_event value(struct xml *x, uint8_t byte)
{
	if (byte != x->quote) {
		if (x->keep)
			append_value(x, byte);
		return byte == '<' ? bad(x) : XML_MORE;
	}
	x->stage = STAGE_INSIDE;
	return x->keep ? spend(x, XML_VALUE) : XML_MORE;
}

static enum xml_event bang(struct xml *x, uint8_t byte)
{
	if (byte == '-')
		x->stage = STAGE_DASH;
	else if (byte == '[')
		x->stage = STAGE_CDATA_NAME;
	else
		return bad(x);
	return XML_MORE;
}

static enum xml_event cdata_name(struct xml *x, uint8_t byte)
{
	static const char word[] = "CDATA[";

	if (byte != (uint8_t)word[x->run])
		return bad(x);
	if (word[++x->run] == '\0') {
		x->run = 0;
		x->stage = STAGE_CDATA;
	}
	return XML_MORE;
}

/* Up to as many of `mark` as are needed, and `>`. */
static enum xml_event until(struct xml *x, uint8_t byte, uint8_t mark, uint8_t needed)
{
	if (byte == '>' && x->run >= needed)
		x->stage = STAGE_TEXT;
	else if (byte == mark)
		x->run += x->run < needed;
	else
		x->run = 0;
	return XML_MORE;
}

static enum xml_event step(struct xml *x, struct cursor *bytes)
{
	switch ((enum stage)x->stage) {
	case STAGE_TEXT:
		return text(x, bytes);
	case STAGE_TAG:
		return tag(x, cursor_u8(bytes));
	case STAGE_NAME:
		return name(x, bytes);
	case STAGE_INSIDE:
		return inside(x, cursor_u8(bytes));
	case STAGE_SLASH:
		return cursor_u8(bytes) == '>' ? close_element(x) : bad(x);
	case STAGE_ATTRIBUTE:
		return attribute(x, cursor_u8(bytes));
	case STAGE_EQUALS:
		if (is_space((uint8_t)cursor_peek(bytes, 0))) {
			cursor_skip(bytes, 1);
			return XML_MORE;
		}
		x->stage = STAGE_QUOTE;
		return cursor_u8(bytes) == '=' ? XML_MORE : bad(x);
	case STAGE_QUOTE:
		return quote(x, cursor_u8(bytes));
	case STAGE_VALUE:
		return value(x, cursor_u8(bytes));
	case STAGE_BANG:
		return bang(x, cursor_u8(bytes));
	case STAGE_DASH:
		x->stage = STAGE_COMMENT;
		return cursor_u8(bytes) == '-' ? XML_MORE : bad(x);
	case STAGE_COMMENT:
		return until(x, cursor_u8(bytes), '-', 2);
	case STAGE_CDATA_NAME:
		return cdata_name(x, cursor_u8(bytes));
	case STAGE_CDATA:
		return until(x, cursor_u8(bytes), ']', 2);
	case STAGE_INSTRUCTION:
		return until(x, cursor_u8(bytes), '?', 1);
	case STAGE_BAD:
		break;
	}
	return XML_BAD;
}

enum xml_event xml_next(struct xml *x, struct cursor *bytes)
{
	if (x->spent) {
		x->value_length = 0;
		x->spent = x->clipped = false;
	}
	while (cursor_left(bytes)) {
		enum xml_event event = step(x, bytes);
		if (event != XML_MORE)
			return event;
		if (!x->keep)
			x->value_length = 0;
	}
	return XML_MORE;
}

bool xml_is(const struct xml *x, const char *name)
{
	size_t from = x->name_length, n = strlen(name);

	while (from > 0 && x->name[from - 1] != ':')
		from--;
	return x->name_length - from == n && memcmp(x->name + from, name, n) == 0;
}

bool xml_is_attribute(const struct xml *x, const char *name)
{
	size_t n = strlen(name);

	return x->attribute_length == n && memcmp(x->attribute, name, n) == 0;
}
