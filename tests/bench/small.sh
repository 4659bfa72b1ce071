#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# small.sh BUILD: tests/bench/run on a few packets, for what it makes and writes. Prints TAP.
set -u
bench=$(dirname "$0")
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
count=0
failed=0

verdict() { # NAME COMMAND...
	name=$1
	shift
	count=$((count + 1))
	if "$@" >"$folder/said" 2>&1; then
		echo "ok $count - $name"
	else
		echo "not ok $count - $name"
		tail -n 20 "$folder/said" | sed 's/^/#   /'
		failed=1
	fi
}

run() {
	python3 "$bench/run" --build "$1" --only udp,syn,tcp10k,clinical --packets 3000 --seed "$2" --runs 1 --warm-up 0 \
		--meters vigie,vigie-no-ndpi,libpcap --keep "$folder/$3" --json "$folder/$3.json"
}

whole() { # JSON: every meter saw every packet, in four captures
	python3 - "$1" <<'END'
import json, sys
captures = json.load(open(sys.argv[1]))["captures"]
assert set(captures) == {"udp", "syn", "tcp10k", "clinical"}, captures.keys()
for kind, c in captures.items():
    assert set(c["meters"]) == {"vigie", "vigie-no-ndpi", "libpcap"}, kind
    for name, m in c["meters"].items():
        assert m["packets"] == c["packets"] > 2900, (kind, name, m)
        assert m["cpu_seconds"]["median"] > 0 and m["peak_mb"]["max"] > 1, (kind, name)
assert captures["syn"]["meters"]["vigie"]["flows"] == captures["syn"]["packets"]
assert captures["tcp10k"]["meters"]["vigie"]["flows"] == captures["tcp10k"]["packets"] // 107
END
}

same() { # FOLDER FOLDER: the same captures in both
	(cd "$folder/$1" && sha256sum ./*.pcap) >"$folder/sums" && (cd "$folder/$2" && sha256sum --quiet -c "$folder/sums")
}

tables() {
	printf 'before\n<!-- figures: begin -->\nold\n<!-- figures: end -->\nafter\n' >"$folder/page"
	python3 "$bench/report" "$folder/one.json" --into "$folder/page" || return 1
	grep -q '^before$' "$folder/page" && grep -q '^after$' "$folder/page" && ! grep -q '^old$' "$folder/page" &&
		[ "$(grep -c '^| \*\*vigie\*\* ' "$folder/page")" -eq 4 ]
}

moved() { # The rule of --require: a machine on which peers need twice as much has twice the limit.
	python3 - "$bench" <<'END'
import sys
sys.path.insert(0, sys.argv[1])
import limits
def of(ns, mb=100):
    return {"ns_per_packet": {"median": ns}, "peak_mb": {"median": mb}}
twice = {n: of(2 * ns) for n, ns in limits.REFERENCE["mix"].items()}
assert limits.judge("mix", {"vigie": of(790), **twice}, None)["kept"]
assert not limits.judge("mix", {"vigie": of(810), **twice}, None)["kept"]
assert not limits.judge("mix", {"vigie": of(790, 301), **twice}, None)["kept"]
assert limits.judge("mix", {"vigie": of(400)}, None)["kept"]
assert not limits.judge("mix", {"vigie": of(401)}, None)["kept"]
assert not limits.judge("syn", {"vigie": of(100, 600)}, 541)["kept"]
assert limits.judge("clinical", {"vigie": of(100)}, None) is None
END
}

verdict 'every meter reads every capture to its end' run "$1" 7 one
verdict 'the figures say so' whole "$folder/one.json"
verdict 'they become tables in the page' tables
verdict 'limits move with the peers' moved
run "$1" 7 two >/dev/null 2>&1
verdict 'the same seed makes the same captures' same one two
count=$((count + 1))
run "$1" 8 other >/dev/null 2>&1
if [ "$(cat "$folder"/one/clinical* | sha256sum)" != "$(cat "$folder"/other/clinical* | sha256sum)" ]; then
	echo "ok $count - another seed makes others"
else
	echo "not ok $count - another seed makes others"
	failed=1
fi
echo "1..$count"
exit $failed
