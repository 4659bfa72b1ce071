/* SPDX-License-Identifier: Apache-2.0 */
#include "schema/names.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int position(const char *const *words, int count, const char *word)
{
	for (int i = 0; i < count; i++)
		if (!strcmp(words[i], word))
			return i;
	return -1;
}

#define WORD(constant, word) word,
/* Defines NAME_name() and NAME_of() over one list. */
#define NAMED(noun, LIST, COUNT) \
	static const char *const noun##_words[] = { LIST(WORD) }; \
	const char *noun##_name(enum noun v) \
	{ \
		return (unsigned)v < COUNT ? noun##_words[v] : ""; \
	} \
	int noun##_of(const char *word) \
	{ \
		return *word ? position(noun##_words, COUNT, word) : -1; \
	}

NAMED(impact, IMPACTS, IMPACT_COUNT)
NAMED(verdict, VERDICTS, VERDICT_COUNT)
NAMED(severity, SEVERITIES, SEVERITY_COUNT)
NAMED(end_reason, END_REASONS, END_REASON_COUNT)
NAMED(orientation, ORIENTATIONS, ORIENTATION_COUNT)
NAMED(app_source, APP_SOURCES, APP_SOURCE_COUNT)
NAMED(confidence, CONFIDENCES, CONFIDENCE_COUNT)
NAMED(stream, STREAMS, STREAM_COUNT)

/* IANA protocol numbers that a hospital's network shows. */
static const struct {
	unsigned number;
	const char *name;
} protocols[] = {
	{ 1, "icmp" },    { 2, "igmp" },   { 4, "ipip" },      { 6, "tcp" },   { 17, "udp" },
	{ 41, "ipv6" },   { 46, "rsvp" },  { 47, "gre" },      { 50, "esp" },  { 51, "ah" },
	{ 58, "icmpv6" }, { 88, "eigrp" }, { 89, "ospf" },     { 103, "pim" }, { 112, "vrrp" },
	{ 115, "l2tp" },  { 132, "sctp" }, { 136, "udplite" },
};

const char *protocol_name(unsigned number, char out[4])
{
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
		if (protocols[i].number == number)
			return protocols[i].name;
	snprintf(out, 4, "%u", number & 0xff);
	return out;
}

int protocol_of(const char *word)
{
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
		if (!strcmp(protocols[i].name, word))
			return (int)protocols[i].number;
	char *end;
	unsigned long number = strtoul(word, &end, 10);
	return *word >= '0' && *word <= '9' && !*end && number < 256 ? (int)number : -1;
}
