"""Just enough ELF to disassemble a few functions of a 50 MB vmlinux in one go."""
import bisect
import re
import struct
import subprocess
import tempfile
from collections import defaultdict, namedtuple

Symbol = namedtuple('Symbol', 'name addr size kind file section')
Section = namedtuple('Section', 'name type flags addr offset size link info entsize')
SHT_SYMTAB, SHT_RELA, SHT_NOBITS = 2, 4, 8
STT_FILE = 4
EXECUTABLE = 4
ET_REL = 1
R_PC32, R_PLT32, R_32, R_32S = 2, 4, 10, 11
MASK = (1 << 64) - 1
GAP = 16
# struct alt_instr of the kernel.
ALTERNATIVE = struct.Struct('<iiIBB')
# What compilers append to the name of a function they split or specialised, and we to
# that of an adapter for registers.
VARIANT = re.compile(r'\.(?:cold|isra|constprop|part|localalias|llvm|r(?:ax|bx|bp|\d+))(?:\.\d+)?')


class Elf:
    """Sections, symbols and bytes. An object file is given addresses and linked
    to itself, so that it can be treated like vmlinux."""

    def __init__(self, path):
        with open(path, 'rb') as elf:
            self.data = bytearray(elf.read())
        if self.data[:5] != b'\x7fELF\x02':
            raise ValueError('%s is not a 64-bit ELF file' % path)
        self.relocatable = struct.unpack_from('<H', self.data, 16)[0] == ET_REL
        self.read_sections()
        self.read_symbols()
        if self.relocatable:
            self.link()
        self.by_base = defaultdict(list)
        for symbol in self.symbols:
            if symbol.name:
                self.by_base[VARIANT.sub('', symbol.name)].append(symbol)

    def read_sections(self):
        table, = struct.unpack_from('<Q', self.data, 0x28)
        size, count, names = struct.unpack_from('<HHH', self.data, 0x3a)
        raw = [struct.unpack_from('<IIQQQQIIQQ', self.data, table + i * size) for i in range(count)]
        self.sections, base = [], 0x100000
        for name, kind, flags, addr, offset, length, link, info, _, entsize in raw:
            if self.relocatable:
                addr, base = base, (base + length + 0xfff) & ~0xfff
            self.sections.append(Section(self.string(raw[names][4] + name), kind, flags, addr,
                                         offset, length, link, info, entsize))

    def string(self, offset):
        return self.data[offset:self.data.index(0, offset)].decode(errors='replace')

    def read_symbols(self):
        """Local symbols follow the name of the source file they come from."""
        self.symbols, source = [], ''
        table = next((s for s in self.sections if s.type == SHT_SYMTAB), None)
        if not table:
            raise ValueError('no symbol table')
        strings = self.sections[table.link].offset
        missing = 0x40000000
        for offset in range(table.offset, table.offset + table.size, 24):
            name, info, _, index, value, size = struct.unpack_from('<IBBHQQ', self.data, offset)
            kind, name = info & 15, self.string(strings + name)
            if kind == STT_FILE:
                source = name
            if self.relocatable and index == 0:
                value, missing = missing, missing + GAP
            elif self.relocatable and index < len(self.sections):
                value += self.sections[index].addr
            self.symbols.append(Symbol(name, value, size, kind, '' if info >> 4 else source, index))

    def link(self):
        for rela in (s for s in self.sections if s.type == SHT_RELA):
            target = self.sections[rela.info]
            for offset in range(rela.offset, rela.offset + rela.size, 24):
                where, info, addend = struct.unpack_from('<QQq', self.data, offset)
                value = self.symbols[info >> 32].addr + addend
                if info & 0xffffffff in (R_PC32, R_PLT32):
                    value -= target.addr + where
                elif info & 0xffffffff not in (R_32, R_32S):
                    continue
                struct.pack_into('<I', self.data, target.offset + where, value & 0xffffffff)

    def is_code(self, symbol):
        return 0 < symbol.section < len(self.sections) and bool(self.sections[symbol.section].flags & EXECUTABLE)

    def code(self, symbol):
        section = self.sections[symbol.section]
        start = section.offset + symbol.addr - section.addr
        return bytes(self.data[start:start + symbol.size])

    def bytes_at(self, addr, count):
        for section in self.sections:
            if section.type != SHT_NOBITS and section.addr and section.addr <= addr < section.addr + section.size:
                start = section.offset + addr - section.addr
                return bytes(self.data[start:start + count])
        return b''

    def alternatives(self):
        """(place, target) of each call that may be put in the place of an instruction."""
        for section in self.sections:
            if section.name != '.altinstructions' or not section.addr:
                continue
            for offset in range(0, section.size - ALTERNATIVE.size + 1, ALTERNATIVE.size):
                place, instead, _, _, _ = ALTERNATIVE.unpack_from(self.data, section.offset + offset)
                place += section.addr + offset
                instead += section.addr + offset + 4
                code = self.bytes_at(instead, 5)
                if code[:1] == b'\xe8':
                    yield place, instead + 5 + struct.unpack_from('<i', code, 1)[0]

    def callers(self, addrs):
        """Names of functions with bytes that look like a call or jump to one of addrs."""
        found = set()
        starts = sorted((s.addr, s.size, s.name) for s in self.symbols if s.size and s.name)
        for section in (s for s in self.sections if s.flags & EXECUTABLE and s.type != SHT_NOBITS):
            code = bytes(self.data[section.offset:section.offset + section.size])
            for match in re.finditer(rb'[\xe8\xe9]', code):
                at = match.start()
                if at + 5 <= len(code):
                    after = section.addr + at + 5
                    if after + struct.unpack_from('<i', code, at + 1)[0] in addrs:
                        addr, size, name = starts[bisect.bisect(starts, (after, 0, '')) - 1]
                        found |= {name} if addr <= after <= addr + size else set()
        return sorted(found)


