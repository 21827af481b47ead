#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds every #include "module/..." under src/ to the table of who may use whom.

Also: nobody includes another module's *_internal.h. A wrong arrow fails the build.
"""
import pathlib
import re
import sys

# module -> modules it may use besides itself and base. The table is the law: nothing points back.
MAY_USE = {
    "base": set(),
    "com": set(),
    "vdscom": {"com"},
    "blk": set(),
    "store": set(),
    "raid": {"blk"},
    "disk": {"blk"},
    "vdisk": {"blk"},
    "fs": {"blk"},
    "engine": {"blk", "raid"},
    "export": {"blk"},
    # provider/host.h: what the service offers its built-in providers.
    "provider": set(),
    # blk/task.h is how a provider enters the worker; it does no I/O of its own.
    "provider/base": {"com", "vdscom", "store", "blk", "provider"},
    "provider/hw": {"com", "vdscom", "store", "engine", "export", "blk", "provider", "provider/base"},
    # client/service_entry.h declares the one function that libvds loads the service by.
    "service": {"com", "vdscom", "store", "provider", "provider/base", "provider/hw", "client"},
    "client": {"com"},
    "wire": {"com"},
    "cli": {"client"},
    "daemon": None,  # wires everything together
}
ONLY = {
    ("provider/base", "blk"): {"blk/task.h", "blk/loop.h"},
    ("provider/hw", "blk"): {"blk/task.h", "blk/loop.h", "blk/blk.h"},
    ("service", "provider/base"): {"provider/base/prv_worker.h"},
    ("service", "provider/hw"): {"provider/hw/hw.h"},
    ("service", "client"): {"client/service_entry.h"},
}

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


def module_of(path):
    parts = path.split("/")
    if parts[0] == "provider" and len(parts) > 2:
        return "/".join(parts[:2])
    return parts[0] if len(parts) > 1 else None


def problems(src):
    for file in sorted(src.rglob("*.[ch]")):
        rel = file.relative_to(src).as_posix()
        here = module_of(rel)
        if here not in MAY_USE:
            yield f"{rel}: the module {here} is not in the table"
            continue
        allowed = MAY_USE[here]
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            match = INCLUDE.match(line)
            there = module_of(match.group(1)) if match else None
            if not there or there == here or there not in MAY_USE:
                continue
            name = match.group(1)
            if name.endswith("_internal.h"):
                yield f"src/{rel}:{number}: {name} is internal to {there}"
            if allowed is None or there == "base":
                continue
            if there not in allowed:
                yield f"src/{rel}:{number}: {here} may not use {there} ({name})"
            elif name not in ONLY.get((here, there), {name}):
                yield f"src/{rel}:{number}: {here} may use of {there} only its entry, not {name}"


def main():
    src = pathlib.Path(sys.argv[1])
    found = list(problems(src))
    for line in found:
        print(line)
    if found:
        return 1
    if len(sys.argv) > 2:
        pathlib.Path(sys.argv[2]).write_text("clean\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
