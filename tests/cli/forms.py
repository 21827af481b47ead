#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The commands in the forms the manual gives, on real stores. usage: forms.py VDS [CASE…]"""
import json
import os
import signal
import time

from harness import MB, contains, equal, main, pattern

DRIVE_KEYS = {"number", "id", "friendly_name", "identification", "status", "status_raw", "health",
              "health_raw", "size_bytes", "bus", "slot", "flags", "flags_raw", "path",
              "free_bytes", "usable_bytes", "largest_free_bytes", "subsystem"}
LUN_KEYS = {"number", "id", "friendly_name", "identification", "status", "status_raw", "health",
            "health_raw", "type", "type_raw", "size_bytes", "transition_state",
            "transition_state_raw", "flags", "flags_raw", "rebuild_priority", "unmasking_list",
            "drives", "members", "stripe_size_bytes", "member_count", "redundancy", "subsystem"}
ENVELOPE = ["schema", "host", "command", "ok", "changed", "result", "warnings", "job", "error"]


def test_create_subsystem_makes_store_and_drives(s):
    done = s.run("create subsystem drives=6x96MB faults=on name=lab")
    contains(done.out, "Subsystem 0 was created")
    drives = s.json("list drives")
    equal([d["number"] for d in drives], [0, 1, 2, 3, 4, 5], "numbers")
    equal([(d["bus"], d["slot"]) for d in drives], [(0, i) for i in range(6)], "slots")
    for d in drives:
        equal(d["size_bytes"], 96 * MB, "size")
        equal(d["status"], "online", "status")
        equal(d["health"], "healthy", "health")
        equal(d["flags"], ["unassigned"], "flags")
        equal(os.path.getsize(d["path"]), 96 * MB, "file")
        missing = DRIVE_KEYS - set(d)
        equal(missing, set(), "missing keys")
    subsystems = s.json("list subsystems")
    equal([x["friendly_name"] for x in subsystems], ["lab"], "name")


def test_create_subsystem_again_makes_another(s):
    s.make()
    s.run("create subsystem drives=2x96MB")
    equal([x["number"] for x in s.json("list subsystems")], [0, 1], "subsystems")
    drives = s.json("list drives")
    equal([d["number"] for d in drives], list(range(8)), "drives")
    equal([d["subsystem"] for d in drives], [0] * 6 + [1] * 2, "subsystem")
    equal(len(s.json("list drives subsystem=1")), 2, "of one")
    done = s.run("create lun mirror size=32MB", status=5)
    contains(done.err, "which subsystem")
    s.run("create lun mirror size=32MB subsystem=1")
    equal(s.lun(0)["subsystem"], 1, "subsystem of the LUN")
    s.run("create lun mirror size=32MB drives=0,1 subsystem=0")


def test_all_envelopes_have_the_same_keys(s):
    s.make()
    for command, status in (("list drives", 0), ("detail drive 99", 4), ("lits", 5),
                            ("list luns", 0), ("maintenance drive 1 blink", 0)):
        e = s.envelope(command, status=status)
        equal(list(e), ENVELOPE, command)
        equal(e["ok"], status == 0, command)
        equal(e["error"] is None, status == 0, command)
        equal(e["schema"], "vds.1", command)
        equal(e["command"], command, command)


def test_create_lun_of_every_type(s):
    s.make("12x96MB")
    rows = [("simple", 1), ("span", 2), ("stripe", 2), ("mirror", 2), ("raid5", 3), ("raid6", 4),
            ("raid10", 4), ("raid", 3)]
    for i, (kind, drives) in enumerate(rows):
        s.run(f"create lun {kind} size=8MB drives=0-{drives - 1} name=lun-{kind}"
              if drives > 1 else f"create lun {kind} size=8MB drives=0 name=lun-{kind}")
        lun = s.lun(i)
        equal(lun["type"], "parity" if kind == "raid" else kind, "type")
        equal(lun["friendly_name"], f"lun-{kind}", "name")
        equal(lun["health"], "healthy", kind)
        equal(lun["status"], "online", kind)
        equal(lun["transition_state"], "stable", kind)
        equal(len(lun["drives"]), drives, kind)
        equal(lun["size_bytes"] >= 8 * MB, True, "size is rounded up")
        equal(LUN_KEYS - set(lun), set(), "missing keys")


