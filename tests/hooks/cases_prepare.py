"""prepare-tree: all or nothing, and every refusal names what is wrong."""
import os
import re

from scratch import GFP, MEMFD, NMI, Scratch, diff


def expect_ok(scratch):
    status, said = scratch.prepare()
    assert status == 0, said


def expect_refused(scratch, *words):
    """After a good first run: prepare-tree fails, says the words, leaves the tree alone."""
    before = scratch.contents()
    status, said = scratch.prepare()
    assert status != 0, 'it was accepted'
    for word in words:
        assert word in said, '"%s" is not in:\n%s' % (word, said)
    assert scratch.contents() == before, 'the tree was changed'


def broken(change, *words):
    """A test: the tree is prepared, then `change` breaks something."""
    def test(source):
        with Scratch(source) as s:
            expect_ok(s)
            change(s)
            expect_refused(s, *words)
    return test


def edit(files, path, old, new, count=1):
    assert old in files[path], old
    files[path] = files[path].replace(old, new, count)


def set_version(scratch, patchlevel, sublevel):
    scratch.source['Makefile'] = re.sub(r'(?m)^PATCHLEVEL = .*\nSUBLEVEL = .*', 'PATCHLEVEL = %s\nSUBLEVEL = %s'
                                        % (patchlevel, sublevel), scratch.source['Makefile'])


def test_applies_and_applies_only_once(source):
    with Scratch(source) as s:
        expect_ok(s)
        tree = s.contents()
        assert 'test_nmi_entered();' in tree[NMI][0] and 'mm/test.c' in tree
        expect_ok(s)
        assert s.contents() == tree, 'the second run changed something'


def test_only_changed_files_look_new(source):
    with Scratch(source) as s:
        expect_ok(s)
        before = s.contents()
        edit(s.hooks, '0000-secretmem.patch', '1 || 0', '1 || 1')
        edit(s.hooks, 'MANIFEST', '1 || 0', '1 || 1')
        expect_ok(s)
        after = s.contents()
        assert {p for p in after if after[p] != before[p]} == {MEMFD}


def test_dropped_files_become_pristine(source):
    with Scratch(source) as s:
        expect_ok(s)
        s.overlay = {}
        s.hooks = {'series': '# nothing\n', 'MANIFEST': ''}
        expect_ok(s)
        assert {p: text for p, (text, _) in s.contents().items()} == source


def test_interrupted_run_is_repaired(source):
    with Scratch(source) as s:
        expect_ok(s)
        good = s.contents()
        os.unlink(s.dir + '/cache/tree/stamp')
        with open(os.path.join(s.tree, NMI), 'a') as half:
            half.write('half written\n')
        os.unlink(os.path.join(s.tree, 'mm/test.c'))
        expect_ok(s)
        assert {p: c[0] for p, c in s.contents().items()} == {p: c[0] for p, c in good.items()}


def test_other_6_12_versions(source):
    with Scratch(source) as s:
        for sublevel in (107, 200):
            set_version(s, 12, sublevel)
            expect_ok(s)
            assert 'SUBLEVEL = %d' % sublevel in s.contents()['Makefile'][0]


def move_hook_to_sibling(s):
    """Context and hook appear in another function: git is content, the place is wrong."""
    edit(s.source, NMI, 'DEFINE_IDTENTRY_RAW(exc_nmi)', 'DEFINE_IDTENTRY_RAW(exc_other)')


def duplicate(s):
    sibling = 'DEFINE_FREDENTRY_NMI(exc_nmi)\n{\n'
    edit(s.source, NMI, sibling, sibling + '\ttest_nmi_entered();\n')


def two_patches_one_file(s):
    s.hooks['0003-again.patch'] = s.hooks['0001-nmi.patch']
    s.hooks['series'] += '0003-again.patch\n'


def drop_row(s, hook):
    s.hooks['MANIFEST'] = re.sub(r'(?m)^%s .*\n' % hook, '', s.hooks['MANIFEST'])


def remove_a_line(s):
    new = s.source[NMI].replace('\tsev_es_nmi_complete();\n', '')
    s.hooks['0001-nmi.patch'] = diff(NMI, s.source[NMI], new)
    drop_row(s, 'nmi-entered')


test_anchor_moved = broken(lambda s: edit(s.source, NMI, 'sev_es_nmi_complete();', 'sev_nmi_done();'),
                           '0001-nmi.patch', 'hook nmi-entered', 'exc_nmi')
test_second_hunk_of_a_patch = broken(lambda s: edit(s.source, MEMFD, 'fd_install(fd, file);', 'publish(fd, file);'),
                                     '0000-secretmem.patch', 'hook memfd-created')
test_file_gone = broken(lambda s: s.source.pop(NMI), '0001-nmi.patch', 'hook nmi-entered', NMI)
test_function_renamed = broken(move_hook_to_sibling, 'hook nmi-entered', 'exc_other', 'exc_nmi')
test_duplicate_in_sibling = broken(duplicate, 'hook nmi-entered', 'fred_exc_nmi')
test_enum_renamed = broken(lambda s: edit(s.source, GFP, '___GFP_DMA_BIT,', '___GFP_OTHER_BIT,'), 'hook gfp-bit')
test_row_without_patch = broken(
    lambda s: edit(s.hooks, 'MANIFEST', 'test_memfd_asked', 'test_memfd_told'), 'hook memfd-asked', 'test_memfd_told')
test_patch_not_in_series = broken(lambda s: edit(s.hooks, 'series', '0001-nmi.patch\n', ''), '0001-nmi.patch')
test_patch_missing = broken(lambda s: s.hooks.pop('0001-nmi.patch'), '0001-nmi.patch')
test_line_without_row = broken(lambda s: drop_row(s, 'gfp-bit'), '0002-gfp_types.patch', '___GFP_TEST_BIT,')
test_line_removed = broken(remove_a_line, '0001-nmi.patch', 'sev_es_nmi_complete')
test_bad_row = broken(lambda s: edit(s.hooks, 'MANIFEST', '| 1 |', '| one |'), 'MANIFEST:1')
test_id_twice = broken(lambda s: edit(s.hooks, 'MANIFEST', 'memfd-asked', 'memfd-created'), 'memfd-created')
test_two_patches_one_file = broken(two_patches_one_file, '0003-again.patch', NMI)
test_overlay_hides_kernel_file = broken(lambda s: s.overlay.update({GFP: ''}), GFP)
test_6_12_106_refused = broken(lambda s: set_version(s, 12, 106), '6.12.106')
test_6_13_1_refused = broken(lambda s: set_version(s, 13, 1), '6.13.1')
