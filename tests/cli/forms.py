#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Stores, LUNs and their bytes: the commands in the forms the manual gives.

usage: forms.py VDS [CASE…]
"""
import json
import os

from harness import MB, contains, equal, main, pattern

DRIVE_KEYS = {"number", "id", "friendly_name", "identification", "status", "status_raw", "health",
              "health_raw", "size_bytes", "bus", "slot", "flags", "flags_raw", "path",
              "free_bytes", "usable_bytes", "largest_free_bytes", "subsystem"}
LUN_KEYS = {"number", "id", "friendly_name", "identification", "status", "status_raw", "health",
            "health_raw", "type", "type_raw", "size_bytes", "transition_state",
            "transition_state_raw", "flags", "flags_raw", "rebuild_priority", "unmasking_list",
            "drives", "members", "stripe_size_bytes", "member_count", "redundancy", "subsystem"}


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


def test_what_was_rounded_is_said(s):
    s.make()
    done = s.run("create lun raid5 size=100MB drives=0-3 stripesize=5KB")
    contains(done.out, "102 MB (rounded up from 100 MB)")
    contains(done.err, "the stripe size is 4 KB")
    equal(s.lun(0)["stripe_size_bytes"], 4096, "stripe size")
    done = s.run("create lun mirror size=8MB drives=4,5 stripesize=64KB")
    equal("rounded" in done.out, False, "nothing to round")
    contains(done.err, "has no effect")
    e = s.envelope("create lun stripe size=8MB drives=4,5 stripesize=3MB")
    equal(e["result"]["stripe_size_bytes"], MB, "the largest")
    equal(len(e["warnings"]), 1, "warnings")
    contains(e["warnings"][0], "stripesize=3MB")
    done = s.run("create lun stripe size=8MB drives=4,5 stripesize=64KB")
    equal((done.err, "rounded" in done.out), ("", False), "exact")


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


def test_settings_are_kept(s):
    s.make()
    equal(s.json("set provider autorecover=off")["autorecover"], False, "off")
    equal(s.json("list providers")[0]["autorecover"], False, "kept")
    equal(s.envelope("set provider autorecover=off")["changed"], False, "already")
    equal(s.json("set provider autorecover=on")["autorecover"], True, "on")


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


def test_automagic(s):
    s.make()
    s.run("-s -", stdin="automagic set ftl=on\ncreate lun automagic size=16MB\n")
    equal(s.lun(0)["redundancy"] >= 1, True, "fault tolerant")
    s.run("-s -", stdin="automagic set ftl=off\ncreate lun automagic size=16MB\n")
    equal(s.lun(1)["redundancy"], 0, "not fault tolerant")


if __name__ == "__main__":
    main("__main__")
