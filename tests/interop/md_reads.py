#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Our arrays under the Linux md driver, reading. usage: md_reads.py VDS [CASE…]"""
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
from harness import equal  # noqa: E402

import ddf  # noqa: E402
from guest import which  # noqa: E402
from kit import FEW, FEW_REDUNDANT, Kit, main  # noqa: E402

SHAPES = {  # all that md assembles
    "one": "simple size=4MB drives=7",
    "str": "stripe size=6MB drives=5-7 stripesize=16KB",
    "two": "mirror size=4MB drives=0,1",
    "three": "mirror size=4MB drives=1-3",
    "ten": "raid10 size=6MB drives=2-5 stripesize=32KB",
    "five3": "raid5 size=4MB drives=0-2",
    "five6": "raid5 size=10MB drives=1-6 stripesize=4KB",
    "six4": "raid6 size=4MB drives=0-3 stripesize=128KB",
    "six7": "raid6 size=10MB drives=1-7 stripesize=16KB",
}
OTHERS = {  # what it leaves alone
    "span": "span size=70MB drives=6,7",
    "four": "mirror size=4MB drives=0-3",
    "fifty": "raid50 size=8MB drives=0-5",
}
LEVELS = {"one": "RAID0", "str": "RAID0", "two": "RAID1", "three": "RAID1", "ten": "RAID1",
          "five3": "RAID5", "five6": "RAID5", "six4": "RAID6", "six7": "RAID6"}
REDUNDANT = [n for n in SHAPES if n not in ("one", "str")]


def examined(k):
    """mdadm names name and level of each LUN, from plain files."""
    found = {}
    for path in k.images():
        text = subprocess.run([which("mdadm"), "--examine", path], check=True,
                              capture_output=True).stdout.decode()
        names, levels = {}, {}
        for line in text.splitlines():
            what, _, value = line.strip().partition(" : ")
            if what.startswith("Name["):
                names[what[4:]] = value.strip()
            if what.startswith("Raid Level["):
                levels[what[10:]] = value.strip()
        found.update({names[i]: level for i, level in levels.items()})
    for name, level in LEVELS.items():
        equal(found.get(name), level, f"what mdadm says of {name}")


def test_md_reads_every_shape(s, g):
    k = Kit(s, g)
    k.make(8, {**SHAPES, **OTHERS})
    examined(k)
    g.assemble(k.copies())
    k.md_holds(SHAPES, "all drives")
    k.md_agrees(REDUNDANT, "all drives")
    g.stop()
    g.assemble(k.copies([0, 2, 3, 4, 5, 6, 7]), degraded=True)
    k.md_holds(SHAPES, "without drive 1")
    g.stop()
    g.assemble(k.copies([0, 2, 4, 5, 6, 7]), degraded=True)
    k.md_holds(["one", "str", "six4", "six7"], "without drives 1 and 3")
    g.stop()


def test_md_reads_the_standard_map(s, g):
    k = Kit(s, g)
    k.make(4, {"five": "raid5 size=6MB drives=0-3", "ten": "raid10 size=6MB drives=0-3"}, "1GB")
    g.assemble(k.images())
    k.md_holds(["five", "ten"], "all drives")
    k.md_agrees(["five", "ten"], "all drives")
    g.stop()
    k.vds_holds(["five", "ten"], "after md has only read")


def test_closed_while_degraded(s, g):
    """A drive failed with us, more was written: md assembles what is left and reads the same."""
    k = Kit(s, g)
    k.make(5, FEW)
    s.run("--no-wait fault drive 0 failed")
    k.fill(FEW)
    for name in FEW_REDUNDANT:
        equal(k.meta(1).vds[name]["state"] & ddf.INCONSISTENT, 0, f"{name} is marked inconsistent")
    g.assemble(k.copies([1, 2, 3, 4]), degraded=True)
    k.md_holds(FEW, "closed while degraded")
    g.stop()
    g.assemble(k.copies(), degraded=True)
    k.md_holds(FEW, "the failed drive is there again")
    g.stop()


def test_md_uses_no_drive_unasked(s, g):
    """Free space is offered to md on hot spares only: it rebuilds onto any drive that has some."""
    k = Kit(s, g)
    k.make(6, {"five": "raid5 size=12MB drives=0-2"})
    s.run("setflag drive 4 hotspare=true")
    drives = k.copies([1, 2, 3, 5])
    g.assemble(drives, degraded=True)
    g.write([("five_0", 0, k.luns["five"].data[:4096])])  # mdmon works off what it has to do
    g.stop()
    equal(ddf.Drive(drives[0]).vds["five"]["members"].count(0), 1, "slots without a drive")
    g.assemble(k.copies([1, 2, 3, 4]), degraded=True)
    g.complete("five_0", 3)
    k.md_holds(["five"], "rebuilt onto the spare")
    g.stop()


main(__name__)
