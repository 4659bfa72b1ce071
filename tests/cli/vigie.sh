#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# vigie.sh SOURCE VIGIE: what vigie answers without a collector: exit codes, and
# complaints that name the cause and the remedy.
set -u
. "$1/tests/cli/expect.sh"
vigie=$2
unset VIGIE_CONFIG
export HOME="$work"

expect 0 '^vigie [0-9]' "$vigie" --version
expect 0 '^usage: vigie COMMAND' "$vigie" help
expect 0 '^usage: vigie COMMAND' "$vigie" --help
expect 0 '^usage: vigie top ' "$vigie" help top
expect 0 '^usage: vigie top ' "$vigie" top --help
expect 2 'did you mean top?' "$vigie" help tpo
expect 2 'vigie help lists them' "$vigie"
expect 2 'did you mean flows?' "$vigie" flow
expect 2 'not available yet' "$vigie" lifelines
expect 2 'did you mean --since?' "$vigie" flows --sinse 1h
expect 2 'no collector is given' "$vigie" flows

printf 'collector: https://127.0.0.1:1\nca: ca.crt\ncertifcate: a.crt\n' >"$work/vigie.yaml"
expect 2 'vigie.yaml:3:1: .*certificate' "$vigie" flows --config "$work/vigie.yaml"
expect 2 'nowhere.yaml' "$vigie" flows --config "$work/nowhere.yaml"
sed -i 's/certifcate/certificate/' "$work/vigie.yaml"
expect 2 "$work/ca.crt: cannot read" "$vigie" flows --config "$work/vigie.yaml"
expect 2 'must start with https' "$vigie" flows --config "$work/vigie.yaml" --collector http://x
mkdir -p "$work/.config/vigie"
cp "$work/vigie.yaml" "$work/.config/vigie/vigie.yaml"
expect 2 "$work/.config/vigie/ca.crt: cannot read" "$vigie" flows
expect 2 'no such file, either\|cannot' env VIGIE_CONFIG="$work/other.yaml" "$vigie" flows

rm -r "$work/.config"
if command -v openssl >/dev/null; then
	"$1/packaging/make-ca" "$work/ca" --server localhost --analyst anna >/dev/null
	where='--collector https://127.0.0.1:1'
	who="--cert $work/ca/anna.crt --key $work/ca/anna.key"
	# shellcheck disable=SC2086  # words
	expect 3 'no collector answers at https://127.0.0.1:1' \
		"$vigie" flows $where $who --ca "$work/ca/ca.crt"
	# shellcheck disable=SC2086
	expect 2 'the own private key is not given' "$vigie" flows $where \
		--ca "$work/ca/ca.crt" --cert "$work/ca/anna.crt"
fi

expect 2 'site check FILE' "$vigie" site
expect 2 'site check FILE' "$vigie" site chekc x.yaml
expect 2 'nowhere.yaml' "$vigie" site check "$work/nowhere.yaml"
printf 'site: a\nsegmets: []\n' >"$work/site.yaml"
expect 1 'site.yaml:2:1: .*segments' "$vigie" site check "$work/site.yaml"
expect 2 'there are ls and verify' "$vigie" spool check "$work"
expect 2 'no spool here' "$vigie" spool ls "$work"
expect 0 '' sh -c "'$vigie' help flows | head -n 1"
done_expecting
