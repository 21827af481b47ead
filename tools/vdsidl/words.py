# SPDX-License-Identifier: Apache-2.0
"""The words by which programs print enum members: VDS_H_FAILED_REDUNDANCY is "failed_redundancy",
VDSBusTypeFileBackedVirtual "file_backed_virtual"."""
import os
import re

# Where capitals do not show the words.
_ODD = {"VDSBusTypeNVMe": "nvme", "VDSBusTypeiScsi": "iscsi"}

_BOUND = re.compile(r"(_MAX|Max|MaxReserved)$")


def _snake_prefix(enum):
    """What the members of an enum in capitals have in front."""
    bare = enum.name.strip("_") + "_"
    names = [x.name for x in enum.members]
    if all(n.startswith(bare) for n in names):
        return bare
    short = re.match(r"VDSX?_[A-Z0-9]+_", names[0])
    if short and all(n.startswith(short[0]) for n in names):
        return short[0]
    return re.match(r".*_|", os.path.commonprefix(names))[0]


def _camel_word(name, prefix):
    text = name[len(prefix):]
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", text)
    return text.lower()


def words(enum):
    """Member name -> word."""
    if all(x.name.isupper() for x in enum.members):
        prefix = _snake_prefix(enum)
        return {x.name: x.name[len(prefix):].lower() for x in enum.members}
    prefix = os.path.commonprefix([x.name for x in enum.members])
    return {x.name: _ODD.get(x.name) or _camel_word(x.name, prefix) for x in enum.members}


def is_bound(member):
    """Whether a member only names the end of a range."""
    return bool(_BOUND.search(member.name))