def disassemble(elf, symbols):
    """{symbol: [(instruction text, addresses it branches to, other numbers in it)]},
    by one run of objdump over the bytes of all of them."""
    if not symbols:
        return {}
    blob, starts = bytearray(), []
    for symbol in symbols:
        starts.append((len(blob), symbol))
        blob += elf.code(symbol) + b'\x90' * GAP
    with tempfile.NamedTemporaryFile() as image:
        image.write(blob)
        image.flush()
        out = subprocess.run(['objdump', '-D', '-b', 'binary', '-m', 'i386:x86-64', '--no-show-raw-insn',
                              image.name], check=True, capture_output=True, text=True).stdout
    result, position = {symbol: [] for symbol in symbols}, 0
    for line in out.splitlines():
        match = re.match(r'\s*([0-9a-f]+):\s+(.*)', line)
        if not match:
            continue
        at = int(match.group(1), 16)
        while position + 1 < len(starts) and at >= starts[position + 1][0]:
            position += 1
        offset, symbol = starts[position]
        if at >= offset + symbol.size:
            continue
        text = match.group(2)
        # Branch targets and `# 0x...` are relative to the blob, displacements are not.
        relative = re.findall(r'# 0x([0-9a-f]+)|^(?:call|j\w+)\s+0x([0-9a-f]+)', text)
        moved = {(int(a or b, 16) - offset + symbol.addr) & MASK for a, b in relative}
        absolute = {int(a, 16) & MASK for a in re.findall(r'0x([0-9a-f]+)', text.split('#')[0])}
        result[symbol].append((text, moved, absolute))
    ordered = sorted(symbols, key=lambda s: s.addr)
    first = [symbol.addr for symbol in ordered]
    for place, target in elf.alternatives():
        symbol = ordered[bisect.bisect(first, place) - 1]
        if symbol.addr <= place < symbol.addr + symbol.size:
            result[symbol].append(('call', {target & MASK}, set()))
    return result
