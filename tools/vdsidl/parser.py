# SPDX-License-Identifier: Apache-2.0
"""IDL text to model.File, by the grammar beside this file."""
import os
import re

import lark

from . import model as m

_HERE = os.path.dirname(os.path.abspath(__file__))


def _doc_text(token):
    lines = token[3:-2].split("\n")
    lines = [re.sub(r"^\s*\*? ?", "", line).strip() for line in lines]
    return " ".join(line for line in lines if line)


class _Docs:
    """Doc comments of one file by position; leading() and trailing() find those of a node."""

    def __init__(self, text):
        self.by_end = {}
        self.by_start = {}
        self.lines = text.split("\n")

    def add(self, token):
        # The lexer gives ignored tokens no end.
        self.by_end[token.line + token.count("\n")] = token
        self.by_start.setdefault(token.line, []).append(token)
        return token

    def leading(self, line):
        token = self.by_end.get(line - 1)
        before = self.lines[token.line - 1][: token.column - 1].strip() if token else "x"
        return _doc_text(token) if token and not before else None

    def trailing(self, line, column):
        for token in self.by_start.get(line, []):
            if token.column >= column:
                return _doc_text(token)
        return None


class _Build(lark.Transformer):
    """Turns the parse tree into model objects, bottom up."""

    def __init__(self, file, docs):
        super().__init__()
        self.file, self.docs = file, docs

    def _where(self, meta):
        return f"{self.file.path}:{meta.line}"

    def _decl(self, meta):
        doc = self.docs.leading(meta.line) or self.docs.trailing(meta.end_line, meta.end_column)
        return {"where": self._where(meta), "doc": doc, "file": self.file}

    # expressions

    def number(self, c):
        return m.Expr(str(c[0]), [], int(c[0], 0))

    def name(self, c):
        return m.Expr(str(c[0]), [str(c[0])])

    def deref(self, c):
        return m.Expr("*" + c[-1], [str(c[-1])], deref=True)

    def neg(self, c):
        return m.Expr("-" + c[0].text, c[0].names, None if c[0].value is None else -c[0].value)

    def _binary(self, op, c):
        a, b = c
        return m.Expr(f"({a.text} {op} {b.text})", a.names + b.names)

    def add(self, c):
        return self._binary("+", c)

    def sub(self, c):
        return self._binary("-", c)

    def bor(self, c):
        return self._binary("|", c)

    def shl(self, c):
        return self._binary("<<", c)

    # attributes and types

    def attr_arg(self, c):
        return c[0]

    def attr(self, c):
        return str(c[0]), [a for a in c[1:]] if len(c) > 2 or c[1] is not None else []

    def uuid_attr(self, c):
        return "uuid", [str(c[1]).lower()]

    @lark.v_args(meta=True)
    def attrs(self, meta, c):
        names = [name for name, _ in c]
        if len(set(names)) != len(names):
            raise m.IdlError(self._where(meta), "an attribute is given twice")
        return m.Attrs(dict(c))

    def type(self, c):
        return m.TypeRef(str(c[1]), const=c[0] is not None)

    def array(self, c):
        return c[0]

    def declarator(self, c):
        stars = len(c[0]) if getattr(c[0], "type", "") == "STARS" else 0
        rest = c[1:] if stars else c
        return stars, str(rest[0]), rest[1:]

    # declarations

    @lark.v_args(meta=True)
    def import_(self, meta, c):
        return ("import", [str(s)[1:-1] for s in c], self._where(meta))

    @lark.v_args(meta=True)
    def define(self, meta, c):
        return m.Define(str(c[0]), value=c[1], **self._decl(meta))

    def guid(self, c):
        return str(c[0]).lower()

    @lark.v_args(meta=True)
    def const(self, meta, c):
        d = m.Const(str(c[1]), type=str(c[0]), **self._decl(meta))
        if isinstance(c[2], m.Expr):
            d.value = c[2]
        else:
            d.guid = c[2]
        return d

    @lark.v_args(meta=True)
    def member(self, meta, c):
        # A comma may stand between the member and its comment.
        return m.Member(str(c[0]), expr=c[1], **self._decl(meta))

    def enum(self, c):
        return m.Enum("", "", tag=c[0] and str(c[0]), members=[x for x in c[1:] if x is not None])

    def struct(self, c):
        return m.Struct("", "", tag=c[0] and str(c[0]), fields=c[1:])

    def union(self, c):
        return m.UnionType(c)

    @lark.v_args(meta=True)
    def field(self, meta, c):
        attrs, what, decl = (c + [None, None, None])[:3]
        attrs = attrs or m.Attrs()
        info = self._decl(meta)
        if what is None:
            return m.Field(None, type=None, attrs=attrs, **info)
        name = decl[1] if decl else None
        if isinstance(what, m.TypeRef):
            if not decl:
                raise m.IdlError(self._where(meta), "member without a name")
            what = m.TypeRef(what.name, what.const, decl[0], decl[2])
        elif decl and (decl[0] or decl[2]):
            raise m.IdlError(self._where(meta), "a nested type takes a plain name")
        if isinstance(what, m.UnionType):
            switch = attrs.get("switch_is")
            what.switch_is = switch[0].text if switch else None
        return m.Field(name, type=what, attrs=attrs, **info)

    @lark.v_args(meta=True)
    def typedef(self, meta, c):
        attrs, what, first, *more = c
        attrs = attrs or m.Attrs()
        info = self._decl(meta)
        if isinstance(what, m.TypeRef):
            if more:
                raise m.IdlError(self._where(meta), "one name for each typedef of a type")
            return m.Alias(first[1], type=m.TypeRef(what.name, what.const, first[0]), **info)
        if first[0]:
            raise m.IdlError(self._where(meta), "the first name of a typedef is the type itself")
        what.name, what.aliases = first[1], [(n, stars) for stars, n, _ in more]
        what.where, what.doc, what.file = info["where"], self.docs.leading(meta.line), self.file
        if isinstance(what, m.Enum):
            what.attrs = attrs
        return what

    @lark.v_args(meta=True)
    def forward(self, meta, c):
        return m.Forward(str(c[0]), **self._decl(meta))

    def param(self, c):
        attrs, typ, (stars, name, arrays) = c
        return m.Param(name, "", type=m.TypeRef(typ.name, typ.const, stars, arrays), attrs=attrs)

    @lark.v_args(meta=True)
    def method(self, meta, c):
        info = self._decl(meta)
        params = [p for p in c[3:] if p is not None]
        for p in params:
            p.where = info["where"]
        return m.Method(str(c[2]), returns=str(c[1]), params=params, **info)

    @lark.v_args(meta=True)
    def interface(self, meta, c):
        attrs, name, base, *methods = c
        iid = attrs.get("uuid")
        if "object" not in attrs or not iid:
            raise m.IdlError(self._where(meta), f"{name} needs [object, uuid(...)]")
        info = self._decl(meta)
        info["doc"] = self.docs.leading(meta.line)
        return m.Interface(str(name), attrs=attrs, iid=iid[0], base_name=base and str(base),
                           methods=methods, **info)

    def start(self, c):
        return c


