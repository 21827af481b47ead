# SPDX-License-Identifier: Apache-2.0
"""Runs the built vds on stores in temporary folders; one function for each case.

A case takes a Store (empty folder, not made yet). Every case is listed with its result, so a log
tells what held.
"""
import inspect
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

MB = 1 << 20
TIMEOUT = 120


class Refused(AssertionError):
    """A command ended with an exit status that was not expected."""


class Result:
    def __init__(self, done):
        self.status = done.returncode
        self.data = done.stdout
        self.out = done.stdout.decode("utf-8", "replace")
        self.err = done.stderr.decode("utf-8", "replace")


class Store:
    def __init__(self, binary, folder):
        self.binary = str(binary)
        self.folder = pathlib.Path(folder)
        self.path = self.folder / "store"

    def run(self, command, *more, status=0, stdin=b"", store=True, env=None):
        """One command, split at blanks; more are further words as they are."""
        words = [self.binary]
        if store:
            words += ["--store", str(self.path)]
        words += command.split() + [str(m) for m in more]
        if isinstance(stdin, str):
            stdin = stdin.encode()
        done = Result(subprocess.run(words, input=stdin, stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE, timeout=TIMEOUT,
                                     env={**os.environ, **(env or {})}))
        if status is not None and done.status != status:
            raise Refused(f"vds {command}: status {done.status}, not {status}\n"
                          f"{done.out[-800:]}{done.err[-1500:]}")
        return done

    def envelope(self, command, *more, **options):
        """The envelope of one command with --json."""
        done = self.run("--json " + command, *more, **options)
        return json.loads(done.out)

    def json(self, command, *more, **options):
        return self.envelope(command, *more, **options)["result"]

    def make(self, drives="6x96MB", *more):
        return self.run(f"create subsystem drives={drives} faults=on", *more)

    def drive(self, number):
        return self.json(f"detail drive {number}")

    def lun(self, number):
        return self.json(f"detail lun {number}")

    def popen(self, command, **options):
        words = [self.binary, "--store", str(self.path)] + command.split()
        return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def equal(found, wanted, what=""):
    if found != wanted:
        raise AssertionError(f"{what}: {repr(found)[:300]} is not {repr(wanted)[:300]}")


def contains(text, part):
    if part not in text:
        raise AssertionError(f"{part!r} is not in {repr(text)[:1500]}")


def pattern(size, seed=1):
    """Bytes that do not repeat within a stripe."""
    out = bytearray()
    word = seed
    while len(out) < size:
        word = (word * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        out += word.to_bytes(8, "little") * 64
    return bytes(out[:size])


def main(module, *more):
    """Runs the cases of a module, all or those chosen; more are further arguments for each."""
    binary = pathlib.Path(sys.argv[1]).resolve()
    chosen = sys.argv[2:]
    cases = [(n, f) for n, f in inspect.getmembers(sys.modules[module], inspect.isfunction)
             if n.startswith("test_")]
    cases.sort(key=lambda c: c[1].__code__.co_firstlineno)
    failed = 0
    for name, function in cases:
        if chosen and not any(c in name for c in chosen):
            continue
        folder = tempfile.mkdtemp(prefix="vds-cli-")
        begun = time.monotonic()
        try:
            function(Store(binary, folder), *more)
            print(f"[       OK ] {name[5:]} ({time.monotonic() - begun:.1f} s)", flush=True)
        except Exception as e:  # every failure of a case counts and is shown
            failed += 1
            print(f"[  FAILED  ] {name[5:]}: {str(e)[:3000]}", flush=True)
            if not isinstance(e, AssertionError):
                traceback.print_exc(file=sys.stdout)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if failed else 0)
