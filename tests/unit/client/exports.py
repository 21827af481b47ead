#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""libvds.so exports what its headers declare, and nothing else.

    exports.py LIBRARY HEADER...
"""
import re
import subprocess
import sys


def exported(library):
    out = subprocess.run(["nm", "-D", "--defined-only", library], check=True, text=True,
                         stdout=subprocess.PIPE).stdout
    names = {line.split()[-1] for line in out.splitlines()}
    return {n.split("@")[0] for n in names if n.split("@")[0] != "VDS_0"}


def declared(headers):
    names = set()
    for header in headers:
        with open(header, encoding="utf-8") as f:
            text = re.sub(r"/\*.*?\*/|^#define[^\n]*(\\\n[^\n]*)*", "", f.read(),
                          flags=re.S | re.M)
        names |= set(re.findall(r"VDS_EXTERN_GUID\((\w+)", text))
        names |= set(re.findall(r"VDS_API\s[^;()]*?(\w+)\(", text))
    # These two are what a provider's module exports; the headers declare them for it.
    return names - {"DllGetClassObject", "DllCanUnloadNow"}


def main():
    have, want = exported(sys.argv[1]), declared(sys.argv[2:])
    if len(want) < 90:
        sys.exit(f"only {len(want)} declarations found: the headers read differently than thought")
    for name in sorted(want - have):
        print(f"declared, not exported: {name}")
    for name in sorted(have - want):
        print(f"exported, not declared: {name}")
    sys.exit(have != want)


main()
