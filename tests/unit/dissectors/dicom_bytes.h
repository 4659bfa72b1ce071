/* SPDX-License-Identifier: Apache-2.0
 *
 * Builds DICOM PDUs, with canaries (ZZ) wherever patient data, identifiers or
 * secrets would stand. */
#pragma once

#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

struct bytes {
	uint8_t at[1 << 17];
	size_t n;
};

static inline void put(struct bytes *b, const void *data, size_t n)
{
	cr_assert(b->n + n <= sizeof(b->at));
	memcpy(b->at + b->n, data, n);
	b->n += n;
}

static inline void put_be(struct bytes *b, uint64_t v, int size)
{
	for (int i = size - 1; i >= 0; i--)
		put(b, &(uint8_t){ (uint8_t)(v >> 8 * i) }, 1);
}

static inline void put_le(struct bytes *b, uint64_t v, int size)
{
	for (int i = 0; i < size; i++)
		put(b, &(uint8_t){ (uint8_t)(v >> 8 * i) }, 1);
}

static inline void put_item(struct bytes *b, uint8_t type, const void *value, size_t n)
{
	put_be(b, type, 1);
	put_be(b, 0xff, 1); /* reserved, and not zero in practice */
	put_be(b, n, 2);
	put(b, value, n);
}

static inline void put_pdu(struct bytes *b, uint8_t type, const struct bytes *body)
{
	put_be(b, type, 1);
	put_be(b, 0, 1);
	put_be(b, body->n, 4);
	put(b, body->at, body->n);
}

static inline void put_fixed(struct bytes *body, const char *called, const char *calling)
{
	char title[16];

	put_be(body, 1, 2);
	put_be(body, 0, 2);
	memset(title, ' ', 16);
	memcpy(title, called, strlen(called));
	put(body, title, 16);
	memset(title, ' ', 16);
	memcpy(title, calling, strlen(calling));
	put(body, title, 16);
	for (int i = 0; i < 32; i++)
		put_be(body, 0x30, 1);
	put_be(body, 0x10, 1);
	put_be(body, 0, 1);
	put_be(body, 21, 2);
	put(body, "1.2.840.10008.3.1.1.1", 21);
}

static inline void put_context(struct bytes *body, bool request, uint8_t id, uint8_t result,
			       const char *sop_class, const char *syntax)
{
	static struct bytes item;

	item.n = 0;
	put_be(&item, id, 1);
	put_be(&item, 0, 1);
	put_be(&item, result, 1);
	put_be(&item, 0, 1);
	if (sop_class)
		put_item(&item, 0x30, sop_class, strlen(sop_class));
	put_item(&item, 0x40, syntax, strlen(syntax));
	put_item(body, request ? 0x20 : 0x21, item.at, item.n);
}

static inline void put_user(struct bytes *body, const char *version, bool password)
{
	static const char secret[] = "\x02\x00\x00\x07svcuser\x00\x08ZZSECRET";
	static struct bytes info;

	info.n = 0;
	put_item(&info, 0x51, "\0\0\x40\0", 4);
	put_item(&info, 0x52, "1.2.276.0.7230010.3.0.3.6.7", 27);
	if (password)
		put_item(&info, 0x58, secret, sizeof(secret) - 1);
	put_item(&info, 0x55, version, strlen(version));
	put_item(body, 0x50, info.at, info.n);
}

static const char echo_class[] = "1.2.840.10008.1.1";
static const char implicit[] = "1.2.840.10008.1.2";

static inline void put_request(struct bytes *b)
{
	static struct bytes body;

	body.n = 0;
	put_fixed(&body, "PACS", "CT_MODALITY1");
	put_context(&body, true, 1, 0, echo_class, implicit);
	put_context(&body, true, 3, 0, "1.2.840.10008.5.1.4.1.1.2", implicit);
	put_user(&body, "OFFIS_DCMTK_367", true);
	put_pdu(b, 1, &body);
}

static inline void put_accept(struct bytes *b)
{
	static struct bytes body;

	body.n = 0;
	put_fixed(&body, "PACS", "CT_MODALITY1");
	put_context(&body, false, 1, 0, NULL, implicit);
	put_context(&body, false, 3, 3, NULL, "1.2.840.10008.1.2.1");
	put_user(&body, "ARCHIVE 4.2", false);
	put_pdu(b, 2, &body);
}

static inline void put_element(struct bytes *b, uint16_t element, const void *value, size_t n)
{
	put_le(b, 0, 2);
	put_le(b, element, 2);
	put_le(b, n, 4);
	put(b, value, n);
}

static inline void put_short(struct bytes *b, uint16_t element, uint16_t value)
{
	uint8_t bytes[2] = { (uint8_t)value, (uint8_t)(value >> 8) };

	put_element(b, element, bytes, 2);
}

/* A command set with all that must not leave in it. */
static inline void put_command(struct bytes *b, uint16_t code, int status)
{
	put_element(b, 0x0000, "\x70\0\0\0", 4);
	put_element(b, 0x0002, "1.2.840.10008.5.1.4.1.1.2\0", 26);
	put_short(b, 0x0100, code);
	put_short(b, code & 0x8000 ? 0x0120 : 0x0110, 1);
	if (code == 0x0021)
		put_element(b, 0x0600, "WORKSTATION1", 12);
	put_short(b, 0x0800, code == 1 ? 0 : 0x0101);
	if (status >= 0)
		put_short(b, 0x0900, (uint16_t)status);
	put_element(b, 0x0902, "ZZPHI is unknown", 16);
	put_element(b, 0x1000, "1.2.3.99.99.99", 14);
	if (code == 0x8021) {
		put_short(b, 0x1021, 2);
		put_short(b, 0x1022, 1);
		put_short(b, 0x1023, 0);
	}
}

static inline void put_fragment(struct bytes *body, uint8_t flags, const void *data, size_t n)
{
	put_be(body, n + 2, 4);
	put_be(body, 1, 1);
	put_be(body, flags, 1);
	put(body, data, n);
}

/* One PDU per fragment of at most `most` bytes. */
static inline void put_data(struct bytes *b, uint8_t kind, const struct bytes *data, size_t most)
{
	static struct bytes body;

	for (size_t at = 0; at < data->n; at += most) {
		size_t n = data->n - at < most ? data->n - at : most;
		body.n = 0;
		put_fragment(&body, (uint8_t)(kind | (at + n == data->n ? 2 : 0)), data->at + at,
			     n);
		put_pdu(b, 4, &body);
	}
}

static inline void put_message(struct bytes *b, uint16_t code, int status, size_t most)
{
	static struct bytes command;

	command.n = 0;
	put_command(&command, code, status);
	put_data(b, 1, &command, most);
}

static inline void put_dataset(struct bytes *b, size_t n, size_t most)
{
	static struct bytes data;

	data.n = 0;
	for (size_t i = 0; i < n; i++)
		put(&data, &"ZZPHI"[i % 5], 1);
	put_data(b, 0, &data, most);
}

static inline void put_outcome(struct bytes *b, uint8_t type, const char four[4])
{
	static struct bytes body;

	body.n = 0;
	put(&body, four, 4);
	put_pdu(b, type, &body);
}
