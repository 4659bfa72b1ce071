# SPDX-License-Identifier: Apache-2.0
"""Looks for canaries in what programs wrote: as they are, in any case, as UTF-16, in
hexadecimal and in base64 at any of its three alignments.

An output is (name, bytes, is_text). In text the two letters that every canary starts
with are enough; in binary files they stand by chance, and whole words are looked for.
"""
import base64
import re

WORDS = (b"ZZPHI", b"ZZSECRET", b"ZZTOKEN")
# Ids that look random, in which the two letters may stand by chance.
RANDOM = re.compile(rb"1:[A-Za-z0-9+/]{27}=")
PAIR = re.compile(rb"ZZ|Z\0Z\0|\0Z\0Z")
AROUND = 60


def base64_forms(word):
    """What of the word's base64 does not depend on the bytes around it."""
    for before in range(3):
        text = base64.b64encode(b"\0" * before + word).rstrip(b"=")
        skip = (0, 2, 3)[before]
        # The last character may hold bits of the byte that follows.
        yield text[skip:len(text) - (1 if (before + len(word)) % 3 else 0)]


def forms(word):
    """(bytes to look for, whether the case counts), of one word."""
    lower = word.lower()
    yield lower, False
    yield lower.decode().encode("utf-16-le"), False
    yield lower.decode().encode("utf-16-be"), False
    yield lower.hex().encode(), False
    yield word.hex().encode(), False
    for text in base64_forms(word):
        yield text, True


class Search:
    """For many words at once: where the first two bytes of a form stand, the first five
    are looked up, and then the whole."""

    HEAD = 5

    def __init__(self, words=WORDS):
        self.tables = {True: {}, False: {}}  # by whether the case counts
        for word in words:
            for form, exact in forms(word):
                self.tables[exact].setdefault(form[:self.HEAD], []).append((form, word))
        self.starts = {exact: re.compile(b"(?=" + b"|".join(
            sorted({re.escape(head[:2]) for head in table})) + b")", re.DOTALL)
            for exact, table in self.tables.items()}

    def hits(self, data, exact):
        for start in self.starts[exact].finditer(data):
            at = start.start()
            for form, word in self.tables[exact].get(data[at:at + self.HEAD], ()):
                if data.startswith(form, at):
                    yield at, word

    def find(self, outputs):
        """Yields (name of the output, what was found, what stands around it)."""
        for name, data, is_text in outputs:
            for text, exact in ((data, True), (data.lower(), False)):
                for at, word in self.hits(text, exact):
                    yield name, word, around(data, at)
            if is_text:
                cleaned = RANDOM.sub(b"", data)
                for hit in PAIR.finditer(cleaned):
                    yield name, b"ZZ", around(cleaned, hit.start())


def around(data, at):
    return data[max(0, at - AROUND):at + AROUND]


def self_test():
    """Names of planted canaries that the search does not find, and of what it finds
    though nothing is there."""
    search = Search(WORDS + (b"ZZ12345678",))
    planted = {
        "as it is": b"... ZZPHI^Anna ...",
        "lower case": b"name zzphi-anna",
        "UTF-16, little endian": "ZZSECRET".encode("utf-16-le"),
        "UTF-16, big endian": b"." + "ZZTOKEN".encode("utf-16-be"),
        "hexadecimal": b"5a5a5048494142",
        "a fresh canary": b"x ZZ12345678 y",
    }
    for before in range(3):
        planted[f"base64, {before}"] = base64.b64encode(b"abc"[:before] + b"ZZPHI^ANNA")
    for name, data in planted.items():
        for is_text in (True, False):
            if not list(search.find([(name, data, is_text)])):
                yield f"{name}: not found"
    if not list(search.find([("a pair", b"BUZZ", True)])):
        yield "a pair in text: not found"
    for name, data in (("a Community ID", b'"1:a/cfezbqpZZfPYJRk+D90bDEicQ="'),
                       ("nothing", b"fizz buzz")):
        if list(search.find([(name, data, True)])):
            yield f"{name}: found"
