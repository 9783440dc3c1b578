# SPDX-License-Identifier: GPL-2.0
"""x86-64 page tables, read from an image of physical memory and nothing else."""
import bisect
import struct

PRESENT, LARGE = 1 << 0, 1 << 7
PHYSICAL = 0x000F_FFFF_FFFF_F000
ENTRIES = 512
TABLE = struct.Struct("<512Q")


class PageWalk:
    """Everything the tables under one CR3 map.

    The kernel shares tables between address spaces and within one, so each
    (table, level) is read once, however many entries point to it.
    """

    def __init__(self, memory, cr3, levels):
        self.memory = memory
        self.root = cr3 & PHYSICAL
        self.levels = levels
        self.outside = 0        # tables beyond the image: must be none
        self.tables = {}        # (physical, level) -> entries in use
        self._read_all()
        self.starts, self.ends = self._merge()

    def _read_table(self, physical):
        if physical + TABLE.size > len(self.memory):
            self.outside += 1
            return ()
        entries = TABLE.unpack_from(self.memory, physical)
        return tuple((i, e) for i, e in enumerate(entries) if e & PRESENT)

    def _read_all(self):
        todo = [(self.root, self.levels)]
        while todo:
            key = todo.pop()
            if key in self.tables:
                continue
            physical, level = key
            self.tables[key] = self._read_table(physical)
            todo += [(e & PHYSICAL, level - 1) for _, e in self.tables[key]
                     if not is_leaf(e, level)]

    def _merge(self):
        """Physical ranges that some leaf maps, sorted and without overlap."""
        leaves = {leaf_range(e, level)
                  for (_, level), entries in self.tables.items()
                  for _, e in entries if is_leaf(e, level)}
        starts, ends = [], []
        for start, end in sorted(leaves):
            if ends and start <= ends[-1]:
                ends[-1] = max(ends[-1], end)
            else:
                starts.append(start)
                ends.append(end)
        return starts, ends

    def maps(self, physical):
        at = bisect.bisect_right(self.starts, physical) - 1
        return at >= 0 and physical < self.ends[at]

    def mapped_bytes(self):
        """Physical bytes of the image that are mapped at least once."""
        size = len(self.memory)
        return sum(max(0, min(end, size) - min(start, size))
                   for start, end in zip(self.starts, self.ends))

    def addresses(self, physical, most=4):
        """Virtual addresses of a physical one: for a report, so no cache."""
        found = []
        self._find(self.root, self.levels, 0, physical, found, most)
        return found

    def _find(self, table, level, base, physical, found, most):
        for index, entry in self.tables[table, level]:
            if len(found) >= most:
                return
            virtual = base | index << 12 + 9 * (level - 1)
            if not is_leaf(entry, level):
                self._find(entry & PHYSICAL, level - 1, virtual, physical, found, most)
                continue
            start, end = leaf_range(entry, level)
            if start <= physical < end:
                found.append(canonical(virtual, self.levels) + physical - start)


def is_leaf(entry, level):
    return level == 1 or (level <= 3 and bool(entry & LARGE))


def leaf_range(entry, level):
    size = 1 << 12 + 9 * (level - 1)
    start = entry & PHYSICAL & ~(size - 1)
    return start, start + size


def canonical(virtual, levels):
    bits = 12 + 9 * levels
    return virtual | (0 if not virtual >> (bits - 1) & 1 else -1 << bits & (1 << 64) - 1)
