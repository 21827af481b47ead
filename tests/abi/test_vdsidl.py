# SPDX-License-Identifier: Apache-2.0
"""The interface compiler itself: what it refuses, and that its output depends on its input alone.

    test_vdsidl.py TOOLS IDL_DIR
"""
import os
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
TOOLS, IDL = sys.argv[1:3]
sys.path.insert(0, TOOLS)

from vdsidl import resolve, words  # noqa: E402
from vdsidl import model as m  # noqa: E402
from vdsidl.emit import headers, tables  # noqa: E402

FACE = "[object, uuid(00000000-1111-2222-3333-444444444444), pointer_default(unique)] interface "
ROOT = "[object, local, uuid(00000000-0000-0000-c000-000000000046)] interface IUnknown { ULONG Release(); };\n"


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def load(text, **others):
    with tempfile.TemporaryDirectory() as tmp:
        for name, body in dict(others, t=text).items():
            with open(os.path.join(tmp, name + ".idl"), "w", encoding="utf-8") as f:
                f.write(body)
        return resolve.load([os.path.join(tmp, "t.idl")])


class Refused(unittest.TestCase):
    def refuse(self, text, message, **others):
        with self.assertRaises(m.IdlError) as e:
            load(text, **others)
        self.assertIn(message, str(e.exception))
        self.assertRegex(str(e.exception), r"\.idl(:\d+)?: ")

    def test_syntax_error_names_the_line(self):
        with self.assertRaises(m.IdlError) as e:
            load("typedef GUID A;\ntypedef enum { X = } B;\n")
        self.assertIn("t.idl:2", str(e.exception))

    def test_unknown_type(self):
        self.refuse("typedef struct _S { FOO a; } S;", "unknown type FOO")

    def test_platform_dependent_type(self):
        self.refuse("typedef struct _S { long a; } S;", "unknown type long")

    def test_type_of_a_file_not_imported(self):
        both = {"b": "typedef GUID A;", "c": "typedef struct _S { A x; } S;"}
        self.refuse('import "b.idl";\nimport "c.idl";', "which is not imported", **both)

    def test_import_of_itself(self):
        self.refuse('import "b.idl";', "import each other", b='import "t.idl";')

    def test_name_declared_twice(self):
        self.refuse("typedef GUID A; typedef GUID A;", "declared twice")
        self.refuse("const ULONG A = 1; typedef enum _E { A } E;", "declared twice")

    def test_constant_too_large_for_its_type(self):
        self.refuse("const USHORT A = 65536;", "does not fit")

    def test_unknown_constant(self):
        self.refuse("const ULONG A = B;", "unknown constant B")

    def test_unknown_attribute(self):
        self.refuse("typedef struct _S { [sise_is(a)] BYTE *p; ULONG a; } S;", "unknown attribute sise_is")

    def test_size_is_of_no_member(self):
        self.refuse("typedef struct _S { [size_is(b)] BYTE *p; ULONG a; } S;", "does not name a member")

    def test_switch_is_of_no_member(self):
        self.refuse("typedef struct _S { [switch_is(k)] union { [case(1)] ULONG a; }; } S;", "switch_is")

    def test_two_arms_for_one_case(self):
        self.refuse("typedef struct _S { ULONG k; [switch_is(k)] union { [case(1)] ULONG a; "
                    "[case(2, 1)] ULONG b; }; } S;", "has an arm already")

    def test_arm_without_case(self):
        self.refuse("typedef struct _S { ULONG k; [switch_is(k)] union { ULONG a; }; } S;", "either [case")

    def test_method_with_an_inherited_name(self):
        self.refuse(ROOT + FACE + "IA : IUnknown { HRESULT Release(); };", "already has a method Release")

    def test_parameter_without_direction(self):
        self.refuse(ROOT + FACE + "IA : IUnknown { HRESULT M([unique] ULONG *p); };", "needs [in] or [out]")

    def test_out_parameter_by_value(self):
        self.refuse(ROOT + FACE + "IA : IUnknown { HRESULT M([out] ULONG p); };", "[out] needs a pointer")

    def test_size_is_of_no_parameter(self):
        self.refuse(ROOT + FACE + "IA : IUnknown { HRESULT M([in, size_is(n)] BYTE *p); };", "no parameter n")

    def test_remote_method_without_hresult(self):
        self.refuse(ROOT + FACE + "IA : IUnknown { ULONG M(); };", "returns HRESULT")

    def test_iid_used_twice(self):
        one = FACE + "IA : IUnknown { HRESULT M(); };\n"
        self.refuse(ROOT + one + one.replace("IA", "IB"), "has the IID of IA")

    def test_interface_without_iid(self):
        self.refuse("[object] interface IA { HRESULT M(); };", "needs [object, uuid")


