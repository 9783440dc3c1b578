"""static.sh: a list of variables that does not fit the kernel is refused by name."""
import os
import subprocess
import tempfile

from scratch import ROOT

ASI = ROOT + '/kernel/arch/x86/mm/asi'
SOURCES = {
    'fork.c': '''
        #define PERCPU(name, sec) __attribute__((section(".data..percpu" sec "." #name))) name
        int total = 1; int zeroed; static int twice = 1; int *use_fork(void) { return &twice; }
        int counter(void) { static int calls; return ++calls; }
        int __attribute__((section(".data..odd"))) odd = 1;
        int __attribute__((section(".data..ro_after_init"))) settled = 1;
        int PERCPU(first, "..first"); int PERCPU(current_task, "") = 1;
        int PERCPU(regs[4], ""); int PERCPU(page, "..page_aligned");
    ''',
    'exec.c': 'static int twice = 2; int *use_exec(void) { return &twice; } int secret = 7; int secret_bss;'
              'static int a __attribute__((section("__odds"), used)) = 1, b __attribute__((section("__odds"), used)) = 2;',
}
SCRIPT = '''
#define PAGE_SIZE 0x1000
#define BOUNDED_SECTION_BY(sec, label) __start##label = .; *(sec) __stop##label = .;
#include "static.lds.S"
SECTIONS {
    . = 0xffffffff81000000; .text : { *(.text .text.*) } .rodata : { *(.rodata*) *(.data..ro_after_init) }
    .data : { DATA *(.data .data.[0-9a-zA-Z_]* .data..odd __odds) }
    .data..percpu 0 : { PERCPU_INPUT(64) }
    . = 0xffffffff82000000; .bss : { BSS *(.bss .bss.*) }
    /DISCARD/ : { *(.comment .note* .eh_frame) }
}
'''
FIRST = '[percpu]\nfirst | - | must be first\n'


def run(directory, *command, **env):
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, env={**os.environ, **env})


def must(directory, *command, **env):
    done = run(directory, *command, **env)
    assert done.returncode == 0, done.stderr
    return done.stdout


def compile_all(directory):
    for name, text in SOURCES.items():
        with open(os.path.join(directory, name), 'w') as out:
            out.write(text)
        must(directory, 'gcc', '-O1', '-fdata-sections', '-fno-pie', '-mcmodel=kernel', '-c', name)
    must(directory, 'ar', 'rc', 'vmlinux.a', 'fork.o', 'exec.o')


def link(directory, script, one_object, **env):
    os.makedirs(directory + '/include/generated')
    with open(directory + '/include/generated/asi_static.h', 'w') as out:
        out.write(must(directory, ASI + '/static.sh', 'lds', **env))
    with open(directory + '/vmlinux.lds.S', 'w') as out:
        out.write(script)
    must(directory, 'gcc', '-E', '-P', '-x', 'assembler-with-cpp', '-DCONFIG_ASI', '-Iinclude',
         '-I' + ASI, 'vmlinux.lds.S', '-o', 'vmlinux.lds')
    objects = ['fork.o', 'exec.o']
    if one_object:
        must(directory, 'ld', '-r', '-o', 'vmlinux.o', *objects)
        objects = ['vmlinux.o']
    must(directory, 'ld', '-e', '0', '-T', 'vmlinux.lds', '-o', 'vmlinux', *objects)


def judge(entries, script=SCRIPT, config='', data='ASI_DATA', bss='ASI_BSS'):
    """What the build would say to a list: (status, output)."""
    with tempfile.TemporaryDirectory() as directory:
        os.makedirs(directory + '/include/config')
        with open(directory + '/include/config/auto.conf', 'w') as out:
            out.write('CONFIG_ON=y\n' + config)
        with open(directory + '/static.list', 'w') as out:
            out.write('# Comment\n\n' + FIRST + entries)
        env = {'ASI_STATIC_LIST': directory + '/static.list'}
        compile_all(directory)
        made = run(directory, ASI + '/static.sh', 'lds', **env)
        if made.returncode:
            return made.returncode, made.stderr
        link(directory, script.replace('DATA *', data + ' *').replace('BSS *', bss + ' *'), 'IBT' in config, **env)
        done = run(directory, ASI + '/static.sh', 'check', 'vmlinux', **env)
        return done.returncode, done.stdout + done.stderr


