#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The collector from outside: batches in, questions answered, everything else
# refused for a reason that is said. Prints TAP.
set -u
. "$(dirname "$0")/lib.sh"

make_authority
write_config 0 'limits: {body: 64KiB}'
start
[ -n "$port" ] || { cat "$work/err"; echo "Bail out! the collector does not start"; exit 1; }

"$make_batch" span-1 flows 7 1 50 >"$work/f1"
"$make_batch" span-1 flows 7 2 50 >"$work/f2"
"$make_batch" span-1 alerts 7 1 3 >"$work/a1"
"$make_batch" span-1 health 7 1 2 >"$work/h1"
"$make_batch" span-1 hosts 7 2 3 >"$work/t1"
"$make_batch" span-1 flows 8 1 5 autumn >"$work/x1"

# --- batches
is "a batch is stored" "$(put span-1 span-1/flows/7/1 "$work/f1")" '{"stored":true}  200'
is "and known when it comes again" "$(put span-1 span-1/flows/7/1 "$work/f1")" \
	'{"stored":false,"known":true}  200'
is "alerts" "$(put span-1 span-1/alerts/7/1 "$work/a1")" '{"stored":true}  200'
is "coverage" "$(put span-1 span-1/health/7/1 "$work/h1")" '{"stored":true}  200'
is "hosts" "$(put span-1 span-1/health/7/2 "$work/t1")" '{"stored":true}  200'
is "an exercise" "$(put span-1 span-1/flows/8/1 "$work/x1")" '{"stored":true}  200'

is "as a bare zstd file, too" "$(as span-1 -X PUT -H 'Content-Type: application/zstd' --data-binary "@$work/f1" \
	"https://127.0.0.1:$port/v1/sensors/span-1/flows/7/1" | tr '\n' ' ')" '{"stored":false,"known":true}  200'

# --- refusals of batches
has "the path must say what the batch says" "$(put span-1 span-1/flows/7/3 "$work/f2")" \
	'not the path it was put to"}  400'
has "another sensor's batch" "$(put span-2 span-1/flows/7/2 "$work/f2")" 'span-2, not for sensor span-1'
has "another sensor's batch is 403" "$(put span-2 span-1/flows/7/2 "$work/f2")" ' 403'
has "a batch under a false name" "$(put span-2 span-2/flows/7/2 "$work/f2")" ' 400'
has "an analyst sends no batches" "$(put ana ana/flows/7/2 "$work/f2")" 'OU=sensor"}  403'
has "no such stream" "$(put span-1 span-1/nonsense/7/2 "$work/f2")" ' 404'
has "no such sequence" "$(put span-1 span-1/flows/7/02 "$work/f2")" ' 404'
printf 'not zstd at all' >"$work/bad"
has "not zstd" "$(put span-1 span-1/flows/7/2 "$work/bad")" 'not a zstd frame"}  400'
head -c 100 "$work/f2" >"$work/short"
has "a frame cut short" "$(put span-1 span-1/flows/7/2 "$work/short")" 'cut short"}  400'
cat "$work/f2" "$work/bad" >"$work/behind"
has "something behind" "$(put span-1 span-1/flows/7/2 "$work/behind")" ' 400'
: >"$work/empty"
has "an empty body" "$(put span-1 span-1/flows/7/2 "$work/empty")" ' 400'
printf 'garbage' | zstd -q >"$work/garbage"
has "zstd around garbage" "$(put span-1 span-1/flows/7/2 "$work/garbage")" ' 400'
head -c 20000000 /dev/zero | zstd -q >"$work/bomb"
has "a bomb" "$(put span-1 span-1/flows/7/2 "$work/bomb")" 'larger than 8 MiB; send smaller batches"}  413'
head -c 100000 /dev/urandom >"$work/large"
has "too large a body" "$(put span-1 span-1/flows/7/2 "$work/large")" 'larger than 65536 bytes'
has "too large, of unknown length" \
	"$(put span-1 span-1/flows/7/2 "$work/large" -H 'Transfer-Encoding: chunked')" ' 413'
