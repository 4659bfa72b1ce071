#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# quickstart.sh SOURCE: what quickstart and check answer to wrong usage, in a copy
# that has nothing to build. The demo itself is demo.sh's.
set -u
. "$1/tests/cli/expect.sh"
# A blank in the path, as in "My Documents".
copy="$work/a copy"
mkdir "$copy"
cp -r "$1/quickstart" "$1/check" "$1/packaging" "$copy"

expect 0 '^usage: ./quickstart' "$copy/quickstart" --help
expect 2 "no option '--foo'" "$copy/quickstart" --foo
expect 2 '^usage: ./quickstart' "$copy/quickstart" --stop --foo
expect 2 'needs a number' "$copy/quickstart" --port
expect 2 "'99999' is no port number" "$copy/quickstart" --port 99999
expect 2 "'0x50' is no port number" "$copy/quickstart" --port=0x50
expect 0 'No collector of ours is running' "$copy/quickstart" --stop
expect 2 'the demo captures are missing' "$copy/quickstart" --no-install
expect 0 '^usage: ./check' "$copy/check" --help
expect 2 "no option '--foo'" "$copy/check" --foo
expect 2 '^usage: dependencies' "$copy/packaging/dependencies" --print
expect 2 '^usage: dependencies' "$copy/packaging/dependencies" other

# An interrupt ends a step with all that it started.
cat >"$work/script" <<END
. '$1/packaging/steps.sh'
nap()
{
	sh -c 'echo \$\$ >"$work/nap"; exec sleep 600'
	true
}
step 'A nap' nap
END
tries=0
wait_until()
{
	until "$@" || [ $tries -ge 200 ]; do
		tries=$((tries + 1))
		sleep 0.1
	done
}
ended()
{
	! kill -0 "$(cat "$work/nap")" 2>/dev/null
}
TMPDIR=$work sh "$work/script" >"$work/out" 2>"$work/err" &
script=$!
wait_until test -s "$work/nap"
kill -TERM $script
code=0
wait $script || code=$?
wait_until ended
if [ $code -eq 130 ] && ended; then
	verdict ok 'an interrupt ends a step with its children'
else
	verdict failed "an interrupt leaves $(cat "$work/nap") running, or gives $code, not 130"
fi
expect 1 '' sh -c "ls '$work' | grep vigie-step"
done_expecting
