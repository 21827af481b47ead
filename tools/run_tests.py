#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds and runs the tests in every lane and adds them up.

Lanes: plain (all suites), asan (ASan+UBSan), tsan (the suites with threads).
Ends with one line: N passed, N failed, N skipped.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LANES = {
    "plain": {"folder": "build", "options": [], "leave_out": []},
    "asan": {
        "folder": "build-asan",
        "options": ["-Db_sanitize=address,undefined", "-Db_lundef=false"],
        # Other people's programs, and builds of their own: nothing of ours runs instrumented there.
        "leave_out": ["abi", "examples", "lint", "interop", "system", "cli-e2e"],
    },
    "tsan": {
        "folder": "build-tsan",
        "options": ["-Db_sanitize=thread", "-Db_lundef=false"],
        # The simulations of engine and raid have one thread by construction; with real threads
        # they run under the acceptance rows.
        "leave_out": ["abi", "examples", "lint", "interop", "system", "cli-e2e", "engine", "raid",
                      "base", "cli"],
    },
}
ENVIRONMENT = {
    "ASAN_OPTIONS": "detect_stack_use_after_return=0:abort_on_error=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    # Helper processes of the tests end without closing, as programs do: not a leak of theirs.
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1:report_thread_leaks=0",
}


def run(command, **more):
    return subprocess.run(command, cwd=ROOT, **more)


def suites(folder):
    done = run(["meson", "introspect", "--tests", folder], capture_output=True, check=True)
    names = set()
    for test in json.loads(done.stdout):
        names.update(suite.split(":")[-1] for suite in test["suite"])
    return names


def results(folder):
    log = ROOT / folder / "meson-logs" / "testlog.json"
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        yield json.loads(line)


def show_rows(test):
    """The acceptance rows by name, as the test printed them."""
    for line in (test.get("stdout") or "").splitlines() + (test.get("stderr") or "").splitlines():
        if line.startswith("[       OK ]") or line.startswith("[  FAILED  ]"):
            print("    " + line)


def run_lane(name, soak):
    lane = LANES[name]
    folder = lane["folder"]
    print(f"== {name}: building", flush=True)
    if not (ROOT / folder / "build.ninja").exists():
        run(["meson", "setup", folder, *lane["options"]], check=True, stdout=subprocess.DEVNULL)
    done = run(["ninja", "-C", folder], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        sys.stdout.write(done.stdout.decode(errors="replace")[-6000:])
        print(f"{name}: the build failed")
        return 0, 1, 0
    chosen = sorted(suites(folder) - set(lane["leave_out"]) - (set() if soak else {"soak"}))
    if soak:
        chosen = ["soak"]
    print(f"== {name}: running {', '.join(chosen)}", flush=True)
    command = ["meson", "test", "-C", folder, "--no-rebuild", "--print-errorlogs", "--quiet",
               "--timeout-multiplier", "3" if name == "plain" else "10"]
    for suite in chosen:
        command += ["--suite", suite]
    run(command, env={**os.environ, **ENVIRONMENT})
    passed = failed = skipped = 0
    for test in results(folder):
        outcome = test["result"]
        if outcome in ("OK", "EXPECTEDFAIL"):
            passed += 1
        elif outcome == "SKIP":
            skipped += 1
            print(f"  skipped: {test['name']}")
        else:
            failed += 1
            print(f"  {outcome}: {test['name']}")
        if name == "plain" and "acceptance" in test["name"]:
            print(f"  {test['name']}")
            show_rows(test)
    print(f"== {name}: {passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return passed, failed, skipped


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lane", action="append", choices=sorted(LANES))
    parser.add_argument("--soak", action="store_true")
    arguments = parser.parse_args()
    lanes = arguments.lane or (["plain"] if arguments.soak else list(LANES))
    total = [0, 0, 0]
    for lane in lanes:
        for i, n in enumerate(run_lane(lane, arguments.soak)):
            total[i] += n
    print(f"{total[0]} passed, {total[1]} failed, {total[2]} skipped")
    return 1 if total[1] or not total[0] else 0


if __name__ == "__main__":
    sys.exit(main())
