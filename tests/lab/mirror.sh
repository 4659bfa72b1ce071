# SPDX-License-Identifier: Apache-2.0
#
# A mirror port in the laboratory's switch, to be sourced by bash after lab.sh. What
# enters or leaves any port of a mirrored segment is copied to it, so that it shows a
# routed packet before and behind the router, and one that stays in its segment twice.
#
#   span_make tagged|untagged SEGMENT...   the segments' hosts must be there already
#   span_on; ...; span_off
#
# Its other end is in the namespace `sensor`, where nothing has an address: one
# interface, `span`, with a VLAN tag for each segment; or, untagged, one for each
# segment, `span10`, `span20`... SPAN_INTERFACES has their names. $LAB/ports.tsv says
# for each VLAN: how many ports, which MAC is the router's, which interface shows it.

SPAN_INTERFACES=()
SPAN_GATES=() # devices of the router that let the mirror's frames through, when up

# Nothing of the mirror's own may speak: no address, no resolution, no IPv6. HOST DEVICE
span_mute()
{
	local space
	space=$(lab_space "$1")
	ip -n "$space" link set dev "$2" arp off addrgenmode none
	ip netns exec "$space" sysctl -qw "net.ipv6.conf.$2.disable_ipv6=1"
	ip netns exec "$space" ethtool -K "$2" tso off gso off gro off tx off >/dev/null
}

# A cable from the router to the sensor. DEVICE INTERFACE
span_cable()
{
	ip -n "$(lab_space router)" link add name "$1" type veth \
		peer name "$2" netns "$(lab_space sensor)"
	span_mute router "$1"
	span_mute sensor "$2"
	ip -n "$(lab_space sensor)" link set dev "$2" up
	SPAN_INTERFACES+=("$2")
	SPAN_GATES+=("$1")
}

# Everything that crosses a device, in the given directions, goes to another one too.
# DEVICE TARGET
span_copy()
{
	local direction
	echo "qdisc add dev $1 clsact"
	for direction in ingress egress; do
		echo "filter add dev $1 $direction protocol all u32 match u32 0 0" \
			"action mirred egress mirror dev $2"
	done
}

# What a segment's mirror shows goes to the sensor with the segment's tag. VLAN
span_tag()
{
	local router number
	router=$(lab_space router)
	number=$(ip -n "$router" -o link show dev span0 | cut -d : -f 1)
	clang -O2 -target bpf -idirafter "/usr/include/$(uname -m)-linux-gnu" -DVLAN="$1" \
		-DINTERFACE="$number" -c "$LAB_TOOLS/tag.c" -o "$LAB/tag$1.o"
	ip -n "$router" link add name "m$1" type veth peer name "t$1"
	span_mute router "m$1"
	span_mute router "t$1"
	ip -n "$router" link set dev "m$1" up
	ip -n "$router" link set dev "t$1" up
	ip netns exec "$router" tc qdisc add dev "t$1" clsact
	ip netns exec "$router" tc filter add dev "t$1" ingress bpf direct-action \
		object-file "$LAB/tag$1.o" section classifier
}

# tagged|untagged SEGMENT...
span_make()
{
	local how=$1 segment vlan port router
	shift
	router=$(lab_space router)
	lab_space_new sensor
	ip -n "$(lab_space sensor)" link set dev lo down
	[ "$how" = untagged ] || span_cable span0 span
	for segment in "$@"; do
		vlan=${LAB_VLAN[$segment]}
		if [ "$how" = tagged ]; then
			span_tag "$vlan"
		else
			span_cable "m$vlan" "span$vlan"
		fi
		mapfile -t ports < <(ip -n "$router" -o link show master "br$vlan" |
			sed 's/^[0-9]*: \([^@:]*\).*/\1/')
		for port in "${ports[@]}"; do
			span_copy "$port" "m$vlan"
		done | ip netns exec "$router" tc -batch -
		printf '%s\t%s\t%s\t%s\n' "$vlan" "${#ports[@]}" \
			"02:00:00:00:fe:$(printf %02x "$vlan")" "${SPAN_INTERFACES[-1]}"
	done >"$LAB/ports.tsv"
}

# Whether this kernel and these programs can put tags on a mirror.
span_can_tag()
{
	local space
	command -v clang >/dev/null || return 1
	space=$(lab_space router)
	ip -n "$space" link add name probe0 type veth peer name probe1
	ip netns exec "$space" tc qdisc add dev probe0 clsact
	clang -O2 -target bpf -idirafter "/usr/include/$(uname -m)-linux-gnu" -DVLAN=1 \
		-DINTERFACE=1 -c "$LAB_TOOLS/tag.c" -o "$LAB/probe.o" 2>/dev/null &&
		ip netns exec "$space" tc filter add dev probe0 ingress bpf direct-action \
			object-file "$LAB/probe.o" section classifier 2>/dev/null
	local code=$?
	ip -n "$space" link del dev probe0
	return $code
}

span_on()
{
	local gate
	for gate in "${SPAN_GATES[@]}"; do
		ip -n "$(lab_space router)" link set dev "$gate" up
	done
}

span_off()
{
	local gate
	for gate in "${SPAN_GATES[@]}"; do
		ip -n "$(lab_space router)" link set dev "$gate" down
	done
}
