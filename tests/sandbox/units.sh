#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The systemd units, judged by systemd itself: every setting is known, and little
# stays open. Prints TAP.
#
# usage: units.sh SOURCE_ROOT BUILD_ROOT
set -u
source=$1/packaging
build=$2
count=0
failed=0
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

verdict() { # NAME WRONG
	count=$((count + 1))
	if [ -z "$2" ]; then
		echo "ok $count - $1"
	else
		echo "not ok $count - $1"
		printf '%s\n' "$2" | sed 's/^/#   /'
		failed=1
	fi
}

if ! command -v systemd-analyze >/dev/null || ! command -v systemd-sysusers >/dev/null; then
	echo '1..0 # SKIP no systemd-analyze and systemd-sysusers here'
	exit 0
fi

# Points a unit at the program that was built.
point() { # UNIT
	sed -e "s|/usr/bin/vigie-sensor|$build/sensor/vigie-sensor|" \
		-e "s|/usr/bin/vigie-shipper|$build/exporters/vigie-shipper|" \
		-e "s|/usr/bin/vigie-collector|$build/collector/vigie-collector|" "$1"
}

for unit in "$source"/systemd/*.service; do
	name=$(basename "$unit")
	loaded=$(printf '%s' "$name" | sed 's/@\./@span./')
	point "$unit" >"$work/$loaded"
	# Of other units on this machine we know nothing.
	verdict "$name: systemd knows every setting" \
		"$(systemd-analyze verify --man=no --recursive-errors=no "$work/$loaded" 2>&1 | grep vigie)"
	# 0 is closed, 10 open; what stays is that it has a network, and for the sensor raw sockets.
	verdict "$name: little stays open" \
		"$(systemd-analyze security --offline=true --no-pager --threshold=20 "$work/$loaded" 2>&1 >/dev/null ||
			systemd-analyze security --offline=true --no-pager "$work/$loaded" 2>&1 | grep -E '✗|overall|Overall')"
	verdict "$name: tells how it is, and is restarted when it does not" \
		"$(for setting in Type=notify WatchdogSec= Restart=on-failure; do
			grep -q "^$setting" "$unit" || echo "without $setting"
		done)"
	for user in $(sed -n 's/^User=//p' "$unit"); do
		verdict "$name: packaging makes $user" \
			"$(grep -q "^u $user " "$source/sysusers.d/vigie.conf" || echo "no line for $user")"
	done
done
verdict "the status socket's folder outlives each sensor" \
	"$(for setting in RuntimeDirectory=vigie RuntimeDirectoryPreserve=yes ExecReload=; do
		grep -q "^$setting" "$source/systemd/vigie-sensor@.service" || echo "without $setting"
	done)"
verdict "sysusers.d: systemd understands it" \
	"$(systemd-sysusers --dry-run "$source/sysusers.d/vigie.conf" 2>&1 | grep -iE 'vigie.conf:|unknown|failed')"
echo "1..$count"
exit $failed
