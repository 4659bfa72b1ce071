#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What vigie-sensor -L lists is whole, and the manual page made of it has it all. Prints TAP.
#
# usage: fields.sh VIGIE_SENSOR SOURCE_ROOT
set -u
fields=$(mktemp) && page=$(mktemp) || exit 2
trap 'rm -f "$fields" "$page"' EXIT
"$1" -L | sed -n 's/^    //p' >"$fields"
sh "$2/docs/man/vigie-fields.7.sh" "$1" >"$page"
failed=0

report() { # NUMBER NAME OFFENDERS
	if [ -z "$3" ]; then
		echo "ok $1 - $2"
	else
		printf 'not ok %s - %s\n%s\n' "$1" "$2" "$3" | sed '2,$s/^/#   /'
		failed=1
	fi
}

report 1 "fields are listed" "$([ -s "$fields" ] || echo none)"
report 2 "each with type, unit, grammar, class and meaning" "$(awk '
	$2 !~ /^(number|counter|flag|texts?)$/ || $5 !~ /^(none|device|site)$/ || NF < 6 { print }' "$fields")"
report 3 "a text has a grammar, and nothing else has" "$(awk '
	($2 ~ /^text/) == ($4 == "-") { print }' "$fields")"
report 4 "each is in the manual page" "$(while read -r name rest; do
	grep -qF "*$(printf %s "$name" | sed 's/_/\\_/g')* (" "$page" || echo "$name"
done <"$fields")"
report 5 "every dissector has its section" "$("$1" -L | grep -c '^[^ ]' |
	{ read -r n; [ "$n" -eq "$(($(grep -c '^# ' "$page") - 3))" ] || echo "$n listed"; })"
echo 1..5
exit $failed
