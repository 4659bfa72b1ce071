/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "schema/community_id.h"

/* Values of the specification's own baseline (seed 0). */
/* clang-format off */
static const struct {
	uint8_t protocol;
	const char *source, *dest;
	uint16_t source_port, dest_port;
	const char *id;
} baseline[] = {
	{ 58, "fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", 135, 136, "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=" },
	{ 58, "fe80::260:97ff:fe07:69ea", "fe80::200:86ff:fe05:80da", 136, 135, "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=" },
	{ 58, "fe80::260:97ff:fe07:69ea", "fe80::200:86ff:fe05:80da", 135, 136, "1:zavyT/cezQr1fmImYCwYnMXbgck=" },
	{ 58, "fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", 136, 135, "1:zavyT/cezQr1fmImYCwYnMXbgck=" },
	{ 58, "3ffe:501:1800:2345::2", "3ffe:507:0:1:200:86ff:fe05:80da", 3, 0, "1:2ObVBgIn28oZvibYZhZMBgh7WdQ=" },
	{ 58, "3ffe:501:410:0:2c0:dfff:fe47:33e", "3ffe:507:0:1:200:86ff:fe05:80da", 1, 4, "1:hLZd0XGWojozrvxqE0dWB1iM6R0=" },
	{ 58, "3ffe:507:0:1:200:86ff:fe05:80da", "3ffe:501:0:1001::2", 128, 129, "1:+TW+HtLHvV1xnGhV1lv7XoJrqQg=" },
	{ 58, "3ffe:501:0:1001::2", "3ffe:507:0:1:200:86ff:fe05:80da", 129, 128, "1:+TW+HtLHvV1xnGhV1lv7XoJrqQg=" },
	{ 58, "fe80::200:86ff:fe05:80da", "ff02::2", 133, 134, "1:hO+sN4H+MG5MY/8hIrXPqc4ZQz0=" },
	{ 58, "fe80::260:97ff:fe07:69ea", "ff02::1", 134, 133, "1:pkvHqCL88/tg1k4cPigmZXUtL00=" },
	{ 1, "192.168.0.89", "192.168.0.1", 8, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=" },
	{ 1, "192.168.0.1", "192.168.0.89", 0, 8, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=" },
	{ 1, "10.0.0.1", "10.0.0.2", 11, 0, "1:YHxtAirCG//0OzkcVAukqKQN9xM=" },
	{ 6, "2001:470:e5bf:dead:4957:2174:e82c:4887", "2607:f8b0:400c:c03::1a", 63943, 25, "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=" },
	{ 6, "2607:f8b0:400c:c03::1a", "2001:470:e5bf:dead:4957:2174:e82c:4887", 25, 63943, "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=" },
	{ 132, "192.168.170.8", "192.168.170.56", 7, 7, "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs=" },
	{ 132, "192.168.170.56", "192.168.170.8", 7, 7, "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs=" },
	{ 6, "128.232.110.120", "66.35.250.204", 34855, 80, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=" },
	{ 6, "66.35.250.204", "128.232.110.120", 80, 34855, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=" },
	{ 17, "192.168.1.52", "8.8.8.8", 54585, 53, "1:d/FP5EW3wiY1vCndhwleRRKHowQ=" },
	{ 17, "8.8.8.8", "192.168.1.52", 53, 54585, "1:d/FP5EW3wiY1vCndhwleRRKHowQ=" },
	{ 46, "10.1.12.1", "10.1.12.2", 0, 0, "1:KHlLkgoJW7ifUTyTSgyVfkFHzKw=" },
	{ 46, "10.1.12.2", "10.1.12.1", 0, 0, "1:KHlLkgoJW7ifUTyTSgyVfkFHzKw=" },
};
/* clang-format on */

Test(community_id, is_that_of_the_baseline)
{
	for (size_t i = 0; i < sizeof(baseline) / sizeof(baseline[0]); i++) {
		struct ip_addr source, dest;
		char id[COMMUNITY_ID_TEXT];
		cr_assert(ip_parse(baseline[i].source, &source));
		cr_assert(ip_parse(baseline[i].dest, &dest));
		community_id(baseline[i].protocol, &source, &dest, baseline[i].source_port,
			     baseline[i].dest_port, id);
		cr_expect_str_eq(id, baseline[i].id, "row %zu", i);
	}
}

Test(community_id, is_the_same_for_both_directions)
{
	char there[COMMUNITY_ID_TEXT], back[COMMUNITY_ID_TEXT];
	struct ip_addr a, b;

	cr_assert(ip_parse("10.0.0.1", &a) && ip_parse("10.0.0.2", &b));
	community_id(6, &a, &b, 40000, 104, there);
	community_id(6, &b, &a, 104, 40000, back);
	cr_assert_str_eq(there, back);
	community_id(6, &a, &a, 40000, 104, there);
	community_id(6, &a, &a, 104, 40000, back);
	cr_assert_str_eq(there, back, "also to itself");
}

Test(community_id, knows_which_icmp_types_answer_each_other)
{
	cr_assert_eq(community_id_counterpart(1, 8), 0);
	cr_assert_eq(community_id_counterpart(1, 0), 8);
	cr_assert_eq(community_id_counterpart(1, 3), -1);
	cr_assert_eq(community_id_counterpart(58, 135), 136);
	cr_assert_eq(community_id_counterpart(58, 8), -1);
}
