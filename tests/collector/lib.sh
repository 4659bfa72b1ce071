# SPDX-License-Identifier: Apache-2.0
#
# What the collector's tests share: a small authority, a collector on loopback,
# and TAP. Sourced; wants $1 = vigie-collector and $2 = make_batch.
collector=$1
make_batch=$2
work=$(mktemp -d) || exit 2
pid=
count=0
failed=0

cleanup() {
	[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

is() { # NAME GOT WANTED
	count=$((count + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $count - $1"
	else
		echo "not ok $count - $1"
		printf 'got:    %s\nwanted: %s\n' "$2" "$3" | sed 's/^/#   /'
		failed=1
	fi
}

has() { # NAME TEXT PART
	count=$((count + 1))
	case $2 in
	*"$3"*) echo "ok $count - $1" ;;
	*)
		echo "not ok $count - $1"
		printf 'got:      %s\nwithout:  %s\n' "$2" "$3" | sed 's/^/#   /'
		failed=1 ;;
	esac
}

done_testing() {
	echo "1..$count"
	exit $failed
}

make_ca() { # DIR
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
		-keyout "$1/ca.key" -out "$1/ca.crt" -subj "/CN=test authority" \
		-addext basicConstraints=critical,CA:TRUE 2>/dev/null
}

make_certificate() { # DIR NAME OU PURPOSE ALTERNATIVE
	printf 'extendedKeyUsage=%s\nsubjectAltName=%s\n' "$4" "$5" >"$work/extensions"
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1/$2.key" \
		-out "$work/request" -subj "/O=Vigie/OU=$3/CN=$2" 2>/dev/null
	openssl x509 -req -in "$work/request" -days 30 -CA "$1/ca.crt" -CAkey "$1/ca.key" \
		-set_serial "0x$(openssl rand -hex 8)" -extfile "$work/extensions" \
		-out "$1/$2.crt" 2>/dev/null
}

make_authority() {
	mkdir -p "$work/pki" "$work/other"
	make_ca "$work/pki"
	make_ca "$work/other"
	make_certificate "$work/pki" server server serverAuth DNS:localhost,IP:127.0.0.1
	for who in sensor:span-1 sensor:span-2 viewer:vera analyst:ana guest:gus; do
		make_certificate "$work/pki" "${who#*:}" "${who%%:*}" clientAuth "DNS:${who#*:}"
	done
	make_certificate "$work/other" span-1 sensor clientAuth DNS:span-1
}

write_config() { # PORT [LINE...]: store and tls stand beside the file
	cat >"$work/collector.yaml" <<-END
	listen: {address: 127.0.0.1, port: $1}
	tls: {certificate: pki/server.crt, key: pki/server.key, ca: pki/ca.crt}
	store: {dir: store}
	END
	shift
	for line in "$@"; do echo "$line" >>"$work/collector.yaml"; done
}

# Sets $pid and $port.
start() {
	: >"$work/out"
	"$collector" -c "$work/collector.yaml" >"$work/out" 2>>"$work/err" &
	pid=$!
	i=0
	while ! grep -q listening "$work/out" && [ $i -lt 100 ]; do
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.05
		i=$((i + 1))
	done
	port=$(sed -n 's/.*:\([0-9]*\)$/\1/p' "$work/out")
}

as() { # NAME CURL-ARGUMENTS...: prints the body, then the status on its own line
	who=$1
	shift
	curl -s --max-time 20 --cacert "$work/pki/ca.crt" --cert "$work/pki/$who.crt" \
		--key "$work/pki/$who.key" -w '\n%{http_code}' "$@"
}

put() { # WHO PATH FILE [CURL-ARGUMENTS...]
	who=$1 path=$2 file=$3
	shift 3
	as "$who" -X PUT -H 'Content-Type: application/x-protobuf' \
		-H 'Content-Encoding: zstd' --data-binary "@$file" "$@" \
		"https://127.0.0.1:$port/v1/sensors/$path" | tr '\n' ' '
}

get() { # WHO PATH [CURL-ARGUMENTS...]
	who=$1 path=$2
	shift 2
	as "$who" "$@" "https://127.0.0.1:$port$path"
}
