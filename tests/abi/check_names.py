# SPDX-License-Identifier: Apache-2.0
"""Every public name the headers declare is in the tables, and every name in the tables is declared;
what is known to the interface language alone does not reach C.

    check_names.py TABLES HEADER...
"""
import csv
import os
import re
import sys


def load(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as f:
        return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))


def strip_comments(text):
    return re.sub(r"/\*.*?\*/", "", text, flags=re.S)


def declared(text):
    """The names a header declares, by kind."""
    enums = dict(re.findall(r"typedef enum (\w+) \{.*?\} (\w+)", text, flags=re.S))
    members = re.findall(r"^\t(\w+) += [^;\n]*?,?$", text, flags=re.M)
    structs = re.findall(r"^\} (\w+)(?:, \*\w+)*;", text, flags=re.M)
    faces = re.findall(r"^struct (\w+) \{\n\tconst \1Vtbl", text, flags=re.M)
    macros = re.findall(r"^#define (\w+) \(", text, flags=re.M)
    guids = re.findall(r"VDS_EXTERN_GUID\((\w+),", text)
    types = set(structs) - set(enums.values()) - {f + "Vtbl" for f in faces}
    return {"enum": set(enums.values()), "enum member": set(members), "structure": types,
            "interface": set(faces), "constant": set(macros), "identity": set(guids)}


def expected(t):
    enums = [r for r in load(t, "enums.tsv") if r["header"] != "MS-VDS only"]
    consts = [r for r in load(t, "constants.tsv") if r["group"] != "idl helper"]
    media = [r["name"] for r in consts if r["type"] == "MEDIA_TYPE"]
    faces = {r["interface"] for r in load(t, "interfaces.tsv")}
    return {
        "enum": {r["enum"] for r in enums} | {"MEDIA_TYPE"},
        "enum member": {r["member"] for r in enums} | set(media),
        "structure": {r["struct"] for r in load(t, "structs.tsv")},
        "interface": faces | {"IClassFactory"},
        "constant": ({r["name"] for r in consts} - set(media)) | {r["symbol"] for r in load(t, "errors.tsv")},
        "identity": {f"IID_{f}" for f in faces} | {r["name"] for r in load(t, "guids.tsv") if " " not in r["name"]},
    }


def absent(t):
    """Names that must not be declared anywhere."""
    return ({r["member"] for r in load(t, "enums.tsv") if r["header"] == "MS-VDS only"}
            | {r["name"] for r in load(t, "constants.tsv") if r["group"] == "idl helper"})


def main():
    t, *headers = sys.argv[1:]
    have, words = {}, set()
    for path in headers:
        with open(path, encoding="utf-8") as f:
            text = strip_comments(f.read())
        words |= set(re.findall(r"\w+", text))
        for kind, names in declared(text).items():
            have.setdefault(kind, set()).update(names)
    bad = 0
    for kind, names in expected(t).items():
        # The ids of Windows's own providers are named by us: the tables describe them in words.
        extra = {n for n in have[kind] - names if not re.fullmatch(r"VDS_\w+_PROVIDER_\w+", n)}
        for n in sorted(names - have[kind]):
            print(f"{kind} {n}: in the tables, not in the headers")
        for n in sorted(extra):
            print(f"{kind} {n}: in the headers, not in the tables")
        bad += len(extra) + len(names - have[kind])
        print(f"{kind}: {len(names)} names")
    for n in sorted(absent(t) & words):
        print(f"{n}: must not be declared")
        bad += 1
    sys.exit(1 if bad else 0)


main()
