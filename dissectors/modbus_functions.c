/* SPDX-License-Identifier: Apache-2.0
 *
 * Modbus application protocol V1.1b3, section 6: the forms of requests and responses. */
#include "dissectors/modbus_internal.h"

enum { BITS_MOST = 2000, WRITE_BITS_MOST = 1968, WORDS_MOST = 125, WRITE_WORDS_MOST = 123 };

static bool is_empty(struct cursor c)
{
	return cursor_left(&c) == 0;
}

static bool has_one(struct cursor c)
{
	return cursor_left(&c) == 1;
}

static bool has_four(struct cursor c)
{
	return cursor_left(&c) == 4;
}

static bool is_mask(struct cursor c)
{
	return cursor_left(&c) == 6;
}

static bool has_some(struct cursor c)
{
	return cursor_left(&c) >= 2;
}

/* A count of bytes, and as many. */
static bool is_counted(struct cursor c)
{
	size_t count = cursor_u8(&c);
	return !c.failed && count && cursor_left(&c) == count;
}

static bool is_words(struct cursor c)
{
	return cursor_left(&c) % 2 == 1 && is_counted(c);
}

/* Address, quantity. */
static bool is_range(struct cursor c, unsigned most)
{
	if (cursor_left(&c) != 4)
		return false;
	uint32_t first = cursor_be16(&c);
	uint32_t quantity = cursor_be16(&c);
	return quantity && quantity <= most && first + quantity <= 0x10000;
}

static bool asks_bits(struct cursor c)
{
	return is_range(c, BITS_MOST);
}

static bool asks_words(struct cursor c)
{
	return is_range(c, WORDS_MOST);
}

static bool wrote_bits(struct cursor c)
{
	return is_range(c, WRITE_BITS_MOST);
}

static bool wrote_words(struct cursor c)
{
	return is_range(c, WRITE_WORDS_MOST);
}

static bool is_coil(struct cursor c)
{
	cursor_skip(&c, 2);
	uint16_t value = cursor_be16(&c);
	return !c.failed && is_empty(c) && (value == 0 || value == 0xff00);
}

static bool is_diagnostic(struct cursor c)
{
	uint16_t function = cursor_be16(&c);
	return !c.failed && function <= 20 && cursor_left(&c) >= 2;
}

/* Address, quantity, count of bytes, as many. */
static bool writes_bits(struct cursor c)
{
	if (!is_range(cursor_sub(&c, 4), WRITE_BITS_MOST))
		return false;
	return is_counted(c);
}

static bool writes_words(struct cursor c)
{
	if (!is_range(cursor_sub(&c, 4), WRITE_WORDS_MOST))
		return false;
	return is_words(c);
}

/* Where to read, then as in writes_words. */
static bool reads_and_writes(struct cursor c)
{
	return is_range(cursor_sub(&c, 4), WORDS_MOST) && writes_words(c);
}

/* References to file records, 7 bytes each. */
static bool asks_files(struct cursor c)
{
	return cursor_left(&c) % 7 == 1 && is_counted(c);
}

static bool has_address(struct cursor c)
{
	return cursor_left(&c) == 2;
}

static bool is_queue(struct cursor c)
{
	size_t count = cursor_be16(&c);
	return !c.failed && cursor_left(&c) == count;
}

enum { MEI_DEVICE = 14, MEI_CANOPEN = 13 };

static bool asks_device(struct cursor c)
{
	uint8_t mei = cursor_u8(&c);
	uint8_t code = cursor_u8(&c);

	if (mei == MEI_CANOPEN)
		return !c.failed;
	return mei == MEI_DEVICE && code >= 1 && code <= 4 && cursor_left(&c) == 1;
}

static bool tells_device(struct cursor c)
{
	uint8_t mei = cursor_u8(&c);
	return mei == MEI_CANOPEN || (mei == MEI_DEVICE && cursor_left(&c) >= 5);
}

