#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Older kernels, which strace plays: the sandbox makes do with what there is, and
# says what is lost. Prints TAP.
#
# usage: kernels.sh SANITIZED SOURCE_ROOT SENSOR
set -u
[ "$1" = 0 ] || {
	echo '1..0 # SKIP a sanitizer build has no sandbox'
	exit 0
}
source=$2
sensor=$3
count=0
failed=0
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

strace -o /dev/null true 2>/dev/null || {
	echo '1..0 # SKIP no strace here, or it may not trace'
	exit 0
}

# What the first use of a system call answers, and what must come of it.
plays() { # NAME CALL ANSWER EXIT-CODE WORDS [ENFORCED]
	count=$((count + 1))
	said=$(strace -o "$work/calls" -e "trace=$2,landlock_restrict_self" -e "inject=$2:$3" \
		"$sensor" --json -r "$source/pcaps/dns-dig.pcap" \
		--site "$source/pcaps/demo/hospital.yaml" 2>&1 >/dev/null)
	code=$?
	words=${5-}
	case $code,$said in
	"$4",*"${words:-packets}"*) good=yes ;;
	*) good= ;;
	esac
	# Where nothing is lost, nothing is said.
	[ -n "$words" ] || case $said in
	*warning*) good= ;;
	esac
	[ -z "${6-}" ] || grep -q 'landlock_restrict_self(.*= 0' "$work/calls" || good=
	if [ -n "$good" ]; then
		echo "ok $count - $1"
	else
		echo "not ok $count - $1"
		printf 'exit code %s\n%s\n' "$code" "$said" | head -n 5 | sed 's/^/#   /'
		failed=1
	fi
}

# Which ABI this kernel really has; a newer one takes an older one's words.
strace -o "$work/calls" -e trace=landlock_create_ruleset "$sensor" --json \
	-r "$source/pcaps/dns-dig.pcap" >/dev/null 2>&1
real=$(sed -n 's/^landlock_create_ruleset(NULL, 0, .*= \([0-9]*\)$/\1/p' "$work/calls")
for abi in 1 2 3 4 5 6; do
	lost=
	[ $abi -ge 3 ] || lost="Landlock is of ABI $abi"
	if [ "${real:-0}" -ge $abi ]; then
		plays "Landlock ABI $abi" landlock_create_ruleset "retval=$abi:when=1" 0 "$lost" enforced
	else
		count=$((count + 1))
		echo "ok $count - Landlock ABI $abi # SKIP this kernel has ${real:-none}"
	fi
done
plays 'no Landlock' landlock_create_ruleset error=ENOSYS 0 'this kernel has no Landlock'
plays 'Landlock turned off' landlock_create_ruleset error=EOPNOTSUPP 0 'this kernel has no Landlock'
# The filter is a promise: without it the program does not start.
plays 'no seccomp' seccomp error=EINVAL 2 '--no-sandbox goes without'
echo "1..$count"
exit $failed
