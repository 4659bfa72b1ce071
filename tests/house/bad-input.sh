#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# bad-input.sh SENSOR SOURCE_ROOT: whatever is wrong has an exit code of
# docs/records.md and a sentence with its cause and its remedy. Prints TAP.
set -u
sensor=$(realpath "$1")
pcaps=$(realpath "$2")/pcaps
work=$(mktemp -d) || exit 2
mounted=
trap '[ -z "$mounted" ] || umount "$work/tiny"; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work" || exit 2
count=0
failed=0
good=$pcaps/hl7-adt-ack.pcap

verdict() { # NAME GOOD?
	count=$((count + 1))
	if [ "$2" -eq 0 ]; then
		echo "ok $count - $1"
	else
		echo "not ok $count - $1"
		failed=1
	fi
}

skip() { # NAME REASON
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}

# The errors said, without the summary of a replay.
complaints() {
	grep -v '^  [a-z]' err | grep -vE '^[a-z-]+: ([0-9]+ packets, |warning: (no site file|this is a sanitizer build))'
}

judge() { # NAME CODE WANTED-CODE SENTENCE (extended regular expression)
	said=$(complaints)
	[ "$2" -eq "$3" ] && printf '%s\n' "$said" | grep -qE -e "$4" &&
		! grep -qE 'Sanitizer|runtime error|ssertion' err
	bad=$?
	verdict "$1: exit code $3" $bad
	[ $bad -eq 0 ] || printf 'exit code %s\n%s\nwanted: %s\n' "$2" "$said" "$4" | sed 's/^/#   /'
}

expect() { # NAME CODE SENTENCE COMMAND...
	name=$1 code=$2 sentence=$3
	shift 3
	timeout 60 "$@" >out 2>err </dev/null
	judge "$name" $? "$code" "$sentence"
}

# The sensor with records on standard output.
sees() { # NAME CODE SENTENCE ARGUMENT...
	name=$1 code=$2 sentence=$3
	shift 3
	expect "$name" "$code" "$sentence" "$sensor" --json "$@"
}

: >empty.pcap
echo 'Dear diary' >text.pcap
head -c 500 "$good" >cut.pcap
gzip -c "$good" | head -c 300 >cut.pcap.gz
# A pcap header of link type 147, and a frame of four bytes.
printf '\324\303\262\241\002\000\004\000\000\000\000\000\000\000\000\000\000\000\004\000\223\000\000\000' >user.pcap
printf '\001\000\000\000\001\000\000\000\004\000\000\000\004\000\000\000abcd' >>user.pcap
cat >site.yaml <<END
site: test
segments:
  - {name: a, impact: wrong, match: {prefixes: [10.0.0.0/8]}}
  - {name: b, impact: guest, match: {prefixes: [10.0.0.0/33]}}
conduits:
  - {id: c, from: a, to: nowhere, services: [dicom]}
END
printf 'sensor: "no name"\nspoool: {dir: x}\n' >sensor.yaml
head -c 900 "$pcaps/demo/networks.mmdb" >cut.mmdb

sees 'good' 0 '^$' -r "$good"
verdict 'good: records' "$([ "$(grep -c '"type":"flow"' out)" -eq 1 ]; echo $?)"

