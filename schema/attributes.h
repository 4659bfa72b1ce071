/* SPDX-License-Identifier: Apache-2.0
 *
 * What dissectors may say about a flow, and the only way for a byte of payload
 * to leave the sensor. A dissector declares each field once, with a type, a
 * grammar and a meaning; text outside its grammar becomes the word "invalid".
 * There is no field type for free text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum field_type {
	FIELD_NUMBER,  /* last value set wins */
	FIELD_COUNTER, /* added up; interim records carry what came since the last */
	FIELD_FLAG,    /* true once set */
	FIELD_TEXT,    /* first valid value wins */
	FIELD_TEXTS,   /* a set of distinct texts, in order of appearance, bounded */
};

/* What a text may look like. Each has a check in attributes.c and a row in its
 * unit test; lengths are in bytes. */
enum grammar {
	GRAMMAR_NONE,     /* numbers, counters, flags */
	GRAMMAR_TOKEN,    /* [A-Za-z0-9_.+/-]{1,40}: words of a protocol's own lists */
	GRAMMAR_AE_TITLE, /* DICOM PS3.5 6.2: [ -~] without \, 1 to 16, not all blanks */
	GRAMMAR_UID,      /* DICOM, ASN.1: [0-9.]{1,64}, starts and ends with a digit */
	GRAMMAR_HL7_NAME, /* HD first component: [A-Za-z0-9_ .:/-]{1,64} */
	GRAMMAR_HL7_TYPE, /* [A-Z0-9]{3}(\^[A-Z0-9]{3}(\^[A-Z0-9_]{3,7})?)? */
	GRAMMAR_VERSION,  /* [0-9][A-Za-z0-9._-]{0,15} */
	GRAMMAR_HOSTNAME, /* RFC 1123 labels and '_', 1 to 253, lower-cased */
	GRAMMAR_PRODUCT,  /* [A-Za-z0-9_. ()+/-]{1,32}: implementation and product names */
	GRAMMAR_ISSUER,   /* [A-Za-z0-9_. ,'&:()+/-]{1,64}: organisations, certificate issuers */
	GRAMMAR_NUMBERS,  /* [0-9]{1,5}(,[0-9]{1,5})*(,[+])?, at most 64: lists of a protocol's
			   * own numbers, such as DHCP's options; + when some were left out */
};

/* What a value could tell about a person. There is no class for what does: that is
 * not exported at all. */
enum phi_class {
	PHI_UNDECLARED, /* a mistake; the unit test of the registry finds it */
	PHI_NONE,       /* a protocol's own words, counts, sizes, times */
	PHI_DEVICE,     /* tells one device or its maker: model, version, serial number, MAC */
	PHI_SITE,       /* a name that the hospital gave: AE title, application, host; a
			 * hospital may have named one after a person */
};

/* Whom a text also describes, beyond the flow: it is a fact about that host. */
enum field_about { ABOUT_FLOW, ABOUT_CLIENT, ABOUT_SERVER };

struct field {
	const char *name; /* "dicom.calling_ae": dissector, dot, noun */
	enum field_type type;
	enum grammar grammar;
	const char *unit;    /* "bytes", "us", "messages"; "" where there is none */
	const char *meaning; /* one line, for vigie-sensor -L and the man page */
	enum phi_class phi;
	enum field_about about;
};

enum { ATTRIBUTES_MOST = 64, ATTRIBUTES_TEXT = 1024, ATTRIBUTES_SET_MOST = 8 };

struct attribute {
	const struct field *field;
	union {
		uint64_t number;
		uint16_t text; /* offset into the texts, NUL-terminated there */
	};
};

/* Fixed size, zeroed by its owner; a flow keeps its own packed. */
struct attributes {
	uint16_t count;
	uint16_t text_used;
	uint16_t nearer;  /* bytes that the texts lie before `texts`, when packed */
	uint32_t dropped; /* values that found no room; counted by the core */
	uint32_t invalid; /* texts outside their grammar */
	struct attribute values[ATTRIBUTES_MOST];
	char texts[ATTRIBUTES_TEXT];
};

void attributes_number(struct attributes *a, const struct field *f, uint64_t v);
void attributes_add(struct attributes *a, const struct field *f, uint64_t n); /* FIELD_COUNTER */
void attributes_flag(struct attributes *a, const struct field *f);
/* FIELD_TEXT and FIELD_TEXTS. Bytes are copied; they need no NUL. An empty text
 * is not recorded. AE titles lose their padding first. */
void attributes_text(struct attributes *a, const struct field *f, const void *bytes, size_t n);

/* The value of a field, or NULL; for FIELD_TEXTS the first of them. */
const struct attribute *attributes_find(const struct attributes *a, const struct field *f);
const char *attribute_text(const struct attributes *a, const struct attribute *v);

/* After an interim record: counters back to zero, all else kept. */
void attributes_restart(struct attributes *a);

/* Packed attributes are the begin of a struct attributes, with the texts right behind the
 * values in use. They can be read as any others, and restarted; nothing can be added. */
size_t attributes_packed_size(const struct attributes *a); /* bytes; a may be packed or not */
/* `to` has room for those bytes, aligned as a struct attributes is. */
void attributes_pack(struct attributes *to, const struct attributes *from);
void attributes_unpack(struct attributes *to, const struct attributes *packed);

/* Words for lists and documents: "counter", "ae-title" ("-" for none), "site". */
const char *field_type_name(enum field_type type);
const char *grammar_name(enum grammar g);
const char *phi_class_name(enum phi_class c);

/* True when the text fits; the one place that decides what may leave. */
bool grammar_accepts(enum grammar g, const void *bytes, size_t n);
