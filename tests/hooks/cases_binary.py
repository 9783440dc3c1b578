"""verify-hooks binary: a call that is not in the machine code is noticed."""
import os
import subprocess
import tempfile

from scratch import ROOT

# Each function is one way a hook may look in the binary.
CODE = r'''
#define noinline __attribute__((noinline))
int key, other; extern long cpu_depth;
noinline void callee(void) { asm volatile("nop"); }
noinline void stranger(void) { asm volatile("nop; nop"); }
noinline static void special(int n) { asm volatile("" :: "r"(n + key)); }
static inline void hook(void) { if (__builtin_expect(key, 0)) callee(); }
void calls(void) { hook(); key++; }
void jumps(void) { key++; callee(); }
void misses(void) { stranger(); key++; }
void calls_undefined(void) { extern void elsewhere(void); elsewhere(); key++; }
void uses_data(void) { other = 1; }
void calls_special(void) { special(1); key++; }
__attribute__((cold)) noinline static void calls_when_cold(void) { callee(); key++; }
void splits(int n) { if (n > 5) { calls_when_cold(); callee(); __builtin_trap(); } key++; }
static inline void inlined(void) { callee(); key++; }
void outer(void) { inlined(); inlined(); }
noinline static void kept(int n) { callee(); special(n); }
void outermost(int n) { kept(n); key++; }
#define REPLACED(by) asm volatile("1: mov %%eax, %%eax; nop; nop; nop; 2:\n" \
	".pushsection .altinstructions,\"a\"\n.long 1b - ., 3f - .\n.4byte 5\n" \
	".byte 2b - 1b, 4f - 3f\n.popsection\n" \
	".pushsection .altinstr_replacement,\"ax\"\n3: call " #by "\n4:\n.popsection" \
	: : : "rax", "memory")
void replaces(void) { REPLACED(callee); key++; }
void replaces_other(void) { REPLACED(stranger); key++; }
void unrelated(void) { special(2); key++; }
'''
TWIN = 'extern int key; __attribute__((noinline)) static void twin(void) { %s key++; } void %s(void) { twin(); key++; }'
CFLAGS = ('-O2', '-ffunction-sections', '-fcf-protection=branch', '-freorder-blocks-and-partition', '-w')


def build(directory, linked):
    objects = []
    sources = {'a.c': CODE, 'b.c': 'void callee(void);' + TWIN % ('callee();', 'use_b'), 'c.c': TWIN % ('', 'use_c')}
    for name, text in sources.items():
        path = os.path.join(directory, name)
        with open(path, 'w') as out:
            out.write(text)
        objects.append(path[:-1] + 'o')
        subprocess.run(['gcc', *CFLAGS, '-c', path, '-o', objects[-1]], check=True)
    if not linked:
        return objects[0]
    elf = os.path.join(directory, 'vmlinux')
    subprocess.run(['ld', '--defsym=elsewhere=0x1000', '-e', 'calls', '-o', elf, *objects], check=True)
    return elf


def verify(linked, symbol, callee, config='-', path='a.c'):
    with tempfile.TemporaryDirectory() as directory:
        hooks = os.path.join(directory, 'hooks')
        os.mkdir(hooks)
        with open(hooks + '/MANIFEST', 'w') as out:
            out.write('the-hook | %s | %s | hook(); | 1 | %s | %s | test\n' % (path, symbol, config, callee))
        with open(directory + '/config', 'w') as out:
            out.write('CONFIG_ON=y\n# CONFIG_OFF is not set\n')
        run = subprocess.run([ROOT + '/scripts/verify-hooks', '--hooks', hooks, 'binary', '.',
                              build(directory, linked), directory + '/config'], capture_output=True, text=True)
        return run.returncode, run.stdout + run.stderr


def found(*row, **more):
    def test(_):
        for linked in (False, True):
            status, said = verify(linked, *row, **more)
            assert status == 0, said
    return test


def missing(*row, words=(), **more):
    def test(_):
        for linked in (False, True):
            status, said = verify(linked, *row, **more)
            assert status != 0, 'it was accepted'
            for word in ('the-hook', *words):
                assert word in said, said
    return test


def test_static_name_in_two_files(_):
    assert verify(True, 'twin', 'callee', path='b.c')[0] == 0
    status, said = verify(True, 'twin', 'callee', path='c.c')
    assert status != 0 and 'the-hook' in said, said


test_call = found('calls', 'callee')
test_tail_call = found('jumps', 'callee')
test_call_instead = found('replaces', 'callee')
test_other_call_instead = missing('replaces_other', 'callee', words=('callee', 'replaces_other'))
test_undefined_callee = found('calls_undefined', 'elsewhere')
test_data_reference = found('uses_data', '&other')
test_specialised_callee = found('calls_special', 'special')
test_cold_part = found('splits', 'callee')
test_inlined_with_caller = found('inlined', 'callee@outer')
test_not_inlined_with_caller = found('kept', 'callee@outermost')
test_not_inlined_wrong_caller = missing('kept', 'callee@unrelated', words=('unrelated', 'called by'))
test_option_off = found('misses', 'callee', 'CONFIG_ON CONFIG_OFF')
test_not_checkable = found('misses', '-')
test_option_on = missing('misses', 'callee', 'CONFIG_ON')
test_no_call = missing('misses', 'callee', words=('callee', 'misses', 'a.c'))
test_call_of_another = missing('calls', 'stranger', words=('stranger', 'calls'))
test_inlined_without_caller = missing('inlined', 'callee', words=('callee@CALLER',))
test_no_such_callee = missing('calls', 'nobody', words=('nobody',))
test_wrong_data = missing('uses_data', '&cpu_depth')
