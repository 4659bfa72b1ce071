/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/stream.h"

extern const struct dissector dissector_modbus;

/* transaction 0x1201, unit 9: 3 registers from 100 on, and what they hold */
static const uint8_t read_three[] = { 0x12, 1, 0, 0, 0, 6, 9, 3, 0, 100, 0, 3 };
static const uint8_t three[] = { 0x12, 1, 0, 0, 0, 9, 9, 3, 6, 'Z', 'Z', 'P', 'H', 'I', 0 };

/* transaction 0x1202, unit 9: 2 registers from 40 on */
static const uint8_t write_two[] = {
	0x12, 2, 0, 0, 0, 11, 9, 16, 0, 40, 0, 2, 4, 'Z', 'Z', 'P', 'H'
};
static const uint8_t wrote_two[] = { 0x12, 2, 0, 0, 0, 6, 9, 16, 0, 40, 0, 2 };
static const uint8_t no_such_address[] = { 0x12, 2, 0, 0, 0, 3, 9, 0x90, 2 };

static struct conversation tcp(uint16_t server_port)
{
	struct conversation s;
	stream_init(&s, &dissector_modbus, TRANSPORT_TCP, 50000, server_port);
	return s;
}

static void check_exchange(const struct conversation *s)
{
	cr_assert(s->claimed);
	cr_assert_eq(s->result, DISSECT_MORE);
	cr_assert_eq(s->client_direction, 0);
	cr_assert_eq(stream_number(s, "modbus.requests"), 2);
	cr_assert_eq(stream_number(s, "modbus.responses"), 2);
	cr_assert_eq(stream_number(s, "modbus.unpaired"), 0);
	cr_assert_eq(stream_number(s, "modbus.reads"), 1);
	cr_assert_eq(stream_number(s, "modbus.read_holding_registers"), 1);
	cr_assert_eq(stream_number(s, "modbus.writes"), 1);
	cr_assert_eq(stream_number(s, "modbus.write_multiple_registers"), 1);
	cr_assert_eq(stream_number(s, "modbus.exceptions"), 0);
	cr_assert_eq(stream_number(s, "modbus.malformed"), 0);
	cr_assert_eq(stream_number(s, "modbus.units"), 1);
	cr_assert_str_eq(stream_text(s, "modbus.unit", 0), "9");
	cr_assert_eq(stream_number(s, "modbus.address_min"), 40);
	cr_assert_eq(stream_number(s, "modbus.address_max"), 102);
	cr_assert_eq(stream_number(s, "modbus.written_min"), 40);
	cr_assert_eq(stream_number(s, "modbus.written_max"), 41);
}

static void exchange(struct conversation *s, size_t chunk)
{
	stream_chunks(s, 0, read_three, sizeof(read_three), chunk);
	stream_chunks(s, 1, three, sizeof(three), chunk);
	stream_chunks(s, 0, write_two, sizeof(write_two), chunk);
	stream_chunks(s, 1, wrote_two, sizeof(wrote_two), chunk);
}

Test(modbus, an_exchange_on_any_port_in_any_pieces)
{
	static const uint16_t ports[] = { 502, 1502 };

	for (size_t i = 0; i < 2; i++)
		for (size_t chunk = 1; chunk < 20; chunk++) {
			struct conversation s = tcp(ports[i]);
			exchange(&s, chunk);
			check_exchange(&s);
			cr_assert_eq(s.confidence, i ? CONFIDENCE_MEDIUM : CONFIDENCE_HIGH);
			stream_finish(&s);
		}
}

Test(modbus, off_its_port_a_request_alone_is_nothing)
{
	struct conversation s = tcp(1502);

	stream_offer(&s, 0, read_three, sizeof(read_three));
	stream_offer(&s, 0, write_two, sizeof(write_two));
	cr_assert_not(s.claimed);
	cr_assert_not(s.refused);
	cr_assert_eq(s.out.count, 0);
	stream_offer(&s, 1, three, sizeof(three));
	cr_assert(s.claimed);
	cr_assert_eq(stream_number(&s, "modbus.requests"), 2);
	cr_assert_eq(s.confidence, CONFIDENCE_MEDIUM);
	stream_finish(&s);
}

