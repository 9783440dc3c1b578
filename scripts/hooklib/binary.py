"""The MANIFEST against the built kernel: is the call really in that function?"""
import os
import re

from .elf import Elf, disassemble

def config_options(path):
    with open(path) as config:
        return {line.split('=')[0] for line in config if line.startswith('CONFIG_') and line.rstrip().endswith('=y')}


def applies(row, options):
    return row.callee != '-' and all(o in options for o in re.findall(r'CONFIG_\w+', row.config))


def where(row):
    """(what must be referred to, in which function)"""
    callee, _, caller = row.callee.partition('@')
    return callee, caller or row.symbol


def functions(elf, row, name):
    """A static name may exist in several files: then the row's file decides."""
    symbols = [s for s in elf.by_base.get(name, []) if s.size and elf.is_code(s)]
    if len({s.file for s in symbols if '.' not in s.name}) <= 1:
        return symbols
    own = [s for s in symbols if s.file == os.path.basename(row.file)]
    return own or [s for s in symbols if not s.file] or symbols


def targets(elf, name):
    return elf.by_base.get(name, [])


def addresses(elf, name):
    # A direct call may skip the four bytes of the callee's endbr64.
    return {s.addr + skip for s in targets(elf, name) for skip in (0, 4)}


def refers(elf, name, insns):
    if name.startswith('&'):
        spans = [(s.addr, s.addr + max(s.size, 1)) for s in targets(elf, name[1:])]
        return any(a <= ref < b for _, moved, plain in insns for ref in moved | plain for a, b in spans)
    addrs = addresses(elf, name)
    return any(moved & addrs for text, moved, _ in insns if re.match(r'call|j', text))


class Check:
    def __init__(self, elf, rows):
        self.elf = elf
        self.places = {row.id: functions(elf, row, where(row)[1]) for row in rows}
        # The compiler may have kept a copy of a function that is usually inlined.
        self.copies = {row.id: functions(elf, row, row.symbol) for row in rows}
        symbols = {s for table in (self.places, self.copies) for found in table.values() for s in found}
        self.code = disassemble(elf, sorted(symbols, key=lambda s: s.addr))

    def present(self, row):
        callee, _ = where(row)
        direct = any(refers(self.elf, callee, self.code[s]) for s in self.places[row.id])
        return direct or (any(refers(self.elf, callee, self.code[s]) for s in self.copies[row.id])
                          and any(refers(self.elf, row.symbol, self.code[s]) for s in self.places[row.id]))

    def error(self, row):
        callee, caller = where(row)
        name = callee.lstrip('&')
        if not targets(self.elf, name):
            return 'hook %s: there is no symbol %s' % (row.id, name)
        calls = self.elf.callers(addresses(self.elf, name))
        known = '; it is called by %s' % ', '.join(calls) if calls else ''
        if not self.places[row.id]:
            return ('hook %s: there is no function %s (%s); if it was inlined, name the caller in MANIFEST: %s@CALLER%s'
                    % (row.id, caller, row.file, callee, known))
        return ('hook %s: expected a %s %s in %s of %s, and the machine code has none%s: %s'
                % (row.id, 'reference to' if callee[0] == '&' else 'call to', name, caller, row.file, known, row.text))


def check_binary(rows, build, config):
    elf = Elf(build if os.path.isfile(build) else os.path.join(build, 'vmlinux'))
    options = config_options(config)
    rows = [row for row in rows if applies(row, options)]
    check = Check(elf, rows)
    return len(rows), [check.error(row) for row in rows if not check.present(row)]
