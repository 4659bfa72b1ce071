#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# kill -9 of the collector while batches come in; what was not acknowledged is
# sent again. Every flow is in the store exactly once. Prints TAP.
set -u
. "$(dirname "$0")/lib.sh"

batches=60
flows=200
make_authority
write_config 0
start
[ -n "$port" ] || { cat "$work/err"; echo "Bail out! the collector does not start"; exit 1; }
write_config "$port" # the same port for every life
for i in $(seq $batches); do
	"$make_batch" span-1 flows 7 "$i" $flows >"$work/b$i"
done

# Ends it at moments that a fixed row of numbers gives.
killer() {
	for pause in 0.31 0.17 0.43 0.11 0.29 0.23 0.37 0.13; do
		sleep $pause
		echo x >>"$work/kills"
		kill -9 "$(cat "$work/pid")" 2>/dev/null
		while [ -e "$work/pid" ]; do sleep 0.01; done
		while [ ! -e "$work/pid" ]; do sleep 0.01; done
	done
	: >"$work/killed"
}

echo "$pid" >"$work/pid"
: >"$work/kills"
killer &
killer_pid=$!
repeats=0
i=1
while [ $i -le $batches ]; do
	case $(put span-1 "span-1/flows/7/$i" "$work/b$i") in
	*' 200') i=$((i + 1)) ;;
	*)
		repeats=$((repeats + 1))
		[ $repeats -lt 500 ] || break
		if ! kill -0 "$pid" 2>/dev/null; then
			rm -f "$work/pid"
			wait "$pid" 2>/dev/null
			start
			echo "$pid" >"$work/pid"
		fi ;;
	esac
	# Goes round until all kills are done: a known batch is answered as well.
	[ $i -le $batches ] || [ -e "$work/killed" ] || i=$batches
done
kill "$killer_pid" 2>/dev/null
wait "$killer_pid" 2>/dev/null

is "it was killed eight times" "$(grep -c x "$work/kills")" 8
question='SELECT count(*) AS n, count(DISTINCT id) AS ids FROM flows'
is "every flow exactly once" "$(get ana /v1/sql --data-binary "$question" | sed -n 2p)" \
	"{\"n\":$((batches * flows)),\"ids\":$((batches * flows))}"
is "the sums agree" "$(get ana /v1/sql --data-binary 'SELECT sum(flows) AS n FROM rollup_minute' | sed -n 2p)" \
	"{\"n\":$((batches * flows))}"
is "no batch is missing" "$(get vera /v1/sensors | grep -o '"missing_batches":[0-9]*')" '"missing_batches":0'
done_testing
