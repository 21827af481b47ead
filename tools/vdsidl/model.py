# SPDX-License-Identifier: Apache-2.0
"""What an IDL file declares, as plain data.

The parser builds these objects, resolve.py links names to declarations and checks them, and
the emitters only read. Every declaration carries its file and line for messages and its doc
text (or None).
"""
from dataclasses import dataclass, field
from typing import Optional, Union


class IdlError(Exception):
    """A mistake in an IDL file: `where` is file:line."""

    def __init__(self, where, message):
        super().__init__(f"{where}: {message}")


@dataclass
class Expr:
    """An expression: kept as written (`text`, C syntax), with the names it uses.

    value is its number if it has no parameters or members in it, else None. deref is true for
    `*name`.
    """
    text: str
    names: list = field(default_factory=list)
    value: Optional[int] = None
    deref: bool = False


@dataclass
class Attrs:
    """Attributes in source order: name -> list of arguments (Expr, str, or None for an empty
    one)."""
    items: dict = field(default_factory=dict)

    def __contains__(self, name):
        return name in self.items

    def get(self, name):
        return self.items.get(name, [])


@dataclass
class TypeRef:
    """A use of a type: name, const, stars, and array bounds (Expr). `decl` is set by resolve:
    an Enum, Struct, Alias, Interface, or a Builtin."""
    name: str
    const: bool = False
    pointers: int = 0
    arrays: list = field(default_factory=list)
    decl: object = None


@dataclass
class Builtin:
    """A type that vdsbase.h defines. kind: int, guid, hresult, wchar, string (a pointer type that
    is a NUL-terminated string), ref (a reference to a GUID), void. size and signed are those of
    the C type."""
    name: str
    kind: str
    size: int
    signed: bool = False
    char: Optional[str] = None


@dataclass
class Decl:
    name: str
    where: str
    doc: Optional[str] = None
    file: object = field(default=None, repr=False)


@dataclass
class Define(Decl):
    value: Expr = None


@dataclass
class Const(Decl):
    type: str = ""
    value: Optional[Expr] = None
    guid: Optional[str] = None


@dataclass
class Member(Decl):
    value: Optional[int] = None
    expr: Optional[Expr] = None
    word: str = ""


@dataclass
class Enum(Decl):
    tag: Optional[str] = None
    attrs: Attrs = None
    members: list = field(default_factory=list)
    aliases: list = field(default_factory=list)

    @property
    def flags(self):
        return "flags" in self.attrs


@dataclass
class Field(Decl):
    """A member of a structure or arm of a union. type is a TypeRef or a nested Struct or UnionType;
    None for an arm without data. name is None for an anonymous union."""
    type: object = None
    attrs: Attrs = None


@dataclass
class UnionType:
    arms: list
    switch_is: Optional[str] = None


@dataclass
class Struct(Decl):
    tag: Optional[str] = None
    fields: list = field(default_factory=list)
    aliases: list = field(default_factory=list)


@dataclass
class Alias(Decl):
    type: TypeRef = None


@dataclass
class Param(Decl):
    type: TypeRef = None
    attrs: Attrs = None

    @property
    def is_in(self):
        return "in" in self.attrs

    @property
    def is_out(self):
        return "out" in self.attrs


@dataclass
class Method(Decl):
    returns: str = "HRESULT"
    params: list = field(default_factory=list)
    slot: int = -1


@dataclass
class Interface(Decl):
    attrs: Attrs = None
    iid: str = ""
    base_name: Optional[str] = None
    base: Optional["Interface"] = None
    methods: list = field(default_factory=list)

    @property
    def local(self):
        return "local" in self.attrs

    def chain(self):
        """This interface and its bases, root first."""
        return (self.base.chain() if self.base else []) + [self]

    def all_methods(self):
        return [m for i in self.chain() for m in i.methods]


@dataclass
class Forward(Decl):
    pass


@dataclass
class File:
    """One IDL file. head is its opening comment, items its declarations in source order."""
    name: str
    path: str
    head: list = field(default_factory=list)
    imports: list = field(default_factory=list)
    items: list = field(default_factory=list)

    @property
    def stem(self):
        return self.name.rsplit(".", 1)[0]

    def of(self, kind):
        return [d for d in self.items if isinstance(d, kind)]


AnyType = Union[Enum, Struct, Alias, Interface, Builtin]


@dataclass
class Model:
    """All files, in an order where imports come first, and the joint name table."""
    files: list
    names: dict

    def of(self, kind):
        return [d for f in self.files for d in f.of(kind)]
