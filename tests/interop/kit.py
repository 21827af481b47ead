# SPDX-License-Identifier: Apache-2.0
"""A store whose LUNs both sides use, and what every LUN should hold."""
import hashlib
import pathlib
import random
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
import harness  # noqa: E402
from harness import contains, equal  # noqa: E402, F401

import ddf  # noqa: E402
from guest import Guest, Missing  # noqa: E402


class Lun:
    def __init__(self, number, size):
        self.number = number
        self.data = bytearray(size)

    def sha256(self):
        return hashlib.sha256(self.data).hexdigest()


class Kit:
    """LUNs by name; a LUN called x is md's /dev/md/x_0."""

    SUFFIX = "_0"  # mdadm gives it to arrays that it does not take for this machine's own

    def __init__(self, store, guest):
        guest.reset()
        self.s, self.g = store, guest
        self.luns = {}
        self.tag = 0

    def script(self, lines):
        self.s.run("--strict --script -", stdin="\n".join(lines) + "\n")

    def make(self, drives, luns, size="96MB"):
        """luns: name → arguments of create lun. Everything is written to, also parts of stripes."""
        self.script([f"create subsystem drives={drives}x{size} faults=on",
                     "set provider autorecover=off"] +
                    [f"create lun {what} name={name}" for name, what in luns.items()])
        self.know()
        self.fill(list(luns))

    def know(self):
        """The LUNs as the store lists them; they hold zeros."""
        self.luns = {x["friendly_name"]: Lun(x["number"], x["size_bytes"])
                     for x in self.s.json("list luns")}
        self.paths = [pathlib.Path(d["path"]) for d in self.s.json("list drives")]

    def pieces(self, name):
        """New data for a LUN: (offset, bytes). More than half of it, and parts of stripes."""
        lun = self.luns[name]
        self.tag += 1
        size = len(lun.data)
        made = []
        for at, length in ((0, size * 5 // 8 + 4608), (size * 3 // 4 + 1536, 5120)):
            length = min(length, size - at) // 512 * 512
            made.append((at // 512 * 512, random.Random(f"{name} {self.tag} {at}").randbytes(length)))
            lun.data[made[-1][0]:made[-1][0] + length] = made[-1][1]
        return made

    def fill(self, names):
        """vds writes."""
        lines = []
        for name in names:
            for at, data in self.pieces(name):
                file = self.s.folder / f"in-{len(lines)}"
                file.write_bytes(data)
                lines.append(f"write lun {self.luns[name].number} offset={at} file={file}")
        self.script(lines)

    def md_fill(self, names):
        """md writes. One script for all: processes are what takes time in the guest."""
        self.g.write([(name + self.SUFFIX, at, data) for name in names
                      for at, data in self.pieces(name)])

    def images(self, numbers=None):
        """Files of the drives; all of them, or those in these slots."""
        return [p for i, p in enumerate(self.paths) if numbers is None or i in numbers]

    def copies(self, numbers=None):
        """Copies of the drives as they are now, for md to play with."""
        folder = self.s.folder / f"copy-{self.tag}"
        self.tag += 1
        folder.mkdir()
        subprocess.run(["cp", "--sparse=always", *map(str, self.images(numbers)), str(folder)],
                       check=True)
        return [folder / p.name for p in self.images(numbers)]

    def md_holds(self, names, what):
        """md reads what was written."""
        found = self.g.hashes([n + self.SUFFIX for n in names])
        for name in names:
            equal(found[name + self.SUFFIX], self.luns[name].sha256(), f"{name}, {what}")

    def md_agrees(self, names, what):
        """All copies and parity of these are right, says md."""
        found = self.g.mismatches([n + self.SUFFIX for n in names])
        equal(found, {n + self.SUFFIX: 0 for n in names}, f"mismatches, {what}")

    def vds_holds(self, names, what):
        for name in names:
            lun = self.luns[name]
            found = self.s.run(f"read lun {lun.number} size={len(lun.data)}B").data
            if found != lun.data:
                wrong = [i for i in range(0, len(lun.data), 512)
                         if found[i:i + 512] != lun.data[i:i + 512]]
                raise AssertionError(f"{name}, {what}: {len(found)} bytes, {len(wrong)} sectors "
                                     f"are wrong, from {wrong[:1]} to {wrong[-1:]}")

    def health(self, name):
        return self.s.lun(self.luns[name].number)["health"]

    def meta(self, number):
        return ddf.Drive(self.images([number])[0])


FEW = {"five": "raid5 size=12MB drives=0-3", "six": "raid6 size=8MB drives=0-4",
       "two": "mirror size=6MB drives=0,1", "ten": "raid10 size=8MB drives=0-3",
       "str": "stripe size=4MB drives=1,2"}
FEW_REDUNDANT = [n for n in FEW if n != "str"]


def main(module):
    """Runs the cases of a module, all with one guest."""
    try:
        guest = Guest()
    except Missing as why:
        print(f"skipped: {why}")
        sys.exit(77)
    try:
        harness.main(module, guest)
    finally:
        guest.close()
