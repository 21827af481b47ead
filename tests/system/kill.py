#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vds is killed with SIGKILL at random moments; the next command must find everything in order.

Each round starts one command, kills it after a random time, and checks with fresh processes:
  * every command works again: no lock is left, nothing is damaged;
  * what a finished "write lun" wrote reads back; of a killed one each 4 KiB block is old or new;
  * a LUN, a drive, a name is as before the command or as after it.

usage: kill.py VDS [--seconds S] [--seed N]    prints the seed; the default fits "make test"
"""
import argparse
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

MB = 1 << 20
BLOCK = 4096
SPAN = 4 * MB  # of each LUN is written to
KINDS = (("raid5", "0-3"), ("raid6", "0-4"), ("mirror", "4,5"), ("raid10", "2-5"))


class Wrong(Exception):
    """Something a killed command must not leave behind."""


class Store:
    def __init__(self, vds, path, rng):
        self.vds, self.path, self.rng = vds, path, rng
        self.killed = self.finished = 0
        self.verbose = False

    def words(self, *words):
        return [self.vds, "--store", str(self.path), *map(str, words)]

    def run(self, *words, data=b"", statuses=(0,)):
        try:
            done = subprocess.run(self.words(*words), input=data, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, timeout=60)
        except subprocess.TimeoutExpired as e:
            raise Wrong(f"vds {' '.join(map(str, words))}: does not end: "
                        f"{(e.stderr or b'').decode()[-600:]}") from None
        if done.returncode not in statuses:
            raise Wrong(f"vds {' '.join(map(str, words))}: status {done.returncode}: "
                        f"{done.stdout[-900:].decode(errors='replace')}{done.stderr.decode()[-600:]}")
        return done.stdout

    def json(self, *words):
        return json.loads(self.run("--json", *words))["result"]

    def hit(self, seconds, *words, data=None):
        """Starts a command and kills it after that time; its status, or None when it was killed."""
        with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as stderr:
            stdin.write(data or b"")
            stdin.seek(0)
            p = subprocess.Popen(self.words(*words), stdin=stdin, stdout=subprocess.DEVNULL,
                                 stderr=stderr)
            try:
                status = p.wait(timeout=seconds)
            except subprocess.TimeoutExpired:
                p.send_signal(signal.SIGKILL)
                status = p.wait()
            if self.verbose:
                print("   ", "killed" if status == -signal.SIGKILL else f"status {status}", *words)
            if status == -signal.SIGKILL:
                self.killed += 1
                return None
            self.finished += 1
            if status < 0:
                stderr.seek(0)
                raise Wrong(f"{words}: died of signal {-status}: {stderr.read()[-600:]}")
            return status


def content(tag, size):
    """Every block tells which write it came from and where it belongs."""
    return b"".join((b"%016d%016d" % (tag, i)) * (BLOCK // 32) for i in range(size // BLOCK))


def blocks(data):
    return [data[i:i + BLOCK] for i in range(0, len(data), BLOCK)]


class Lun:
    """What each block of the first SPAN bytes of a LUN may hold."""

    def __init__(self, number):
        self.number = number
        self.may = [{bytes(BLOCK)} for _ in range(SPAN // BLOCK)]

    def check(self, s):
        found = blocks(s.run("read", "lun", self.number, f"size={SPAN}B"))
        if len(found) != len(self.may):
            raise Wrong(f"LUN {self.number}: {len(found)} blocks came back")
        for i, block in enumerate(found):
            if block not in self.may[i]:
                raise Wrong(f"LUN {self.number}, block {i}: {block[:32]!r}, allowed "
                            f"{sorted(b[:32] for b in self.may[i])}")
            self.may[i] = {block}

    def write(self, s, tag, at, size, seconds):
        data = content(tag, size)
        status = s.hit(seconds, "write", "lun", self.number, f"offset={at}B", data=data)
        if status not in (0, None):
            raise Wrong(f"write lun {self.number}: status {status}")
        for i, block in enumerate(blocks(data)):
            old = self.may[at // BLOCK + i]
            self.may[at // BLOCK + i] = {block} if status == 0 else old | {block}


def healthy(s):
    """Nothing is wrong that recovery does not mend; waits for it."""
    for _ in range(5):
        bad = [x["number"] for x in s.json("list", "luns") if x["health"] != "healthy"]
        if not bad:
            return
        for n in bad:
            s.run("recover", "lun", n, statuses=(0, 4))
    raise Wrong(f"LUNs stay unhealthy: {s.json('list', 'luns')}")


# ---- rounds: each one command that is killed, and what must hold afterwards --------------------

def round_write(s, luns, tag, seconds):
    lun = s.rng.choice(luns)
    size = BLOCK * s.rng.choice((1, 3, 64, 256))
    at = BLOCK * s.rng.randrange((SPAN - size) // BLOCK + 1)
    lun.write(s, tag, at, size, seconds)
    lun.check(s)


def round_name(s, luns, tag, seconds):
    lun = s.rng.choice(luns)
    old = s.json("detail", "lun", lun.number)["friendly_name"]
    status = s.hit(seconds, "name", "lun", lun.number, f"name {tag}")
    new = s.json("detail", "lun", lun.number)["friendly_name"]
    if new not in ((f"name {tag}",) if status == 0 else (old, f"name {tag}")):
        raise Wrong(f"LUN {lun.number} is called {new!r}, was {old!r}")


def round_create(s, luns, tag, seconds):
    before = [x["number"] for x in s.json("list", "luns")]
    status = s.hit(seconds, "create", "lun", "raid5", "size=6MB", "drives=0-3", f"name=c{tag}")
    now = s.json("list", "luns")
    new = [x for x in now if x["number"] not in before]
    if [x["number"] for x in now][:len(before)] != before or len(new) > 1 or (
            status == 0 and not new):
        raise Wrong(f"create lun: {before} became {[x['number'] for x in now]}")
    for x in new:
        if s.run("read", "lun", x["number"], "size=1MB").strip(b"\0"):
            raise Wrong("a new LUN shows old data")
        status = s.hit(seconds, "-y", "delete", "lun", x["number"])
        left = [y["number"] for y in s.json("list", "luns")]
        if left not in ([before] if status == 0 else [before, before + [x["number"]]]):
            raise Wrong(f"delete lun {x['number']}: left {left}")
        if x["number"] in left:
            s.run("-y", "delete", "lun", x["number"])


def round_recover(s, luns, tag, seconds):
    drive = s.rng.randrange(4)
    s.run("--no-wait", "fault", "drive", drive, "failed")
    luns[0].write(s, tag, 0, 16 * BLOCK, 60)
    s.run("--no-wait", "fault", "drive", drive, "clear")
    for _ in range(3):
        status = s.hit(seconds, "recover", "lun", luns[0].number)
        if status not in (0, 4, None):
            raise Wrong(f"recover: status {status}")
    s.run("online", "drive", drive, statuses=(0, 4))
    healthy(s)
    for lun in luns:
        lun.check(s)


def round_status(s, luns, tag, seconds):
    drive = s.rng.randrange(6)
    s.hit(seconds, "offline", "drive", drive)
    s.hit(seconds, "online", "drive", drive)
    s.run("online", "drive", drive)
    healthy(s)
    luns[tag % len(luns)].check(s)


def round_flag(s, luns, tag, seconds):
    spare = tag % 2 == 0
    status = s.hit(seconds, "setflag", "drive", "slot:0.6",
                   f"hotspare={'true' if spare else 'false'}")
    flags = s.json("detail", "drive", "slot:0.6")["flags"]
    if status == 0 and ("hotspare" in flags) != spare:
        raise Wrong(f"the spare flag is {flags} after {spare} was acknowledged")


def drives(s):
    """Path to number; every drive is in a bay and works."""
    rows = s.json("list", "drives")
    for x in rows:
        if not x["path"] or x["status"] != "online":
            raise Wrong(f"drive {x['number']}: status {x['status']}, path {x['path']}, "
                        f"slot {x['bus']}.{x['slot']}, note {x.get('note')}")
    return {x["path"]: x["number"] for x in rows}


def round_drive(s, luns, tag, seconds):
    path = str(s.path.parent / f"more-{tag}.img")
    before = drives(s)
    with open(path, "wb") as f:
        f.truncate(96 * MB)
    status = s.hit(seconds, "add", "drive", f"path={path}")
    now = drives(s)
    if set(now) - {path} != set(before) or (status == 0 and path not in now):
        raise Wrong(f"add drive {path}: status {status}, {sorted(before)} became {sorted(now)}")
    if path not in now:
        s.run("add", "drive", f"path={path}")  # a half-formatted file must do as well as a new one
        now = drives(s)
    status = s.hit(seconds, "remove", "drive", now[path])
    left = drives(s)
    if set(left) - {path} != set(before) or (status == 0 and path in left):
        raise Wrong(f"remove drive {path}: status {status}, {sorted(before)} became {sorted(left)}")
    if path in left:
        s.run("remove", "drive", left[path])
    os.unlink(path)


ROUNDS = ((round_write, 10), (round_name, 2), (round_create, 2), (round_recover, 1),
          (round_status, 1), (round_flag, 2), (round_drive, 1))


def main():
    args = argparse.ArgumentParser()
    args.add_argument("vds")
    args.add_argument("--seconds", type=float, default=20)
    args.add_argument("--seed", type=int, default=int(time.time()))
    args.add_argument("--keep", action="store_true", help="keep the store when something is wrong")
    args.add_argument("--verbose", action="store_true", help="show each command that is killed")
    args = args.parse_args()
    print(f"seed {args.seed}", flush=True)
    rng = random.Random(args.seed)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="vds-kill-"))
    s = Store(os.path.abspath(args.vds), folder / "store", rng)
    s.verbose = args.verbose
    deadline = time.monotonic() + args.seconds
    tag, name, ok = 0, "set-up", False
    try:
        s.run("create", "subsystem", "drives=7x96MB", "faults=on")
        s.run("set", "provider", "autorecover=off")
        luns = []
        for i, (kind, drives) in enumerate(KINDS):
            s.run("create", "lun", kind, "size=8MB", f"drives={drives}")
            luns.append(Lun(i))
        begun = time.monotonic()
        for _ in range(5):
            s.run("list", "luns")
        usual = (time.monotonic() - begun) / 5
        # A machine that is slow for a moment gets more time until something was killed.
        while (now := time.monotonic()) < deadline or (not s.killed and now < deadline + 60):
            tag += 1
            act, name = rng.choices([r for r, _ in ROUNDS], [w for _, w in ROUNDS])[0], ""
            name = act.__name__
            act(s, luns, tag, rng.uniform(0, 2 * usual))
        for lun in luns:
            lun.check(s)
        ok = True
    except Wrong as e:
        print(f"round {tag} ({name}): {e}", flush=True)
    except Exception:  # a fault of the test itself, or an answer that no command should give
        print(f"round {tag} ({name}):\n{traceback.format_exc()}", flush=True)
    finally:
        if ok or not args.keep:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            print(f"kept: {folder}")
    print(f"{tag} rounds, {s.killed} commands killed, {s.finished} finished first")
    if ok and not s.killed:
        print("nothing was killed: the machine is too fast or too slow for this test")
        ok = False
    sys.exit(0 if ok else 1)


main()