def test_stripe_size_and_largest_size(s):
    s.make()
    s.run("create lun raid5 size=128MB drives=0-3 stripesize=128KB")
    equal(s.lun(0)["stripe_size_bytes"], 128 * 1024, "stripe size")
    equal(s.lun(0)["size_bytes"] >= 128 * MB, True, "size")
    s.run("create lun mirror drives=4,5")
    equal(s.lun(1)["size_bytes"] > 32 * MB, True, "as large as possible")
    equal(s.drive(4)["free_bytes"], 0, "nothing is left")


def test_write_and_read_the_same_bytes(s):
    s.make()
    s.run("create lun raid5 size=32MB drives=0-3 stripesize=64KB")
    data = pattern(5 * MB + 12345)
    s.run("write lun 0", stdin=data)
    equal(s.run(f"read lun 0 size={len(data)}").data, data, "from the beginning")
    s.run("write lun 0 offset=1000001", stdin=b"x" * 777)
    back = s.run("read lun 0 offset=1000000 size=779").data
    equal(back, data[1000000:1000001] + b"x" * 777 + data[1000778:1000779], "at an odd offset")
    whole = s.run("read lun 0").data
    equal(len(whole), s.lun(0)["size_bytes"], "the whole LUN")
    equal(s.run(f"read lun 0 offset={len(whole) - 32} size=999999").data, whole[-32:], "to the end")
    result = s.json("write lun 0", stdin=b"abc")
    equal(result["bytes_written"], 3, "bytes_written")


def test_json_of_read_goes_to_standard_error(s):
    s.make()
    s.run("create lun simple size=8MB drives=0")
    done = s.run("--json read lun 0 size=4")
    equal(done.data, b"\0\0\0\0", "data")
    equal(json.loads(done.err)["result"]["bytes_read"], 4, "envelope")


def test_files_instead_of_standard_streams(s):
    s.make()
    s.run("create lun simple size=8MB drives=0")
    (s.folder / "in").write_bytes(pattern(70000))
    s.run(f"write lun 0 file={s.folder}/in offset=512")
    s.run(f"read lun 0 offset=512 size=70000 file={s.folder}/out")
    equal((s.folder / "out").read_bytes(), pattern(70000), "copied")
    s.run("-s -", stdin=f"write lun 0 file={s.folder}/in\nread lun 0 size=70000 file={s.folder}/2\n")
    equal((s.folder / "2").read_bytes(), pattern(70000), "in a script")


def test_input_longer_than_the_lun(s):
    s.make()
    s.run("create lun simple size=8MB drives=0")
    size = s.lun(0)["size_bytes"]
    data = pattern(size + 1)
    e = s.envelope("write lun 0", stdin=data, status=4)
    equal(e["error"]["name"], "E_INVALIDARG", "name")
    equal(e["result"]["bytes_written"], size, "written")
    contains(e["error"]["message"], str(size))
    equal(s.run("read lun 0").data, data[:size], "what fitted is there")
    s.run("write lun 0", stdin=data[:size])
    contains(s.run(f"read lun 0 offset={size + 1}", status=4).err, "beyond the end")


def test_a_reader_that_stops_early(s):
    s.make()
    s.run("create lun simple size=64MB drives=0")
    p = s.popen("read lun 0")
    p.stdout.read(1000)
    p.stdout.close()
    p.wait(timeout=60)
    equal(p.returncode, 0, p.stderr.read())
    p.stderr.close()


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


def test_settings_are_kept(s):
    s.make()
    equal(s.json("set provider autorecover=off")["autorecover"], False, "off")
    equal(s.json("list providers")[0]["autorecover"], False, "kept")
    equal(s.envelope("set provider autorecover=off")["changed"], False, "already")
    equal(s.json("set provider autorecover=on")["autorecover"], True, "on")


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


def test_names(s):
    s.make()
    s.run("create lun mirror size=8MB drives=0,1")
    e = s.envelope("name lun 0 backup")
    equal((e["changed"], e["result"]["friendly_name"]), (True, "backup"), "named")
    equal(s.envelope("name lun 0 backup")["changed"], False, "same")
    equal(s.json("detail lun name:backup")["number"], 0, "found by name")
    s.run("name lun 0", "größer & \"besser\"")
    equal(s.lun(0)["friendly_name"], "größer & \"besser\"", "any text")
    e = s.envelope("name lun 0 " + "x" * 80)
    equal(len(s.lun(0)["friendly_name"]), 63, "truncated")
    equal(len(e["warnings"]), 1, "warned")
    s.run("name lun 0")
    s.run("name subsystem 0 rack")
    equal(s.json("list subsystems")[0]["friendly_name"], "rack", "subsystem")


