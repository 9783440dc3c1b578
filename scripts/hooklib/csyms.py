"""Which column-0 definition encloses each line of a kernel source file.

A line scanner in the kernel's own layout rules: definitions open at column 0
and close with a brace at column 0. It needs no preprocessor, so it also sees
what a parser loses: handlers made by macros, assembly, #define bodies."""
import re

FILE_SCOPE = '-'
ATTR = r'(?:__\w+(?:\([^()]*\))?\s*)*'
# Attributes that may stand before a function's name and take arguments.
PREFIX = {'__printf', '__scanf', '__aligned', '__section', '__alloc_size'}
# Handler macros that give their argument a prefix: one name, several handlers.
HANDLERS = (('DEFINE_FREDENTRY', 'fred_'), ('DEFINE_IDTENTRY_NOIST', 'noist_'),
            ('DEFINE_IDTENTRY_MCE_USER', 'noist_'), ('DEFINE_IDTENTRY_DEBUG_USER', 'noist_'),
            ('DEFINE_IDTENTRY_VC_KERNEL', 'kernel_'), ('DEFINE_IDTENTRY_VC_USER', 'user_'),
            ('COMPAT_SYSCALL_DEFINE', 'compat_'))
GNU_ATTR = re.compile(r'__attribute(?:__)?\s*\(\((?:[^()]|\([^()]*\))*\)\)')
ASM_OPEN = re.compile(r'^\s*(?:SYM_\w*START\w*\((\w+)|\.macro\s+(\w+))')
ASM_CLOSE = re.compile(r'^\s*(?:SYM_\w*END\w*\(|\.endm\b)')
DEFINE = re.compile(r'^#\s*define\s+(\w+)')


def strip_comments(line, inside):
    """The line without comments, and whether a comment is open at its end."""
    out = ''
    while line:
        if inside:
            end = line.find('*/')
            if end < 0:
                return out, True
            line, inside = line[end + 2:], False
        else:
            start = line.find('/*')
            if start < 0:
                return out + line.split('//')[0], False
            out, line, inside = out + line[:start], line[start + 2:], True
    return out, inside


def handler_name(macro, argument):
    return next((p for m, p in HANDLERS if macro.startswith(m)), '') + argument


def definition_name(sig, following=''):
    """The name of the definition whose text before the opening brace is `sig`."""
    sig = GNU_ATTR.sub('', sig).strip()
    match = re.search(r'(\w+)\s*(?:\[[^]]*\]\s*)*' + ATTR + r'=\s*$', sig)
    if match:
        return match.group(1)
    match = re.match(r'(?:(?:typedef|static|const)\s+)*(struct|union|enum)\b([\w\s]*)$', sig)
    if match:
        names = [w for w in match.group(2).split() if not w.startswith('__')] or match.group(2).split()
        return names[0] if names else '%s:%s' % (match.group(1), following)
    for match in re.finditer(r'(\w+)\s*\(\s*(\w*)', sig):
        if match.group(1) in PREFIX:
            continue
        if match.group(1).isupper() and sig[:match.start()].strip() in ('', 'static'):
            return handler_name(*match.groups())
        return match.group(1)
    words = re.findall(r'\w+', sig)
    return words[-1] if words else FILE_SCOPE


def first_word(lines, index):
    for line in lines[index + 1:index + 20]:
        match = re.match(r'\s*(\w+)', line)
        if match:
            return match.group(1)
    return ''


def define_end(lines, index):
    while index < len(lines) and lines[index].rstrip().endswith('\\'):
        index += 1
    return index


def c_symbols(lines):
    owner = [FILE_SCOPE] * len(lines)
    block = None      # the open definition
    closer = None     # what closes it: a brace, or an assembly directive
    previous = []
    sig = []          # indices of lines that may turn out to begin a definition
    comment = False
    index = -1
    while index + 1 < len(lines):
        index += 1
        raw = lines[index]
        line, comment = strip_comments(raw, comment)
        text = line.rstrip()
        macro = DEFINE.match(text)
        if macro and text.endswith('\\'):
            end = define_end(lines, index)
            owner[index:end + 1] = [macro.group(1)] * (end + 1 - index)
            index = end
            continue
        if block:
            owner[index] = block
            if closer == '}' and text.startswith('}') or closer == 'asm' and ASM_CLOSE.match(text):
                block = None
            continue
        asm = ASM_OPEN.match(text)
        if asm:
            block, closer = asm.group(1) or asm.group(2), 'asm'
            owner[index] = block
            sig = []
            continue
        if text.startswith('#') or not text and raw.strip():
            continue          # directives and comments do not end a signature
        if not text or text.endswith((';', ':')) and '{' not in text:
            previous, sig = sig if not text else [], []
            continue
        if text == '{' and not sig:
            sig = previous    # a blank line before the brace
        if text[0] in ' \t' and not sig:
            continue
        sig.append(index)
        if '{' not in text:
            continue
        before = ' '.join(strip_comments(lines[i], False)[0] for i in sig).split('{')[0]
        name = definition_name(before, first_word(lines, index))
        for i in sig:
            owner[i] = name
        sig = []
        if text.count('{') > text.count('}'):
            block, closer = name, '}'
    return owner


def enclosing(path, lines):
    """The name of the definition around each line; FILE_SCOPE where there is none."""
    if path.endswith(('.c', '.h', '.S')):
        return c_symbols(lines)
    return [FILE_SCOPE] * len(lines)
