# SPDX-License-Identifier: Apache-2.0
"""A Linux kernel with the md driver, as a process: user-mode Linux over this machine's own files.

One guest serves many tests: drives are plugged and unplugged while it runs, and each script is
answered with its output. Its root is the host's, read-only; scripts run in the guest's folder,
which is the host's as well. Nothing needs to be root here, though everything is root inside.
"""
import os
import pathlib
import re
import select
import shutil
import socket
import struct
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
NEEDED = {"linux.uml": "user-mode-linux", "mdadm": "mdadm", "modprobe": "kmod"}
SBIN = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"
END = re.compile(rb"-- (?:ready|ended (\d+)) --\r?\n$")


def which(program):
    """Its path: the programs needed here are in sbin, which is not everybody's PATH."""
    return shutil.which(program, path=SBIN)


class Missing(Exception):
    """The machine lacks something that the guest needs."""


class Failed(AssertionError):
    """A script ended with another status than 0."""


class Guest:
    BOOT_SECONDS = 120
    SCRIPT_SECONDS = 120

    def __init__(self):
        for program, package in NEEDED.items():
            if not which(program):
                raise Missing(f"{program} is not installed (Debian package {package})")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="vds-md-"))
        self.scripts = self.files = 0
        self.log = open(self.folder / "kernel.log", "wb")
        self.plugged = {}
        command = [
            which("linux.uml"), "mem=192M", "umid=md", f"uml_dir={self.folder}",
            "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", "quiet",
            "con=null", "con0=null,fd:2", "con1=fd:0,fd:1", "ssl=null",
            f"init={HERE / 'guest_init'}", "--", str(self.folder)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.log, cwd=self.folder)
        try:
            _, text = self._answer(self.BOOT_SECONDS)
            if text.strip():
                raise Missing(text.strip())
        except BaseException:
            self.close()
            raise

    def close(self):
        """Ends it in order: killed, it would leave the processes behind that it runs as."""
        self.process.stdin.close()
        try:
            self.process.wait(self.BOOT_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answer(self, seconds):
        """The status in the next end mark, and what comes before it."""
        got = b""
        deadline = time.monotonic() + seconds
        while True:
            end = END.search(got)
            if end:
                return int(end[1] or 0), got[:end.start()].decode("utf-8", "replace")
            left = deadline - time.monotonic()
            ready = left > 0 and select.select([self.process.stdout], [], [], left)[0]
            part = os.read(self.process.stdout.fileno(), 1 << 16) if ready else b""
            if not part:
                kernel = (self.folder / "kernel.log").read_text(errors="replace")[-2000:]
                raise Missing(f"user-mode Linux gives no answer: {got.decode(errors='replace')}"
                              f"\n{kernel}")
            got += part

    def run(self, script, status=0):
        """Runs a shell script in the guest; its output."""
        self.scripts += 1
        name = f"script-{self.scripts}"
        (self.folder / name).write_text(script)
        self.process.stdin.write(name.encode() + b"\n")
        self.process.stdin.flush()
        ended, text = self._answer(self.SCRIPT_SECONDS)
        if status is not None and ended != status:
            raise Failed(f"in the guest, status {ended}:\n{script}\n{text}")
        return text

    def _console(self, command):
        """One command to the management console of user-mode Linux."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.bind("")  # a name of its own, for the answer
            s.settimeout(self.SCRIPT_SECONDS)
            s.sendto(struct.pack("=III512s", 0xcafebabe, 2, len(command), command.encode()),
                     str(self.folder / "md" / "mconsole"))
            text, more = b"", True
            while more:
                answer = s.recv(1024)
                error, more, size = struct.unpack_from("=III", answer)
                text += answer[12:12 + size]
        if error:
            raise Failed(f"{command}: {text.decode(errors='replace')}")

    def plug(self, paths):
        """Drives for the guest; their devices, in that order."""
        devices = []
        for path in paths:
            n = next(i for i in range(1, 16) if i not in self.plugged)
            self._console(f"config ubd{n}={path}")
            self.plugged[n] = path
            devices.append(f"/dev/ubd{chr(ord('a') + n)}")
        return devices

    def unplug(self):
        for n in list(self.plugged):
            self._console(f"remove ubd{n}")
            del self.plugged[n]

    def reset(self):
        """Whatever a case has left behind goes."""
        if self.plugged:
            self.stop()

    # ---- md -----------------------------------------------------------------------------------

    def assemble(self, paths, degraded=False, status=0):
        """The container on these drives and all arrays in it: /dev/md/NAME. What mdadm says.

        degraded: also arrays with members missing, as a user who knows of that would.
        """
        return self.start(self.plug(paths), degraded, status)

    def start(self, devices, degraded=False, status=0):
        """The same with drives that are plugged."""
        return self.run(f"mdadm --assemble /dev/md/all {' '.join(devices)} || exit\n"
                        f"mdadm -I{'R' if degraded else ''} /dev/md/all || true\n"
                        "cat /proc/mdstat\n", status)

    def stop(self):
        """Stops all arrays, which makes md write down that they are clean, and takes the drives."""
        # mdadm may lose its mdmon while it tells it to stop, and then leaves the rest.
        self.run("for try in 1 2 3; do\n"
                 "  mdadm --stop --scan\n"
                 "  left=; while read -r line; do case $line in md*) left=$line; esac; done"
                 " </proc/mdstat\n"
                 "  [ -n \"$left\" ] || break\n"
                 "done\n"
                 "rm -f /dev/md/*; [ -z \"$left\" ]")
        self.unplug()

    def hashes(self, names):
        """SHA-256 of whole arrays, by name."""
        text = self.run("sha256sum " + " ".join(f"/dev/md/{n}" for n in names))
        return {line.split()[1].rsplit("/", 1)[1]: line.split()[0] for line in text.splitlines()}

    def mismatches(self, names):
        """Compares copies and parity of whole arrays; blocks that disagree, by name."""
        text = self.run(
            "for name in " + " ".join(names) + "; do\n"
            "  d=$(readlink /dev/md/$name); echo check >/sys/block/${d##*/}/md/sync_action || exit\n"
            "done\n"
            "mdadm --wait " + " ".join(f"/dev/md/{n}" for n in names) + " || true\n"
            "for name in " + " ".join(names) + "; do\n"
            "  d=$(readlink /dev/md/$name); read -r n </sys/block/${d##*/}/md/mismatch_cnt\n"
            "  read -r now </sys/block/${d##*/}/md/sync_action\n"
            "  echo \"$name $n $now\"\n"
            "done")
        found = {}
        for line in text.splitlines():
            name, count, action = line.split()
            if action != "idle":
                raise Failed(f"the check of {name} has not ended: {text}")
            found[name] = int(count)
        return found

    def complete(self, name, members):
        """Waits until the array has just so many members in sync, and mdmon nothing more to do."""
        deadline = time.monotonic() + self.SCRIPT_SECONDS
        script = (f"mdadm --wait /dev/md/{name} || true\n"
                  "mdadm --wait-clean --scan || true\n"
                  f"d=$(readlink /dev/md/{name}); cd /sys/block/${{d##*/}}/md; n=0\n"
                  "for m in rd*; do read -r s <$m/state; [ \"$s\" != in_sync ] || n=$((n + 1)); done\n"
                  "echo $n")
        found = int(self.run(script))
        while found != members and time.monotonic() < deadline:
            found = int(self.run(script))
        if found != members:
            raise Failed(f"{name} has {found} members in sync, not {members}")

    def write(self, pieces):
        """Writes (array, offset, data), and waits until all is stable."""
        lines, files = [], []
        for name, offset, data in pieces:
            self.files += 1
            files.append(self.folder / f"data-{self.files}")
            files[-1].write_bytes(data)
            lines.append(f"dd if={files[-1].name} of=/dev/md/{name} bs=1M seek={offset} "
                         "oflag=seek_bytes conv=notrunc,fsync status=none || exit\n")
        self.run("".join(lines))
        for file in files:
            file.unlink()