Test(modbus, off_its_port_an_answer_to_something_else_ends_it)
{
	static const size_t at[] = { 0, 1, 6 }; /* transaction, unit */

	for (size_t i = 0; i < 3; i++) {
		struct conversation s = tcp(1502);
		uint8_t other[sizeof(three)];

		memcpy(other, three, sizeof(other));
		other[at[i]]++;
		stream_offer(&s, 0, read_three, sizeof(read_three));
		stream_offer(&s, 1, other, sizeof(other));
		cr_assert_not(s.claimed, "%zu", i);
		cr_assert_eq(s.result, DISSECT_NOT_MINE);
		stream_finish(&s);
	}
}

Test(modbus, on_its_port_it_is_medium_until_answered)
{
	struct conversation s = tcp(502);

	stream_offer(&s, 0, read_three, sizeof(read_three));
	cr_assert(s.claimed);
	cr_assert_eq(s.confidence, CONFIDENCE_MEDIUM);
	stream_offer(&s, 1, three, sizeof(three));
	cr_assert_eq(s.confidence, CONFIDENCE_HIGH);
	stream_finish(&s);
}

Test(modbus, no_to_a_request)
{
	struct conversation s = tcp(1502);

	stream_offer(&s, 0, write_two, sizeof(write_two));
	stream_offer(&s, 1, no_such_address, sizeof(no_such_address));
	cr_assert(s.claimed);
	cr_assert_eq(stream_number(&s, "modbus.exceptions"), 1);
	cr_assert_str_eq(stream_text(&s, "modbus.exception", 0), "illegal-address");
	stream_finish(&s);
}

/* An association request of DICOM has a header of Modbus, function 1. */
Test(modbus, dicom_is_not_ours)
{
	uint8_t associate[6 + 0xcd] = { 1, 0, 0, 0, 0, 0xcd, 0, 1 };
	struct conversation s = tcp(11112);

	stream_offer(&s, 0, associate, sizeof(associate));
	cr_assert(s.refused);
	stream_finish(&s);
}

Test(modbus, kerberos_is_not_ours)
{
	static const uint8_t as_req[] = {
		0, 0, 0, 12, 0x6a, 10, 0x30, 8, 0xa1, 3, 2, 1, 5, 0, 0, 0
	};
	struct conversation s = tcp(88);

	stream_offer(&s, 0, as_req, sizeof(as_req));
	cr_assert(s.refused);
	stream_finish(&s);
}

Test(modbus, off_its_port_only_exact_forms_count)
{
	static const uint8_t odd[][12] = {
		{ 0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 0 },       /* no registers */
		{ 0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 126 },     /* too many */
		{ 0, 1, 0, 0, 0, 6, 1, 3, 0xff, 0xff, 0, 2 }, /* behind the last */
		{ 0, 1, 0, 0, 0, 6, 1, 5, 0, 0, 0, 1 },       /* neither on nor off */
		{ 0, 1, 0, 0, 0, 6, 1, 99, 0, 0, 0, 1 },      /* no function */
		{ 0, 1, 0, 0, 1, 6, 1, 3, 0, 0, 0, 1 },       /* too long */
		{ 0, 1, 0, 1, 0, 6, 1, 3, 0, 0, 0, 1 },       /* no protocol */
		{ 0, 1, 0, 0, 0, 4, 1, 3, 0, 0, 0, 1 },       /* half a request */
	};

	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		struct conversation s = tcp(1502);
		stream_offer(&s, 0, odd[i], sizeof(odd[i]));
		cr_assert(s.refused, "%zu", i);
		stream_finish(&s);
	}
}

static void check_form(const uint8_t *request, size_t asked, const uint8_t *response, size_t told,
		       const char *counter)
{
	struct conversation s = tcp(1502);

	stream_offer(&s, 0, request, asked);
	cr_assert_not(s.refused, "%s", counter);
	stream_offer(&s, 1, response, told);
	cr_assert(s.claimed, "%s", counter);
	cr_assert_eq(stream_number(&s, counter), 1, "%s", counter);
	cr_assert_eq(stream_number(&s, "modbus.unpaired"), 0);
	stream_finish(&s);
}

