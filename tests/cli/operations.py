#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Drives and LUNs in use: loss, recovery, spares, maintenance, faults.

usage: operations.py VDS [CASE…]
"""
import contextlib
import json
import os
import signal
import sqlite3
import time

from harness import MB, contains, equal, main, pattern


def test_hot_spare_flags(s):
    s.make()
    e = s.envelope("setflag drive 5 hotspare=true")
    equal(e["changed"], True, "changed")
    equal(e["result"]["flags"], ["hotspare", "unassigned", "hotspare_standby"], "flags")
    e = s.envelope("setflag drive 5 hotspare=true")
    equal(e["changed"], False, "already")
    contains(s.run("list drives").out, "Hotspare")
    s.run("create lun mirror size=8MB drives=0,1")
    e = s.envelope("setflag drive 0 hotspare=true", status=4)
    equal(e["error"]["name"], "VDS_E_NOT_SUPPORTED", "a member")
    equal(e["error"]["hresult"], "0x80042400", "value")
    equal(s.json("setflag drive 5 hotspare=false")["flags"], ["unassigned"], "no longer")


def test_offline_and_online_resynchronise(s):
    s.make()
    s.run("create lun mirror size=16MB drives=0,1")
    s.run("write lun 0", stdin=pattern(4 * MB))
    contains(s.run("offline drive 1").out, "offline")
    equal(s.drive(1)["status"], "offline", "drive")
    equal(s.lun(0)["health"], "failed_redundancy", "LUN")
    equal(s.envelope("offline drive 1")["changed"], False, "already offline")
    s.run("write lun 0 offset=100000", stdin=pattern(100000, seed=7))
    s.run("online drive 1")
    equal(s.lun(0)["health"], "healthy", "waited for the resynchronisation")
    s.run("offline drive 0")
    data = bytearray(pattern(4 * MB))
    data[100000:200000] = pattern(100000, seed=7)
    equal(s.run(f"read lun 0 size={4 * MB}").data, bytes(data), "from the returned drive")


def test_offline_that_would_lose_data_is_refused(s):
    s.make()
    s.run("create lun simple size=8MB drives=0")
    e = s.envelope("offline drive 0", status=4)
    equal(e["error"]["name"], "VDS_E_NOT_SUPPORTED", "name")
    equal(e["error"]["object"]["number"], 0, "object")
    equal(s.drive(0)["status"], "online", "unchanged")


def test_recover_onto_a_spare(s):
    s.make()
    s.run("set provider autorecover=off")
    s.run("setflag drive 5 hotspare=true")
    s.run("create lun raid5 size=128MB drives=0-3 stripesize=64KB")
    data = pattern(16 * MB)
    s.run("write lun 0", stdin=data)
    s.run("fault drive 1 gone")
    equal(s.drive(1)["status"], "removed", "pulled")
    equal(s.lun(0)["health"], "failed_redundancy", "degraded")
    equal(s.run(f"read lun 0 size={16 * MB}").data, data, "degraded read")
    e = s.envelope("recover lun 0")
    equal(e["job"]["state"], "done", "job")
    equal(e["job"]["percent"], 100, "percent")
    equal(e["job"]["type"], "recoverlun", "type")
    lun = s.lun(0)
    equal(lun["health"], "healthy", "health")
    equal(lun["drives"], [0, 5, 2, 3], "members")
    equal(s.drive(5)["flags"], ["assigned"], "the spare is used up")
    equal(s.run(f"read lun 0 size={16 * MB}").data, data, "data")
    s.run("fault drive 1 clear")
    equal(s.drive(1)["flags"], ["unassigned"], "comes back empty")


def test_automatic_recovery_is_waited_for(s):
    s.make()
    s.run("create lun raid5 size=128MB drives=0-3")
    data = pattern(8 * MB)
    s.run("write lun 0", stdin=data)
    s.run("setflag drive 5 hotspare=true")
    done = s.run("fault drive 1 failed")
    contains(done.out, "recovery of LUN 0 completed")
    equal(s.lun(0)["health"], "healthy", "health")
    equal(s.run(f"read lun 0 size={8 * MB}").data, data, "data")


def test_a_spare_given_later_starts_the_recovery(s):
    s.make()
    s.run("create lun mirror size=64MB drives=0,1")
    s.run("fault drive 0 failed")
    equal(s.lun(0)["health"], "failed_redundancy", "no spare yet")
    s.run("setflag drive 4 hotspare=true")
    equal(s.lun(0)["health"], "healthy", "recovered")
    equal(sorted(s.lun(0)["drives"]), [1, 4], "members")


def test_recover_without_a_spare_fails_with_its_code(s):
    s.make("3x96MB")
    s.run("create lun raid5 size=32MB drives=0-2")
    s.run("fault drive 1 failed")
    e = s.envelope("recover lun 0", status=4)
    equal(e["error"]["name"], "VDS_E_NOT_ENOUGH_DRIVE", "name")
    equal(e["error"]["hresult"], "0x80042410", "value")


def test_recover_of_a_stripe_is_refused(s):
    s.make()
    s.run("create lun stripe size=32MB drives=0-2")
    done = s.run("recover lun 0", status=4)
    contains(done.err, "LUN 0 (stripe) is not fault tolerant (VDS_E_INVALID_OPERATION 0x80042415)")
    contains(done.err, "try:   status lun 0")


def test_recover_without_waiting(s):
    s.make()
    s.run("set provider autorecover=off")
    s.run("set provider rebuildrate=4MB")
    s.run("setflag drive 5 hotspare=true")
    s.run("create lun mirror size=64MB drives=0,1")
    s.run("write lun 0", stdin=pattern(64 * MB))
    s.run("fault drive 1 failed")
    e = s.envelope("recover lun 0 --no-wait")
    number = e["job"]["number"]
    equal(e["job"]["state"] in ("running", "interrupted"), True, "still going")
    equal(s.lun(0)["health"], "rebuilding", "health")
    jobs = s.json("list jobs")
    equal([j["number"] for j in jobs if j["state"] in ("running", "interrupted")], [number], "job")
    s.run("set provider rebuildrate=0")
    s.run(f"wait job {number}")
    equal(s.lun(0)["health"], "healthy", "health")
    e = s.envelope(f"cancel job {number}", status=4)
    equal(e["error"]["name"], "VDS_E_CANCEL_TOO_LATE", "too late")


def test_a_wait_that_takes_too_long(s):
    s.make()
    s.run("set provider autorecover=off")
    s.run("set provider rebuildrate=1MB")
    s.run("setflag drive 5 hotspare=true")
    s.run("create lun mirror size=64MB drives=0,1")
    s.run("write lun 0", stdin=pattern(64 * MB))
    s.run("fault drive 1 failed")
    done = s.run("recover lun 0 --timeout 1", status=7)
    contains(done.err, "wait job")
    equal(s.lun(0)["health"], "rebuilding", "it goes on")


def test_control_c_cancels(s):
    s.make()
    s.run("set provider autorecover=off")
    s.run("set provider rebuildrate=1MB")
    s.run("setflag drive 5 hotspare=true")
    s.run("create lun mirror size=64MB drives=0,1")
    s.run("write lun 0", stdin=pattern(64 * MB))
    s.run("fault drive 1 failed")
    p = s.popen("--progress plain recover lun 0")
    line = p.stderr.readline()  # it is running: the first progress line
    contains(line.decode(), "recovery of LUN 0")
    p.send_signal(signal.SIGINT)
    out, err = p.communicate(timeout=60)
    equal(p.returncode, 6, err)
    contains(err.decode(), "VDS_E_OPERATION_CANCELED")
    equal(s.lun(0)["health"], "failed_redundancy", "health")


def test_maintenance(s):
    s.make()
    contains(s.run("maintenance drive 1 blink").out, "Drive 1 (bus 0 slot 1) is blinking until stopped.")
    state = s.json("maintenance drive 1 blink status")
    equal(state["mode"], "running", "mode")
    equal(state["operation"], "blink", "operation")
    e = s.envelope("maintenance drive slot:0.1 blink stop")
    equal(e["changed"], True, "changed")
    e = s.envelope("maintenance drive 1 blink stop")
    equal((e["ok"], e["changed"]), (True, False), "S_FALSE")
    contains(s.run("maintenance drive 1 blink stop").out, "was not blinking")
    s.run("set provider pulseinterval=10")
    s.run("maintenance drive 1 blink count=3")
    deadline = time.monotonic() + 20
    while s.json("maintenance drive 1 blink status")["mode"] != "idle":
        equal(time.monotonic() < deadline, True, "the pulses end")
    pulses = [e for e in s.json("detail drive 1 verbose")["maintenance_log"] if e["kind"] == "pulse"]
    equal(len(pulses), 3, "pulses")
    s.run("maintenance subsystem 0 blink")
    s.run("maintenance controller 0 blink")
    s.run("maintenance drive 0 ping")
    s.run("create lun mirror size=8MB drives=2,3")
    s.run("maintenance lun 0 blink")
    equal(s.json("maintenance drive 2 blink status")["effective"], True, "fan-out")
    e = s.envelope("maintenance controller 0 spindown", status=4)
    equal(e["error"]["name"], "VDS_E_NOT_SUPPORTED", "spindown")
    e = s.envelope("maintenance drive 2 blink count=0", status=4)
    equal(e["error"]["name"], "E_INVALIDARG", "count=0")
    equal(s.json("maintenance drive 4 blink status")["mode"], "idle", "left alone")


def test_faults_on_drives(s):
    s.make()
    s.run("set provider autorecover=off")
    s.run("create lun raid5 size=32MB drives=0-3")
    data = pattern(8 * MB)
    s.run("write lun 0", stdin=data)
    s.run("fault drive 1 failed")
    equal(s.drive(1)["status"], "failed", "failed")
    s.run("fault drive 1 clear")
    equal(s.drive(1)["status"], "online", "mended")
    s.run("recover lun 0")
    equal(s.lun(0)["health"], "healthy", "health")
    s.run("fault drive 2 readerror offset=0 size=96MB")
    faults = s.json("list faults")
    equal([(f["kind"], f["object_type"], f["object_number"]) for f in faults],
          [("read_error", "drive", 2)], "faults")
    equal(s.run(f"read lun 0 size={8 * MB}").data, data, "read around the errors")
    s.run("fault drive 2 clear")
    equal(s.json("list faults"), [], "cleared")
    s.run("fault drive 3 predict")
    equal(s.drive(3)["health"], "pending_failure", "predicted")
    s.run("fault drive 3 clear")


def test_a_pulled_drive_departs_and_is_put_back(s):
    s.make()
    s.run("set provider autorecover=off")
    s.run("create lun mirror size=16MB drives=0,1")
    s.run("fault drive 1 gone")
    equal(s.drive(1)["status"], "removed", "removed")
    s.run("reenumerate drives")
    equal([d["number"] for d in s.json("list drives")], [0, 2, 3, 4, 5], "departed")
    e = s.envelope("detail drive 1", status=4)
    equal(e["error"]["name"], "VDS_E_OBJECT_NOT_FOUND", "not found")
    s.run("fault drive 1 clear")
    equal(s.drive(1)["status"], "online", "back, with its number")
    s.run("recover lun 0")
    equal(s.lun(0)["health"], "healthy", "health")


def test_remove_and_add_drive(s):
    s.make()
    path = s.drive(5)["path"]
    identity = s.drive(5)["id"]
    s.run("remove drive 5")
    equal(len(s.json("list drives")), 5, "gone")
    equal(os.path.exists(path), True, "the file stays")
    added = s.json(f"add drive path={path} slot=0.5")
    equal((added["id"], added["number"]), (identity, 5), "the same drive")
    new = s.json(f"add drive path={s.folder}/new.img size=64MB")
    equal((new["bus"], new["slot"], new["number"]), (0, 6, 6), "next free slot")
    equal(os.path.getsize(new["path"]), 64 * MB, "size")
    (s.folder / "foreign").write_bytes(pattern(96 * MB // 8) * 8)
    e = s.envelope(f"add drive path={s.folder}/foreign", status=4)
    equal(e["error"]["name"], "VDS_E_NOT_SUPPORTED", "foreign content")


def bays(s, statement, *values):
    with contextlib.closing(sqlite3.connect(s.path / "store.db")) as db, db:
        return db.execute(statement, values).fetchall()


def test_an_addition_that_was_cut_short(s):
    """What a killed "add drive" leaves behind: a bay that is reserved, and a file at any stage."""
    s.make("3x96MB")
    path = s.folder / "more.img"
    reserve = "INSERT INTO bay SELECT subsystem, 0, 3, ?, NULL, 0, 0 FROM bay WHERE slot = 0"
    bays(s, reserve, str(path))  # the file is not there yet
    equal([d["slot"] for d in s.json("list drives")], [0, 1, 2], "nothing was added")
    equal(s.json(f"add drive path={path} size=96MB")["slot"], 3, "the slot is free")
    s.run("remove drive 3")
    path.unlink()
    path.touch()
    os.truncate(path, 96 * MB)  # it is there, and still blank
    bays(s, reserve, str(path))
    equal([d["slot"] for d in s.json("list drives")], [0, 1, 2], "nothing was added")
    equal(s.json(f"add drive path={path} slot=0.7")["slot"], 7, "nor is the path taken")
    # All was done but for the note that the drive is in the bay.
    bays(s, "UPDATE bay SET drive = NULL WHERE slot = 7")
    equal([d["slot"] for d in s.json("list drives")], [0, 1, 2, 7], "it is there")
    equal(s.json(f"add drive path={path}2 size=96MB")["slot"], 3, "and stays")
    equal([d["slot"] for d in s.json("list drives")], [0, 1, 2, 7, 3], "both")


def test_the_cure_of_a_corrupt_cache(s):
    s.make()
    s.run("create lun mirror size=8MB drives=0,1")
    s.run("fault provider cachecorrupt")
    for command in ("list drives", "maintenance drive 1 blink", "recover lun 0", "offline drive 2"):
        e = s.envelope(command, status=4)
        equal(e["error"]["name"], "VDS_E_PROVIDER_CACHE_CORRUPT", command)
        equal(e["error"]["hresult"], "0x8004241f", command)
        equal(e["error"]["try"], ["reenumerate subsystems", "refresh provider"], command)
    equal(s.envelope("refresh provider", status=4)["error"]["name"],
          "VDS_E_PROVIDER_CACHE_CORRUPT", "refresh alone")
    s.run("reenumerate subsystems")
    s.run("list drives", status=4)
    s.run("refresh provider")
    s.run("list drives")
    s.run("recover lun 0")


def test_faults_need_permission(s):
    s.run("create subsystem drives=2x96MB")
    e = s.envelope("create subsystem faults=on", status=4)
    equal(e["error"]["object"], None, "only the first subsystem can allow them")
    e = s.envelope("fault drive 1 failed", status=4)
    equal(e["error"]["name"], "VDS_E_NOT_SUPPORTED", "name")


def test_replace_drive(s):
    s.make()
    s.run("create lun mirror size=16MB drives=0,1")
    s.run("write lun 0", stdin=pattern(4 * MB))
    s.run("-y replace drive 1 with drive 4")
    equal(sorted(s.lun(0)["drives"]), [0, 4], "members")
    equal(s.lun(0)["health"], "healthy", "waited")
    equal(s.drive(1)["flags"], ["unassigned"], "the old one is free")


def test_status_and_check(s):
    s.make()
    s.run("set provider autorecover=off")
    s.run("create lun raid5 size=32MB drives=0-3")
    contains(s.run("status").out, "All is well")
    equal(s.run("check").out, "", "silent")
    contains(s.run("check --nagios").out, "VDS OK")
    s.run("fault drive 1 failed")
    done = s.run("status")
    contains(done.out, "LUN 0")
    contains(done.out, "drive 1 is failed")
    s.run("check", status=20)
    contains(s.run("check --nagios", status=1).out, "VDS WARNING - LUN 0 redundancy lost")
    equal(s.json("check", status=20)["health"], "degraded", "health")
    s.run("fault drive 2 failed")
    s.run("check", status=21)
    contains(s.run("check --nagios", status=2).out, "CRITICAL")
    s.run("fault provider cachecorrupt")
    s.run("check", status=22)
    contains(s.run("check --nagios", status=3).out, "UNKNOWN")


def degraded_mirror(s, rate):
    """A mirror of 64 MB that has lost drive 1, with a spare, full of data."""
    s.make()
    s.run("set provider autorecover=off")
    s.run(f"set provider rebuildrate={rate}")
    s.run("setflag drive 5 hotspare=true")
    s.run("create lun mirror size=64MB drives=0,1")
    s.run("write lun 0", stdin=pattern(64 * MB))
    s.run("fault drive 1 failed")


def test_watch(s):
    degraded_mirror(s, "0")
    script = "recover lun 0 --no-wait\nwatch luns --timeout 2\n"
    events = [json.loads(x) for x in s.run("--json -s -", stdin=script).out.splitlines()]
    seen = [e for e in events if "event" in e]
    equal({e["event"] for e in seen}, {"lun_modify"}, "only of LUNs")
    equal(seen[0]["object"]["number"], 0, "number")
    equal(events[-2]["result"]["notifications"] >= len(seen), True, "counted")
    done = s.run("watch moons", status=5)
    contains(done.err, "no kind of object")


def test_a_killed_recovery_is_taken_up(s):
    degraded_mirror(s, "8MB")
    p = s.popen("--progress plain recover lun 0")
    while " 0%" in (line := p.stderr.readline().decode()):
        contains(line, "recovery of LUN 0")
    p.kill()
    p.wait()
    p.stdout.close()
    p.stderr.close()
    equal(s.lun(0)["health"], "rebuilding", "it counts as running")
    before = [j for j in s.json("list jobs --no-wait") if j["type"] == "recoverlun"]
    equal(before[0]["state"], "interrupted", "job")
    s.run("set provider rebuildrate=0 --no-wait")
    e = s.envelope("recover lun 0")
    equal(e["job"]["number"], before[0]["number"], "the same job")
    equal(s.lun(0)["health"], "healthy", "health")
    equal(s.run("read lun 0").data, pattern(64 * MB), "data")


def test_an_interrupted_recovery_goes_on_with_any_command(s):
    degraded_mirror(s, "0")
    s.run("recover lun 0 --no-wait")
    deadline = time.monotonic() + 60
    while s.lun(0)["health"] != "healthy":
        equal(time.monotonic() < deadline, True, "each command gives it up to one second")
    jobs = [j for j in s.json("list jobs") if j["type"] == "recoverlun"]
    equal([j["state"] for j in jobs], ["done"], "one job")


def test_what_no_wait_leaves_undone(s):
    s.make()
    s.run("setflag drive 5 hotspare=true")
    s.run("create lun mirror size=64MB drives=0,1")
    s.run("fault drive 1 failed --no-wait")
    equal(s.json("detail lun 0 --no-wait")["health"], "failed_redundancy", "not begun")
    s.run("list luns")
    deadline = time.monotonic() + 60
    while s.lun(0)["health"] != "healthy":
        equal(time.monotonic() < deadline, True, "later commands see to it")


if __name__ == "__main__":
    main("__main__")
