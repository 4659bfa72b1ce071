#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# examples.sh SOURCE BUILD: the examples in packaging/examples pass the programs'
# own checks, with certificates made as docs/operator.md says.
set -u
. "$1/tests/cli/expect.sh"
build=$2
vigie=$build/collector/vigie
for program in sensor/vigie-sensor exporters/vigie-shipper collector/vigie-collector collector/vigie; do
	[ -x "$build/$program" ] || skip_all "$program is not built"
done
command -v openssl >/dev/null || skip_all 'openssl is missing'
unset VIGIE_CONFIG
export HOME="$work"

here=$work/vigie
cp -r "$1/packaging/examples" "$here"
# The commands of docs/operator.md, as they stand there.
sed -n '/^packaging\/make-ca/,/[^\\]$/p' "$1/docs/operator.md" >"$work/commands"
expect 0 'make-ca ca --server vigie.hospital.example' cat "$work/commands"
expect 0 'authority' sh -c "cd '$here' && ln -s '$1/packaging' packaging && sh -e '$work/commands'"
# A folder that the test may make; the rest stays as it is.
sed -i "s#/var/lib/vigie#$work/data#" "$here"/*.yaml
mkdir "$work/data"

expect 0 '' "$vigie" site check "$here/site.yaml"
expect 1 '' grep -q finding "$work/out"
expect 0 '' "$build/sensor/vigie-sensor" -n -c "$here/sensor.yaml"
expect 0 '' "$build/exporters/vigie-shipper" -n -c "$here/sensor.yaml"
expect 0 '' "$build/collector/vigie-collector" -n -c "$here/collector.yaml"
mkdir -p "$work/.config/vigie"
cp "$here/vigie.yaml" "$here"/ca/ca.crt "$here"/ca/anna.* "$work/.config/vigie"
sed -i 's#//vigie.hospital.example:8440#//127.0.0.1:1#' "$work/.config/vigie/vigie.yaml"
expect 3 'no collector answers' "$vigie" flows
done_expecting