# Captures.
sees 'missing file' 2 'none\.pcap: No such file or directory; check the path' -r none.pcap
sees 'missing second file' 2 'none\.pcap: No such file' -r "$good" none.pcap
verdict 'missing second file: nothing was begun' "$([ ! -s out ]; echo $?)"
sees 'a folder' 2 '\.: Is a directory; check the path' -r .
sees 'empty file' 2 'empty\.pcap: not a capture; give a pcap or pcapng' -r empty.pcap
sees 'text file' 2 'text\.pcap: not a capture; give a pcap or pcapng' -r text.pcap
sees 'truncated capture' 3 'cut\.pcap: cut short behind frame 3, at byte [0-9]+; the frames before were read' -r cut.pcap
verdict 'truncated capture: what was there is out' "$(grep -q '"packets":{"to_server":2' out; echo $?)"
sees 'truncated gzip' 3 'cut\.pcap\.gz: .*(cut short|damaged).*the frames before were read' -r cut.pcap.gz
sees 'one of two truncated' 3 'cut\.pcap: cut short' -r cut.pcap "$good"
verdict 'one of two truncated: the other is out' "$(grep -q '"app":"hl7"' out; echo $?)"
sees 'unsupported link type' 3 'user\.pcap: link type 147 is not decoded; capture on' -r user.pcap
sees 'unsupported link type, then a good one' 3 'link type 147' -r user.pcap "$good"
verdict 'unsupported link type: the other is out' "$(grep -q '"app":"hl7"' out; echo $?)"
expect 'empty standard input' 3 'not a capture; give a pcap or pcapng' "$sensor" --json -r -

# Site file, databases, configuration.
sees 'missing site file' 2 'none\.yaml: .*No such file.*; name a file' -r "$good" --site none.yaml
sees 'a folder as site file' 2 'Is a directory; name a file' -r "$good" --site .
sees 'site file with mistakes' 2 '^site\.yaml:3:[0-9]+: impact is "wrong"; .* would be right' -r "$good" --site site.yaml
verdict 'site file with mistakes: all of them' \
	"$([ "$(grep -cE '^site\.yaml:(3|4|6):[0-9]+: ' err)" -eq 4 ]; echo $?)"
sees 'text as site file' 2 '^text\.pcap:1:1: .*; write' -r "$good" --site text.pcap
sees 'missing database' 2 'none\.mmdb: No such file.*; give the path of a readable' -r "$good" --geo none.mmdb
sees 'corrupt database' 2 'cut\.mmdb is not a usable MaxMind database: .*; fetch it again' -r "$good" --geo cut.mmdb
sees 'text as database' 2 'text\.pcap is not a usable MaxMind database' -r "$good" --geo text.pcap
expect 'missing configuration' 2 'none\.yaml: .*No such file.*; name a file' "$sensor" -c none.yaml -r "$good"
expect 'configuration with mistakes' 2 '^sensor\.yaml:1:9: is no sensor name; use' "$sensor" -n -c sensor.yaml
verdict 'configuration with mistakes: both of them' "$(grep -q '^sensor\.yaml:2:1: .*spool' err; echo $?)"
printf 'capture: {interfaces: [a, b, c, d, e], workers: 16}\n' >crowd.yaml
expect 'more workers than can be muted' 2 'workers times interfaces is more than 64; lower workers' "$sensor" -n -c crowd.yaml
printf 'flows: {table: 4000000}\n' >large.yaml
"$sensor" -n >small.out 2>err && "$sensor" -n -c large.yaml >large.out 2>err
verdict 'a larger table is said to take more memory' "$([ "$(sed -n 's/^memory: \([0-9]*\) .*/\1/p' large.out)" -gt \
	"$(sed -n 's/^memory: \([0-9]*\) .*/\1/p' small.out)" ]; echo $?)"

# Command line.
expect 'no arguments' 2 'what shall be metered\? give -i IFACE.* or captures with -r FILE' "$sensor"
sees 'unknown option' 2 "unrecognized option '--frobnicate'" --frobnicate -r "$good"
verdict 'unknown option: usage is shown' "$(grep -q '^usage: ' err; echo $?)"
sees 'option without its value' 2 'requires an argument' -r
expect 'both --json and --spool' 2 '--json and --spool exclude one another' "$sensor" --json --spool sp -r "$good"
verdict 'both: no spool was made' "$([ ! -e sp ]; echo $?)"
expect 'no output given' 2 'where shall the records go\? give --json or --spool DIR' "$sensor" -r "$good"
sees 'impossible sensor name' 2 'no sensor name; use 1 to 63 letters' --sensor 'a b' -r "$good"
sees '--dedup maybe' 2 '--dedup takes on or off' --dedup maybe -r "$good"
sees 'both -r and -i' 2 '-r and -i exclude one another' -i none0 -r "$good"
sees 'no such interface' 2 'none0: (there is no such interface; .ip link|.*CAP_NET_RAW)' -i none0

