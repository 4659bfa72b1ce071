#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# demo.sh SOURCE BUILD: the demo hospital through sensor, spool, shipper and
# collector, as quickstart does it; and all that vigie answers about it.
set -u
. "$1/tests/cli/expect.sh"
source=$1
build=$2
vigie=$build/collector/vigie
demo=$source/pcaps/demo
for program in sensor/vigie-sensor exporters/vigie-shipper collector/vigie-collector; do
	[ -x "$build/$program" ] || skip_all "$program is not built"
done
for program in openssl jq; do
	command -v $program >/dev/null || skip_all "$program is missing"
done
ls "$demo"/*.pcap >/dev/null 2>&1 || skip_all 'the demo captures are missing'

stop_collector()
{
	[ -z "${collector:-}" ] || kill "$collector" 2>/dev/null
	[ -z "${collector:-}" ] || wait "$collector" 2>/dev/null
	collector=
}
trap 'stop_collector; rm -rf "$work"' EXIT

same()
{
	if [ "$2" = "$3" ]; then
		verdict ok "$1"
	else
		: >"$work/out"
		printf '%s\nis not\n%s\n' "$2" "$3" >"$work/err"
		verdict failed "$1"
	fi
}

lines()
{
	wc -l | tr -d ' '
}

cat >"$work/collector.yaml" <<END
listen: {address: 127.0.0.1, port: 0}
tls: {certificate: ca/localhost.crt, key: ca/localhost.key, ca: ca/ca.crt}
store: {dir: store, retention: 36500d, sync: false}
END
"$source/packaging/make-ca" "$work/ca" --server localhost --sensor demo-sensor --analyst anna \
	--viewer vera >/dev/null || exit 1
"$source/packaging/make-ca" "$work/other-ca" --analyst eve >/dev/null || exit 1
"$build/collector/vigie-collector" -c "$work/collector.yaml" >"$work/collector.log" 2>&1 &
collector=$!
tries=0
until grep -qs 'listening on' "$work/collector.log"; do
	tries=$((tries + 1))
	if [ $tries -gt 100 ] || ! kill -0 $collector 2>/dev/null; then
		sed 's/^/# /' "$work/collector.log"
		echo 'Bail out! the collector does not start'
		exit 1
	fi
	sleep 0.1
done
url=https://localhost:$(sed -n 's/.*listening on https:.*:\([0-9]*\).*/\1/p' "$work/collector.log")

cat >"$work/sensor.yaml" <<END
sensor: demo-sensor
site: $demo/hospital.yaml
spool: {dir: spool, sync: false}
geo: {databases: [$demo/networks.mmdb]}
destinations:
  - {name: collector, type: collector, url: "$url", ca: ca/ca.crt,
     certificate: ca/demo-sensor.crt, key: ca/demo-sensor.key}
END
printf 'collector: %s\nca: ca/ca.crt\ncertificate: ca/anna.crt\nkey: ca/anna.key\n' "$url" \
	>"$work/vigie.yaml"
export VIGIE_CONFIG="$work/vigie.yaml"

