#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# make-ca.sh SOURCE: the certificates that packaging/make-ca makes are of use,
# each for its purpose, and what is there is never harmed.
set -u
. "$1/tests/cli/expect.sh"
make_ca=$1/packaging/make-ca
command -v openssl >/dev/null || skip_all 'openssl is missing'
ca=$work/ca

verify()
{
	openssl verify -CAfile "$ca/ca.crt" "$@"
}

show()
{
	openssl x509 -noout -text -in "$ca/$1.crt"
}

modes()
{
	stat -c '%a %n' "$ca"/*.key "$ca"
}

same_key()
{
	[ "$(openssl x509 -in "$ca/$1.crt" -noout -pubkey)" = "$(openssl pkey -in "$ca/$1.key" -pubout)" ]
}

expect 2 'usage: make-ca' "$make_ca"
expect 0 'usage: make-ca' "$make_ca" --help
expect 2 "no option '--analist'" "$make_ca" "$ca" --analist anna
expect 2 'needs a name' "$make_ca" "$ca" --analyst
expect 2 "'../x' is no name" "$make_ca" "$ca" --analyst ../x
expect 2 "'a b' is no name" "$make_ca" "$ca" --sensor 'a b'
expect 2 "the authority's own" "$make_ca" "$ca" --sensor ca
expect 2 'is no number of days' "$make_ca" "$ca" --days 1y
expect 2 'wanted twice' "$make_ca" "$ca" --sensor a --analyst a
expect 1 '' test -e "$ca"

expect 0 'sensor .*span-1.crt, valid until' "$make_ca" "$ca" \
	--server 'vigie.example,localhost,127.0.0.1,2001:db8::1' --sensor span-1 --viewer vera \
	--analyst anna --admin adam
expect 0 'span-1.crt: OK' verify -purpose sslclient "$ca/span-1.crt"
expect 0 'anna.crt: OK' verify -purpose sslclient "$ca/anna.crt"
expect 0 'OK' verify -purpose sslserver -verify_hostname localhost "$ca/vigie.example.crt"
expect 0 'OK' verify -purpose sslserver -verify_ip 2001:db8::1 "$ca/vigie.example.crt"
expect 2 'hostname mismatch' verify -purpose sslserver -verify_hostname other.example \
	"$ca/vigie.example.crt"
expect 2 'purpose' verify -purpose sslserver "$ca/span-1.crt"
expect 2 'purpose' verify -purpose sslclient "$ca/vigie.example.crt"
for name in span-1:sensor vera:viewer anna:analyst adam:admin vigie.example:server; do
	expect 0 "Subject: O = Vigie, OU = ${name#*:}, CN = ${name%:*}\$" show "${name%:*}"
	expect 0 "DNS:${name%:*}" show "${name%:*}"
	expect 0 'prime256v1' show "${name%:*}"
	expect 0 '' same_key "${name%:*}"
done
expect 0 'CA:FALSE' show anna
expect 0 'CA:TRUE, pathlen:0' show ca
expect 0 '' modes
if grep -v '^600 .*key$' "$work/out" | grep -qv '^700 '; then
	verdict failed 'keys are for their owner only'
else
	verdict ok 'keys are for their owner only'
fi

sum=$(cat "$ca"/* | cksum)
expect 2 'is there already; nothing was made' "$make_ca" "$ca" --analyst eve --analyst anna
expect 1 '' test -e "$ca/eve.crt"
[ "$(cat "$ca"/* | cksum)" = "$sum" ] && verdict ok 'nothing changed' || verdict failed 'nothing changed'
expect 0 'analyst .*bob.crt' "$make_ca" "$ca" --analyst bob --days 30
expect 0 'OK' verify -attime "$(($(date +%s) + 29 * 86400))" "$ca/bob.crt"
expect 2 'expired' verify -attime "$(($(date +%s) + 31 * 86400))" "$ca/bob.crt"
expect 0 'authority' "$make_ca" "$work/other" --analyst eve
expect 2 'eve.crt: verification failed' verify "$work/other/eve.crt"
rm "$ca/ca.key"
expect 2 'only one of ca.crt and ca.key' "$make_ca" "$ca" --analyst carol
expect 1 '' test -e "$ca/carol.crt"
expect 1 '' sh -c "ls -A '$ca' | grep make-ca"
done_expecting
