#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A full disk: batches are delayed and not lost, it is said once, and when there
# is room again they are taken. Needs to mount a small file system. Prints TAP.
set -u
if [ "${VIGIE_OWN_MOUNTS-}" != yes ]; then
	if ! unshare -rm true 2>/dev/null && ! unshare -m true 2>/dev/null; then
		echo '1..0 # SKIP full disk: may not make a mount namespace'
		exit 0
	fi
	VIGIE_OWN_MOUNTS=yes
	export VIGIE_OWN_MOUNTS
	[ "$(id -u)" = 0 ] && exec unshare -m "$0" "$@"
	exec unshare -rm "$0" "$@"
fi
. "$(dirname "$0")/lib.sh"

make_authority
write_config 0
mkdir "$work/store"
mount -t tmpfs -o size=3m tmpfs "$work/store" || {
	echo '1..0 # SKIP full disk: may not mount a tmpfs'
	exit 0
}
start
[ -n "$port" ] || { cat "$work/err"; echo "Bail out! the collector does not start"; exit 1; }

i=1
answer=
while [ $i -le 60 ]; do
	"$make_batch" span-1 flows 7 $i 500 >"$work/batch"
	answer=$(put span-1 "span-1/flows/7/$i" "$work/batch" -D "$work/headers")
	case $answer in *' 200') ;; *) break ;; esac
	i=$((i + 1))
done
is "a full disk delays" "$answer" '{"error":"the collector'"'"'s disk is full; try again later"}  503'
has "and says until when" "$(tr -d '\r' <"$work/headers")" 'Retry-After: 30'
put span-1 "span-1/flows/7/$i" "$work/batch" >/dev/null
put span-1 "span-1/flows/7/$i" "$work/batch" >/dev/null
is "it is logged once" "$(grep -c 'disk is full' "$work/err")" 1
mount -o remount,size=64m "$work/store"
is "with room it goes on" "$(put span-1 "span-1/flows/7/$i" "$work/batch")" '{"stored":true}  200'
has "and says so" "$(cat "$work/err")" 'has room again'
is "nothing is lost, nothing twice" \
	"$(get ana /v1/sql --data-binary 'SELECT count(*) AS n, count(DISTINCT id) AS ids FROM flows' | sed -n 2p)" \
	"{\"n\":$((i * 500)),\"ids\":$((i * 500))}"
kill -TERM "$pid"
wait "$pid"
is "ends well" $? 0
pid=
umount "$work/store"
done_testing