expect 0 '0 flows' "$vigie" flows
expect 0 'no flows' "$vigie" matrix
expect 0 '0 alerts' "$vigie" alerts --exit-code
expect 0 '0 hosts' "$vigie" hosts
expect 0 '' "$build/sensor/vigie-sensor" -c "$work/sensor.yaml" -r "$demo"/*.pcap
expect 0 'no damage' "$vigie" spool verify "$work/spool"
expect 0 'flows' "$vigie" spool ls "$work/spool"
expect 0 '0 batches refused\|delivered' "$build/exporters/vigie-shipper" -c "$work/sensor.yaml" --drain
"$build/sensor/vigie-sensor" -c "$work/sensor.yaml" --json -r "$demo"/*.pcap >"$work/direct" 2>"$work/err"
direct=$(grep -c '"type":"flow"' "$work/direct")
alerts=$(grep '"type":"alert"' "$work/direct" | jq -r .id | sort -u | lines)

# Every way to count says the same.
[ "$direct" -gt 20 ] && verdict ok 'there are flows' || verdict failed 'there are flows'
same 'flows as NDJSON' "$("$vigie" flows --format ndjson | lines)" "$direct"
same 'flows as CSV' "$("$vigie" flows --format csv | lines)" "$((direct + 1))"
same 'flows as JSON' "$("$vigie" flows --format json --limit 10000 | jq '.rows | length')" "$direct"
same 'flows as a table' "$("$vigie" flows --limit 10000 | tail -n 1 | tr -dc 0-9)" "$direct"
same 'the same flows' "$("$vigie" flows --format ndjson | jq -r .id | sort)" \
	"$(grep '"type":"flow"' "$work/direct" | jq -r .id | sort)"
same 'flows in SQL' "$("$vigie" sql 'SELECT count(*) AS n FROM flows' --format json | jq '.rows[0].n')" \
	"$direct"
same 'flows in the matrix' "$("$vigie" matrix --format json | jq '[.rows[].flows] | add')" \
	"$(grep '"type":"flow"' "$work/direct" | jq -r .id | sort -u | lines)"
same 'alerts' "$("$vigie" alerts --format ndjson | lines)" "$alerts"
next=$("$vigie" flows --format json --limit 10 | jq -r .next)
same 'flows behind a cursor' "$("$vigie" flows --format ndjson --cursor "$next" | lines)" \
	"$((direct - 10))"

# An address's tenants by MAC; what was told without one is somebody's of these, or nobody's.
same 'hosts with a MAC' "$("$vigie" hosts --format ndjson | jq -r 'select(.mac) | "\(.ip) \(.mac)"' | sort)" \
	"$(grep '"type":"asset"' "$work/direct" | jq -r 'select(.mac) | "\(.ip) \(.mac)"' | sort -u)"
same 'addresses of hosts' "$("$vigie" hosts --format ndjson | jq -r .ip | sort -u)" \
	"$(grep '"type":"asset"' "$work/direct" | jq -r .ip | sort -u)"
expect 0 '10.31.1.15 .*operating-theatre .*modality (medium)' env COLUMNS=160 "$vigie" hosts
expect 0 '10.31.1.15 .*modality' env COLUMNS=80 "$vigie" hosts --role modality
same 'hosts in eighty columns' "$(env COLUMNS=80 "$vigie" hosts | awk 'length > 80')" ''
expect 0 'ae_title .*CT_MODALITY1 .*dicom.calling_ae' "$vigie" hosts --ip 10.10.1.5
expect 0 '0 hosts' "$vigie" hosts --ip 192.0.2.1
expect 2 'does not go with hosts' "$vigie" hosts --app dicom

expect 1 'critical' "$vigie" alerts --severity critical --exit-code
expect 1 '"severity":"critical"' "$vigie" alerts --severity critical --exit-code --format ndjson
expect 0 '0 alerts' "$vigie" alerts --vendor Nobody --exit-code
expect 0 'more than these 3: use --limit' "$vigie" flows --limit 3
expect 0 'Not as declared' env COLUMNS=100 "$vigie" matrix
same 'a hundred columns' "$(env COLUMNS=100 "$vigie" matrix | awk 'length > 100')" ''
for by in client server app segment pair vendor verdict; do
	expect 0 'FLOWS  PACKETS' "$vigie" top --by $by --order flows
done
expect 0 'demo-sensor' "$vigie" sensors
expect 0 'SEGMENT' "$vigie" coverage
expect 0 'dicom' "$vigie" flows --app dicom --server-segment pacs
expect 2 'cannot modify\|SELECT' "$vigie" sql 'DELETE FROM flows'
expect 2 'needs OU=analyst' "$vigie" sql 'SELECT 1' --cert "$work/ca/vera.crt" --key "$work/ca/vera.key"
expect 0 'dicom' "$vigie" flows --app dicom --cert "$work/ca/vera.crt" --key "$work/ca/vera.key"
expect 2 'needs OU=viewer' "$vigie" flows --cert "$work/ca/demo-sensor.crt" \
	--key "$work/ca/demo-sensor.key"
expect 2 'who signed it' "$vigie" flows --cert "$work/other-ca/eve.crt" --key "$work/other-ca/eve.key"
expect 2 'is not the collector that' "$vigie" flows --ca "$work/other-ca/ca.crt"
expect 2 'holds no usable certificate' "$vigie" flows --ca "$work/vigie.yaml"
expect 2 'usable certificate and key' "$vigie" flows --key "$work/other-ca/eve.key"
expect 0 '' sh -c "'$vigie' flows --format ndjson | head -n 1 >/dev/null"

# Once more: nothing twice. And nobody's name anywhere.
expect 0 '' "$build/sensor/vigie-sensor" -c "$work/sensor.yaml" -r "$demo"/*.pcap
expect 0 '' "$build/exporters/vigie-shipper" -c "$work/sensor.yaml" --drain
same 'nothing twice' "$("$vigie" flows --format ndjson | lines)" "$direct"
for command in flows alerts top matrix sensors coverage hosts; do
	"$vigie" $command --format json >>"$work/answers"
	"$vigie" $command >>"$work/answers"
done
stop_collector
# Two letters alone also stand in a Community ID now and then.
same 'no canaries' "$(grep -rlaE 'ZZ(PHI|SECRET|TOKEN)' "$work")" ''
expect 3 'no collector answers' "$vigie" flows
done_expecting
