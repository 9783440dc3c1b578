"""The MANIFEST against the patches and against the patched source."""
import os
import re
from collections import Counter, defaultdict

from .csyms import FILE_SCOPE, enclosing
from .manifest import normal


def place(symbol):
    return 'at file scope' if symbol == FILE_SCOPE else 'in ' + symbol


def moved(line, hunk, rows):
    """Whether a row says that the function has this line elsewhere."""
    words = set(re.findall(r'\w+', hunk.within))
    return any((row.file, row.text) == (hunk.file, line) and row.symbol in words for row in rows)


def check_patches(rows, hunks):
    """Both ways: every added line has a row, every row is added by a patch."""
    errors = []
    added, patch_of = Counter(), {}
    for hunk in hunks:
        patch_of[hunk.file] = hunk.patch
        for removed, new in hunk.runs:
            if removed and not new and not all(moved(line, hunk, rows) for line in removed):
                errors.append('%s: removes lines of %s without putting anything in their place: %s'
                              % (hunk.patch, hunk.file, removed[0]))
            added.update((hunk.file, line) for line in new if line)
    listed, ids = Counter(), defaultdict(list)
    for row in rows:
        listed[row.file, row.text] += row.count
        ids[row.file, row.text].append(row.id)
    for key in sorted(added.keys() - listed.keys()):
        errors.append('%s adds a line to %s that no MANIFEST row lists: %s' % (patch_of[key[0]], *key))
    for key, count in listed.items():
        if added[key] == count:
            continue
        errors.append('hook %s: the patches add this line to %s %d times, MANIFEST says %d: %s'
                      % (', '.join(ids[key]), key[0], added[key], count, key[1]))
    return errors


def unlisted(rows, hunks, tree):
    """Rows for added lines that have none, as far as they can be filled in."""
    listed = {(row.file, row.text) for row in rows}
    added = Counter((h.file, line) for h in hunks for _, new in h.runs for line in new if line)
    for path, line in sorted(added.keys() - listed):
        with open(os.path.join(tree, path), errors='surrogateescape') as source:
            lines = source.read().split('\n')
        for symbol, count in Counter(s for text, s in zip(lines, enclosing(path, lines)) if normal(text) == line).items():
            yield 'ID | %s | %s | %s | %d | CONFIG | - | WHY' % (path, symbol, line, count)


def check_row(row, found, expected):
    here = found[row.symbol]
    if here < row.count or here > expected[row.symbol] and not row.loose:
        hint = ' (a count of %d+ allows for lines of the file\'s own)' % row.count if here > expected[row.symbol] else ''
        others = ', '.join('%d %s' % (n, place(s)) for s, n in sorted(found.items()) if s != row.symbol)
        return ['hook %s: expected %d %s of %s, found %d%s: %s%s'
                % (row.id, expected[row.symbol], place(row.symbol), row.file, here,
                   ' (and %s)' % others if others else '', row.text, hint)]
    if row.loose:
        return []
    return ['hook %s: belongs %s of %s, but %s there is another: %s'
            % (row.id, place(row.symbol), row.file, place(symbol), row.text)
            for symbol in sorted(found.keys() - expected.keys())]


def check_lines(path, rows, lines):
    wanted = {row.text for row in rows}
    found, expected = defaultdict(Counter), defaultdict(Counter)
    for line, symbol in zip(lines, enclosing(path, lines)):
        if normal(line) in wanted:
            found[normal(line)][symbol] += 1
    for row in rows:
        expected[row.text][row.symbol] += row.count
    return [e for row in rows for e in check_row(row, found[row.text], expected[row.text])]


def check_file(tree, path, rows):
    try:
        with open(os.path.join(tree, path), errors='surrogateescape') as source:
            return check_lines(path, rows, source.read().split('\n'))
    except OSError:
        return ['hook %s: there is no %s in %s' % (row.id, path, tree) for row in rows]


def check_tree(rows, tree):
    by_file = defaultdict(list)
    for row in rows:
        by_file[row.file].append(row)
    return [e for path in sorted(by_file) for e in check_file(tree, path, by_file[path])]


def blame(rows, hunks, patch, failures):
    """The hooks in the hunks that git could not place; failures: (file, line or None)."""
    report = []
    for path, start in failures:
        for hunk in hunks:
            if (hunk.patch, hunk.file) != (patch, path) or start not in (None, hunk.start):
                continue
            for line in (text for _, new in hunk.runs for text in new if text):
                ids = [r for r in rows if (r.file, r.text) == (path, line)]
                report += ['hook %s: expected %s of %s: %s' % (r.id, place(r.symbol), path, line) for r in ids] \
                    or ['hook not in MANIFEST: %s: %s' % (path, line)]
    return report
