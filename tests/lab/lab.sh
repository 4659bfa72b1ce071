# SPDX-License-Identifier: Apache-2.0
#
# A laboratory of network namespaces, to be sourced by bash: hosts on bridges (one
# bridge per segment, as a switch has one VLAN per segment), one router that joins
# them, and a mirror that hears all of a segment. Needs root. Whatever happens,
# leaving the script ends every process in the namespaces and removes them.
#
#   lab_open                                   working folder in $LAB, clean-up at exit
#   lab_segment imaging 10 10.10.0.1/16 2001:db8:10::1/48
#   lab_host ct1 imaging 00:09:5c:01:00:05 10.10.1.5/16 2001:db8:10:1::5/48
#   on ct1 PROGRAM...                          run there and wait
#   serve ct1 PROGRAM...                       run there in the background
#   await ct1 tcp 104                          until somebody listens there
#   mirror_start imaging pacs; ...; mirror_stop [--untagged] OUT.pcap "2026-03-02 09:00:00"

set -euo pipefail

LAB_TOOLS=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
LAB_NAME=vl$$ # namespaces are named vl$$-HOST
declare -A LAB_VLAN LAB_GATEWAY LAB_GATEWAY6
LAB_SPACES=()
LAB_MIRRORS=()

lab_fail()
{
	echo "$0: $*" >&2
	exit 1
}