def test_extend_and_shrink(s):
    s.make()
    s.run("create lun mirror size=16MB drives=0,1")
    s.run("write lun 0", stdin=pattern(16 * MB))
    s.run("extend lun 0 size=16MB")
    equal(s.lun(0)["size_bytes"], 32 * MB, "larger")
    equal(s.run(f"read lun 0 size={16 * MB}").data, pattern(16 * MB), "data stay")
    s.run("shrink lun 0 size=8MB", status=5)
    s.run("-y shrink lun 0 size=8MB")
    equal(s.lun(0)["size_bytes"], 24 * MB, "smaller")
    e = s.envelope("-y shrink lun 0 size=1GB", status=4)
    equal(e["error"]["name"], "VDS_E_INVALID_SHRINK_SIZE", "too much")


def test_plexes(s):
    s.make()
    s.run("create lun simple size=16MB drives=0")
    s.run("create lun simple size=16MB drives=1")
    s.run("write lun 0", stdin=pattern(4 * MB))
    s.run("-y add plex lun=1 to=0")
    equal([x["number"] for x in s.json("list luns")], [0], "LUN 1 is a plex now")
    equal((s.lun(0)["type"], s.lun(0)["health"]), ("mirror", "healthy"), "mirror")
    equal(len(s.lun(0)["plexes"]), 2, "plexes")
    s.run("fault drive 0 failed")
    equal(s.run(f"read lun 0 size={4 * MB}").data, pattern(4 * MB), "from the copy")
    s.run("fault drive 0 clear")
    s.run("-y recover lun 0")
    s.run("-y break plex=1 lun=0")
    equal(len(s.lun(0)["plexes"]), 1, "one is left")
    e = s.envelope("-y break plex=7 lun=0", status=4)
    equal(e["error"]["name"], "VDS_E_OBJECT_NOT_FOUND", "no such plex")


def test_replace_drive(s):
    s.make()
    s.run("create lun mirror size=16MB drives=0,1")
    s.run("write lun 0", stdin=pattern(4 * MB))
    s.run("-y replace drive 1 with drive 4")
    equal(sorted(s.lun(0)["drives"]), [0, 4], "members")
    equal(s.lun(0)["health"], "healthy", "waited")
    equal(s.drive(1)["flags"], ["unassigned"], "the old one is free")


def test_delete_lun(s):
    s.make()
    s.run("create lun mirror size=8MB drives=0,1")
    done = s.run("delete lun 0", status=5)
    contains(done.err, "-y")
    equal(len(s.json("list luns")), 1, "nothing happened")
    s.run("-y delete lun 0")
    equal(s.json("list luns"), [], "gone")
    equal(s.drive(0)["flags"], ["unassigned"], "freed")
    s.run("create lun mirror size=8MB drives=0,1")
    equal([x["number"] for x in s.json("list luns")], [1], "numbers are not used again")


def test_masks(s):
    s.make()
    s.run("create lun mirror size=8MB drives=0,1")
    equal(s.json("unmask lun 0 all")["unmasking_list"], "*", "all")
    s.run("-y unmask lun 0 none")
    equal(s.lun(0)["unmasking_list"], None, "none")


def test_controllers_and_ports(s):
    s.make()
    controllers = s.json("list controllers")
    equal(len(controllers), 1, "one controller")
    equal(len(s.json("list ports")), 1, "one port")
    s.run("flushcache controller 0")
    s.run("-y invalidatecache controller 0")
    s.run("-y reset controller 0")
    s.run("-y reset port 0")
    s.run("offline port 0")
    equal(s.json("list ports")[0]["status"], "offline", "port")
    s.run("online port 0")
    e = s.envelope("flushcache controller 7", status=4)
    equal(e["error"]["name"], "VDS_E_OBJECT_NOT_FOUND", "no such controller")


def test_lun_and_subsystem_status(s):
    s.make()
    s.run("create lun mirror size=8MB drives=0,1")
    s.run("offline lun 0")
    equal(s.lun(0)["status"], "offline", "LUN")
    s.run("read lun 0 size=1", status=4)
    s.run("online lun 0")
    s.run("offline subsystem 0")
    equal(s.json("list subsystems")[0]["status"], "offline", "subsystem")
    s.run("online subsystem 0")
    e = s.envelope("status drive 2 set failed", status=4)
    equal(e["error"]["name"], "VDS_E_NOT_SUPPORTED", "a fact, not a wish")
    e = s.envelope("status drive 2 set unknown", status=4)
    equal(e["error"]["name"], "E_INVALIDARG", "unknown")
    s.run("status drive 2 set offline")
    equal(s.drive(2)["status"], "offline", "as offline drive")


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


