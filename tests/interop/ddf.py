# SPDX-License-Identifier: Apache-2.0
"""Reads the DDF metadata of a drive file, as far as the tests ask for it, independently of vds."""
import struct

SECTOR = 512
HEADER, CONF = 0xDE11DE11, 0xEEEEEEEE
INCONSISTENT = 0x10
ONLINE, FAILED, MISSING = 1, 2, 0x40


class Drive:
    """What stands in the primary copy."""

    def __init__(self, path):
        with open(path, "rb") as f:
            f.seek(-SECTOR, 2)
            self.sectors = f.tell() // SECTOR + 1
            anchor = f.read(SECTOR)
            self.primary, self.secondary = struct.unpack_from(">QQ", anchor, 96)
            self.workspace_len, self.workspace = struct.unpack_from(">IQ", anchor, 116)
            f.seek(self.primary * SECTOR)
            copy = f.read((self.sectors - 1 - self.primary) * SECTOR)
        if struct.unpack_from(">I", copy)[0] != HEADER:
            raise ValueError(f"{path}: no DDF header")
        self.seq, = struct.unpack_from(">I", copy, 40)
        self.conf_len, self.slots = struct.unpack_from(">HH", copy, 134)
        places = [struct.unpack_from(">II", copy, 192 + 8 * i) for i in range(8)]
        self.sections = [copy[at * SECTOR:(at + n) * SECTOR] if n else b"" for at, n in places]
        self.refnum, = struct.unpack_from(">I", self.sections[4], 32)
        self.pds = dict(self._pds(self.sections[1]))
        self.vds = dict(self._vds(self.sections[2]))

    @staticmethod
    def _pds(table):
        """Drives by reference number."""
        for at in range(64, len(table) - 63, 64):
            ref, kind, state, size = struct.unpack_from(">IHHQ", table, at + 24)
            if ref not in (0, 0xFFFFFFFF):
                yield ref, {"type": kind, "state": state, "config_size": size}

    def _vds(self, table):
        """Virtual disks by name, with what their configuration record says if it is on this drive."""
        confs = dict(self._confs(self.sections[3]))
        for at in range(64, len(table) - 63, 64):
            guid = table[at:at + 24]
            if guid != b"\xff" * 24:
                name = table[at + 48:at + 64].rstrip(b" \0\xff").decode()
                yield name, {"state": table[at + 32], "init": table[at + 33], **confs.get(guid, {})}

    def _confs(self, table):
        size = self.conf_len * SECTOR
        for at in range(0, len(table) - size + 1, size):
            if struct.unpack_from(">I", table, at)[0] != CONF:
                continue
            refs = struct.unpack_from(f">{self.slots}I", table, at + 512)
            lbas = struct.unpack_from(f">{self.slots}Q", table, at + 512 + 4 * self.slots)
            used = [i for i, ref in enumerate(refs) if ref != 0xFFFFFFFF]
            yield table[at + 8:at + 32], {
                "seq": struct.unpack_from(">I", table, at + 36)[0],
                "members": [refs[i] for i in used],  # 0 = missing
                "starts": [lbas[i] for i in used],   # sectors
                "blocks": struct.unpack_from(">Q", table, at + 72)[0],
            }
