# SPDX-License-Identifier: Apache-2.0
"""The types that include/vds/vdsbase.h defines, with their widths.

IDL files use these names only: never the C or MIDL words long, hyper, boolean or wchar_t,
whose widths differ between platforms.
"""
from .model import Builtin


def _ints(size, signed, *names):
    return [Builtin(n, "int", size, signed) for n in names]


_ALL = (
    _ints(1, False, "BYTE", "UCHAR", "BOOLEAN")
    + _ints(1, True, "char")
    + _ints(2, True, "SHORT")
    + _ints(2, False, "USHORT", "WORD")
    + _ints(4, True, "LONG", "BOOL", "INT")
    + _ints(4, False, "ULONG", "DWORD", "UINT")
    + _ints(8, True, "LONGLONG")
    + _ints(8, False, "ULONGLONG")
    + [
        Builtin("HRESULT", "hresult", 4, True),
        Builtin("WCHAR", "wchar", 2, False),
        Builtin("GUID", "guid", 16),
        Builtin("IID", "guid", 16),
        Builtin("CLSID", "guid", 16),
        Builtin("REFIID", "ref", 8),
        Builtin("REFGUID", "ref", 8),
        Builtin("REFCLSID", "ref", 8),
        Builtin("LPWSTR", "string", 8, char="WCHAR"),
        Builtin("LPCWSTR", "string", 8, char="WCHAR"),
        Builtin("void", "void", 0),
    ]
)

BUILTINS = {b.name: b for b in _ALL}
