/* SPDX-License-Identifier: Apache-2.0
 *
 * Our half; that the kernel's answers alike, tests/live/workers.py sees. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "sensor/steer.h"

enum { WORKERS = 8, FLOWS = 80000 };

static struct flow_key key_of(unsigned i)
{
	struct flow_key k = { .protocol = i % 2 ? 6 : 17 };
	uint8_t a[4] = { 10, 1, (uint8_t)(i >> 8), (uint8_t)i }, b[4] = { 10, 2, 0, 7 };

	k.ip[0] = ip_from_v4(a);
	k.ip[1] = ip_from_v4(b);
	k.port[0] = (uint16_t)(40000 + i % 20000);
	k.port[1] = 104;
	return k;
}

Test(steer, one_worker_has_all)
{
	struct flow_key k = key_of(7);

	cr_expect_eq(steer(&k, 0), 0u);
	cr_expect_eq(steer(&k, 1), 0u);
}

Test(steer, both_directions_and_every_realm_go_together)
{
	for (unsigned i = 0; i < 1000; i++) {
		struct flow_key k = key_of(i), back = k;
		back.ip[0] = k.ip[1];
		back.ip[1] = k.ip[0];
		back.port[0] = k.port[1];
		back.port[1] = k.port[0];
		back.realm = 3;
		cr_assert_eq(steer(&k, WORKERS), steer(&back, WORKERS));
	}
}

Test(steer, type_and_code_are_no_ports)
{
	struct flow_key echo = key_of(1), reply;

	echo.protocol = 1;
	reply = echo;
	reply.port[0] = 0;
	reply.port[1] = 8;
	cr_expect_eq(steer(&echo, WORKERS), steer(&reply, WORKERS));
}

Test(steer, flows_are_spread_evenly)
{
	unsigned counts[WORKERS] = { 0 };

	for (unsigned i = 0; i < FLOWS; i++) {
		struct flow_key k = key_of(i * 2654435761u >> 8);
		counts[steer(&k, WORKERS)]++;
	}
	for (unsigned i = 0; i < WORKERS; i++) {
		cr_expect_gt(counts[i], FLOWS / WORKERS * 9 / 10);
		cr_expect_lt(counts[i], FLOWS / WORKERS * 11 / 10);
	}
}

Test(steer, the_kernels_program_only_jumps_within_itself)
{
	struct sock_filter code[STEER_LENGTH];
	unsigned n = steer_program(code);

	cr_assert_gt(n, 0u);
	for (unsigned i = 0; i < n; i++) {
		if (BPF_CLASS(code[i].code) != BPF_JMP)
			continue;
		unsigned far = BPF_OP(code[i].code) == BPF_JA ? code[i].k : code[i].jt;
		cr_expect_lt(i + 1 + far, n);
	}
	cr_expect_eq(BPF_CLASS(code[n - 1].code), BPF_RET);
}
