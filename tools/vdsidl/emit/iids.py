# SPDX-License-Identifier: Apache-2.0
"""vds_iids.c: the values of every IID, class id and other GUID the headers declare."""
from .. import model as m
from .ctext import banner, guid_init


def emit(model, out):
    text = banner("idl/", "", ["Values of the identities that the headers declare.", ""])
    text += "".join(f'#include "{f.stem}.h"\n' for f in model.files)
    for file in model.files:
        ids = [(f"IID_{d.name}" if isinstance(d, m.Interface) else d.name,
                d.iid if isinstance(d, m.Interface) else d.guid)
               for d in file.items
               if isinstance(d, m.Interface) or (isinstance(d, m.Const) and d.guid)]
        if ids:
            text += f"\n/* {file.name} */\n\n"
            text += "".join(f"const GUID {name} = {guid_init(value)};\n" for name, value in ids)
    out("vds_iids.c", text)
