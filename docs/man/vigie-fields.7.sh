#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Writes the manual page vigie-fields(7), as scdoc reads it, from the sensor's own list.
#
# usage: vigie-fields.7.sh VIGIE_SENSOR
cat <<'END'
vigie-fields(7)

# NAME

vigie-fields - every attribute that a Vigie sensor may export

# DESCRIPTION

What dissectors find in a flow stands in the _attributes_ of its record, and what they find about a host in the facts of its asset
record. Nothing else of a packet's payload leaves the sensor. This page is made from the table that the sensor itself goes by,
*vigie-sensor -L*.

*Types*: a _number_ is the last value seen; a _counter_ is what came since the flow's previous record; a _flag_ is absent or true; a _text_ is the first valid value; _texts_ are up to eight different ones,
in order of appearance.

*Grammars*: a text that does not fit its grammar is the word _invalid_. _token_: letters, digits and \_ . + / -, 40 at most. _ae-title_: DICOM PS3.5 6.2. _uid_: digits and dots, 64 at most. _hl7-name_: letters, digits
and \_ . : / - and blanks, 64 at most. _hl7-type_: three capitals or digits, up to two more of these behind ^. _version_: begins with a digit, 16 at most. _hostname_: RFC 1123. _product_: letters, digits and
\_ . ( ) + / - and blanks, 32 at most.

*Classes*: what a value could tell about a person. _none_: a protocol's own words, counts, sizes and times. _device_: tells one device or its maker. _site_: a name that the hospital gave, which somebody may
have named after a person. There is no class for what does tell of a person: that is not exported.

END
"$1" -L | awk '
function plain(s) { gsub(/[_*\\<>#~\[]/, "\\\\&", s); return s }
/^[^ ]/ {
	name = $1
	sub(/^[^ ]+ +/, "")
	printf "# %s\n\n%s.\n\n", toupper(name), plain($0)
	next
}
{
	field = $1; type = $2; unit = $3; grammar = $4; class = $5
	sub(/^ +[^ ]+ +[^ ]+ +[^ ]+ +[^ ]+ +[^ ]+ +/, "")
	printf "*%s* (%s%s%s, %s)\n\t%s\n\n", plain(field), type, unit == "-" ? "" : ", " unit,
		grammar == "-" ? "" : ", " grammar, class, plain($0)
}'
cat <<'END'
# SEE ALSO

*vigie-sensor*(8), *vigie*(1)
END
