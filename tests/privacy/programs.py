# SPDX-License-Identifier: Apache-2.0
"""Runs the programs over captures as a hospital would, and gathers all that they write:
standard output and error, spool, files, database, logs, answers.

To add a program: one method of Stage that gives outputs (name, bytes, is_text), and its
call in `everything`. What a method leaves in the work folder is gathered by `files`."""
import os
import shutil
import subprocess
import time

SITE = os.path.join("pcaps", "demo", "hospital.yaml")
GEO = os.path.join("pcaps", "demo", "networks.mmdb")
TEXT_FILES = (".log", ".ndjson", ".yaml", ".txt")
ANSWERS = [["flows"], ["alerts"], ["matrix"], ["sensors"], ["coverage"], ["hosts"], ["hosts", "--ip", "10.10.1.5"],
           ["top", "--by", "client"],
           ["top", "--by", "server"], ["top", "--by", "vendor"], ["top", "--by", "app"]]


class Stage:
    def __init__(self, source, build, work):
        self.source, self.build, self.work = source, build, work
        self.spool = os.path.join(work, "spool")
        self.collector = None
        self.url = None
        self.problems = []

    def program(self, name):
        """Its path, or None when it is not built."""
        path = os.path.join(self.build, name)
        return path if os.access(path, os.X_OK) else None

    def run(self, name, command, good=(0,)):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              check=False, cwd=self.work, timeout=300)
        if done.returncode not in good:
            self.problems.append(f"{name}: exit code {done.returncode}: "
                                 f"{done.stderr.decode(errors='replace')[-2000:]}")
        return [(name + ", standard output", done.stdout, True),
                (name + ", standard error", done.stderr, True)]

    # --- sensor ---

    def sensor(self, group, captures):
        command = [self.program("sensor/vigie-sensor"), "--sensor", "privacy",
                   "--site", os.path.join(self.source, SITE),
                   "--geo", os.path.join(self.source, GEO), "-r", *captures]
        yield from self.run(f"vigie-sensor --json, {group}", command + ["--json"], (0, 3))
        yield from self.run(f"vigie-sensor --spool, {group}", command + ["--spool", self.spool],
                            (0, 3))
        for level in (2, 3, 4):
            self.write(f"shed{level}.yaml", f"shed: {{least: {level}}}\n")
            yield from self.run(f"vigie-sensor --json at shed level {level}, {group}",
                                command + ["--json", "-c", f"shed{level}.yaml"], (0, 3))

    # --- collector: started before the shipper, stopped before its files are read ---

    def start_collector(self):
        """Why there is none, or an empty text."""
        program = self.program("collector/vigie-collector")
        if not program:
            return "vigie-collector is not built"
        if not shutil.which("openssl"):
            return "openssl is not installed"
        self.run("make-ca", [os.path.join(self.source, "packaging", "make-ca"),
                             os.path.join(self.work, "ca"), "--server", "localhost",
                             "--sensor", "privacy", "--analyst", "anna"])
        self.write("collector.yaml", """\
listen: {address: 127.0.0.1, port: 0}
tls: {certificate: ca/localhost.crt, key: ca/localhost.key, ca: ca/ca.crt}
store: {dir: store, retention: 36500d, sync: false}
""")
        log = os.path.join(self.work, "collector.log")
        with open(log, "wb") as out:
            self.collector = subprocess.Popen([program, "-c", "collector.yaml"], stdout=out,
                                              stderr=out, cwd=self.work)
        for _ in range(200):
            with open(log, encoding="utf-8") as lines:
                for line in lines:
                    if "listening on" in line:
                        self.url = "https://localhost:" + line.rstrip().rsplit(":", 1)[1]
                        return ""
            if self.collector.poll() is not None:
                break
            time.sleep(0.05)
        with open(log, encoding="utf-8") as lines:
            self.problems.append(f"vigie-collector does not start: {lines.read()}")
        return "it does not start"

    def stop(self):
        if self.collector:
            self.collector.terminate()
            self.collector.wait(30)
            self.collector = None

    # --- shipper ---

    def shipper(self):
        """To a file, and to the collector if there is one."""
        text = "sensor: privacy\nspool: {dir: spool}\ndestinations:\n" \
               "  - {name: file, type: ndjson, path: shipped.ndjson}\n"
        if self.url:
            text += f"""\
  - {{name: collector, type: collector, url: "{self.url}", ca: ca/ca.crt,
     certificate: ca/privacy.crt, key: ca/privacy.key}}
"""
        self.write("shipper.yaml", text)
        yield from self.run("vigie-shipper", [self.program("exporters/vigie-shipper"), "-c",
                                              "shipper.yaml", "--drain"])

    # --- vigie ---

    def vigie(self):
        vigie = self.program("collector/vigie")
        yield from self.run("vigie spool ls", [vigie, "spool", "ls", "spool"])
        if not self.url:
            return
        access = ["--collector", self.url, "--ca", "ca/ca.crt", "--cert", "ca/anna.crt",
                  "--key", "ca/anna.key"]
        for words in ANSWERS:
            for form in ("table", "json", "ndjson", "csv"):
                command = [vigie, *words, *access, "--format", form]
                if words[0] in ("flows", "alerts", "hosts"):
                    command += ["--limit", "10000"]
                yield from self.run(" ".join(["vigie", *words, form]), command)
        yield from self.run("vigie sql", [vigie, "sql", "SELECT * FROM flows LIMIT 10000",
                                          *access, "--format", "csv"])

    # --- what lies in folders ---

    def write(self, name, text):
        with open(os.path.join(self.work, name), "w", encoding="utf-8") as out:
            out.write(text)

    def files(self):
        for folder, _, names in os.walk(self.work):
            for name in names:
                path = os.path.join(folder, name)
                with open(path, "rb") as one:
                    yield os.path.relpath(path, self.work), one.read(), name.endswith(TEXT_FILES)

    def everything(self, groups, skipped):
        """Outputs of all programs over {group: captures}; says why one is left out."""
        for group, captures in groups.items():
            yield from self.sensor(group, captures)
        try:
            why = self.start_collector()
            if why:
                skipped("collector, its database and logs", why)
            if self.program("exporters/vigie-shipper"):
                yield from self.shipper()
            else:
                skipped("shipped records", "vigie-shipper is not built")
            if self.program("collector/vigie"):
                yield from self.vigie()
            else:
                skipped("answers of vigie", "vigie is not built")
        finally:
            self.stop()
        yield from self.files()
