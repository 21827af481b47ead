#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Containers that mdadm has made, taken over by vds. usage: md_imports.py VDS [CASE…]"""
import hashlib

from kit import Kit, Lun, contains, equal, main

MB = 1 << 20
VOLUMES = {  # arguments of mdadm --create; what they are as LUNs: type, members, chunk, size in MB
    "str": ("-l0 -n2 -c32 -z4096", ("stripe", 2, 32768, 8)),
    "two": ("-l1 -n2 -z6144", ("mirror", 2, 0, 6)),
    "five": ("-l5 -n4 -c64 -z4096", ("raid5", 4, 65536, 12)),
    "six": ("-l6 -n5 -c16 -z4096", ("raid6", 5, 16384, 12)),
    "ten": ("-l10 -n4 -c64 -z4096", ("raid10", 4, 65536, 8)),
}


class Foreign(Kit):
    """A container on drive files of our own, with volumes that md has written to."""

    SUFFIX = ""

    def create(self, drives, volumes):
        self.paths = [self.s.folder / f"foreign-{i}.img" for i in range(drives)]
        for path in self.paths:
            with open(path, "wb") as f:
                f.truncate(128 * MB)
        self.devices = self.g.plug(self.paths)
        self.g.run(f"mdadm -C /dev/md/all -R -e ddf -n{drives} {' '.join(self.devices)} || exit\n" +
                   "".join(f"mdadm -C /dev/md/{v} -R {VOLUMES[v][0]} /dev/md/all || exit\n"
                           for v in volumes) +
                   "".join(f"mdadm --wait /dev/md/{v} || true\n" for v in volumes))
        self.luns = {v: Lun(None, VOLUMES[v][1][3] * MB) for v in volumes}
        self.md_fill(volumes)

    def add(self, number, status=0):
        return self.s.run("add drive", f"path={self.paths[number]}", status=status)

    def digest(self, number):
        return hashlib.sha256(self.paths[number].read_bytes()).hexdigest()

    def number(self):
        """The LUNs that the volumes have become."""
        for lun in self.s.json("list luns"):
            self.luns[lun["friendly_name"]].number = lun["number"]

    def take_over(self, order):
        self.s.run("create subsystem")
        for number in order:
            self.add(number)
        self.number()


def test_container_of_md(s, g):
    k = Foreign(s, g)
    k.create(5, VOLUMES)
    g.stop()
    before = k.digest(0)
    s.run("create subsystem")
    k.add(0)
    equal(s.json("list luns"), [], "LUNs with one drive")
    equal(k.digest(0), before, "the bytes of a drive that waits for others")
    for number in range(1, 5):
        k.add(number)
    k.number()
    for name, (_, what) in VOLUMES.items():
        lun = s.lun(k.luns[name].number)
        equal((lun["type"], lun["member_count"], lun["stripe_size_bytes"], lun["size_bytes"] // MB,
               lun["health"], lun["status"]), (*what, "healthy", "online"), name)
    k.vds_holds(VOLUMES, "md has written")
    k.fill(VOLUMES)
    long = "a name that is longer than sixteen bytes"
    s.run(f"name lun {k.luns['two'].number}", long)
    equal(s.lun(k.luns["two"].number)["friendly_name"], long, "name")
    g.assemble(k.images())
    k.md_holds([n for n in VOLUMES if n != "two"], "vds has written")
    k.md_agrees(["five", "six", "ten"], "vds has written")
    k.md_fill(["five"])
    g.stop()
    k.vds_holds(VOLUMES, "md has written again")
    s.run("--no-wait offline drive 0")
    k.vds_holds(VOLUMES, "without drive 0, which has no part of the stripe")


def test_degraded_container(s, g):
    """The drive that md did without is filled anew, whenever it comes; not a byte of it is read."""
    k = Foreign(s, g)
    k.create(4, ["five", "ten"])
    g.stop()
    g.assemble(k.images([0, 1, 3]), degraded=True)
    k.md_fill(["five", "ten"])
    g.stop()
    k.take_over([0, 1, 2, 3])
    k.vds_holds(["five", "ten"], "taken over")
    for name in ("five", "ten"):
        s.run(f"recover lun {k.luns[name].number}")
        equal(k.health(name), "healthy", f"health of {name}")
    s.run("--no-wait offline drive 3")
    k.vds_holds(["five", "ten"], "drive 2 was filled")


def test_drive_left_out_comes_first(s, g):
    """It describes the array as it was; those that were used since do not join it."""
    k = Foreign(s, g)
    k.create(2, ["two"])
    g.stop()
    g.assemble(k.images([1]), degraded=True)
    k.md_fill(["two"])
    g.stop()
    before = k.digest(1)
    left_out = k.copies([0])[0]
    k.take_over([0])
    equal(s.lun(0)["status"], "offline", "a mirror that waits for its other half")
    contains(k.add(1, status=4).err, "changed elsewhere")
    equal(k.digest(1), before, "the bytes of the drive with the data")
    other = type(s)(s.binary, s.folder / "elsewhere")
    other.folder.mkdir()
    k.s = other
    k.paths[0] = left_out
    k.take_over([1, 0])
    k.vds_holds(["two"], "the one that was used was added first")
    other.run(f"recover lun {k.luns['two'].number}")
    other.run("--no-wait offline drive 0")
    k.vds_holds(["two"], "the other was filled")


main(__name__)