def accepted(entries, **more):
    def test(_):
        status, said = judge(entries, **more)
        assert status == 0 and not said, said
    return test


def refused(entries, *words, **more):
    def test(_):
        status, said = judge(entries, **more)
        assert status != 0, 'it was accepted'
        for word in words:
            assert word in said, said
    return test


IBT = 'CONFIG_X86_KERNEL_IBT=y\n'
ALL = '''current_task | - | why
regs | - | an array
page | - | has a page to itself
[data]
total | - | has a value
zeroed | fork.o | has none
calls | - | is static in a function
[section]
__odds | - | whole
'''
test_static_fits = accepted(ALL)
test_static_fits_ibt = accepted(ALL, config=IBT)
test_static_object_tells_apart = accepted('[data]\ntwice | exec.o | why\n')
test_static_option_off = accepted('[data CONFIG_OFF]\nno_such | - | why\n')
test_static_option_module = accepted('[data CONFIG_MOD]\nno_such | - | why\n', config='CONFIG_MOD=m\n')
test_static_coarse = accepted('[data]\nno_such | - | why\n', config='CONFIG_ASI_STATIC_COARSE=y\n')

test_static_unknown = refused('[data]\nno_such | - | why\n', 'static.list:6: no_such: no object file has')
test_static_option_on = refused('[data CONFIG_ON]\nno_such | - | why\n', 'no_such: no object file has')
test_static_wrong_object = refused('[data]\ntotal | exec.o | why\n', 'total: exec.o has no', 'fork.o (.data.total)')
test_static_ambiguous = refused('[data]\ntwice | - | why\n', 'twice: is ambiguous', 'fork.o (.data.twice)', 'exec.o (.data.twice)')
test_static_ambiguous_ibt = refused('[data]\ntwice | exec.o | why\n', 'twice: cannot be told apart', 'fork.o', 'exec.o', config=IBT)
test_static_own_section = refused('[data]\nodd | - | why\n', 'odd: is not in a section of its own', 'fork.o (.data..odd)')
test_static_read_only = refused('[data]\nsettled | - | why\n', 'settled: is read-only', '.data..ro_after_init')
test_static_percpu_as_data = refused('[data]\npage | - | why\n', 'page: belongs below the other heading')
test_static_data_as_percpu = refused('total | - | why\n', 'total: belongs below the other heading')
test_static_no_reason = refused('total | - | \n', 'expected NAME | OBJECT', 'total')
test_static_no_object = refused('total | why\n', 'expected NAME | OBJECT')
test_static_bad_heading = refused('[text]\n', 'expected [data], [percpu] or [section]')
test_static_twice = refused('[data]\ntotal | - | why\ntotal | - | why\n', 'total: is listed twice')
test_static_not_collected = refused('[data]\ntotal | - | why\n', 'total: is not among the variables that are mapped', data='')
test_static_bss_not_collected = refused('[data]\nzeroed | - | why\n', 'zeroed: is not among', bss='')
test_static_no_section = refused('[section]\n__evens | - | why\n', '__evens: no object file has')
test_static_section_not_collected = refused('[section]\n__odds | - | why\n', '__odds: is not among', data='')
test_static_stranger = refused('[data]\ntotal | - | why\n', 'secret is not listed',
                               data='ASI_AREA(data, ASI_STATIC_DATA *exec.o(.data.secret))')
test_static_bss_stranger = refused('[data]\nzeroed | - | why\n', 'secret_bss is not listed',
                                   bss='ASI_AREA(bss, ASI_STATIC_BSS *(.bss.secret_bss))')
