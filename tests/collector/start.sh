#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What is wrong is said before anything is served, with its cause and remedy.
# Prints TAP.
set -u
. "$(dirname "$0")/lib.sh"

make_authority

refused() { # NAME PART
	text=$("$collector" -c "$work/collector.yaml" 2>&1 </dev/null)
	is "$1: exit code" $? 2
	has "$1: says why" "$text" "$2"
}

write_config 0
"$collector" -n -c "$work/collector.yaml" 2>"$work/err"
is "a good configuration" $? 0
is "a check makes no store" "$(ls -d "$work/store" 2>/dev/null)" ''
has "version" "$("$collector" -V)" 'sqlite 3.'
"$collector" 2>/dev/null
is "no configuration named" $? 2

write_config 0 'colour: red'
refused "an unknown key" "collector.yaml:4:1: "
write_config 0 'limits: {body: 1KiB}'
refused "a value out of range" "collector.yaml:4:16: body is out of range"
write_config 99999
refused "no such port" "collector.yaml:1:36: port is"
rm "$work/collector.yaml"
refused "no such file" "collector.yaml"
echo 'listen: {}' >"$work/collector.yaml"
refused "tls missing" "tls is missing"

write_config 0
mv "$work/pki/server.key" "$work/pki/kept"
refused "no key" "cannot read the key"
cp "$work/pki/ana.key" "$work/pki/server.key"
refused "the wrong key" "does not belong to the certificate"
mv "$work/pki/kept" "$work/pki/server.key"
cp "$work/pki/ca.crt" "$work/pki/kept"
echo nothing >"$work/pki/ca.crt"
refused "an empty authority" "holds no certificate"
mv "$work/pki/kept" "$work/pki/ca.crt"
echo file >"$work/store"
refused "a store that is a file" "cannot write to"
rm "$work/store"

start
held=$port
write_config "$held"
sed -i 's/dir: store/dir: store2/' "$work/collector.yaml"
refused "port in use" "stop what listens there, or set listen.port"
write_config 0
kill "$pid"
wait "$pid"
is "SIGTERM" $? 0
pid=
sed -i 's/{dir: store}/{dir: store, partition: hour}/' "$work/collector.yaml"
refused "another partition" "was made with partition: day"
done_testing