Test(modbus, each_function_has_its_form)
{
	static const struct {
		const char *counter;
		uint8_t asked[20], asked_size, told[20], told_size;
	} forms[] = {
		/* clang-format off */
		{ "modbus.read_coils", { 1, 0, 8, 0, 9 }, 5, { 1, 2, 0, 1 }, 4 },
		{ "modbus.read_discrete_inputs", { 2, 0, 8, 0, 9 }, 5, { 2, 2, 0, 1 }, 4 },
		{ "modbus.read_input_registers", { 4, 0, 8, 0, 1 }, 5, { 4, 2, 0, 1 }, 4 },
		{ "modbus.write_single_coil", { 5, 0, 8, 0xff, 0 }, 5, { 5, 0, 8, 0xff, 0 }, 5 },
		{ "modbus.write_single_register", { 6, 0, 8, 1, 2 }, 5, { 6, 0, 8, 1, 2 }, 5 },
		{ "modbus.status_reads", { 7 }, 1, { 7, 9 }, 2 },
		{ "modbus.diagnostics", { 8, 0, 4, 0, 0 }, 5, { 8, 0, 4, 0, 0 }, 5 },
		{ "modbus.status_reads", { 11 }, 1, { 11, 0, 0, 0, 9 }, 5 },
		{ "modbus.write_multiple_coils", { 15, 0, 8, 0, 9, 2, 1, 1 }, 8, { 15, 0, 8, 0, 9 }, 5 },
		{ "modbus.report_server_id", { 17 }, 1, { 17, 2, 9, 0xff }, 4 },
		{ "modbus.file_reads", { 20, 7, 6, 0, 1, 0, 0, 0, 1 }, 9, { 20, 4, 3, 6, 0, 1 }, 6 },
		{ "modbus.file_writes", { 21, 9, 6, 0, 1, 0, 0, 0, 1, 5, 5 }, 11, { 21, 9, 6, 0, 1, 0, 0, 0, 1, 5, 5 }, 11 },
		{ "modbus.mask_write_register", { 22, 0, 8, 0, 1, 0, 2 }, 7, { 22, 0, 8, 0, 1, 0, 2 }, 7 },
		{ "modbus.read_write_registers", { 23, 0, 8, 0, 1, 0, 9, 0, 1, 2, 5, 5 }, 12, { 23, 2, 0, 1 }, 4 },
		{ "modbus.fifo_reads", { 24, 0, 8 }, 3, { 24, 0, 4, 0, 1, 5, 5 }, 7 },
		{ "modbus.umas", { 90, 0, 2 }, 3, { 90, 0, 0xfe, 1 }, 4 },
		/* clang-format on */
	};
	uint8_t asked[32] = { 0, 1, 0, 0, 0 }, told[32] = { 0, 1, 0, 0, 0 };

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		asked[5] = (uint8_t)(forms[i].asked_size + 1);
		told[5] = (uint8_t)(forms[i].told_size + 1);
		asked[6] = told[6] = 1;
		memcpy(asked + 7, forms[i].asked, forms[i].asked_size);
		memcpy(told + 7, forms[i].told, forms[i].told_size);
		check_form(asked, 7U + forms[i].asked_size, told, 7U + forms[i].told_size,
			   forms[i].counter);
	}
}

Test(modbus, a_device_says_what_it_is)
{
	static const uint8_t asks[] = { 0, 1, 0, 0, 0, 5, 1, 43, 14, 1, 0 };
	static const uint8_t tells[] = { 0,   1, 0,   0,   0,   34,  1,   43,  14,  1,
					 1,   0, 0,   4,   0,   4,   'A', 'C', 'M', 'E',
					 1,   3, 'P', 'M', '5', 2,   4,   'v', '1', '.',
					 '2', 6, 5,   'Z', 'Z', 'P', 'H', 'I', 0,   0 };
	struct conversation s = tcp(502);

	stream_offer(&s, 0, asks, sizeof(asks));
	stream_offer(&s, 1, tells, sizeof(tells));
	cr_assert_eq(stream_number(&s, "modbus.device_identification"), 1);
	cr_assert_str_eq(stream_text(&s, "modbus.vendor", 0), "ACME");
	cr_assert_str_eq(stream_text(&s, "modbus.product", 0), "PM5");
	cr_assert_str_eq(stream_text(&s, "modbus.revision", 0), "v1.2");
	cr_assert_null(memmem(s.out.texts, s.out.text_used, "ZZ", 2), "the user's name for it");
	stream_finish(&s);
}

