#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds the benchmarks (as they are shipped: -O2, no sanitizers) and prints tables of ratios.

  bench/run.py [--quick] [--only data|recovery|growth] [--memory FOLDER] [--disk FOLDER] [--md]

Each ratio is one turn of the engine over one turn of a bare liburing loop on the same files, the
turns alternating; the table shows least, median and greatest. "ok" means that the median reaches
the target, "60%" that it reaches 0.6 of it. See bench/README.md.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build-bench"
ACCEPTED = 0.6  # of a target


def build():
    if not (BUILD / "build.ninja").exists():
        subprocess.run(["meson", "setup", BUILD], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    done = subprocess.run(["ninja", "-C", BUILD], cwd=ROOT, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        sys.stdout.write(done.stdout.decode(errors="replace")[-4000:])
        sys.exit("bench: the build failed")


def number(text):
    value = float(text)
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def verdict(ratio, target):
    return "ok" if ratio >= target else "60%" if ratio >= ACCEPTED * target else "LOW"


def rows(lines):
    """Lines of engine_bench as rows of the two tables."""
    ratios, values = [], []
    for line in lines:
        field = line.rstrip("\n").split("\t")
        if field[0] == "R":
            _, place, figure, unit, ours, bound, least, median, most, target = field
            ratios.append([place, figure, f"{number(ours)} {unit}", number(bound), least, median,
                           most, target, verdict(float(median), float(target))])
        elif field[0] == "N":
            _, place, figure, unit, value, limit = field
            kept = "" if limit == "-" else \
                "ok" if float(value) <= float(limit) else \
                "60%" if float(value) * ACCEPTED <= float(limit) else "LOW"
            values.append([place, figure, f"{number(value)} {unit}",
                           "" if limit == "-" else "< " + number(limit), kept])
    return ratios, values


def show(head, table, markdown):
    if not table:
        return
    if markdown:
        print("| " + " | ".join(head) + " |")
        print("|" + "---|" * len(head))
        for row in table:
            print("| " + " | ".join(row) + " |")
        print()
        return
    widths = [max(len(row[i]) for row in [head] + table) for i in range(len(head))]
    for row in [head] + table:
        cells = [cell.ljust(widths[i]) if i < 2 else cell.rjust(widths[i])
                 for i, cell in enumerate(row)]
        print("  ".join(cells).rstrip())
    print()


def machine():
    model = "unknown CPU"
    for line in open("/proc/cpuinfo", encoding="utf-8"):
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
    return f"{os.cpu_count()} x {model}, Linux {os.uname().release}"


def run_engine(arguments, places):
    command = [BUILD / "bench" / "engine_bench"]
    if arguments.quick:
        command.append("--quick")
    if arguments.only:
        command += ["--only", arguments.only]
    environment = {"VDS_LOG": "error", **os.environ}
    done = []
    with subprocess.Popen(command + places, stdout=subprocess.PIPE, text=True,
                          env=environment) as child:
        for line in child.stdout:
            done.append(line)
            if sys.stderr.isatty():
                print(f"\r{len(done)} figures ", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print("\r", end="", file=sys.stderr)
    return done, child.returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="short turns: a first impression")
    parser.add_argument("--only", choices=["data", "recovery", "growth"])
    parser.add_argument("--memory", default="/dev/shm", help='folder in memory, "" for none')
    parser.add_argument("--disk", default=tempfile.gettempdir(),
                        help='folder on a disk with 6 GB free, "" for none')
    parser.add_argument("--md", action="store_true", help="tables for bench/README.md")
    arguments = parser.parse_args()
    build()
    places = [f"{name}={folder}" for name, folder in
              (("memory", arguments.memory), ("disk", arguments.disk)) if folder]
    print(machine(), flush=True)
    if not (BUILD / "bench" / "engine_bench").exists():
        sys.exit("bench: liburing is missing; without it there is nothing to compare with")
    lines, failed = run_engine(arguments, places)
    ratios, values = rows(lines)
    show(["place", "figure", "engine", "bound", "least", "median", "most", "target", ""], ratios,
         arguments.md)
    show(["place", "figure", "value", "limit", ""], values, arguments.md)
    if not arguments.only and not failed:
        print("The block layer by itself:", flush=True)
        subprocess.run([BUILD / "bench" / "blk_bench", arguments.memory or "."], check=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
