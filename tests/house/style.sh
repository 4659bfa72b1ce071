#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# style.sh SOURCE_ROOT: what every file of the tree keeps to. Prints TAP.
set -u
cd "$1" || exit 2
count=0
failed=0

verdict() { # NAME OFFENDERS
	count=$((count + 1))
	if [ -z "$2" ]; then
		echo "ok $count - $1"
	else
		echo "not ok $count - $1"
		printf '%s\n' "$2" | head -n 40 | sed 's/^/#   /'
		failed=1
	fi
}

skip() { # NAME REASON
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}

# What git knows; a tree without git is taken as it lies, but for folders of builds.
files() {
	git ls-files 2>/dev/null || find . -path './build*' -prune -o -type f -print | sed 's|^\./||'
}

all=$(mktemp) || exit 2
trap 'rm -f "$all" "$all".*' EXIT
files | grep -vE '\.(pcap|pcapng|golden|mmdb)$' | while read -r file; do
	[ -f "$file" ] && echo "$file"
done >"$all"
# By name, or by their first line.
while read -r file; do
	case $file in
	*.c | *.h | *.py | *.sh | *.pl | *.proto) echo "$file" ;;
	*) head -c 2 "$file" | grep -q '#!' && echo "$file" ;;
	esac
done <"$all" >"$all.sources"
grep -E '\.[ch]$' "$all.sources" >"$all.c"

verdict "there are files to look at" "$([ "$(wc -l <"$all.sources")" -gt 100 ] || echo 'too few')"
verdict "a licence in the first three lines" "$(while read -r file; do
	head -n 3 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' || echo "$file"
done <"$all.sources")"
verdict "no file over 1,000 lines" "$(while read -r file; do
	[ "$(wc -l <"$file")" -le 1000 ] || echo "$file"
done <"$all.sources")"
verdict "no blanks at the end of a line" "$(xargs grep -nE '[[:blank:]]+$' <"$all")"
verdict "no carriage returns" "$(xargs grep -lF "$(printf '\r')" <"$all.sources")"
verdict "every file ends with a line" "$(while read -r file; do
	[ -z "$(tail -c 1 "$file")" ] || echo "$file"
done <"$all.sources")"
verdict "no tabs in Python and YAML" \
	"$(grep -E '\.(py|yaml)$' "$all" | xargs grep -nE "$(printf '\t')")"
verdict "headers are guarded" "$(grep '\.h$' "$all.c" | while read -r file; do
	grep -q '^#pragma once$' "$file" || echo "$file"
done)"

if ! command -v clang-format >/dev/null; then
	skip "as clang-format has it" "clang-format is not installed"
elif ! clang-format --version | grep -q ' version 14\.'; then
	skip "as clang-format has it" "$(clang-format --version | head -n 1), and 14 is the judge"
else
	verdict "as clang-format has it" "$(xargs clang-format -n --Werror <"$all.c" 2>&1 |
		grep ': error: ' | cut -d : -f 1,2 | sort -u)"
fi

echo "1..$count"
exit $failed
