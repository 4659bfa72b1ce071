# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# To be sourced: runs commands, and holds their exit codes and output against
# what is expected. TAP on standard output; $work is a folder for the test.

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cases=0
failures=0

verdict()
{
	cases=$((cases + 1))
	if [ "$1" = ok ]; then
		printf 'ok %s - %s\n' "$cases" "$2"
		return
	fi
	failures=$((failures + 1))
	printf 'not ok %s - %s\n' "$cases" "$2"
	sed 's/^/# /' "$work/out" "$work/err"
}

# expect CODE PATTERN COMMAND...: the command's exit code, and a basic regular
# expression that its output or complaint has ('' for any).
expect()
{
	expected=$1
	pattern=$2
	shift 2
	code=0
	"$@" >"$work/out" 2>"$work/err" </dev/null || code=$?
	if [ "$code" -eq "$expected" ] &&
		{ [ -z "$pattern" ] || cat "$work/out" "$work/err" | grep -q -e "$pattern"; }; then
		verdict ok "$*"
	else
		verdict failed "$* gives $code, not $expected, or not '$pattern'"
	fi
}

done_expecting()
{
	printf '1..%s\n' "$cases"
	[ "$failures" -eq 0 ]
}

skip_all()
{
	printf '1..0 # SKIP %s\n' "$1"
	exit 0
}
