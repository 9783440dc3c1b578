"""The real hooks, mutated one by one: every row of the MANIFEST must be able to fail."""
import os
import shutil
import subprocess
import tempfile

from scratch import ROOT, source_dir
from hooklib import manifest, text
from hooklib.csyms import FILE_SCOPE, enclosing

HOOKS = os.path.join(ROOT, 'hooks')


def patched(files):
    """The hooked files with the real hooks in them, each as a list of lines."""
    result = {}
    with tempfile.TemporaryDirectory() as stage:
        for path in files:
            os.makedirs(os.path.join(stage, os.path.dirname(path)), exist_ok=True)
            shutil.copy(os.path.join(source_dir(), path), os.path.join(stage, path))
        for name in manifest.load_series(HOOKS):
            subprocess.run(['git', 'apply', os.path.join(HOOKS, name)], cwd=stage, check=True,
                           env=dict(os.environ, GIT_CEILING_DIRECTORIES=os.path.dirname(stage)))
        for path in files:
            with open(os.path.join(stage, path), errors='surrogateescape') as source:
                result[path] = source.read().split('\n')
    return result


def must_fail(row, rows, lines, mutation):
    errors = text.check_lines(row.file, rows, lines)
    assert any(row.id in e for e in errors), '%s: %s went unnoticed' % (row.id, mutation)


def hook_lines(row, lines):
    owners = enclosing(row.file, lines)
    return [i for i, line in enumerate(lines) if manifest.normal(line) == row.text and owners[i] == row.symbol]


def elsewhere(row, lines):
    """A place after a statement of another definition of the same file, or None."""
    # A directive ends the macro that it is put into: there is no such place.
    if row.symbol == FILE_SCOPE and row.text.startswith('#if'):
        return None
    owners = enclosing(row.file, lines)
    places = [i + 1 for i, line in enumerate(lines) if owners[i] not in (row.symbol, FILE_SCOPE)
              and line.startswith('\t') and line.endswith(';')]
    return places[len(places) // 2] if places else None


def test_every_row_can_fail(_):
    rows = manifest.load_rows(HOOKS)
    sources = patched({hunk.file for hunk in manifest.load_hunks(HOOKS)})
    for row in rows:
        lines = sources[row.file]
        same_file = [r for r in rows if r.file == row.file]
        at = hook_lines(row, lines)
        assert len(at) >= row.count, row.id
        if row.loose:
            continue
        without = lines[:at[0]] + lines[at[0] + 1:]
        must_fail(row, same_file, without, 'a lost line')
        must_fail(row, same_file, lines[:at[0]] + [lines[at[0]]] + lines[at[0]:], 'a doubled line')
        other = elsewhere(row, without)
        if other is not None:
            must_fail(row, same_file, without[:other] + [lines[at[0]]] + without[other:], 'a line in the wrong place')


def test_every_added_line_needs_its_row(_):
    rows, hunks = manifest.load_rows(HOOKS), manifest.load_hunks(HOOKS)
    assert not text.check_patches(rows, hunks)
    for row in rows:
        errors = text.check_patches([r for r in rows if r is not row], hunks)
        assert errors, '%s: the row is not needed' % row.id


def test_a_line_may_move_but_not_go(_):
    gone = manifest.Hunk('0001-a.patch', 'mm/a.c', 9, [(['check(page);'], [])], ' static int f(int a)')

    def refused(path, symbol, line='check(page);'):
        row = manifest.parse_row('a | %s | %s | %s | 1 | - | - | why' % (path, symbol, line), '')
        new = manifest.Hunk('0001-a.patch', path, 1, [([], [line])])
        return any('removes lines of mm/a.c' in e for e in text.check_patches([row], [gone, new]))
    assert not refused('mm/a.c', 'f'), 'a move was refused'
    assert refused('mm/a.c', 'g'), 'another function has it'
    assert refused('mm/b.c', 'f'), 'another file has it'
    assert refused('mm/a.c', 'f', 'count(page);'), 'it has gone'
