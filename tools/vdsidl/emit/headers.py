# SPDX-License-Identifier: Apache-2.0
"""The public headers: one for each IDL file, in a C and a C++ form.

Both forms describe the same memory: in C an interface is a structure with a pointer to a table
of functions, in C++ a class of pure virtual functions without destructor, which the Itanium ABI
lays out the same way. #define, being of the IDL language only, does not appear.
"""
from .. import model as m
from .ctext import (banner, comment, declare, guid_init, int_literal, wrap_list)


def _guid(name, value):
    return f"VDS_EXTERN_GUID({name},\n\t{guid_init(value)[2:-2]});\n"


def _const(d):
    if d.guid:
        return comment(d.doc) + _guid(d.name, d.guid)
    return comment(d.doc) + f"#define {d.name} {int_literal(d.value.value, d.type)}\n"


def _enum(d):
    width = max(len(x.name) for x in d.members)
    top = max(x.value for x in d.members)
    digits = 2 if top < 0x100 else 4 if top < 0x10000 else 8
    out = comment(d.doc) + f"typedef enum {d.tag + ' ' if d.tag else ''}{{\n"
    for i, x in enumerate(d.members):
        text = f"0x{x.value:0{digits}x}" if d.flags else str(x.value)
        if x.value > 0x7fffffff:
            text = f"(int){text}u"  # an enum is an int: Windows compilers take it as negative
        line = f"\t{x.name:<{width}} = {text}{',' if i < len(d.members) - 1 else ''}"
        doc = f" /* {x.doc} */" if x.doc else ""
        if len((line + doc).expandtabs(8)) > 100:
            out += comment(x.doc, "\t")
            doc = ""
        out += line + doc + "\n"
    return out + f"}} {_names(d)};\n"


def _names(d):
    return ", ".join([d.name] + ["*" * stars + n for n, stars in d.aliases])


def _fields(fields, depth):
    tab, out = "\t" * depth, ""
    for f in fields:
        if f.type is None:
            continue
        if isinstance(f.type, m.TypeRef):
            line = f"{tab}{declare(f.type, f.name)};"
            doc = f" /* {f.doc} */" if f.doc else ""
            if len((line + doc).expandtabs(8)) > 100:
                out += comment(f.doc, tab)
                doc = ""
            out += line + doc + "\n"
            continue
        union = isinstance(f.type, m.UnionType)
        # ISO C++ wants no type declared in an anonymous union; compilers do, if told so.
        word = "__extension__ union" if union else "struct"
        inner = _fields(f.type.arms if union else f.type.fields, depth + 1)
        by = f" /* by {f.type.switch_is} */" if union else ""
        out += f"{tab}{word} {{{by}\n{inner}{tab}}}{' ' + f.name if f.name else ''};\n"
    return out


def _struct(d):
    tag = d.tag + " " if d.tag else ""
    return comment(d.doc) + f"typedef struct {tag}{{\n{_fields(d.fields, 1)}}} {_names(d)};\n"


def _method_c(iface, method):
    params = [f"{iface.name} *This"] + [declare(p.type, p.name) for p in method.params]
    return wrap_list(f"\t{method.returns} (STDMETHODCALLTYPE *{method.name})(", params, ");")


def _method_cpp(method):
    params = [declare(p.type, p.name) for p in method.params]
    head = f"\tvirtual {method.returns} STDMETHODCALLTYPE {method.name}("
    return wrap_list(head, params, ") = 0;")


def _macro(iface, method):
    args = "".join(", " + p.name for p in method.params)
    head = f"#define {iface.name}_{method.name}(This{args})"
    body = f"((This)->lpVtbl->{method.name}(This{args}))"
    if len(head) + len(body) + 1 > 100:
        return f"{head} \\\n\t{body}\n"
    return f"{head} {body}\n"


def _interface(d):
    base = f" : public {d.base.name}" if d.base else ""
    out = comment(d.doc) + _guid(f"IID_{d.name}", d.iid) + "\n"
    out += "#if defined(__cplusplus) && !defined(CINTERFACE)\n"
    out += f"struct {d.name}{base} {{\n"
    for method in d.methods:
        out += comment(method.doc, "\t") + _method_cpp(method) + "\n"
    out += f"}};\nVDS_IID_OF({d.name})\n#else\n"
    out += f"typedef struct {d.name}Vtbl {{\n"
    for owner in d.chain():
        for method in owner.methods:
            doc = comment(method.doc, "\t") if owner is d else ""
            out += doc + _method_c(d, method) + "\n"
    out += f"}} {d.name}Vtbl;\n\nstruct {d.name} {{\n\tconst {d.name}Vtbl *lpVtbl;\n}};\n\n"
    out += "#ifdef COBJMACROS\n"
    out += "".join(_macro(d, method) for method in d.all_methods())
    return out + "#endif\n#endif\n"


def _runs(items):
    """Items as text: a blank line between unlike kinds and around what takes several lines."""
    last = None
    for d in items:
        one_line = isinstance(d, (m.Const, m.Alias))
        if last is not None and (not one_line or last is not type(d)):
            yield "\n"
        last = type(d)
        if isinstance(d, m.Const):
            yield _const(d)
        elif isinstance(d, m.Enum):
            yield _enum(d)
        elif isinstance(d, m.Struct):
            yield _struct(d)
        elif isinstance(d, m.Alias):
            yield comment(d.doc) + f"typedef {declare(d.type, d.name)};\n"
        elif isinstance(d, m.Interface):
            yield _interface(d)


def header(file):
    guard = f"VDS_{file.stem.upper()}_H"
    out = banner(file.name, "", file.head)
    out += f"#ifndef {guard}\n#define {guard}\n\n#include \"vdsbase.h\"\n"
    out += "".join(f'#include "{i.rsplit(".", 1)[0]}.h"\n' for i in file.imports) + "\n"
    faces = file.of(m.Interface)
    # Declared before anything uses them, whatever the order below.
    out += "".join(f"typedef struct {d.name} {d.name};\n" for d in faces) + ("\n" if faces else "")
    items = [d for d in file.items if not isinstance(d, (m.Define, m.Forward))]
    out += "".join(_runs(items))
    return out + f"\n#endif /* {guard} */\n"


def emit(model, out):
    for file in model.files:
        out(f"{file.stem}.h", header(file))
