#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Drives that are not what they were: lost databases, clones, old copies, other people's data.

A drive that can't be used is refused or set aside with a sentence, its bytes stay as they are, and
LUNs with enough redundancy keep serving. usage: bad_drives.py VDS [CASE…]
"""
import hashlib
import os
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
from harness import MB, contains, equal, main, pattern  # noqa: E402

SIZE = 6 * MB


def make(s):
    """RAID 6 on drives 0–4, a mirror on 5 and 6, with data; automatic recovery is off."""
    s.make("7x96MB")
    s.run("set provider autorecover=off")
    s.run("create lun raid6 size=12MB drives=0-4 name=six")
    s.run("create lun mirror size=8MB drives=5,6 name=two")
    s.run("write lun 0", stdin=pattern(SIZE))
    s.run("write lun 1", stdin=pattern(SIZE, 2))


def image(s, n):
    return s.path / "drives" / f"0.{n}.img"


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def served(s, luns=(0, 1)):
    for n in luns:
        equal(s.run(f"read lun {n} size={SIZE}B").data == pattern(SIZE, n + 1), True,
              f"the data of LUN {n}")


def explained(s, n):
    """The sentences that status and detail have on a drive."""
    text = s.run("status", status=None).out + s.run(f"detail drive {n}", status=None).out
    contains(text.lower(), f"drive {n}")
    return text


def test_lost_database(s):
    make(s)
    (s.path / "store.db").unlink()
    refused = s.run("list luns", status=8)
    contains(refused.err, "create subsystem")
    contains(refused.err, "add drive path=")
    s.run("create subsystem")
    for n in range(7):
        s.run(f"add drive path={image(s, n)} slot=0.{n}")
    equal([(x["friendly_name"], x["health"]) for x in s.json("list luns")],
          [("six", "healthy"), ("two", "healthy")], "LUNs")
    served(s)
    equal([x["friendly_name"] for x in s.json("list subsystems")], [None], "subsystem")


def rebuild(s):
    refused = s.run("list luns", status=8)
    contains(refused.err, "--rebuild-database")
    s.run("--rebuild-database list luns")
    equal((s.path / "store.db.damaged-1").exists(), True, "the damaged one is kept")
    if not s.json("list subsystems"):
        s.run("create subsystem")
    there = {d["path"] for d in s.json("list drives")}
    for n in range(7):
        if str(image(s, n)) not in there:
            s.run(f"add drive path={image(s, n)} slot=0.{n}")
    served(s)


def test_database_overwritten(s):
    make(s)
    (s.path / "store.db").write_bytes(os.urandom(100000))
    rebuild(s)


def test_database_with_a_damaged_page(s):
    make(s)
    database = s.path / "store.db"
    data = bytearray(database.read_bytes())
    data[-4096:] = os.urandom(4096)
    database.write_bytes(data)
    rebuild(s)


def test_foreign_array_is_not_adopted_by_one_with_drives(s):
    make(s)
    other = s.folder / "other.img"
    elsewhere = type(s)(s.binary, s.folder / "elsewhere")
    elsewhere.folder.mkdir()
    elsewhere.make("2x96MB")
    shutil.copyfile(elsewhere.path / "drives" / "0.0.img", other)
    before = digest(other)
    refused = s.run(f"add drive path={other}", status=4)
    contains(refused.err, "belongs to another array")
    equal(digest(other), before, "its bytes")
    equal(len(s.json("list drives")), 7, "drives")


def test_other_peoples_data_are_refused(s):
    make(s)
    file = s.folder / "file system.img"
    with open(file, "wb") as f:
        f.truncate(96 * MB)
        f.seek(0x438)
        f.write(b"\x53\xef")  # the magic number of ext2 to ext4
    text = s.folder / "letter.txt"
    text.write_text("Dear array,\n" * 9000000)
    for path in (file, text):
        before = digest(path)
        refused = s.run("add drive", f"path={path}", status=4)
        contains(refused.err, path.name)
        contains(refused.err, "not blank")
        equal(digest(path), before, "its bytes")
    small = s.folder / "small"
    small.write_text("hello")
    refused = s.run("add drive", f"path={small}", status=4)
    contains(refused.err, "smaller than a block")
    equal(small.read_text(), "hello", "its bytes")


def test_truncated(s):
    make(s)
    with open(image(s, 1), "r+b") as f:
        f.truncate(50 * MB)
    before = digest(image(s, 1))
    served(s)
    explained(s, 1)
    equal(digest(image(s, 1)), before, "its bytes")


def test_clone(s):
    make(s)
    shutil.copyfile(image(s, 5), image(s, 6))
    before = digest(image(s, 6))
    s.run("list luns")
    text = explained(s, 5) + explained(s, 6)
    contains(text, "same identity")
    equal(digest(image(s, 6)), before, "its bytes")
    served(s, (0,))
    image(s, 6).unlink()
    served(s)


def test_old_copy_put_back(s):
    make(s)
    old = s.folder / "old.img"
    shutil.copyfile(image(s, 5), old)
    s.run("write lun 1", stdin=pattern(SIZE, 9))
    s.run("write lun 1", stdin=pattern(SIZE, 2))
    shutil.copyfile(old, image(s, 5))
    served(s)


def test_old_copy_after_its_departure(s):
    """What was written while a drive was away is not undone by its return."""
    make(s)
    shutil.copyfile(image(s, 5), s.folder / "old.img")
    image(s, 5).unlink()
    s.run("write lun 1", stdin=pattern(SIZE, 9))
    shutil.copyfile(s.folder / "old.img", image(s, 5))
    s.run("write lun 1 offset=5MB", stdin=b"", status=None)
    equal(s.run(f"read lun 1 size={SIZE}B").data == pattern(SIZE, 9), True, "the newer data")


def test_ends_zeroed(s):
    make(s)
    for n, at in ((0, 0), (1, 95 * MB)):
        with open(image(s, n), "r+b") as f:
            f.seek(at)
            f.write(bytes(MB))
    served(s)
    served(s)


def test_swapped(s):
    make(s)
    shutil.move(image(s, 0), s.folder / "x")
    shutil.move(image(s, 5), image(s, 0))
    shutil.move(s.folder / "x", image(s, 5))
    served(s)
    equal([x["health"] for x in s.json("list luns")], ["healthy"] * 2, "a drive is its identity")


def test_flipped_metadata(s):
    make(s)
    before = image(s, 2).read_bytes()
    for region in range(95, 96):
        data = bytearray(before)
        for i in range(region * MB, (region + 1) * MB, 777):
            data[i] ^= 0x55
        image(s, 2).write_bytes(data)
        served(s)
        explained(s, 2)


main(__name__)
