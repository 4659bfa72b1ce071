# SPDX-License-Identifier: Apache-2.0
"""The Test Anything Protocol, for the tests written in Python."""


class Tap:
    def __init__(self, quiet=False):
        """Quiet: notes only on what is wrong."""
        self.count = self.failed = 0
        self.quiet = quiet

    def report(self, good, name, notes="", todo=""):
        """With todo, it need not be good yet; once it is, the runner says so."""
        self.count += 1
        self.failed += not good and not todo
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}"
              f"{' # TODO ' + todo if todo else ''}")
        for line in [] if good and self.quiet else str(notes).splitlines():
            print(f"#   {line}")

    def skip(self, name, why):
        self.count += 1
        print(f"ok {self.count} - {name} # SKIP {why}")

    def end(self):
        """The plan; gives the exit code."""
        print(f"1..{self.count}", flush=True)
        return 1 if self.failed else 0
