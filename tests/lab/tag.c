/* SPDX-License-Identifier: Apache-2.0
 *
 * For the mirror of the laboratory: puts a VLAN tag on what arrives, and hands it to
 * the mirror's port, as a switch does. Loaded by tc, for kernels without act_vlan and
 * 802.1Q devices; compiled with VLAN and INTERFACE. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

static long (*push_tag)(void *frame, unsigned short type,
			unsigned short tag) = (void *)BPF_FUNC_skb_vlan_push;
static long (*redirect)(unsigned int interface,
			unsigned long long flags) = (void *)BPF_FUNC_redirect;

__attribute__((section("classifier"), used)) int tag(void *frame)
{
	if (push_tag(frame, __builtin_bswap16(0x8100), VLAN))
		return TC_ACT_SHOT;
	return (int)redirect(INTERFACE, 0);
}