class Output(unittest.TestCase):
    def test_docs_before_and_behind(self):
        model = load("/** One. */\ntypedef enum _E {\n\tA = 1, /** first */\n\t/** second */\n\tB\n} E;\n")
        e = model.files[0].of(m.Enum)[0]
        self.assertEqual((e.doc, [x.doc for x in e.members]), ("One.", ["first", "second"]))
        self.assertEqual([x.value for x in e.members], [1, 2])

    def test_plain_comments_are_no_docs(self):
        model = load("/* one */\n// two\ntypedef enum _E { A } E;\n/**/ typedef GUID G;\n")
        self.assertIsNone(model.files[0].of(m.Enum)[0].doc)

    def test_define_stays_in_idl(self):
        model = load("#define N 3\nconst ULONG M = N + 1;\ntypedef struct _S { BYTE a[M]; } S;\n")
        text = headers.header(model.files[0])
        self.assertNotIn("define N", text)
        self.assertIn("#define M (4u)", text)

    def test_values_above_an_int_are_negative(self):
        text = headers.header(load("typedef [flags] enum _E { A = 0x80000000 } E;").files[0])
        self.assertIn("A = (int)0x80000000u", text)

    def test_interface_before_its_declaration(self):
        model = load(ROOT + "interface IB;\n" + FACE + "IA : IUnknown { HRESULT M([out] IB **p); };\n"
                     + FACE.replace("1111", "1112") + "IB : IA { HRESULT N(); };\n")
        text = headers.header(model.files[0])
        self.assertLess(text.index("typedef struct IB IB;"), text.index("struct IAVtbl"))
        self.assertEqual([x.name for x in model.names["IB"].all_methods()], ["Release", "M", "N"])

    def test_required_pointers(self):
        model = load(ROOT + FACE + "IA : IUnknown { HRESULT M([in] ULONG a, [in, string] LPWSTR b, "
                     "[in, string, unique] LPWSTR c, [out] ULONG *d, [in, out, unique] ULONG *e); };")
        params = model.names["IA"].methods[0].params
        self.assertEqual([tables.required(p) for p in params], [False, True, False, True, False])

    def test_words(self):
        model = load("typedef enum _E { VDS_XY_UNKNOWN, VDS_XY_NOT_READY, VDS_XY_MAX } E;\n"
                     "typedef enum _F { VDSBusTypeScsi, VDSBusTypeFileBackedVirtual } F;\n"
                     "typedef enum _G { VDS_Z_ONLY } G;\n")
        e, f, g = model.files[0].of(m.Enum)
        self.assertEqual(list(words.words(e).values()), ["unknown", "not_ready", "max"])
        self.assertEqual([words.is_bound(x) for x in e.members], [False, False, True])
        self.assertEqual(list(words.words(f).values()), ["scsi", "file_backed_virtual"])
        self.assertEqual(list(words.words(g).values()), ["only"])

    def test_same_input_same_output_from_anywhere(self):
        files = sorted(os.path.join(IDL, f) for f in os.listdir(IDL) if f.endswith(".idl"))

        def run(paths, cwd, seed):
            with tempfile.TemporaryDirectory() as out:
                subprocess.run([sys.executable, "-B", os.path.join(TOOLS, "vdsidl"), "--out", out, "--emit",
                                "headers,iids,decls,tables", *paths], check=True, cwd=cwd,
                               env=dict(os.environ, PYTHONHASHSEED=seed))
                return {n: read(os.path.join(out, n)) for n in os.listdir(out)}

        here = run(files, "/", "1")
        there = run([os.path.relpath(f, IDL) for f in files], IDL, "2")
        self.assertEqual(sorted(here), sorted(there))
        for name in here:
            self.assertEqual(here[name], there[name], name)
            self.assertIn("Generated by vdsidl", here[name])
            self.assertNotIn(IDL, here[name])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
