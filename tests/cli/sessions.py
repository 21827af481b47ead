#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Options, scripts, focus, mistakes: how vds is talked to, whatever the command.

usage: sessions.py VDS [CASE…]
"""
import json

from harness import contains, equal, main

ENVELOPE = ["schema", "host", "command", "ok", "changed", "result", "warnings", "job", "error"]


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
