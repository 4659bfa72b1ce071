/* SPDX-License-Identifier: Apache-2.0
 *
 * What a controller says of itself in answers to others. S7comm: two lists of the
 * system state (SZL), which Siemens documents in "System Software for S7-300/400,
 * System and Standard Functions": 0x11 module identification, 0x1c component
 * identification. Of the latter only what the maker wrote is taken: the names of
 * the station, the module and the plant (indices 1 to 3) are free text. */
#include "dissectors/s7_internal.h"

#include <ctype.h>
#include <stdio.h>

enum {
	SZL_MODULE = 0x11,
	SZL_COMPONENT = 0x1c,
	SZL_NUMBER = 0xff, /* of an id; above it: which part of the list */
	MODULE_ITSELF = 1,
	MODULE_FIRMWARE = 7,
	COMPONENT_SERIAL = 5,
	COMPONENT_TYPE = 7,
	ORDER_NUMBER = 20, /* bytes, padded with blanks */
	COMPONENT_TEXT = 24,
};

void s7_text(struct s7_call *call, enum s7_field f, const uint8_t *p, size_t n)
{
	size_t length = 0;

	while (length < n && p[length] != '\0')
		length++;
	while (length && p[length - 1] == ' ')
		length--;
	attributes_text(call->out, &s7_fields[f], p, length);
}

bool s7_is_order_number(const uint8_t *p, size_t n)
{
	if (n < 9 || p[0] != '6' || !isupper(p[1]) || !isupper(p[2]) || !isalnum(p[3]) ||
	    p[4] != ' ')
		return false;
	for (size_t i = 5; i < n; i++)
		if (!isupper(p[i]) && !isdigit(p[i]) && p[i] != '-' && p[i] != ' ' && p[i])
			return false;
	return true;
}

/* Index u16, order number, type u16, version u16 twice. */
static void read_module(struct s7_call *call, struct cursor record)
{
	char version[16];

	unsigned index = cursor_be16(&record);
	const uint8_t *order = cursor_take(&record, ORDER_NUMBER);
	cursor_skip(&record, 2);
	const uint8_t *v = cursor_take(&record, 4);
	if (!v)
		return;
	if (index == MODULE_ITSELF && s7_is_order_number(order, ORDER_NUMBER))
		s7_text(call, F_ORDER_NUMBER, order, ORDER_NUMBER);
	if (index == MODULE_FIRMWARE && v[0] == 'V') {
		int n = snprintf(version, sizeof(version), "%u.%u.%u", v[1], v[2], v[3]);
		attributes_text(call->out, &s7_fields[F_FIRMWARE], version, (size_t)n);
	}
}

static void read_component(struct s7_call *call, struct cursor record)
{
	unsigned index = cursor_be16(&record);
	const uint8_t *text = cursor_take(&record, COMPONENT_TEXT);

	if (text && index == COMPONENT_SERIAL)
		s7_text(call, F_SERIAL, text, COMPONENT_TEXT);
	if (text && index == COMPONENT_TYPE)
		s7_text(call, F_MODULE_TYPE, text, COMPONENT_TEXT);
}

static void read_record(struct s7_call *call, const struct s7_szl *szl)
{
	struct cursor record = cursor_of(szl->record, szl->record_size);

	if ((szl->id & SZL_NUMBER) == SZL_MODULE)
		read_module(call, record);
	else
		read_component(call, record);
}

/* Id, index, size of a record, their number: u16 each. A list that is not read has
 * records of no size, so that what follows of it is not taken for another's header. */
static void open_list(struct s7_szl *szl, struct cursor *data)
{
	szl->id = cursor_be16(data);
	cursor_skip(data, 2);
	szl->record_size = cursor_be16(data);
	cursor_skip(data, 2);
	szl->kept = 0;
	unsigned number = szl->id & SZL_NUMBER;
	if (data->failed || (number != SZL_MODULE && number != SZL_COMPONENT) ||
	    szl->record_size > SZL_RECORD_MOST)
		szl->record_size = 0;
}

void s7_read_szl(struct s7_call *call, struct cursor data, bool more)
{
	struct s7_szl *szl = &call->flow->szl;

	if (!szl->open)
		open_list(szl, &data);
	szl->open = more;
	while (szl->record_size && cursor_left(&data)) {
		size_t wanted = (size_t)szl->record_size - szl->kept;
		if (wanted > cursor_left(&data))
			wanted = cursor_left(&data);
		memcpy(szl->record + szl->kept, cursor_take(&data, wanted), wanted);
		szl->kept = (uint8_t)(szl->kept + wanted);
		if (szl->kept == szl->record_size) {
			read_record(call, szl);
			szl->kept = 0;
		}
	}
}
