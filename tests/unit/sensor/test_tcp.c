/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "sensor/tcp.h"

enum { CLIENT = 0, SERVER = 1 };

static struct flow f;
static struct flow_trails *trails;

static void see(int64_t time, unsigned side, uint8_t flags, uint32_t seq, uint32_t ack,
		uint32_t payload)
{
	struct packet p = { .time = { time },
			    .protocol = 6,
			    .has_ports = true,
			    .tcp_flags = flags,
			    .tcp_seq = seq,
			    .tcp_ack = ack,
			    .payload_bytes = payload };
	tcp_see(trails, &f, &p, side);
}

static void shake_hands(void)
{
	see(1000, CLIENT, TCP_SYN, 100, 0, 0);
	see(1400, SERVER, TCP_SYN | TCP_ACK, 500, 101, 0);
	see(1500, CLIENT, TCP_ACK, 101, 501, 0);
}

static void clear(void)
{
	f = (struct flow){ .first_side = CLIENT };
	flow_trails_destroy(trails);
	trails = flow_trails_create(1);
}

static void drop(void)
{
	flow_trails_destroy(trails);
	trails = NULL;
}

TestSuite(tcp, .init = clear, .fini = drop);

Test(tcp, handshake_round_trips_and_orientation)
{
	shake_hands();
	cr_assert_eq(f.rtt_server, 400 + 1);
	cr_assert_eq(f.rtt_client, 100 + 1);
	cr_assert_eq(f.orientation, ORIENTATION_HANDSHAKE);
	cr_assert_eq(f.client_side, CLIENT);
	cr_assert_not(f.midstream);
}

Test(tcp, a_syn_ack_seen_first_tells_the_server)
{
	see(1400, CLIENT, TCP_SYN | TCP_ACK, 500, 101, 0);
	cr_assert_eq(f.client_side, SERVER);
	cr_assert_eq(f.orientation, ORIENTATION_HANDSHAKE);
	cr_assert_not(f.midstream);
}

Test(tcp, nothing_is_measured_across_a_repeated_syn)
{
	see(10, CLIENT, TCP_SYN, 100, 0, 0);
	see(1000000, CLIENT, TCP_SYN, 100, 0, 0);
	see(1000400, SERVER, TCP_SYN | TCP_ACK, 500, 101, 0);
	see(1000500, CLIENT, TCP_ACK, 101, 501, 0);
	cr_assert_eq(f.rtt_server, 0);
	cr_assert_eq(f.rtt_client, 0);
}

Test(tcp, a_stream_joined_in_the_middle_says_so)
{
	see(0, CLIENT, TCP_ACK | TCP_PSH, 7000, 1, 10);
	cr_assert(f.midstream);
	see(1, SERVER, TCP_ACK, 1, 7010, 0);
	cr_assert(f.midstream);
	cr_assert_eq(flow_missed_bytes(&f), 0);
}

Test(tcp, what_is_sent_again_counts_and_a_keep_alive_does_not)
{
	shake_hands();
	see(2000, CLIENT, TCP_ACK, 101, 501, 100);
	see(3000, CLIENT, TCP_ACK, 101, 501, 100);
	cr_assert_eq(f.retransmissions, 1);
	see(4000, CLIENT, TCP_ACK, 151, 501, 100);
	cr_assert_eq(f.retransmissions, 2, "in part");
	see(5000, CLIENT, TCP_ACK, 250, 501, 1);
	cr_assert_eq(f.retransmissions, 2, "a keep-alive");
	see(6000, CLIENT, TCP_ACK, 251, 501, 0);
	cr_assert_eq(f.retransmissions, 2, "no data");
}

Test(tcp, late_is_not_sent_again)
{
	shake_hands();
	see(2000, CLIENT, TCP_ACK, 201, 501, 100);
	see(2001, CLIENT, TCP_ACK, 101, 501, 100);
	cr_assert_eq(f.retransmissions, 0);
	see(2002, SERVER, TCP_ACK, 501, 301, 0);
	cr_assert_eq(flow_missed_bytes(&f), 0);
	see(2003, CLIENT, TCP_ACK, 101, 501, 100);
	cr_assert_eq(f.retransmissions, 1, "now it is");
}

