#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The generator refuses tables with holes, and what it makes agrees with the table."""
import copy
import io
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tools"))
sys.dont_write_bytecode = True
import gen_commands  # noqa: E402

TABLE = json.loads((ROOT / "src/cli/commands.json").read_text(encoding="utf-8"))


def generate(kind):
    out = io.StringIO()
    getattr(gen_commands, "gen_" + kind)(TABLE, out, "9.9")
    return out.getvalue()


class Table(unittest.TestCase):
    def test_the_table_has_no_holes(self):
        gen_commands.check(TABLE)

    def refused(self, change):
        table = copy.deepcopy(TABLE)
        change(table["commands"][0])
        with self.assertRaises(gen_commands.TableError):
            gen_commands.check(table)

    def test_holes_are_refused(self):
        self.refused(lambda c: c.pop("description"))
        self.refused(lambda c: c.update(description="no sentence"))
        self.refused(lambda c: c.pop("summary"))
        self.refused(lambda c: c.update(examples=[]))
        self.refused(lambda c: c["options"][0].pop("about"))
        self.refused(lambda c: c["options"][0].update(type="colour"))
        self.refused(lambda c: c.update(nouns=["moon"]))
        self.refused(lambda c: c.update(colour="blue"))
        self.refused(lambda c: c.update(examples=[["delete lun 0", "of another command"]]))

    def test_the_program_fails_on_a_hole(self):
        table = copy.deepcopy(TABLE)
        table["commands"][3].pop("description")
        with tempfile.TemporaryDirectory() as folder:
            bad = pathlib.Path(folder) / "bad.json"
            bad.write_text(json.dumps(table))
            done = subprocess.run(
                [sys.executable, str(ROOT / "tools/gen_commands.py"), "table", str(bad),
                 str(pathlib.Path(folder) / "out.c")], capture_output=True, text=True)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("no description", done.stderr)


class Artefacts(unittest.TestCase):
    def test_the_man_page_names_everything(self):
        man = generate("man").replace("\\-", "-").replace("\\e", "\\")
        for c in TABLE["commands"]:
            self.assertIn(gen_commands.syntax(TABLE, c), man)
            self.assertIn(c["description"], man)
            for o in c.get("options", []):
                self.assertIn(o["about"], man)
        for g in TABLE["globals"]:
            self.assertIn("--" + g["long"], man)

    def test_completions_know_every_verb(self):
        for kind in ("bash", "zsh", "fish"):
            text = generate(kind)
            for c in TABLE["commands"]:
                self.assertRegex(text, r"\b" + re.escape(c["verb"]) + r"\b")

    def test_bash_completes(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "vds"
            path.write_text(generate("bash"))

            def complete(*words):
                script = (f"compopt() {{ :; }}; source {path}; COMP_WORDS=({' '.join(words)} ''); "
                          f"COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _vds; echo ${{COMPREPLY[@]}}")
                return subprocess.run(["bash", "-c", script], capture_output=True, text=True,
                                      check=True).stdout.split()
            self.assertIn("create", complete("vds"))
            self.assertIn("drives", complete("vds", "list"))
            self.assertIn("hotspare=", complete("vds", "setflag", "drive", "5"))
            self.assertIn("raid5", complete("vds", "--store", "/x", "create", "lun"))


if __name__ == "__main__":
    unittest.main()