static const struct modbus_function functions[] = {
	/* clang-format off */
	{ 1, F_READ_COILS, true, false, asks_bits, is_counted },
	{ 2, F_READ_INPUTS, true, false, asks_bits, is_counted },
	{ 3, F_READ_HOLDING, true, false, asks_words, is_words },
	{ 4, F_READ_INPUT_REGISTERS, true, false, asks_words, is_words },
	{ 5, F_WRITE_COIL, false, true, is_coil, is_coil },
	{ 6, F_WRITE_REGISTER, false, true, has_four, has_four },
	{ 7, F_STATUS, false, false, is_empty, has_one },
	{ MODBUS_DIAGNOSTICS, F_DIAGNOSTICS, false, false, is_diagnostic, is_diagnostic },
	{ 11, F_STATUS, false, false, is_empty, has_four },
	{ 12, F_STATUS, false, false, is_empty, is_counted },
	{ 15, F_WRITE_COILS, false, true, writes_bits, wrote_bits },
	{ 16, F_WRITE_REGISTERS, false, true, writes_words, wrote_words },
	{ 17, F_SERVER_ID, false, false, is_empty, is_counted },
	{ 20, F_FILE_READS, true, false, asks_files, is_counted },
	{ 21, F_FILE_WRITES, false, true, is_counted, is_counted },
	{ 22, F_MASK_WRITE, false, true, is_mask, is_mask },
	{ MODBUS_READ_WRITE, F_READ_WRITE, true, true, reads_and_writes, is_words },
	{ 24, F_FIFO_READS, true, false, has_address, is_queue },
	{ MODBUS_DEVICE_ID, F_DEVICE_ID, false, false, asks_device, tells_device },
	{ 90, F_UMAS, false, false, has_some, has_some },
	/* clang-format on */
};

const struct modbus_function *modbus_function(uint8_t number)
{
	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++)
		if (functions[i].number == number)
			return &functions[i];
	return NULL;
}

bool modbus_is_request(const struct modbus_frame *frame)
{
	const struct modbus_function *f = modbus_function(frame->function);
	return f && f->request(frame->data);
}

bool modbus_is_response(const struct modbus_frame *frame)
{
	const struct modbus_function *f =
		modbus_function(frame->function & (uint8_t)~MODBUS_EXCEPTION);

	if (frame->function & MODBUS_EXCEPTION) {
		int code = cursor_peek(&frame->data, 0);
		return f && has_one(frame->data) && code >= 0 && modbus_exception((uint8_t)code);
	}
	return f && f->response(frame->data);
}

static void read_range(struct cursor *c, struct modbus_range *range, bool single)
{
	uint32_t first = cursor_be16(c);
	uint32_t quantity = single ? 1 : cursor_be16(c);

	if (c->failed || quantity == 0)
		return;
	uint32_t last = first + quantity - 1;
	*range = (struct modbus_range){ true, first, last < 0xffff ? last : 0xffff };
}

void modbus_ranges(const struct modbus_frame *request, struct modbus_range *read,
		   struct modbus_range *written)
{
	struct cursor c = request->data;

	*read = *written = (struct modbus_range){ 0 };
	switch (request->function) {
	case 1:
	case 2:
	case 3:
	case 4:
		read_range(&c, read, false);
		break;
	case 5:
	case 6:
	case 22:
		read_range(&c, written, true);
		break;
	case 15:
	case 16:
		read_range(&c, written, false);
		break;
	case MODBUS_READ_WRITE:
		read_range(&c, read, false);
		read_range(&c, written, false);
		break;
	case 24:
		read_range(&c, read, true);
		break;
	default:
		break;
	}
}

const char *modbus_exception(uint8_t code)
{
	static const char *const words[] = {
		NULL,
		"illegal-function",
		"illegal-address",
		"illegal-value",
		"device-failure",
		"acknowledge",
		"device-busy",
		"negative-acknowledge",
		"memory-parity",
		NULL,
		"gateway-path-unavailable",
		"gateway-target-failed",
	};

	return code < sizeof(words) / sizeof(*words) ? words[code] : NULL;
}

const char *modbus_diagnostic(uint16_t function)
{
	static const char *const words[] = {
		"return-query",
		"restart-communications",
		"return-register",
		"change-delimiter",
		"force-listen-only",
		NULL,
		NULL,
		NULL,
		NULL,
		NULL,
		"clear-counters",
	};

	if (function < sizeof(words) / sizeof(*words) && words[function])
		return words[function];
	return function <= 20 ? "return-counter" : NULL;
}
