# SPDX-License-Identifier: Apache-2.0
"""The interface definitions as data: idl_decls.h and the tables that idl/idl_tables.h describes."""
from .. import model as m
from ..words import is_bound, words
from .ctext import banner, c_string, strip_aliases, type_text

_INCLUDE = '#include "idl_tables.h"\n#include "vdsx.h"\n#include "vdsconst.h"\n\n'


def _text(value):
    return c_string(value) if value else "NULL"


def _table(what, names, ctype):
    """The array of pointers to all tables of one kind."""
    out = f"const struct {ctype} *const idl_{what}[] = {{\n"
    out += "".join(f"\t&{n},\n" for n in names)
    return out + f"}};\nconst size_t idl_{what}_count = {len(names)};\n"


# Types

def _kind(decl, attrs):
    """(kind, size, signed) of what a type is behind its names and stars."""
    if isinstance(decl, m.Enum):
        return "ENUM", 4, False
    if isinstance(decl, m.Struct):
        return "STRUCT", 0, False
    if isinstance(decl, m.Interface):
        return "INTERFACE", 8, False
    if decl.kind == "wchar":
        return ("STRING", 8, False) if "string" in attrs else ("WCHAR", 2, False)
    if decl.name == "char" and "string" in attrs:
        return "CSTRING", 8, False
    if decl.name in ("BOOL", "BOOLEAN"):
        return "BOOL", decl.size, False
    kinds = {"int": "INT", "hresult": "HRESULT", "guid": "GUID", "ref": "GUID", "string": "STRING",
             "void": "VOID"}
    size = 16 if decl.kind == "ref" else decl.size
    return kinds[decl.kind], size, decl.kind == "int" and decl.signed


def pointers(ref, attrs):
    """Levels of indirection of a type, without the one that a string is."""
    decl, stars = strip_aliases(ref)
    kind = _kind(decl, attrs)[0]
    if isinstance(decl, m.Builtin) and decl.kind == "ref":
        stars += 1
    if kind in ("STRING", "CSTRING") and decl.kind != "string":
        stars -= 1
    return stars


def _type(ref, attrs):
    decl, _ = strip_aliases(ref)
    kind, size, signed = _kind(decl, attrs)
    init = [c_string(type_text(ref).rstrip(" *").removeprefix("const ")), f"IDL_KIND_{kind}",
            str(size), "true" if signed else "false", str(pointers(ref, attrs))]
    link = {"ENUM": "enum", "STRUCT": "struct", "INTERFACE": "iface"}
    member = {"ENUM": "enumeration", "STRUCT": "structure", "INTERFACE": "iface"}
    if kind in link:
        init.append(f".{member[kind]} = &idl_{link[kind]}_{decl.name}")
    return "{ " + ", ".join(init) + " }"


# Enums, codes, identities

def _enums(enums):
    out = banner("idl/", "", ["Enums and their members.", ""]) + _INCLUDE
    for e in enums:
        word = words(e)
        bits = 0
        out += f"static const struct idl_enum_member {e.name}_members[] = {{\n"
        for x in e.members:
            bits |= x.value
            out += (f"\t{{ {c_string(x.name)}, {c_string(word[x.name])}, 0x{x.value:x}u, "
                    f"{'true' if is_bound(x) else 'false'}, {_text(x.doc)} }},\n")
        out += (f"}};\nconst struct idl_enum idl_enum_{e.name} = {{\n\t{c_string(e.name)}, "
                f"{'true' if e.flags else 'false'}, 0x{bits if e.flags else 0:x}u, "
                f"{'true' if 'v1_enum' in e.attrs else 'false'}, "
                f"{e.name}_members, {len(e.members)}\n}};\n\n")
    return out + _table("enums", [f"idl_enum_{e.name}" for e in enums], "idl_enum")


def _values(model):
    consts = model.of(m.Const)
    errors = [c for c in consts if c.type == "HRESULT"]
    events = [c for c in consts if c.name.startswith("VDS_NF_")]
    guids = [(f"IID_{d.name}" if isinstance(d, m.Interface) else d.name, d.doc)
             for f in model.files for d in f.items
             if isinstance(d, m.Interface) or (isinstance(d, m.Const) and d.guid)]
    out = banner("idl/", "", ["Result codes, notification events and identities.", ""]) + _INCLUDE
    out += "const struct idl_error idl_errors[] = {\n"
    out += "".join(f"\t{{ {c_string(c.name)}, {c.name}, {_text(c.doc)} }},\n" for c in errors)
    out += f"}};\nconst size_t idl_errors_count = {len(errors)};\n\n"
    out += "const struct idl_const idl_notifications[] = {\n"
    out += "".join(f"\t{{ {c_string(c.name)}, {c.name} }},\n" for c in events)
    out += f"}};\nconst size_t idl_notifications_count = {len(events)};\n\n"
    out += "const struct idl_guid idl_guids[] = {\n"
    out += "".join(f"\t{{ {c_string(n)}, &{n}, {_text(doc)} }},\n" for n, doc in guids)
    return out + f"}};\nconst size_t idl_guids_count = {len(guids)};\n"


# Structures

