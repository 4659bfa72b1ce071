/* SPDX-License-Identifier: Apache-2.0
 *
 * Which worker owns a flow. Both directions of a conversation, and all copies
 * of its packets, whatever VLAN they were seen in, give the same number.
 *
 * The kernel runs the same sum as a small program over each frame, so that most
 * frames reach their owner at once. What it cannot see (the inside of tunnels,
 * ports of fragments and behind IPv6 extension headers) we see after decoding:
 * our answer is the one that counts, and the frame is handed over. */
#pragma once

#include <linux/filter.h>

#include "sensor/flow.h"

enum { STEER_LENGTH = 128 }; /* instructions, at most */

/* 0 <= the answer < workers. */
unsigned steer(const struct flow_key *key, unsigned workers);

/* The kernel's half, for PACKET_FANOUT_CBPF: answers with a number that the kernel
 * takes modulo the rings. Returns its length. */
unsigned short steer_program(struct sock_filter code[STEER_LENGTH]);
