# SPDX-License-Identifier: Apache-2.0
"""Brings files together, links every name to its declaration and checks what the grammar cannot.

What is checked, so that no emitter has to: every name is known, declared once and imported;
IIDs are unique; a method does not repeat the name of an inherited one; attributes are known and
refer to parameters or members that exist; every parameter has a direction.
"""
import os
import re

from . import model as m
from .builtin import BUILTINS
from .parser import parse

_PARAM_ATTRS = {"in", "out", "string", "unique", "ref", "size_is", "length_is", "max_is", "iid_is",
                "range", "disable_consistency_check"}
_FIELD_ATTRS = {"string", "size_is", "switch_is", "case", "default", "unique", "ref"}
_IFACE_ATTRS = {"object", "local", "uuid", "pointer_default"}
_ENUM_ATTRS = {"flags", "v1_enum"}


def _known(attrs, allowed, where):
    for name in attrs.items:
        if name not in allowed:
            raise m.IdlError(where, f"unknown attribute {name}")


class _Resolver:
    def __init__(self):
        self.files = {}
        self.order = []
        self.names = {}
        self.consts = {}
        self.iids = {}

    # loading

    def load(self, path, via=()):
        name = os.path.basename(path)
        if name in via:
            raise m.IdlError(path, "files import each other: " + " -> ".join(via + (name,)))
        if name in self.files:
            return
        file = parse(path)
        for other in file.imports:
            self.load(os.path.join(os.path.dirname(path), other), via + (name,))
        self.files[name] = file
        self.order.append(file)
        self._declare(file)
        for item in file.items:
            self._item(item)

    def _visible(self, file, seen=None):
        seen = seen if seen is not None else set()
        if file.name not in seen:
            seen.add(file.name)
            for other in file.imports:
                self._visible(self.files[other], seen)
        return seen

    def _put(self, table, name, decl):
        if name in self.names or name in self.consts or name in BUILTINS:
            raise m.IdlError(decl.where, f"{name} is declared twice")
        table[name] = decl

    def _declare(self, file):
        self.visible = self._visible(file)
        for d in file.items:
            if isinstance(d, (m.Alias, m.Interface)):
                self._put(self.names, d.name, d)
            elif isinstance(d, (m.Enum, m.Struct)):
                self._put(self.names, d.name, d)
                for name, stars in d.aliases:
                    ref = m.TypeRef(d.name, pointers=stars, decl=d)
                    self._put(self.names, name, m.Alias(name, d.where, file=file, type=ref))
            elif isinstance(d, (m.Const, m.Define)):
                self._put(self.consts, d.name, d)

    # names and values

    def _type(self, ref, where):
        decl = BUILTINS.get(ref.name) or self.names.get(ref.name)
        if decl is None:
            raise m.IdlError(where, f"unknown type {ref.name}")
        if not isinstance(decl, m.Builtin) and decl.file.name not in self.visible:
            raise m.IdlError(where, f"{ref.name} is in {decl.file.name}, which is not imported")
        ref.decl = decl
        for bound in ref.arrays:
            self._value(bound, where)

    def _lookup(self, name, where):
        if name not in self.consts:
            raise m.IdlError(where, f"unknown constant {name}")
        decl = self.consts[name]
        return decl.value if isinstance(decl, m.Member) else self._value(decl.value, decl.where)

    def _value(self, expr, where):
        """The number an expression of constants stands for; kept in expr.value."""
        if expr.value is None:
            text = expr.text
            for name in sorted(set(expr.names), key=len, reverse=True):
                text = re.sub(rf"\b{name}\b", str(self._lookup(name, where)), text)
            if not re.fullmatch(r"[-+|<>() 0-9xXa-fA-F]+", text):
                raise m.IdlError(where, f"not a constant: {expr.text}")
            expr.value = eval(text, {"__builtins__": {}})  # digits and operators only, see above
        return expr.value

    # declarations

    def _item(self, d):
        if isinstance(d, m.Alias):
            self._type(d.type, d.where)
        elif isinstance(d, m.Enum):
            self._enum(d)
        elif isinstance(d, m.Struct):
            self._fields(d.fields, d.where)
        elif isinstance(d, m.Interface):
            self._interface(d)
        elif isinstance(d, m.Define):
            self._value(d.value, d.where)
        elif isinstance(d, m.Const):
            self._const(d)
        elif isinstance(d, m.Forward):
            if not isinstance(self.names.get(d.name), m.Interface):
                raise m.IdlError(d.where, f"interface {d.name} is not declared in this file")

    def _const(self, d):
        kind = BUILTINS.get(d.type)
        if kind is None or kind.kind not in ("int", "hresult", "guid"):
            raise m.IdlError(d.where, f"a constant cannot be of type {d.type}")
        if (kind.kind == "guid") != (d.guid is not None):
            raise m.IdlError(d.where, f"{d.name}: a uuid(...) is of type GUID, and the reverse")
        if d.value:
            v = self._value(d.value, d.where)
            if v >= 1 << (8 * kind.size) or v < -(1 << (8 * kind.size - 1)):
                raise m.IdlError(d.where, f"{d.name} does not fit {d.type}")

    def _enum(self, d):
        _known(d.attrs, _ENUM_ATTRS, d.where)
        following = 0
        for member in d.members:
            member.value = self._value(member.expr, member.where) if member.expr else following
            following = member.value + 1
            if not 0 <= member.value < 1 << 32:
                raise m.IdlError(member.where, f"{member.name} does not fit 32 bits")
            self._put(self.consts, member.name, member)

    def _fields(self, fields, where, outer=()):
        here = [f.name for f in fields if f.name]
        if len(set(here)) != len(here):
            raise m.IdlError(where, "two members have the same name")
        scope = tuple(here) + outer
        for f in fields:
            _known(f.attrs, _FIELD_ATTRS, f.where)
            if isinstance(f.type, m.Struct):
                self._fields(f.type.fields, f.where)
            elif isinstance(f.type, m.UnionType):
                if f.type.switch_is not in here:
                    raise m.IdlError(f.where, "switch_is must name a member beside the union")
                self._fields(f.type.arms, f.where, scope)
                taken = set()
                for arm in f.type.arms:
                    self._arm(arm, taken)
            elif f.type is not None:
                self._type(f.type, f.where)
            for expr in f.attrs.get("size_is"):
                if expr and not set(expr.names) <= set(scope):
                    raise m.IdlError(f.where, f"size_is({expr.text}) does not name a member")

    def _arm(self, arm, taken):
        if ("case" in arm.attrs) == ("default" in arm.attrs):
            raise m.IdlError(arm.where, "an arm is either [case(...)] or [default]")
        for expr in arm.attrs.get("case"):
            if self._value(expr, arm.where) in taken:
                raise m.IdlError(arm.where, f"case {expr.text} has an arm already")
            taken.add(expr.value)

    def _interface(self, d):
        _known(d.attrs, _IFACE_ATTRS, d.where)
        if d.iid in self.iids:
            raise m.IdlError(d.where, f"{d.name} has the IID of {self.iids[d.iid]}")
        self.iids[d.iid] = d.name
        if d.base_name:
            d.base = self.names.get(d.base_name)
            if not isinstance(d.base, m.Interface):
                raise m.IdlError(d.where, f"unknown base {d.base_name}")
        taken = {x.name: d.base.name for x in d.base.all_methods()} if d.base else {}
        for slot, method in enumerate(d.methods, len(taken)):
            if method.name in taken:
                raise m.IdlError(method.where,
                                 f"{taken[method.name]} already has a method {method.name}")
            taken[method.name] = d.name
            method.slot = slot
            self._method(d, method)

    def _method(self, iface, method):
        returns = BUILTINS.get(method.returns)
        if not returns or (returns.kind != "hresult" and not iface.local):
            raise m.IdlError(method.where, "a method that can be remote returns HRESULT")
        params = {p.name: p for p in method.params}
        if len(params) != len(method.params):
            raise m.IdlError(method.where, "two parameters have the same name")
        for p in method.params:
            where = f"{method.where}: {method.name}.{p.name}"
            _known(p.attrs, _PARAM_ATTRS, where)
            self._type(p.type, where)
            if not (p.is_in or p.is_out):
                raise m.IdlError(where, "needs [in] or [out]")
            if p.is_out and not p.type.pointers and not _is_pointer(p.type.decl):
                raise m.IdlError(where, "[out] needs a pointer")
            for attr in ("size_is", "length_is", "max_is", "iid_is"):
                for expr in p.attrs.get(attr):
                    self._param_expr(expr, attr, params, where)

    def _param_expr(self, expr, attr, params, where):
        if expr is None:
            return
        unknown = [n for n in expr.names if n not in params]
        if unknown and attr != "max_is":
            raise m.IdlError(where, f"{attr}({expr.text}): no parameter {unknown[0]}")
        if unknown:
            self._value(expr, where)


def _is_pointer(decl):
    """Whether a type name without a star is a pointer all the same."""
    if isinstance(decl, m.Alias):
        return decl.type.pointers > 0 or _is_pointer(decl.type.decl)
    return isinstance(decl, m.Builtin) and decl.kind in ("string", "ref")


def load(paths):
    """Parses the files and what they import; the model, or IdlError."""
    r = _Resolver()
    for path in paths:
        r.load(path)
    return m.Model(r.order, r.names)
