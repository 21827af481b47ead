#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Arrays that the Linux md driver has written to, under ours. usage: md_writes.py VDS [CASE…]"""
from kit import FEW, Kit, FEW_REDUNDANT, equal, main


def test_md_writes(s, g):
    """Neither our bitmap nor our member table counts once md has written; md's clean end does."""
    k = Kit(s, g)
    k.make(5, FEW)
    g.assemble(k.images())
    k.md_fill(FEW)
    g.stop()
    k.vds_holds(FEW, "md has written")
    equal({k.health(n) for n in FEW}, {"healthy"}, "health")
    k.fill(FEW)
    g.assemble(k.images())
    k.md_holds(FEW, "vds has written again")
    k.md_agrees(FEW_REDUNDANT, "vds has written again")
    g.stop()


def test_md_writes_while_degraded(s, g):
    """md marks whom it left out; when that drive is back its old content is not read."""
    k = Kit(s, g)
    k.make(5, FEW)
    g.assemble(k.images([0, 1, 2, 4]), degraded=True)
    k.md_fill(FEW)
    g.stop()
    k.vds_holds(FEW, "md has written without drive 3")
    equal(k.health("five"), "failed_redundancy", "health of five")
    equal(k.health("two"), "healthy", "health of two")
    for name in ("five", "six", "ten"):
        s.run(f"recover lun {k.luns[name].number}")
    equal({k.health(n) for n in FEW}, {"healthy"}, "health after the recovery")
    s.run("--no-wait fault drive 2 failed")
    k.vds_holds(FEW_REDUNDANT, "what the recovery wrote onto drive 3 is right")


def test_md_rebuilds_onto_a_drive_of_ours(s, g):
    """What was out of date with us is current after md's rebuild."""
    k = Kit(s, g)
    k.make(4, {"five": "raid5 size=12MB drives=0-2"})
    s.run("setflag drive 3 hotspare=true")
    s.run("--no-wait fault drive 0 failed")
    k.fill(k.luns)
    g.assemble(k.images([1, 2, 3]), degraded=True)
    g.complete("five_0", 3)
    k.md_fill(k.luns)
    g.stop()
    s.run("--no-wait fault drive 0 failed")
    equal({k.health(n) for n in k.luns}, {"healthy"}, "health")
    k.vds_holds(k.luns, "md has rebuilt onto the spare and written")
    s.run("--no-wait fault drive 1 failed")
    k.vds_holds(k.luns, "the rebuilt drive has the data")


def test_md_dies(s, g):
    """Drives vanish from under a running md: what it marks as inconsistent we make consistent."""
    k = Kit(s, g)
    k.make(5, FEW)
    g.assemble(k.images())
    k.md_fill(FEW)
    images = k.copies()  # the arrays run: as after a power cut
    g.stop()
    for path, image in zip(k.images(), images):
        image.replace(path)
    k.vds_holds(FEW, "md was cut off")
    g.assemble(k.images())
    k.md_holds(FEW, "after our start")
    k.md_agrees(FEW_REDUNDANT, "after our start")
    g.stop()


def test_md_fails_a_drive(s, g):
    k = Kit(s, g)
    k.make(5, FEW)
    devices = g.plug(k.images())
    g.start(devices)
    # mdmon takes a drive that has failed in one array out of the others, perhaps before we do.
    g.run(f"for name in five six ten; do mdadm /dev/md/${{name}}_0 --fail {devices[3]} || true; done")
    k.md_fill(FEW)
    g.stop()
    k.vds_holds(FEW, "md has written without the drive that failed")
    equal(s.drive(3)["status"], "failed", "status of drive 3")
    s.run("add drive size=96MB", f"path={s.folder / 'new.img'}")
    s.run("setflag drive 5 hotspare=true")
    for name in ("five", "six", "ten"):
        s.run(f"recover lun {k.luns[name].number}")
    equal({k.health(n) for n in FEW}, {"healthy"}, "health with a spare")
    s.run("--no-wait fault drive 2 failed")
    k.vds_holds(FEW_REDUNDANT, "the spare has the data")


def test_members_that_md_never_ran(s, g):
    """Drives that were elsewhere while md wrote to the others are no older copies of themselves."""
    k = Kit(s, g)
    k.make(4, {"two": "mirror size=6MB drives=0,1", "far": "mirror size=6MB drives=2,3"})
    g.assemble(k.images([0, 1]))
    k.md_fill(["two"])
    g.stop()
    k.vds_holds(k.luns, "md has run the first mirror")
    equal({k.health(n) for n in k.luns}, {"healthy"}, "health")


def test_old_copy_after_md(s, g):
    """A drive put back as it was before md wrote: nothing of it is read."""
    k = Kit(s, g)
    k.make(5, FEW)
    old = k.copies([0])[0]
    g.assemble(k.images())
    k.md_fill(FEW)
    g.stop()
    old.replace(k.images([0])[0])
    k.vds_holds(FEW, "an old copy of drive 0 was put back")


main(__name__)