has "without its encoding" "$(as span-1 -X PUT -H 'Content-Type: application/x-protobuf' --data-binary "@$work/f2" \
	"https://127.0.0.1:$port/v1/sensors/span-1/flows/7/2")" '415'
has "another content type" "$(as span-1 -X PUT -H 'Content-Type: text/plain' --data-binary "@$work/f2" \
	"https://127.0.0.1:$port/v1/sensors/span-1/flows/7/2")" '415'
is "after all that the batch is taken" "$(put span-1 span-1/flows/7/2 "$work/f2")" '{"stored":true}  200'

# --- who may ask
has "a viewer sees flows" "$(get vera '/v1/flows?limit=1')" '200'
has "a sensor does not" "$(get span-1 /v1/flows)" '403'
has "a certificate without a role does not" "$(get gus /v1/flows)" '403'
has "a viewer may not use SQL" "$(get vera '/v1/sql?q=SELECT+1')" 'OU=analyst'
bare=$(curl -s --max-time 5 --cacert "$work/pki/ca.crt" "https://127.0.0.1:$port/v1/flows" 2>&1)
is "no certificate, no answer" "$bare" ''
foreign=$(curl -s --max-time 5 --cacert "$work/pki/ca.crt" --cert "$work/other/span-1.crt" \
	--key "$work/other/span-1.key" "https://127.0.0.1:$port/v1/flows" 2>&1)
is "another authority's certificate, no answer" "$foreign" ''
misused=$(curl -s --max-time 5 --cacert "$work/pki/ca.crt" --cert "$work/pki/server.crt" \
	--key "$work/pki/server.key" "https://127.0.0.1:$port/v1/flows" 2>&1)
is "a server's certificate is no client's" "$misused" ''
is "TLS 1.2 is not spoken" "$(as ana --tls-max 1.2 "https://127.0.0.1:$port/v1/status")" "
000"

# --- questions
is "no flow twice" "$(get ana '/v1/sql?q=SELECT+count(*)+AS+n,+count(DISTINCT+id)+AS+ids+FROM+flows+WHERE+exercise+IS+NULL' |
	sed -n 2p)" '{"n":100,"ids":100}'
is "exercises are kept apart" "$(get vera '/v1/flows?format=ndjson' | grep -c '"id":"8-')" 0
is "and shown when asked for" "$(get vera '/v1/flows?format=ndjson&exercise=autumn' | grep -c '"id":"8-')" 5
is "lines hold everything" "$(get vera '/v1/flows?format=ndjson' | grep -c '"type":"flow"')" 100
is "or what was asked for" "$(get vera '/v1/flows?format=ndjson&limit=7' | grep -c '"type":"flow"')" 7
has "the next page is named" "$(get vera '/v1/flows?limit=7')" '"next":"'
is "CSV has a header and its rows" "$(get vera '/v1/flows?format=csv&severity=high' | grep -c ,)" 11
has "CSV quotes" "$(get vera '/v1/flows?format=csv&limit=1')" '"imaging may store to pacs, ""over dicom"""'
has "matrix" "$(get vera /v1/matrix)" '{"client_segment":"imaging","server_segment":"pacs","verdict":"conduit","flows":90,"packets":450,"bytes":45000,"severity":"info"'
has "top" "$(get vera '/v1/top?by=app&order=flows')" '{"app":"dicom","flows":100,"packets":500,"bytes":50000,"severity":"critical"'
has "alerts" "$(get vera '/v1/alerts?limit=1')" '"kind":"cross-segment","severity":"high","sensor":"span-1"'
has "coverage" "$(get vera /v1/coverage)" '"segment":"icu"'
has "its reasons" "$(get vera /v1/coverage)" '"reasons":["drops"]'
has "coverage by segment" "$(get vera '/v1/coverage/segments?until=2026-01-02T03:03:00Z')" '{"segment":"icu","sensor":"span-1","state":"partial","since":"2026-01-02T03:01:00.000000Z","reasons":"drops","reason":"frames were lost before the sensor read them"'
has "a sensor that reports no more" "$(get vera /v1/coverage/segments)" '"state":"blind","since":"2026-01-02T03:02:00.001000Z","reasons":"no-report"'
has "as CSV" "$(get vera '/v1/coverage/segments?format=csv')" 'icu,span-1,blind,'
has "coverage by segment takes no application" "$(get vera '/v1/coverage/segments?app=dicom')" 'app cannot filter these'
has "hosts" "$(get vera '/v1/hosts?ip=10.30.1.2')" '"ip":"10.30.1.2","mac":"00:09:5c:00:00:01","mac_vendor":"Acme","segment":"imaging"'
is "hosts as lines" "$(get vera '/v1/hosts?format=ndjson&role=modality' | grep -c '"type":"asset"')" 3
has "hosts page by page" "$(get vera '/v1/hosts?limit=2')" '"next":"'
has "hosts as CSV" "$(get vera '/v1/hosts?format=csv')" '10.30.1.1,00:09:5c:00:00:00,Acme,default,imaging,care-critical,"[{""role"":""modality"",""confidence"":""high"",""from"":""dicom.used_sop_class""}]"'
has "hosts in SQL" "$(get ana '/v1/sql' --data-binary 'SELECT ip, value FROM hosts JOIN host_facts USING (host) LIMIT 1')" \
	'{"ip":"10.30.1.1","value":"windows"}'
