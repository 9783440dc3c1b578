"""Reading hooks/: the series, the patches and the MANIFEST."""
import os
import re
from collections import namedtuple

from .csyms import definition_name

Row = namedtuple('Row', 'id file symbol text count loose config callee why')
# start: first line in the unpatched file; runs: (removed, added) line groups in order;
# within: what git takes for the function
Hunk = namedtuple('Hunk', 'patch file start runs within', defaults=[''])


class Broken(Exception):
    """hooks/ cannot be read at all."""


def normal(line):
    """A line as rows spell it: single spaces, and no backslash that continues a macro."""
    return ' '.join(line.removesuffix('\\').split())


def parse_row(line, where):
    # The inserted text is in the middle and may itself contain the separator.
    left = line.split('|', 3)
    right = left[-1].rsplit('|', 4)
    if len(left) != 4 or len(right) != 5:
        raise Broken('%s: a row has 8 columns' % where)
    cols = [c.strip() for c in left[:3] + right]
    count = re.fullmatch(r'([1-9]\d*)(\+?)', cols[4])
    if not count:
        raise Broken('%s: count is N or N+, not "%s"' % (where, cols[4]))
    if not all(cols):
        raise Broken('%s: an empty column (write - for none)' % where)
    if '(' in cols[2]:
        cols[2] = definition_name(cols[2])
    cols[3] = normal(cols[3])
    return Row(*cols[:4], int(count.group(1)), bool(count.group(2)), *cols[5:])


def load_rows(hooks):
    rows, seen = [], set()
    path = os.path.join(hooks, 'MANIFEST')
    for number, line in enumerate(open(path), 1) if os.path.exists(path) else ():
        if not line.strip() or line.startswith('#'):
            continue
        row = parse_row(line, 'MANIFEST:%d' % number)
        if row.id in seen:
            raise Broken('MANIFEST:%d: hook id %s is used twice' % (number, row.id))
        seen.add(row.id)
        rows.append(row)
    return rows


def load_series(hooks):
    path = os.path.join(hooks, 'series')
    lines = open(path).read().splitlines() if os.path.exists(path) else []
    return [name for name in (line.split('#')[0].strip() for line in lines) if name]


def parse_patch(name, lines):
    hunks, path, index = [], None, 0
    while index < len(lines):
        line = lines[index]
        index += 1
        if line.startswith('+++ '):
            path = line[4:].split('\t')[0].strip().split('/', 1)[-1]
        head = re.match(r'@@ -(\d+)(?:,(\d+))? \+\d+(?:,(\d+))? @@(.*)', line)
        if not head:
            continue
        # The header's counts tell where a hunk ends: text may look like a header.
        old, new = (int(n) if n else 1 for n in head.group(2, 3))
        runs, last = [], ' '
        while (old > 0 or new > 0) and index < len(lines):
            kind, text = lines[index][:1] or ' ', lines[index][1:]
            index += 1
            if kind == '\\':
                continue
            old -= kind in ' -'
            new -= kind in ' +'
            if kind != ' ':
                if last == ' ':
                    runs.append(([], []))
                runs[-1][kind == '+'].append(normal(text))
            last = kind
        hunks.append(Hunk(name, path, int(head.group(1)), runs, head.group(4)))
    return hunks


def load_hunks(hooks):
    """Every hunk of every patch, once the series and the directory agree."""
    names = load_series(hooks)
    present = {f for f in os.listdir(hooks) if f.endswith('.patch')} if os.path.isdir(hooks) else set()
    for name in sorted(present.symmetric_difference(names)):
        raise Broken('%s is %s' % (name, 'not in hooks/series' if name in present else 'missing from hooks/'))
    hunks = []
    for name in names:
        with open(os.path.join(hooks, name), errors='surrogateescape') as patch:
            hunks += parse_patch(name, patch.read().splitlines())
    return hunks
