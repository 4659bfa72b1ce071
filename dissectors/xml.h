/* SPDX-License-Identifier: Apache-2.0
 *
 * A small scanner of XML (XML 1.0, fifth edition) for streams: it is given bytes as they
 * come, keeps its place in a struct of fixed size, and says what it meets. It neither
 * recurses nor checks that tags match; it forgets each value that was not asked for.
 * Entities stay as they are written. A document type declaration is refused: none of the
 * protocols that are read here may have one. Text outside the root element is passed
 * over, as are comments, CDATA sections and processing instructions. */
#pragma once

#include "base/cursor.h"

enum { XML_NAME_MOST = 48, XML_ATTRIBUTE_MOST = 16, XML_VALUE_MOST = 128, XML_DEPTH_MOST = 200 };

enum xml_event {
	XML_MORE,  /* all bytes are taken */
	XML_OPEN,  /* the begin of an element: `name`, `depth` (1: the root) */
	XML_VALUE, /* an attribute's value, when `keep` is set: `attribute`, `value` */
	XML_WORD,  /* a word of the element's text, when `keep` is set: `value` */
	XML_CLOSE, /* its end; `depth` is that of what is around it (0: none) */
	XML_BAD,   /* this is no XML; say xml_begin before anything else */
};

struct xml {
	uint8_t stage, quote, run;
	bool closing, spent;
	/* Set by the caller at XML_OPEN: the attributes and the text up to the next tag are
	 * wanted. Cleared by each tag. */
	bool keep;
	bool clipped; /* `value` is longer than what is kept of it */
	uint8_t depth;
	uint8_t name_length, attribute_length, value_length;
	/* Longer names are cut; no name that anybody asks about is that long. */
	char name[XML_NAME_MOST]; /* as written, with its prefix */
	char attribute[XML_ATTRIBUTE_MOST];
	char value[XML_VALUE_MOST];
};

/* A zeroed struct will do, too. */
void xml_begin(struct xml *x);

/* Takes bytes up to the next event. */
enum xml_event xml_next(struct xml *x, struct cursor *bytes);

/* Is this the element's name without its prefix, or the attribute's with it? */
bool xml_is(const struct xml *x, const char *name);
bool xml_is_attribute(const struct xml *x, const char *name);