has "hosts take no application" "$(get vera '/v1/hosts?app=dicom')" 'app cannot filter these'
has "sensors" "$(get vera /v1/sensors)" '"sensor":"span-1"'
has "status" "$(get vera /v1/status)" '"driver":"sqlite","files":1'
has "SQL by POST" "$(get ana '/v1/sql' --data-binary 'SELECT verdict, count(*) AS n FROM flows GROUP BY 1')" \
	'{"verdict":"conduit","n":94}'
has "SQL does not write" "$(get ana '/v1/sql' --data-binary 'DELETE FROM flows')" '400'
for format in json ndjson; do
	get vera "/v1/flows?format=$format" | sed '$d' >"$work/answer"
	python3 -c 'import json,sys
text = open(sys.argv[1]).read()
[json.loads(l) for l in ([text] if sys.argv[2] == "json" else text.strip().splitlines())]' \
		"$work/answer" $format
	is "$format can be read" $? 0
done

# --- questions that are wrong
has "an unknown parameter" "$(get vera '/v1/flows?colour=red')" 'there is no parameter colour here; there are since'
has "a bad time" "$(get vera '/v1/flows?since=yesterday')" 'since: yesterday is no time'
has "a bad prefix" "$(get vera '/v1/flows?ip=10.0.0.1/8')" 'ip: 10.0.0.1/8 has bits set behind its length'
has "a bad severity" "$(get vera '/v1/alerts?severity=awful')" 'info, low, high or critical'
has "twice" "$(get vera '/v1/flows?app=dicom&app=hl7')" 'app stands twice'
has "a filter that does not fit" "$(get vera '/v1/coverage?app=dicom')" 'app cannot filter these'
has "a wrong path" "$(get vera /v2/flows)" '404'
has "a wrong method" "$(get vera /v1/flows -X DELETE)" 'GET only'
has "a cursor of one's own making" "$(get vera '/v1/flows?cursor=abc')" 'cursor is not one of ours'

# --- the record of it all
is "every question is on record" "$(python3 -c 'import json,sys
print(all("who" in json.loads(l) for l in open(sys.argv[1])))' "$work/store/audit.log")" True
has "with its asker" "$(cat "$work/store/audit.log")" '"who":"ana","from":"127.0.0.1","method":"GET","path":"/v1/sql","parameters":{"q":"SELECT count(*)'
is "refused ones too" "$(grep -c '"status":403' "$work/store/audit.log")" 3

kill -TERM "$pid"
wait "$pid"
is "ends well" $? 0
pid=
start
is "and starts again with what it had" "$(get ana '/v1/sql?q=SELECT+count(*)+AS+n+FROM+flows' | sed -n 2p)" '{"n":105}'
done_testing
