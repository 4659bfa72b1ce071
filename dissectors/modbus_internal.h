/* SPDX-License-Identifier: Apache-2.0
 *
 * What the sources of the Modbus dissector share: modbus.c frames and records,
 * modbus_functions.c knows what each function's requests and responses look like. */
#pragma once

#include "dissectors/dissector.h"

enum modbus_field {
	F_REQUESTS,
	F_RESPONSES,
	F_READS,
	F_WRITES,
	F_CONTROL,
	F_READ_COILS,
	F_READ_INPUTS,
	F_READ_HOLDING,
	F_READ_INPUT_REGISTERS,
	F_WRITE_COIL,
	F_WRITE_REGISTER,
	F_WRITE_COILS,
	F_WRITE_REGISTERS,
	F_MASK_WRITE,
	F_READ_WRITE,
	F_FILE_READS,
	F_FILE_WRITES,
	F_FIFO_READS,
	F_DIAGNOSTICS,
	F_DIAGNOSTIC,
	F_STATUS,
	F_SERVER_ID,
	F_DEVICE_ID,
	F_UMAS,
	F_OTHER,
	F_UNIT_ZERO_WRITES,
	F_EXCEPTIONS,
	F_EXCEPTION,
	F_UNIT,
	F_UNITS,
	F_ADDRESS_LEAST,
	F_ADDRESS_MOST,
	F_WRITTEN_LEAST,
	F_WRITTEN_MOST,
	F_UNPAIRED,
	F_MALFORMED,
	F_VENDOR,
	F_PRODUCT,
	F_REVISION,
	MODBUS_FIELD_COUNT
};

enum {
	MODBUS_EXCEPTION = 0x80, /* set in the function of a response that says no */
	MODBUS_READ_WRITE = 23,
	MODBUS_DIAGNOSTICS = 8,
	MODBUS_DEVICE_ID = 43,
	/* sub-functions of diagnostics */
	MODBUS_RESTART = 1,
	MODBUS_LISTEN_ONLY = 4,
};

/* One application data unit (Messaging on TCP/IP implementation guide, 3.1.3). */
struct modbus_frame {
	uint16_t transaction;
	uint8_t unit, function;
	struct cursor data; /* behind the function */
};

struct modbus_range {
	bool used;
	uint32_t first, last; /* addresses of coils or registers, as on the wire */
};

struct modbus_function {
	uint8_t number;
	uint8_t field; /* what it counts as, of enum modbus_field */
	bool read, write;
	/* Whether the data can be this function's, to the last byte. */
	bool (*request)(struct cursor data);
	bool (*response)(struct cursor data);
};

/* NULL for one that the Modbus application protocol (V1.1b3) does not define; UMAS, which
 * is Schneider Electric's, is among the defined. */
const struct modbus_function *modbus_function(uint8_t number);

/* By the grammar of its function; both may be true. */
bool modbus_is_request(const struct modbus_frame *frame);
bool modbus_is_response(const struct modbus_frame *frame); /* or an exception */

/* The addresses that a request reads and those that it writes. */
void modbus_ranges(const struct modbus_frame *request, struct modbus_range *read,
		   struct modbus_range *written);

/* Words of GRAMMAR_TOKEN, or NULL. */
const char *modbus_exception(uint8_t code);
const char *modbus_diagnostic(uint16_t function);
