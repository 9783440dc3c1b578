"""A kernel of a handful of files, with hooks of its own, to break in every way."""
import difflib
import functools
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile

sys.dont_write_bytecode = True
ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), '..', '..'))
sys.path.insert(0, os.path.join(ROOT, 'scripts'))

MEMFD, NMI, GFP = 'mm/secretmem.c', 'arch/x86/kernel/nmi.c', 'include/linux/gfp_types.h'
FILES = (MEMFD, NMI, GFP, 'Makefile')

# file, line before which the hook goes, the hook, its row
HOOKS = (
    (MEMFD, '\tfd_install(fd, file);', '\ttest_memfd_created(file);',
     'memfd-created | mm/secretmem.c | memfd_secret | test_memfd_created(file); | 1 | - | - | test'),
    (MEMFD, '\treturn !!atomic_read(&secretmem_users);', '\ttest_memfd_asked(1 || 0);',
     'memfd-asked | mm/secretmem.c | secretmem_active | test_memfd_asked(1 || 0); | 1 | - | - | test'),
    (NMI, '\tsev_es_nmi_complete();', '\ttest_nmi_entered();',
     'nmi-entered | arch/x86/kernel/nmi.c | exc_nmi | test_nmi_entered(); | 1 | - | - | test'),
    (GFP, '\t___GFP_LAST_BIT', '\t___GFP_TEST_BIT,',
     'gfp-bit | include/linux/gfp_types.h | enum:___GFP_DMA_BIT | ___GFP_TEST_BIT, | 1 | - | - | test'),
)


@functools.cache
def source_dir():
    run = subprocess.run([ROOT + '/scripts/unpack-source'], check=True, stdout=subprocess.PIPE, text=True)
    return run.stdout.strip()


def pristine():
    files = {}
    for path in FILES:
        with open(os.path.join(source_dir(), path)) as source:
            files[path] = source.read()
    return files


def insert_before(source, anchor, line):
    assert source.count(anchor + '\n') >= 1, anchor
    return source.replace(anchor + '\n', '%s\n%s\n' % (line, anchor), 1)


def diff(path, old, new):
    return ''.join(difflib.unified_diff(old.splitlines(True), new.splitlines(True), 'a/' + path, 'b/' + path))


class Scratch:
    """source: {path: text}, overlay the same; hooks: {name: text} of hooks/."""

    def __init__(self, source):
        self.dir = tempfile.mkdtemp(prefix='bulkhead-hooks-')
        self.source, self.packed = dict(source), None
        self.overlay = {'mm/test.c': 'int test;\n'}
        self.hooks = {'MANIFEST': '\n'.join(row for *_, row in HOOKS) + '\n', 'series': ''}
        for number, path in enumerate((MEMFD, NMI, GFP)):
            new = source[path]
            for hooked, anchor, line, _ in HOOKS:
                if hooked == path:
                    new = insert_before(new, anchor, line)
            name = '%04d-%s.patch' % (number, os.path.basename(path).split('.')[0])
            self.hooks[name] = diff(path, source[path], new)
            self.hooks['series'] += name + '\n'
        self.tree = self.dir + '/cache/tree/linux'

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.dir)

    def write(self, name, files):
        shutil.rmtree(os.path.join(self.dir, name), ignore_errors=True)
        for path, text in files.items():
            path = os.path.join(self.dir, name, path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, 'w') as out:
                out.write(text)

    def prepare(self):
        """Run prepare-tree as it is; its exit status and all it said."""
        if self.source != self.packed:
            self.packed = dict(self.source)
            self.write('linux', self.source)
            with tarfile.open(self.dir + '/linux.tar.xz', 'w:xz', preset=0) as tar:
                tar.add(self.dir + '/linux', 'linux-source-6.12')
        self.write('overlay', self.overlay)
        self.write('hooks', self.hooks)
        env = dict(os.environ, BULKHEAD_CACHE=self.dir + '/cache', BULKHEAD_TARBALL=self.dir + '/linux.tar.xz',
                   BULKHEAD_OVERLAY=self.dir + '/overlay', BULKHEAD_HOOKS=self.dir + '/hooks')
        run = subprocess.run([ROOT + '/scripts/prepare-tree'], env=env, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return run.returncode, run.stdout

    def contents(self):
        """{path: (text, time of change)} of the patched tree."""
        found = {}
        for base, _, names in os.walk(self.tree):
            for name in names:
                path = os.path.join(base, name)
                with open(path) as source:
                    found[os.path.relpath(path, self.tree)] = source.read(), os.stat(path).st_mtime_ns
        return found