Test(tcp, acknowledged_and_never_seen_is_missed)
{
	shake_hands();
	see(2000, CLIENT, TCP_ACK, 101, 501, 100);
	see(2001, CLIENT, TCP_ACK, 301, 501, 100);
	cr_assert_eq(flow_missed_bytes(&f), 0, "it may still come");
	see(2002, SERVER, TCP_ACK, 501, 401, 0);
	cr_assert_eq(flow_missed_bytes(&f), 100);
	see(2003, SERVER, TCP_ACK, 501, 901, 0);
	cr_assert_eq(flow_missed_bytes(&f), 600, "the tail that the mirror lost");
	see(2004, SERVER, TCP_ACK, 501, 901, 0);
	cr_assert_eq(flow_missed_bytes(&f), 600, "once");
}

Test(tcp, sequence_numbers_may_wrap)
{
	see(0, CLIENT, TCP_SYN, 0xffffff00, 0, 0);
	see(1, SERVER, TCP_SYN | TCP_ACK, 9, 0xffffff01, 0);
	see(2, CLIENT, TCP_ACK, 0xffffff01, 10, 200);
	see(3, CLIENT, TCP_ACK, 0xffffffc9, 10, 200);
	see(4, SERVER, TCP_ACK, 10, 0x91, 0);
	cr_assert_eq(f.retransmissions, 0);
	cr_assert_eq(flow_missed_bytes(&f), 0);
}

Test(tcp, both_fins_or_a_reset_close)
{
	shake_hands();
	see(2000, CLIENT, TCP_FIN | TCP_ACK, 101, 501, 0);
	cr_assert_eq(f.closed, 0);
	see(2001, SERVER, TCP_FIN | TCP_ACK, 501, 102, 0);
	cr_assert_eq(f.closed, END_FIN + 1);
	see(2002, CLIENT, TCP_ACK, 102, 502, 0);
	see(2003, CLIENT, TCP_RST, 102, 0, 0);
	cr_assert_eq(f.closed, END_FIN + 1, "it was over before");
	cr_assert_eq(flow_missed_bytes(&f), 0);
	cr_assert_eq(f.retransmissions, 0);
	clear();
	see(0, CLIENT, TCP_SYN, 1, 0, 0);
	see(1, SERVER, TCP_RST | TCP_ACK, 0, 2, 0);
	cr_assert_eq(f.closed, END_RESET + 1);
}

Test(tcp, a_new_syn_behind_the_close_is_another_connection)
{
	struct packet syn = { .protocol = 6, .tcp_flags = TCP_SYN, .tcp_seq = 100 };

	shake_hands();
	cr_assert_not(tcp_reopens(&f, &syn, CLIENT), "not closed");
	see(2000, CLIENT, TCP_RST, 101, 0, 0);
	cr_assert_not(tcp_reopens(&f, &syn, CLIENT), "the same SYN, late");
	syn.tcp_seq = 70000;
	cr_assert(tcp_reopens(&f, &syn, CLIENT));
}

Test(tcp, an_acknowledgement_shown_before_its_bytes)
{
	shake_hands();
	see(2000, SERVER, TCP_ACK, 501, 301, 0);
	cr_assert_eq(flow_missed_bytes(&f), 200);
	see(2001, CLIENT, TCP_ACK, 101, 501, 100);
	see(2002, CLIENT, TCP_ACK, 201, 501, 100);
	cr_assert_eq(flow_missed_bytes(&f), 0, "they came after all");
	cr_assert_eq(f.retransmissions, 0);
	see(2003, CLIENT, TCP_ACK, 201, 501, 100);
	cr_assert_eq(f.retransmissions, 1);
}

Test(tcp, many_acknowledgements_shown_before_their_bytes)
{
	shake_hands();
	for (uint32_t i = 1; i <= 8; i++)
		see(2000 + i, SERVER, TCP_ACK, 501, 101 + i * 100, 0);
	cr_assert_eq(flow_missed_bytes(&f), 800);
	for (uint32_t i = 0; i < 7; i++)
		see(2010 + i, CLIENT, TCP_ACK, 101 + i * 100, 501, 100);
	cr_assert_eq(flow_missed_bytes(&f), 100, "one segment never came");
	cr_assert_eq(f.retransmissions, 0);
	see(2020, CLIENT, TCP_ACK, 901, 501, 100);
	see(2021, SERVER, TCP_ACK, 501, 1201, 0);
	cr_assert_eq(flow_missed_bytes(&f), 300, "a hole behind it");
}