def test_where_and_columns(s):
    s.make()
    s.run("setflag drive 5 hotspare=true")
    equal([d["number"] for d in s.json("list drives where flags=hotspare")], [5], "flag")
    equal(len(s.json("list drives where health!=healthy")), 0, "none ill")
    equal(len(s.json("list drives where slot>=3")), 3, "numbers")
    equal(len(s.json("list drives where size_bytes<1GB")), 6, "sizes")
    s.run("list drives where colour=blue", status=5)
    out = s.run("--no-header --columns number,status list drives").out
    equal(out.splitlines()[0].split(), ["0", "Online"], "columns")


def test_selectors(s):
    s.make()
    d = s.drive(3)
    for selector in ("3", d["id"], d["id"].strip("{}"), "slot:0.3", "path:" + d["path"],
                     "serial:" + d["identification"]):
        equal(s.json("detail drive " + selector)["number"], 3, selector)
    equal([x["number"] for x in s.json("detail drive 1-3")], [1, 2, 3], "range")
    equal([x["number"] for x in s.json("setflag drive 1,4 hotspare=true")], [1, 4], "list")
    e = s.envelope("detail drive 17", status=4)
    equal(e["error"]["hresult"], "0x80042405", "not found")
    equal(e["error"]["object"]["number"], 17, "object")


def test_a_script_with_focus(s):
    s.make()
    script = "\n".join([
        "rem a comment", "select subsystem 0", "create lun mirror size=8MB drives=0,1 name=a",
        "select lun 0", "name b # focus", "detail lun", "recover lun", "maintenance lun blink",
        "maintenance lun blink stop", "sel drive 2", "setflag drive hotspare=on",
        "setflag drive hotspare=off", "exit", "nonsense"]).replace("name b # focus", "name lun b")
    done = s.run("-s -", stdin=script)
    contains(done.out, "LUN 0 (a) is now the selected LUN.")
    contains(done.out, "LUN 0 is now called b.")
    contains(done.out, "The recovery of LUN 0 completed.")
    done = s.run("-s -", stdin="recover lun\n", status=5)
    contains(done.err, "which LUN")
    done = s.run("-s -", stdin="select drive 99\n", status=4)


def test_a_script_in_json(s):
    s.make()
    script = "setflag drive 5 hotspare=on\nsetflag drive 5 hotspare=on\nrecover lun 7 noerr\n"
    done = s.run("--json -s -", stdin=script)
    lines = [json.loads(x) for x in done.out.splitlines()]
    equal(len(lines), 4, "three envelopes and the summary")
    equal(lines[2]["ok"], False, "the hidden failure is recorded")
    equal(lines[3]["summary"], {"run": 3, "failed": 0, "suppressed": 1, "changed": 1}, "summary")
    s.run("--strict -s -", stdin=script, status=9)


def test_a_script_ends_at_the_first_error(s):
    s.make()
    (s.folder / "a.vds").write_text("recover lun 7\nsetflag drive 5 hotspare=on\n")
    done = s.run(f"-s {s.folder}/a.vds", status=4)
    contains(done.err, "line 1")
    equal(s.drive(5)["flags"], ["unassigned"], "the second line did not run")
    s.run(f"--keep-going -s {s.folder}/a.vds", status=4)
    contains(s.drive(5)["flags"], "hotspare")
    s.run(f"-s {s.folder}/missing.vds", status=3)


def test_scripts_are_strict_about_prefixes(s):
    s.make()
    s.run("-s -", stdin="sel drive 1\ndet drive\n")
    s.run("-s -", stdin="lis drives\n", status=5)


def test_dry_run_changes_nothing(s):
    s.run("-n create subsystem drives=2x96MB")
    equal(s.path.exists(), False, "no store")
    s.make()
    s.run("create lun mirror size=8MB drives=0,1")
    for command in ("create lun raid5 size=32MB drives=2-4", "delete lun 0", "offline drive 1",
                    "setflag drive 5 hotspare=true", "remove drive 5", "fault drive 1 failed",
                    "extend lun 0 size=8MB", "maintenance drive 1 blink", "recover lun 0",
                    "name lun 0 x"):
        e = s.envelope("-n " + command)
        equal(e["changed"], False, command)
        equal("plan" in e["result"], True, command)
    equal([x["number"] for x in s.json("list luns")], [0], "LUNs")
    equal(s.json("list faults"), [], "faults")
    equal(s.json("maintenance drive 1 blink status")["mode"], "idle", "light")
    contains(s.run("-n create lun raid5 size=9GB drives=2-4", status=4).err, "largest possible")


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


