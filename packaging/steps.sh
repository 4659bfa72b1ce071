# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# To be sourced: long steps with progress on a terminal and plain lines elsewhere.
#
#   step TITLE COMMAND...   runs the command with its output in a log. On failure
#                           shows the log's end and gives the command's exit code.
#
# STEP_LOGS, when set, is a folder where logs stay; else they go when all is well.

step_pid=
step_interrupted()
{
	[ -z "$step_pid" ] || kill "$step_pid" 2>/dev/null || :
	printf '\n' >&2
	exit 130
}

# What the command said last of how far it is: "[12/80]" of ninja, "12/80" of meson.
step_progress()
{
	tail -c 400 "$1" 2>/dev/null | tr '\r' '\n' | grep -oE '^\[? *[0-9]+/[0-9]+' | tail -n 1 |
		tr -d '[ ' || :
}

step()
{
	step_title=$1
	shift
	if [ -n "${STEP_LOGS:-}" ]; then
		step_log=$STEP_LOGS/$(printf '%s' "$step_title" | tr -c 'A-Za-z0-9' _).log
	else
		step_log=$(mktemp "${TMPDIR:-/tmp}/vigie-step.XXXXXX")
	fi
	step_begin=$(date +%s)
	trap step_interrupted INT TERM
	"$@" >"$step_log" 2>&1 &
	step_pid=$!
	if [ -t 1 ]; then
		while kill -0 "$step_pid" 2>/dev/null; do
			printf '\r%-44s %4ss  %-12s' "$step_title" "$(($(date +%s) - step_begin))" \
				"$(step_progress "$step_log")"
			sleep 0.3
		done
		printf '\r%60s\r' ''
	fi
	step_code=0
	wait "$step_pid" || step_code=$?
	step_pid=
	trap - INT TERM
	printf '%-44s %4ss  ' "$step_title" "$(($(date +%s) - step_begin))"
	if [ "$step_code" -eq 0 ]; then
		printf 'done\n'
		[ -n "${STEP_LOGS:-}" ] || rm -f "$step_log"
	else
		printf 'failed (exit code %s); the log ends:\n' "$step_code"
		tail -n 20 "$step_log" | sed 's/^/    /'
		printf '  all of it: %s\n' "$step_log"
	fi
	return "$step_code"
}