class _Leaves:
    """The leaves of one structure, in order, with the indices that refer to each other."""

    def __init__(self, struct):
        self.struct = struct
        self.rows = []      # (path, Field, selector path or None, case values)
        self._walk(struct.fields, "", None, [])
        self.index = {path: i for i, (path, *_) in enumerate(self.rows)}

    def _walk(self, fields, prefix, selector, cases):
        for f in fields:
            if isinstance(f.type, m.UnionType):
                inner = prefix + (f.name + "." if f.name else "")
                for arm in f.type.arms:
                    values = [e.value for e in arm.attrs.get("case")]
                    self._walk([arm], inner, prefix + f.type.switch_is, values)
            elif isinstance(f.type, m.Struct):
                self._walk(f.type.fields, prefix + f.name + ".", selector, cases)
            elif f.type is not None:
                self.rows.append((prefix + f.name, f, selector, cases))

    def counter(self, path, field):
        """The index of the leaf that counts this one's elements, or -1."""
        sizes = [e for e in field.attrs.get("size_is") if e]
        if not sizes:
            return -1
        prefix = path[: len(path) - len(field.name)]
        return self.index[prefix + sizes[0].names[0]]


def _structs(structs):
    out = banner("idl/", "", ["Structures as flat lists of leaves.", ""]) + _INCLUDE
    for s in structs:
        leaves = _Leaves(s)
        body = ""
        for i, (path, f, selector, cases) in enumerate(leaves.rows):
            bound = f.type.arrays[0].value if f.type.arrays else 0
            ref = "NULL"
            if cases:
                ref = f"{s.name}_cases_{i}"
                out += f"static const LONG {ref}[] = {{ {', '.join(map(str, cases))} }};\n"
            body += (f"\t{{ {c_string(path)}, {_type(f.type, f.attrs)},\n"
                     f"\t\toffsetof({s.name}, {path}), {bound}, {leaves.counter(path, f)}, "
                     f"{leaves.index[selector] if selector else -1}, {len(cases)}, {ref}, "
                     f"{_text(f.doc)} }},\n")
        out += f"static const struct idl_field {s.name}_fields[] = {{\n{body}}};\n"
        out += (f"const struct idl_struct idl_struct_{s.name} = {{\n\t{c_string(s.name)}, "
                f"sizeof({s.name}), _Alignof({s.name}), {s.name}_fields, {len(leaves.rows)}\n"
                "};\n\n")
    return out + _table("structs", [f"idl_struct_{s.name}" for s in structs], "idl_struct")


# Interfaces

def required(p):
    """Whether NULL is no legal value of a parameter."""
    decl, stars = strip_aliases(p.type)
    if not stars and not (isinstance(decl, m.Builtin) and decl.kind in ("string", "ref")):
        return False
    return "unique" not in p.attrs


def _index(method, name):
    return next((i for i, p in enumerate(method.params) if p.name == name), -1)


def _ref(method, p, attr):
    """(parameter index, pointer level) an attribute such as size_is refers to."""
    for level, expr in enumerate(p.attrs.get(attr), 1):
        if expr and expr.names:
            return _index(method, expr.names[0]), level
    return -1, 0


def _param(method, p):
    way = " | ".join(w for w, on in (("IDL_IN", p.is_in), ("IDL_OUT", p.is_out)) if on)
    count, level = _ref(method, p, "size_is")
    length, _ = _ref(method, p, "length_is")
    iid, _ = _ref(method, p, "iid_is")
    const = p.type.const or p.type.name.startswith("LPC") or p.type.name.startswith("REF")
    return (f"\t{{ {c_string(p.name)}, {_type(p.type, p.attrs)},\n\t\t{way}, "
            f"{'true' if required(p) else 'false'}, {'true' if const else 'false'}, "
            f"{count}, {level}, {length}, {iid} }},\n")


def _interfaces(faces):
    out = banner("idl/", "", ["Interfaces, their methods and parameters.", ""]) + _INCLUDE
    for d in faces:
        rows = ""
        for x in d.methods:
            ref = "NULL"
            if x.params:
                ref = f"{d.name}_{x.name}_params"
                out += f"static const struct idl_param {ref}[] = {{\n"
                out += "".join(_param(x, p) for p in x.params) + "};\n"
            rows += (f"\t{{ {c_string(x.name)}, {c_string(x.returns)}, {x.slot}, {len(x.params)}, "
                     f"{ref}, {_text(x.doc)} }},\n")
        out += f"static const struct idl_method {d.name}_methods[] = {{\n{rows}}};\n"
        base = f"&idl_iface_{d.base.name}" if d.base else "NULL"
        out += (f"const struct idl_interface idl_iface_{d.name} = {{\n"
                f"\t{c_string(d.name)}, &IID_{d.name}, {base}, {'true' if d.local else 'false'}, "
                f"{len(d.all_methods())}, {len(d.methods)}, "
                f"{d.name}_methods,\n\t{_text(d.doc)}\n}};\n\n")
    return out + _table("interfaces", [f"idl_iface_{d.name}" for d in faces], "idl_interface")


def _decls(enums, structs, faces):
    out = banner("idl/", "", ["One symbol for each table; part of idl_tables.h.", ""])
    out += "#ifndef IDL_DECLS_H\n#define IDL_DECLS_H\n\n"
    out += "".join(f"extern const struct idl_enum idl_enum_{e.name};\n" for e in enums) + "\n"
    out += "".join(f"extern const struct idl_struct idl_struct_{s.name};\n" for s in structs) + "\n"
    out += "".join(f"extern const struct idl_interface idl_iface_{d.name};\n" for d in faces)
    return out + "\n#endif\n"


def emit(model, out):
    enums, structs, faces = model.of(m.Enum), model.of(m.Struct), model.of(m.Interface)
    out("idl_enums.c", _enums(enums))
    out("idl_values.c", _values(model))
    out("idl_structs.c", _structs(structs))
    out("idl_interfaces.c", _interfaces(faces))


def emit_decls(model, out):
    out("idl_decls.h", _decls(model.of(m.Enum), model.of(m.Struct), model.of(m.Interface)))