# Interfaces, in a network of our own. Nothing may be begun before all is known to be good.
alone() { # COMMAND...
	timeout 20 unshare -n sh -c 'ip link set dev lo up; exec "$@"' sh "$@"
}
down() {
	timeout 20 unshare -n "$@"
}
if [ "$(id -u)" -ne 0 ] || ! unshare -n true 2>/dev/null; then
	skip 'interfaces, filters and rings' 'only root can make a network'
else
	judge_in() { # NAME SENTENCE alone|down COMMAND...
		name=$1 sentence=$2
		shift 2
		rm -rf never
		"$@" >out 2>err </dev/null
		judge "$name" $? 2 "$sentence"
		verdict "$name: nothing was begun" "$([ ! -e never ]; echo $?)"
	}
	judge_in 'bad filter' 'capture filter: .*; see pcap-filter' alone "$sensor" --spool never -i lo --filter 'host and ('
	judge_in 'interface that is down' 'lo: the interface is down; .ip link set up dev. it' down "$sensor" --spool never -i lo
	judge_in 'one of two interfaces' 'none0: there is no such interface; .ip link. lists them' alone "$sensor" --spool never -i lo -i none0
	printf 'sensor: a\nspool: {dir: never}\ncapture: {interfaces: [lo], ring: 1TiB}\n' >ring.yaml
	printf 'sensor: a\nspool: {dir: never}\ncapture: {interfaces: [lo], timestamps: hardware}\n' >stamps.yaml
	judge_in 'stamps that the device has not' 'lo: this device puts no time stamps on frames; write capture\.timestamps: kernel' alone "$sensor" -c stamps.yaml
	judge_in 'ring larger than memory' 'of memory that are free; lower capture\.ring' alone "$sensor" -c ring.yaml
	if command -v setpriv >/dev/null && setpriv --reuid 65534 --regid 65534 --clear-groups test -x "$sensor" &&
		chmod 777 . && setpriv --reuid 65534 --regid 65534 --clear-groups test -w .; then
		judge_in 'no permission' 'lo: no permission to capture; run as root, or give the program CAP_NET_RAW' alone \
			setpriv --reuid 65534 --regid 65534 --clear-groups "$sensor" --spool never -i lo
		chmod 700 .
	else
		skip 'no permission' 'another user cannot reach the program'
	fi
fi

# Outputs.
expect 'spool in a file' 2 'empty\.pcap: cannot be used as spool: Not a directory; name a folder' "$sensor" --spool empty.pcap -r "$good"
expect 'spool where none can be' 2 'cannot be used as spool: .*; name a folder' "$sensor" --spool /proc/none -r "$good"
if [ -c /dev/full ]; then
	"$sensor" --json -r "$good" >/dev/full 2>err </dev/null
	judge 'full disk' $? 1 'No space left on device, and [1-9][0-9]* records were lost: make room'
else
	skip 'full disk' 'there is no /dev/full'
fi
"$sensor" --json -r "$good" >&- 2>err </dev/null
judge 'closed standard output' $? 1 'Bad file descriptor.*standard output is closed; open it'
{ sleep 1; "$sensor" --json -r "$good" 2>err </dev/null; echo $? >code; } | true
judge 'reader that left' "$(cat code)" 1 'Broken pipe.*nobody reads them any more'

mkdir tiny
if [ "$(id -u)" -ne 0 ]; then
	skip 'full spool' 'only root can mount a small file system'
elif ! mount -t tmpfs -o size=16k none tiny 2>/dev/null; then
	skip 'full spool' 'no file system can be mounted here'
else
	mounted=yes
	"$sensor" --spool tiny/spool -r "$pcaps"/demo/*.pcap >out 2>err </dev/null
	judge 'full spool' $? 1 'No space left on device, and [1-9][0-9]* records were lost: make room'
fi

echo "1..$count"
exit $failed
