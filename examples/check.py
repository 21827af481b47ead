#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Installs the build into a temporary folder and compiles an example there, knowing nothing but
pkg-config: what a developer with the package has. Runs it: what it says without a service; and, with
the command line and the service installed, over a store made for the purpose.

    check.py BUILD-FOLDER SANITIZER EXAMPLE.c
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile


def run(*args, **kw):
    return subprocess.run(args, text=True, check=True, **kw)


def flags(root, libdir):
    env = dict(os.environ, PKG_CONFIG_SYSROOT_DIR=str(root), PKG_CONFIG_PATH=f"{libdir}/pkgconfig")
    return run("pkg-config", "--cflags", "--libs", "vds", env=env,
               stdout=subprocess.PIPE).stdout.split()


def expect(condition, message, *details):
    if not condition:
        sys.exit("\n".join([message, *map(str, details)]))


def check_store(root, program, env):
    """Two drives and a mirror, made by the command line, seen by the example."""
    vds = next(root.rglob("bin/vds"), None)
    if not vds or not next(root.rglob("libvds-service.so"), None):
        print("not run over a store: no service in this build")
        return
    store = root / "store"
    run(vds, "--store", store, "create", "subsystem", "drives=2x96MB", env=env)
    run(vds, "--store", store, "create", "lun", "mirror", "size=16MiB", "name=\u00e9tude", env=env)
    said = run(program, env=dict(env, VDS_STORE=str(store), LC_ALL="C.UTF-8"),
               stdout=subprocess.PIPE).stdout
    print(said)
    expect(said.count("  drive  ") == 2, "it shows other drives than two:", said)
    expect("  LUN  \u00e9tude  online  16777216 bytes" in said, "it does not show the LUN:", said)


def main():
    build, sanitizer, example = sys.argv[1:]
    for tool in ("cc", "pkg-config", "meson"):
        if not shutil.which(tool):
            print(f"{tool} is missing")
            sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="vds-example.") as folder:
        root = pathlib.Path(folder)
        run("meson", "install", "-C", build, "--no-rebuild", "--destdir", root,
            stdout=subprocess.DEVNULL)
        libdir = next(root.rglob("libvds.so")).parent
        program = root / "example"
        extra = [] if sanitizer == "none" else [f"-fsanitize={sanitizer}"]
        run("cc", "-Wall", "-Wextra", "-Werror", *extra, example, "-o", program, *flags(root, libdir))
        env = {k: v for k, v in os.environ.items() if not k.startswith("VDS_")}
        env["LD_LIBRARY_PATH"] = str(libdir)
        alone = subprocess.run([program], env=env, text=True, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
        expect(alone.returncode == 1 and "No VDS daemon answers" in alone.stderr,
               "without a service it should say so:", alone)
        check_store(root, program, env)


main()