Test(modbus, units_are_told_apart)
{
	uint8_t request[sizeof(read_three)];
	struct conversation s = tcp(502);

	memcpy(request, read_three, sizeof(request));
	for (unsigned unit = 0; unit < 20; unit++) {
		request[6] = (uint8_t)unit;
		stream_offer(&s, 0, request, sizeof(request));
		stream_offer(&s, 0, request, sizeof(request));
	}
	cr_assert_eq(stream_number(&s, "modbus.units"), 20);
	cr_assert_eq(stream_number(&s, "modbus.requests"), 40);
	stream_finish(&s);
}

Test(modbus, a_write_to_all_units)
{
	uint8_t request[sizeof(write_two)];
	struct conversation s = tcp(502);

	memcpy(request, write_two, sizeof(request));
	request[6] = 0;
	stream_offer(&s, 0, request, sizeof(request));
	cr_assert_eq(stream_number(&s, "modbus.unit_zero_writes"), 1);
	stream_finish(&s);
}

Test(modbus, silence_is_a_command)
{
	uint8_t diagnose[] = { 0, 1, 0, 0, 0, 6, 1, 8, 0, 4, 0, 0 };
	struct conversation s = tcp(502);

	stream_offer(&s, 0, diagnose, sizeof(diagnose));
	cr_assert_eq(stream_number(&s, "modbus.control"), 1);
	cr_assert_str_eq(stream_text(&s, "modbus.diagnostic", 0), "force-listen-only");
	diagnose[9] = 0;
	stream_offer(&s, 0, diagnose, sizeof(diagnose));
	cr_assert_eq(stream_number(&s, "modbus.control"), 1);
	stream_finish(&s);
}

Test(modbus, goes_on_behind_a_gap)
{
	struct conversation s = tcp(502);

	exchange(&s, 1000);
	stream_lose(&s, 1);
	stream_offer(&s, 1, three + 9, 6);
	stream_offer(&s, 1, wrote_two, sizeof(wrote_two));
	cr_assert_eq(stream_number(&s, "modbus.responses"), 3);
	cr_assert_eq(stream_number(&s, "modbus.malformed"), 0);
	stream_finish(&s);
}

Test(modbus, gives_up_on_what_is_broken)
{
	static const uint8_t broken[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	struct conversation s = tcp(502);

	stream_offer(&s, 0, read_three, sizeof(read_three));
	stream_offer(&s, 0, broken, sizeof(broken));
	cr_assert_eq(stream_number(&s, "modbus.malformed"), 1);
	cr_assert_eq(s.result, DISSECT_MORE);
	stream_offer(&s, 0, read_three, sizeof(read_three));
	cr_assert_eq(stream_number(&s, "modbus.requests"), 2);
	stream_finish(&s);
}

Test(modbus, every_truncation_waits)
{
	for (size_t n = 0; n < sizeof(write_two); n++) {
		struct conversation on = tcp(502), off = tcp(1502);
		stream_offer(&on, 0, write_two, n);
		stream_offer(&off, 0, write_two, n);
		cr_assert(!on.claimed && !on.refused && !off.claimed && !off.refused, "%zu", n);
		cr_assert_eq(on.out.count + off.out.count, 0);
		stream_finish(&on);
		stream_finish(&off);
	}
	for (size_t n = 0; n < sizeof(three); n++) {
		struct conversation s = tcp(502);
		stream_offer(&s, 0, read_three, sizeof(read_three));
		stream_offer(&s, 1, three, n);
		cr_assert_eq(stream_number(&s, "modbus.responses"), 0, "%zu", n);
		stream_finish(&s);
	}
}

Test(modbus, udp_on_its_port_only)
{
	static const uint16_t ports[] = { 502, 1502 };

	for (size_t i = 0; i < 2; i++) {
		struct conversation s;
		stream_init(&s, &dissector_modbus, TRANSPORT_UDP, 50000, ports[i]);
		exchange(&s, 1000);
		if (i == 0)
			check_exchange(&s);
		else
			cr_assert(s.refused);
		stream_finish(&s);
	}
	for (size_t n = 0; n < sizeof(three); n++) {
		struct conversation s;
		stream_init(&s, &dissector_modbus, TRANSPORT_UDP, 50000, 502);
		stream_offer(&s, 1, three, n);
		cr_assert(s.refused, "%zu", n);
		stream_finish(&s);
	}
}
