# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# To be sourced: long steps with progress on a terminal and plain lines elsewhere.
#
#   step TITLE COMMAND...   runs the command with its output in a log. On failure
#                           shows the log's end and gives the command's exit code.
#
# STEP_LOGS, when set, is a folder where logs stay; else they go when all is well.
# STEP_WHOLE, when set, lets a step end before an interrupt takes effect.
#
# An interrupt ends the step with all that it started, and the script with 130.

step_pid=
step_stop=

# PID: it and all below it.
end_processes()
{
	# shellcheck disable=SC2013  # a number a line
	for child in $(grep -ls "^PPid:[[:space:]]*$1\$" /proc/[0-9]*/status | cut -d / -f 3); do
		end_processes "$child"
	done
	# What sudo began is ended by sudo.
	kill "$1" 2>/dev/null || sudo -n kill "$1" 2>/dev/null || :
}

step_interrupted()
{
	if [ -n "$step_pid" ] && [ -n "${STEP_WHOLE:-}" ]; then
		[ -n "$step_stop" ] || printf '\nInterrupted; this step ends first, so that nothing is left half done.\n' >&2
		step_stop=yes
		return
	fi
	if [ -n "$step_pid" ]; then
		end_processes "$step_pid"
		[ -n "${STEP_LOGS:-}" ] || rm -f "$step_log"
		printf '\nInterrupted.\n' >&2
	fi
	exit 130
}
trap step_interrupted INT TERM HUP

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
	"$@" >"$step_log" 2>&1 &
	step_pid=$!
	if [ -t 1 ]; then
		while kill -0 "$step_pid" 2>/dev/null; do
			printf '\r%-44s %4ss  %-12s' "$step_title" "$(($(date +%s) - step_begin))" \
				"$(step_progress "$step_log")"
			sleep 0.3 || :
		done
		printf '\r%60s\r' ''
	fi
	step_code=0
	wait "$step_pid" || step_code=$?
	# An interrupt also ends the waiting.
	while kill -0 "$step_pid" 2>/dev/null; do
		step_code=0
		wait "$step_pid" || step_code=$?
	done
	step_pid=
	[ -z "$step_stop" ] || exit 130
	printf '%-44s %4ss  ' "$step_title" "$(($(date +%s) - step_begin))"
	if [ "$step_code" -eq 0 ]; then
		printf 'done\n'
		[ -n "${STEP_LOGS:-}" ] || rm -f "$step_log"
	else
		printf 'failed (exit code %s)\n' "$step_code"
		# A compiler's last lines are seldom the ones that say it.
		grep -E '^FAILED|error: |ERROR: |^not ok' "$step_log" | head -n 8 | cut -c 1-200 |
			sed 's/^/  > /' || :
		printf '  the log ends:\n'
		tail -n 20 "$step_log" | sed 's/^/    /'
		printf '  all of it: %s\n' "$step_log"
	fi
	return "$step_code"
}
