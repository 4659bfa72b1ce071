/* SPDX-License-Identifier: Apache-2.0
 *
 * What the headers of a TCP connection (RFC 9293) tell a bystander: who opened
 * it, how long either side takes, what was sent again and what was never seen. */
#pragma once

#include "sensor/flow.h"

enum { TCP_FIN = 0x01, TCP_SYN = 0x02, TCP_RST = 0x04, TCP_PSH = 0x08, TCP_ACK = 0x10 };

/* True when this packet opens another connection on the flow's ports: a SYN
 * behind the close of the previous one. The caller ends the flow first. */
bool tcp_reopens(const struct flow *f, const struct packet *p, unsigned side);

/* Updates the flow with a packet that counts (no copy of another). Sets
 * `closed` when the connection has ended. */
void tcp_see(struct flow_trails *trails, struct flow *f, const struct packet *p, unsigned side);
