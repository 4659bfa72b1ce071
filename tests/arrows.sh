#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Holds the include lines against docs/architecture.md: which room may include
# which, and which library's header appears where. Prints TAP.
set -u
cd "$(dirname "$0")/.." || exit 2
count=0
failed=0

verdict() { # NAME OFFENDERS
	count=$((count + 1))
	if [ -z "$2" ]; then
		echo "ok $count - $1"
	else
		echo "not ok $count - $1"
		printf '%s\n' "$2" | sed 's/^/#   /'
		failed=1
	fi
}

room() { # NAME ALLOWED... (rooms, or a header of one)
	name=$1
	shift
	allowed=$(printf '|%s' "$name/" "$@")
	bad=$(grep -rnE '^#include "[a-z]+/' --include='*.[ch]' "$name" |
		grep -vE "#include \"(${allowed#|})" || true)
	verdict "$name includes only $*" "$bad"
}

rooted() { # no include by a path that hides its room
	bad=$(grep -rnE '^#include "' --include='*.[ch]' base daemon schema assets config site dissectors events \
		sensor exporters collector | grep -vE '#include "([a-z]+/|vigie\.pb-c\.h)' || true)
	verdict "every include names its room" "$bad"
}

header() { # PATTERN FILE...: the only sources that include it
	pattern=$1
	shift
	bad=$(grep -rlE "^#include [<\"]$pattern" --include='*.[ch]' base daemon schema assets config \
		site dissectors events sensor exporters collector || true)
	for file in "$@"; do
		bad=$(printf '%s\n' "$bad" | grep -vx "$file")
	done
	verdict "$pattern only in $*" "$bad"
}

rooted
room base
room daemon base/
room schema base/
room assets schema/ base/
room config base/
room site config/ schema/ base/
room dissectors schema/ base/
room events site/ schema/ base/
room exporters config/ schema/ daemon/ base/
room sensor dissectors/ assets/ events/ site/ config/ schema/ daemon/ base/ exporters/spool.h
# The command that looks into a spool is the collector room's `vigie`.
room collector site/ config/ schema/ daemon/ base/ exporters/spool_tools.h

header pcap sensor/live.c
header 'ndpi' sensor/dpi_ndpi.c
header 'maxminddb' sensor/geo.c
header 'nettle/' schema/community_id.c site/revision.c dissectors/crypto.c
# Packing is our own; a test holds it against protobuf-c's.
header 'protobuf-c|schema/vigie\.pb-c|vigie\.pb-c' schema/wire_unpack.c
header 'schema/wire_parts' schema/wire_ids.c schema/wire_pack.c schema/wire_unpack.c
header 'libfyaml' config/yaml.c
# Each program has one: the shipper's destination, and the analyst's command.
header 'curl/' exporters/collector.c collector/cli_http.c
header 'sqlite3' collector/db.c collector/db.h
header 'microhttpd' collector/http.c
header 'gnutls/' collector/auth.c
header 'seccomp' daemon/filter.c
header 'cap-ng' daemon/privilege.c

echo "1..$count"
exit $failed