lab_need()
{
	local program missing=()
	for program in "$@"; do
		command -v "$program" >/dev/null || missing+=("$program")
	done
	[ ${#missing[@]} -eq 0 ] || lab_fail "missing programs: ${missing[*]}; see tests/lab/README.md"
}

lab_space()
{
	echo "$LAB_NAME-$1"
}

# Ends what runs in our own namespaces, and nothing else.
lab_close()
{
	local space pid signal
	for signal in TERM KILL; do
		for space in "${LAB_SPACES[@]}"; do
			for pid in $(ip netns pids "$space" 2>/dev/null); do
				kill -"$signal" "$pid" 2>/dev/null || true
			done
		done
		sleep 0.2
	done
	for space in "${LAB_SPACES[@]}"; do
		ip netns del "$space" 2>/dev/null || true
	done
	LAB_SPACES=()
	[ -n "${LAB_KEEP:-}" ] || rm -rf "$LAB"
}

lab_space_new()
{
	local space
	space=$(lab_space "$1")
	ip netns add "$space"
	LAB_SPACES+=("$space")
	ip -n "$space" link set lo up
	ip netns exec "$space" sysctl -qw net.ipv6.conf.all.accept_dad=0 \
		net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.accept_ra=0 \
		net.ipv6.conf.default.router_solicitations=0
}

lab_open()
{
	[ "$(id -u)" = 0 ] || lab_fail "network namespaces need root; run it with sudo"
	lab_need ip ethtool tcpdump ss
	LAB=$(mktemp -d "${TMPDIR:-/tmp}/vigie-lab.XXXXXX")
	chmod 755 "$LAB"
	printf 'passwd: files\ngroup: files\nshadow: files\nhosts: files\n' >"$LAB/nsswitch.conf"
	trap lab_close EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	lab_space_new router
	ip netns exec "$(lab_space router)" sysctl -qw net.ipv4.ip_forward=1 \
		net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.send_redirects=0 \
		net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
}

# A segment is a bridge in the router, which has the segment's gateway addresses.
# NAME VLAN GATEWAY4 [GATEWAY6]
lab_segment()
{
	local router bridge=br$2 address
	router=$(lab_space router)
	LAB_VLAN[$1]=$2
	LAB_GATEWAY[$1]=${3%/*}
	ip -n "$router" link add "$bridge" address "02:00:00:00:fe:$(printf %02x "$2")" \
		type bridge stp_state 0 mcast_snooping 0
	ip -n "$router" link set "$bridge" addrgenmode eui64 up
	ip netns exec "$router" ethtool -K "$bridge" tso off gso off gro off tx off >/dev/null
	ip -n "$router" addr add "$3" dev "$bridge"
	if [ -n "${4:-}" ]; then
		LAB_GATEWAY6[$1]=${4%/*}
		ip -n "$router" -6 addr add "$4" dev "$bridge" nodad
	fi
}

# A host has one interface, eth0, in one segment.
# NAME SEGMENT MAC ADDRESS...
lab_host()
{
	local name=$1 segment=$2 mac=$3 space router port address
	shift 3
	space=$(lab_space "$name")
	router=$(lab_space router)
	port=v-$name
	lab_space_new "$name"
	ip -n "$router" link add "$port" mtu 1500 type veth \
		peer name eth0 mtu 1500 address "$mac" netns "$space"
	ip -n "$router" link set "$port" addrgenmode none master "br${LAB_VLAN[$segment]}" up
	ip -n "$space" link set eth0 addrgenmode eui64 up
	ip netns exec "$router" ethtool -K "$port" tso off gso off gro off tx off >/dev/null
	ip netns exec "$space" ethtool -K eth0 tso off gso off gro off tx off >/dev/null
	# A host's address need not be in its gateway's network (`onlink`): the outside world's are not.
	for address in "$@"; do
		case $address in
		*:*)
			ip -n "$space" -6 addr add "$address" dev eth0 nodad
			ip -n "$space" -6 route replace default via "${LAB_GATEWAY6[$segment]}" \
				dev eth0 onlink
			;;
		*) ip -n "$space" addr add "$address" dev eth0 ;;
		esac
	done
	ip -n "$space" route add default via "${LAB_GATEWAY[$segment]}" dev eth0 onlink
}

# Names come from files only there, so that no program asks a resolver on its own.
on()
{
	local host=$1
	shift
	# shellcheck disable=SC2016 # expanded by the inner shell
	ip netns exec "$(lab_space "$host")" bash -c \
		'mount --bind "$0" /etc/nsswitch.conf && exec "$@"' "$LAB/nsswitch.conf" "$@"
}

# What fails is told, but a refused or ended conversation is traffic too.
try()
{
	local host=$1
	shift
	on "$host" "$@" >>"$LAB/$host.log" 2>&1 </dev/null ||
		echo "  ($host: exit code $? of ${1##*/})" >&2
}

serve()
{
	local host=$1
	shift
	# Its own session: some servers end their whole process group when they are told to stop.
	on "$host" setsid "$@" >>"$LAB/$host.log" 2>&1 </dev/null &
}

# Until no TCP conversation with a server's port is left. HOST PORT
settle()
{
	for _ in $(seq 200); do
		[ -n "$(on "$1" ss -Htn state connected exclude time-wait "sport = :$2")" ] || return 0
		sleep 0.05
	done
}

# HOST tcp|udp PORT
await()
{
	for _ in $(seq 200); do
		[ -z "$(on "$1" ss -Hln --"$2" "sport = :$3")" ] || return 0
		sleep 0.05
	done
	tail -n 20 "$LAB/$1.log" >&2
	lab_fail "nobody listens on $1 $2/$3 after 10 s"
}

# Address resolution, router chatter and group membership would differ each time.
LAB_FILTER='not arp and not (ip6 and ip6[6] == 0) and
	not (icmp6 and ip6[40] >= 130 and ip6[40] <= 143) and not igmp and not ether proto 0x88cc'

# Mirrors whole segments: what their hosts say to each other and to the router.
mirror_start()
{
	local segment router
	router=$(lab_space router)
	LAB_MIRRORS=()
	mkdir -p "$LAB/mirror"
	for segment in "$@"; do
		ip netns exec "$router" tcpdump -Z root -i "br${LAB_VLAN[$segment]}" -s 0 -U \
			--immediate-mode -B 8192 --time-stamp-precision=nano \
			-w "$LAB/mirror/$segment.pcap" "$LAB_FILTER" 2>"$LAB/mirror/$segment.err" &
		LAB_MIRRORS+=("$segment:$!")
	done
	for segment in "$@"; do
		for _ in $(seq 100); do
			! grep -q 'listening on' "$LAB/mirror/$segment.err" || break
			sleep 0.05
		done
	done
}

# Ends the mirror and writes what it heard, moved in time so that its first packet stands within
# the given second (UTC). [--untagged] OUT.pcap "START"
mirror_stop()
{
	local tagged=1 entry segment pid legs=()
	if [ "$1" = --untagged ]; then
		tagged=0
		shift
	fi
	sleep 0.5
	for entry in "${LAB_MIRRORS[@]}"; do
		segment=${entry%:*}
		pid=${entry#*:}
		kill -INT "$pid"
		wait "$pid" || true
		grep -q '^0 packets dropped by kernel' "$LAB/mirror/$segment.err" ||
			lab_fail "the mirror of $segment lost packets; run it again"
		legs+=("$((tagged * LAB_VLAN[$segment])):$LAB/mirror/$segment.pcap")
	done
	LAB_MIRRORS=()
	"$LAB_TOOLS/merge-legs.py" "$1" "$(date -u -d "$2 UTC" +%s)" "${legs[@]}"
}
