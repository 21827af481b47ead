# SPDX-License-Identifier: Apache-2.0
"""vdsidl: makes C from the interface definitions under idl/.

    python3 tools/vdsidl --out DIR --emit headers,iids,... FILE.idl...

Each artefact is a module of the package emit. Output depends on nothing but the IDL files.
"""
import argparse
import importlib
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from vdsidl import resolve  # noqa: E402
from vdsidl.model import IdlError  # noqa: E402


def main():
    p = argparse.ArgumentParser(prog="vdsidl", description="Makes C from interface definitions.")
    p.add_argument("--out", required=True, metavar="DIR", help="where the files go")
    p.add_argument("--emit", required=True, metavar="NAME,...",
                   help="artefacts: modules of vdsidl.emit")
    p.add_argument("idl", nargs="+", metavar="FILE.idl")
    args = p.parse_args()

    def out(name, text):
        with open(os.path.join(args.out, name), "w", encoding="utf-8") as f:
            f.write(text)

    try:
        model = resolve.load(args.idl)
    except IdlError as e:
        sys.exit(f"vdsidl: {e}")
    for name in args.emit.split(","):
        importlib.import_module(f"vdsidl.emit.{name}").emit(model, out)


main()
