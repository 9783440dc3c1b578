"""The MANIFEST against the built kernel: is the call really in that function?"""
import os
import re

from .elf import Elf, disassemble

# What compilers append to the name of a function they split or specialised.
VARIANT = re.compile(r'\.(?:cold|isra|constprop|part|localalias|llvm)(?:\.\d+)?')


def base_name(name):
    return VARIANT.sub('', name)


def config_options(path):
    with open(path) as config:
        return {line.split('=')[0] for line in config if line.startswith('CONFIG_') and line.rstrip().endswith('=y')}


def applies(row, options):
    return row.callee != '-' and all(o in options for o in re.findall(r'CONFIG_\w+', row.config))


def where(row):
    """(what must be referred to, in which function)"""
    callee, _, caller = row.callee.partition('@')
    return callee, caller or row.symbol


class Functions:
    """The code symbols of a kernel by the name they have in the source."""

    def __init__(self, elf):
        self.by_base = {}
        for symbol in elf.symbols:
            executable = 0 < symbol.section < len(elf.sections) and elf.sections[symbol.section].flags & 4
            if symbol.name and symbol.size and executable:
                self.by_base.setdefault(base_name(symbol.name), []).append(symbol)

    def find(self, row, name):
        """A static name may exist in several files: then the row's file decides."""
        symbols = self.by_base.get(name, [])
        if len({s.file for s in symbols if '.' not in s.name}) <= 1:
            return symbols
        own = [s for s in symbols if s.file == os.path.basename(row.file)]
        return own or [s for s in symbols if not s.file] or symbols


def targets(elf, name):
    return [s for n, symbols in elf.by_name.items() if base_name(n) == name for s in symbols]


def refers(elf, name, insns):
    wanted = targets(elf, name.lstrip('&'))
    if name.startswith('&'):
        spans = [(s.addr, s.addr + max(s.size, 1)) for s in wanted]
        return any(a <= ref < b for _, moved, plain in insns for ref in moved | plain for a, b in spans)
    # A direct call may skip the four bytes of the callee's endbr64.
    addrs = {s.addr + skip for s in wanted for skip in (0, 4)}
    return any(moved & addrs for text, moved, _ in insns if re.match(r'call|j', text))


def check_binary(rows, build, config):
    path = build if os.path.isfile(build) else os.path.join(build, 'vmlinux')
    elf, options = Elf(path), config_options(config)
    functions = Functions(elf)
    rows = [row for row in rows if applies(row, options)]
    places = {row.id: functions.find(row, where(row)[1]) for row in rows}
    code = disassemble(elf, sorted({s for found in places.values() for s in found}, key=lambda s: s.addr))
    errors = []
    for row in rows:
        callee, caller = where(row)
        if not places[row.id]:
            errors.append('hook %s: %s (%s) is not a function in %s; if it was inlined, name the caller in MANIFEST: %s@CALLER'
                          % (row.id, caller, row.file, path, callee))
        elif not targets(elf, callee.lstrip('&')):
            errors.append('hook %s: there is no symbol %s in %s' % (row.id, callee.lstrip('&'), path))
        elif not any(refers(elf, callee, code[s]) for s in places[row.id]):
            errors.append('hook %s: expected %s in %s of %s, and it is not in the machine code: %s'
                          % (row.id, 'a reference to ' + callee[1:] if callee[0] == '&' else 'a call to ' + callee,
                             caller, row.file, row.text))
    return len(rows), errors
