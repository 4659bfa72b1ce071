# SPDX-License-Identifier: Apache-2.0
"""What ot.py holds: a table for each protocol, and where the sensor differs from tshark.

A protocol is added by a Protocol in PROTOCOLS; ot.py needs no change. The rows of one say,
for each attribute of ours, of which of tshark's fields it is made, and how:

    count   occurrences of the field
    frames  frames in which it occurs
    texts   its distinct values (as many as a field keeps: schema/attributes.h)
    least, most   of its values

`where` narrows to the occurrences for which each named field has one of the values given:
the occurrence at the same place when both fields occur equally often in the frame, else any.
A value may be a set, or a function of the text. Two fields are ot.py's own: "sender"
(`client` or `server`, by the protocol's server ports) and "copies" (how often the field of
the row occurs in the frame). `words` turns tshark's text into ours (a dict or a function;
None: it does not count).
"""
import collections

Protocol = collections.namedtuple("Protocol", "app filter named ports rows captures options",
                                  defaults=[(), ()])
# app: ours. filter: tshark's display filter. named: words of the manifest's column
# protocols_tshark by which captures are found. ports: of servers. captures: further ones,
# below ../shared/pcaps. options: of tshark, beside the usual.
Row = collections.namedtuple("Row", "attribute how field where words", defaults=[{}, None])

PROTOCOLS = []

# (capture, attribute or "flows"): why tshark and the sensor differ there.
EXCEPTIONS = {}

# Captures in which the sensor says a name that tshark does not: (capture, app): why.
CLAIMS = {}
