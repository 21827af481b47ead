#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The interactive shell on a terminal, without a store. usage: shell.py VDS"""
import os
import pty
import re
import select
import signal
import sys
import tempfile
import termios
import time

TIMEOUT = 20


class Shell:
    def __init__(self, name, *words):
        self.home = tempfile.mkdtemp(prefix="vds-shell-")
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.environ.update(HOME=self.home, TERM="dumb")
            os.environ.pop("VDS_STORE", None)
            os.environ.pop("XDG_STATE_HOME", None)
            os.execv(sys.argv[1], [name, *words])
        self.text = ""

    def expect(self, pattern):
        """Reads until the pattern has appeared; returns and drops everything up to its end."""
        deadline = time.monotonic() + TIMEOUT
        while not (found := re.search(pattern, self.text)):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                raise AssertionError(f"{pattern!r} did not appear in {self.text!r}")
            try:
                self.text += os.read(self.fd, 4096).decode("utf-8", "replace")
            except OSError:
                raise AssertionError(f"it ended before {pattern!r}: {self.text!r}") from None
        seen, self.text = self.text[:found.end()], self.text[found.end():]
        return seen

    def send(self, text):
        """Types, once the line editor has taken over the terminal."""
        deadline = time.monotonic() + TIMEOUT
        while termios.tcgetattr(self.fd)[3] & termios.ICANON:
            if time.monotonic() > deadline:
                raise AssertionError("the line editor does not read")
        os.write(self.fd, text.encode())

    def end(self):
        """The exit status."""
        deadline = time.monotonic() + TIMEOUT
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                raise AssertionError("it does not end")
            try:
                if not os.read(self.fd, 4096):
                    break
            except OSError:
                break
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_commands_and_exit():
    s = Shell("vds")
    s.expect(r"help lists the commands")
    s.expect("VDS> ")
    s.send("help error VDS_E_NOT_SUPPORTED\n")
    s.expect("0x80042400")
    s.expect("VDS> ")
    s.send("automagic set ftl=on\n")
    s.expect("Ftl +: Yes")
    s.send("lits\n")
    s.expect("is no command")
    s.expect("VDS> ")
    s.send("exit\n")
    assert s.end() == 0
    assert os.path.exists(os.path.join(s.home, ".vds_history"))


def test_unique_prefixes():
    s = Shell("vds")
    s.expect("VDS> ")
    s.send("hel err S_OK\n")
    s.expect("no command err")  # words are text here; only verbs, nouns and keys are shortened
    s.send("hel error S_OK\n")
    s.expect("success")
    s.send("re lun 5\n")
    s.expect("may be")
    s.send("quit\n")
    assert s.end() == 0


def test_completion():
    s = Shell("vds")
    s.expect("VDS> ")
    s.send("maint\t")
    s.expect("maintenance ")
    s.send("dr\t")
    s.expect("drive ")
    s.send("\003")
    s.expect("VDS> ")
    s.send("autom\tset f\t\t")
    s.expect("fcr=  ftl=")
    s.send("\025exit\n")
    s.end()


def test_end_of_input():
    s = Shell("vds")
    s.expect("VDS> ")
    s.send("\004")
    assert s.end() == 0


def test_personalities():
    for name, prompt in (("diskraid", "DISKRAID> "), ("diskpart", "DISKPART> ")):
        s = Shell(name)
        s.expect("personality")
        s.expect(prompt)
        s.send("exit\n")
        assert s.end() == 0


def main():
    failed = 0
    for name, function in sorted(globals().items()):
        if not name.startswith("test_"):
            continue
        try:
            function()
            print(f"[       OK ] {name[5:]}", flush=True)
        except AssertionError as e:
            failed += 1
            print(f"[  FAILED  ] {name[5:]}: {e}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