def _head_comment(text):
    """The comment that follows the licence line, as lines of text."""
    found = re.match(r"/\*[^\n]*\*/\n/\*\n((?: \*[^/\n]*.*\n)*?) \*/", text)
    return [re.sub(r"^ \* ?", "", x) for x in found[1].rstrip("\n").split("\n")] if found else []


def parse(path):
    """Reads one file. Imports are names only; resolve.load brings the files together."""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    file = m.File(os.path.basename(path), path, _head_comment(text))
    docs = _Docs(text)
    with open(os.path.join(_HERE, "grammar.lark"), encoding="utf-8") as f:
        grammar = f.read()
    # "import" is a word of Python: its rule has another name there.
    grammar = re.sub(r"\bimport:", "import_:", grammar).replace("(import |", "(import_ |")
    parser = lark.Lark(grammar, parser="lalr", propagate_positions=True, maybe_placeholders=True,
                       lexer_callbacks={"DOC": docs.add})
    try:
        items = _Build(file, docs).transform(parser.parse(text))
    except lark.exceptions.VisitError as e:
        raise e.orig_exc
    except lark.exceptions.UnexpectedInput as e:
        raise m.IdlError(f"{path}:{e.line}", "syntax error\n" + e.get_context(text)) from None
    for item in items:
        if isinstance(item, tuple):
            file.imports += item[1]
        else:
            file.items.append(item)
    return file