Test(tcp, what_comes_late_is_not_taken_from_the_next_record)
{
	shake_hands();
	see(2000, SERVER, TCP_ACK, 501, 301, 0);
	f.trail->missed_bytes = 0; /* an interim record told of them */
	see(2001, CLIENT, TCP_ACK, 101, 501, 200);
	cr_assert_eq(flow_missed_bytes(&f), 0);
}

Test(tcp, ports_used_again_before_the_end_was_seen)
{
	shake_hands();
	see(2000, CLIENT, TCP_ACK, 101, 501, 100);
	see(9000, CLIENT, TCP_SYN, 400000100, 0, 0);
	see(9001, SERVER, TCP_SYN | TCP_ACK, 700000500, 400000101, 0);
	see(9002, CLIENT, TCP_ACK, 400000101, 700000501, 50);
	see(9003, SERVER, TCP_ACK, 700000501, 400000151, 0);
	cr_assert_eq(flow_missed_bytes(&f), 0);
	cr_assert_eq(f.retransmissions, 0);
}

Test(tcp, a_refusal_has_no_number_of_its_own)
{
	see(1000, CLIENT, TCP_SYN, 100, 0, 0);
	see(1001, SERVER, TCP_RST | TCP_ACK, 0, 101, 0);
	see(2000, CLIENT, TCP_SYN, 100, 0, 0);
	see(2001, SERVER, TCP_SYN | TCP_ACK, 500000, 101, 0);
	see(2002, CLIENT, TCP_ACK, 101, 500001, 0);
	cr_assert_eq(flow_missed_bytes(&f), 0);
}

Test(tcp, numbers_wrap_around)
{
	see(1000, CLIENT, TCP_SYN, 0xfffffff0, 0, 0);
	see(1001, SERVER, TCP_SYN | TCP_ACK, 0xffffffff, 0xfffffff1, 0);
	see(1002, CLIENT, TCP_ACK, 0xfffffff1, 0, 10);
	see(1003, CLIENT, TCP_ACK, 5, 0, 100); /* 0xfffffffb to 5 is missing */
	cr_assert_eq(flow_missed_bytes(&f), 0);
	see(1004, SERVER, TCP_ACK, 0, 105, 0);
	cr_assert_eq(flow_missed_bytes(&f), 10);
	see(1005, CLIENT, TCP_ACK, 0xfffffffb, 0, 10);
	cr_assert_eq(flow_missed_bytes(&f), 0);
	cr_assert_eq(f.retransmissions, 0);
}

static bool reopens(unsigned side, uint8_t flags, uint32_t seq)
{
	struct packet p = { .protocol = 6, .has_ports = true, .tcp_flags = flags, .tcp_seq = seq };
	return tcp_reopens(&f, &p, side);
}

Test(tcp, which_packet_opens_another_connection)
{
	shake_hands();
	cr_assert_not(reopens(CLIENT, TCP_SYN, 900), "it has not ended");
	see(3000, CLIENT, TCP_FIN | TCP_ACK, 101, 501, 0);
	see(3001, SERVER, TCP_FIN | TCP_ACK, 501, 102, 0);
	cr_assert_not(reopens(CLIENT, TCP_SYN, 100), "the same SYN once more");
	cr_assert(reopens(CLIENT, TCP_SYN, 900));
	cr_assert_not(reopens(SERVER, TCP_SYN | TCP_ACK, 500), "the same answer once more");
	cr_assert(reopens(SERVER, TCP_SYN | TCP_ACK, 900), "before its SYN");
	cr_assert_not(reopens(CLIENT, TCP_ACK, 102));
}

Test(tcp, a_number_of_zero_is_one_like_any_other)
{
	see(1000, CLIENT, TCP_FIN | TCP_ACK, 50, 70, 0);
	see(1001, SERVER, TCP_FIN | TCP_ACK, 70, 51, 0);
	cr_assert(reopens(CLIENT, TCP_SYN, 0));
}