def test_automagic(s):
    s.make()
    s.run("-s -", stdin="automagic set ftl=on\ncreate lun automagic size=16MB\n")
    equal(s.lun(0)["redundancy"] >= 1, True, "fault tolerant")
    s.run("-s -", stdin="automagic set ftl=off\ncreate lun automagic size=16MB\n")
    equal(s.lun(1)["redundancy"], 0, "not fault tolerant")


def test_one_process_at_a_time(s):
    s.make()
    p = s.popen("-s -", stdin=-1)
    p.stdin.write(b"list subsystems\n")
    p.stdin.flush()
    equal(b"Subsystem" in p.stdout.readline(), True, "it is open")
    done = s.run("list drives", status=8)
    contains(done.err, "error: the store")
    p.stdin.close()
    p.wait(timeout=60)
    p.stdout.close()
    p.stderr.close()
    s.run("list drives")


def test_the_store_from_the_environment(s):
    s.make()
    equal(len(json.loads(s.run("--json list drives", store=False,
                               env={"VDS_STORE": str(s.path)}).out)["result"]), 6, "drives")


def test_mistakes(s):
    s.make()
    rows = [("lits drives", 5, "no command"), ("list", 5, "of what"),
            ("list moons", 5, "no kind of object"), ("create lun raid7 size=5", 5, "does not take"),
            ("create lun raid5", 5, "size= or drives= is missing"),
            ("create lun raid5 size=12x", 5, "no size"),
            ("create lun raid5 size=0 drives=0-3", 5, "no size"),
            ("create lun raid5 sise=5", 5, "no option"),
            ("create lun raid5 size=8MB drives=0-9", 4, "there is no drive 6"),
            ("create lun raid5 size=9GB drives=0-3", 4, "was not created"),
            ("create lun raid6 size=8MB drives=0-2", 4, "was not created"),
            ("detail lun 0", 4, "there is no LUN 0"), ("detail drive", 5, "which drive"),
            ("recover lun 0 now", 5, "does not take"), ("setflag drive 5", 5, "is missing"),
            ("setflag drive 5 hotspare=maybe", 5, "neither on nor off"),
            ("maintenance drive 1 blnk", 5, "does not take"),
            ("maintenance drive 1", 5, "is missing"), ("fault drive 1 readerror", 5, "is missing"),
            ("fault drive 1 gone offset=5", 5, "takes no"),
            ("wait job 99", 4, "there is no job 99"), ("add drive", 5, "path= is missing"),
            ("add drive path=/nonexistent/x", 4, "cannot be added"),
            ("name lun 5 x", 4, "there is no LUN 5"), ("write lun 3", 4, "there is no LUN 3"),
            ("--wat", 2, "no option"), ("-H elsewhere list drives", 8, "no remote support"),
            ("add drive path=/dev/null", 4, "cannot be added")]
    for command, status, text in rows:
        done = s.run(command, status=status)
        contains(done.err, "error: ")
        contains(done.err, text)
        equal([x[:7] for x in done.err.splitlines()].count("error: "), 1, command)
        equal("try:" in done.err or "cause:" in done.err, True, command + ": no advice")
        if status == 4:
            contains(done.err, " 0x80")


def test_no_store(s):
    done = s.run("list drives", status=8)
    contains(done.err, "create subsystem")
    done = s.run("list drives", store=False, status=8, env={"VDS_STORE": ""})
    contains(done.err, "--store")
    equal(s.path.exists(), False, "nothing was made")


def test_completion_of_live_objects(s):
    s.make("3x96MB")
    s.run("create lun mirror size=8MB drives=0,1 name=data")
    out = s.run("__complete detail drive").out.split()
    equal(out[:2], ["0", "slot:0.0"], "drives")
    contains(s.run("__complete detail lun").out, "name:data")


def test_numbers_survive_a_restart(s):
    s.make()
    s.run("create lun mirror size=8MB drives=0,1")
    s.run("create lun mirror size=8MB drives=2,3")
    s.run("-y delete lun 0")
    equal([x["number"] for x in s.json("list luns")], [1], "numbers")


def test_personality(s):
    s.make()
    link = s.folder / "diskraid"
    link.symlink_to(s.binary)
    s.binary = str(link)
    s.run("-s -", stdin="list drives\n")
    s.run("/s " + str(s.folder / "missing"), status=3)


if __name__ == "__main__":
    main("__main__")
