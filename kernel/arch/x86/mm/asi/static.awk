# SPDX-License-Identifier: GPL-2.0-only
#
# The static allowlist: reads static.list, and
#
#   mode=lds	 prints the part of the linker script that collects its variables
#   mode=objects looks for them in "objdump -t" of all object files
#   mode=vmlinux looks where they are in "objdump -t" of the linked kernel
#
# Inputs in this order: config=auto.conf, list=static.list, the symbol tables.
# With one_object=1 the linker sees a single object file, in which sections of
# one name are one. Complaints go to standard error and make the status 1.

function complain(entry, text)
{
	print list ":" line_of[entry] ": " name_of[entry] ": " text > "/dev/stderr"
	failed = 1
}

function bad_line(text)
{
	print list ":" FNR ": " text ": " $0 > "/dev/stderr"
	failed = 1
}

function trim(text)
{
	gsub(/^[ \t]+|[ \t]+$/, "", text)
	return text
}

# What a static variable of a function, or an array, is called in the source.
function base(name)
{
	sub(/\.[0-9]+$/, "", name)
	return name
}

function read_heading(line,    words)
{
	gsub(/[\[\]]/, "", line)
	split(line, words, " ")
	kind = words[1]
	if (kind !~ /^(data|percpu|section)$/)
		bad_line("expected [data], [percpu] or [section]")
	active = !(2 in words) || words[2] in options
}

function read_entry(line,    fields, name)
{
	if (split(line, fields, "|") != 3 || kind == "" ||
	    trim(fields[1]) !~ /^[A-Za-z_][A-Za-z0-9_]*$/ || trim(fields[3]) == "") {
		bad_line("expected NAME | OBJECT or - | REASON below a heading")
		return
	}
	if (!active)
		return
	name = trim(fields[1])
	nr++
	name_of[nr] = name
	kind_of[nr] = kind
	line_of[nr] = FNR
	object_of[nr] = trim(fields[2])
	if ((name, object_of[nr]) in seen)
		complain(nr, "is listed twice")
	seen[name, object_of[nr]] = 1
	if (kind == "section")
		sections[name] = nr
	else
		entries[name] = entries[name] " " nr
}

# The input sections that entry @e may be in, as a pattern of the linker.
function pattern(e, segment,    file, name)
{
	name = name_of[e]
	file = object_of[e] == "-" || one_object ? "*" : "*" object_of[e]
	if (kind_of[e] == "section")
		return "BOUNDED_SECTION_BY(" name ", _" name ")"
	if (kind_of[e] == "percpu")
		return file "(.data..percpu*." name " .data..percpu*." name "[[]*)"
	return file "(." segment "." name " ." segment "." name ".[0-9]*)"
}

function print_macro(macro, wanted, segment,    e)
{
	printf "#define %s", macro
	for (e = 1; e <= nr; e++)
		if (kind_of[e] ~ wanted)
			printf " \\\n\t%s", pattern(e, segment)
	print ""
}

function print_lds()
{
	print "/* Generated from " list " */"
	print_macro("ASI_STATIC_DATA", "data|section", "data")
	print_macro("ASI_STATIC_BSS", "data", "bss")
	print_macro("ASI_STATIC_PERCPU", "percpu")
}

function remember_section(section)
{
	if (section in sections) {
		everywhere[sections[section]] = 1
		found[sections[section]] = 1
		section_of[sections[section]] = section
	}
}

function matches(object, wanted)
{
	return wanted == "-" || object == wanted
}

function remember(name, object, section,    ids, i, n, e)
{
	n = split(entries[name], ids, " ")
	for (i = 1; i <= n; i++) {
		e = ids[i]
		everywhere[e]++
		places[e] = places[e] "\n\t" object " (" section ")"
		if (!matches(object, object_of[e]))
			continue
		found[e]++
		section_of[e] = section
	}
}

# Whether the linker script can pick @section for entry @e, or why not.
function uncollectable(e, section,    name)
{
	name = name_of[e]
	if (section ~ /^\.rodata|^\.data\.\.ro_after_init/)
		return "is read-only, which is mapped as a whole"
	if ((section ~ /^\.data\.\.percpu/) != (kind_of[e] == "percpu"))
		return "belongs below the other heading"
	sub(/^\.data\.\.percpu[a-z_.]*\./, ".data.", section)
	sub(/\[.*/, "", section)
	sub(/^\.bss\./, ".data.", section)
	return base(section) == ".data." name ? "" : "is not in a section of its own"
}

function judge_object(e,    why)
{
	if (!everywhere[e])
		complain(e, "no object file has a variable or section of that name")
	else if (!found[e])
		complain(e, object_of[e] " has no such variable, but:" places[e])
	else if (found[e] > 1)
		complain(e, "is ambiguous, name one of:" places[e])
	else if (one_object && everywhere[e] > 1)
		complain(e, "cannot be told apart in this configuration, " \
			 "which links all objects into one first:" places[e])
	else if (kind_of[e] != "section" && (why = uncollectable(e, section_of[e])) != "")
		complain(e, why ":" places[e])
}

function section_mark(name)
{
	return sub(/^__(start|stop)_/, "", name) && name in sections
}

# Marks of the areas, and everything that may turn out to be between them.
function remember_address(name, section, address)
{
	if (name ~ /^__(start|end)_asi_(data|bss|percpu)$/ ||
	    section_mark(name)) {
		mark[name] = address
		return
	}
	if (section !~ /^\.(data|bss|data\.\.percpu)$/)
		return
	n_symbols++
	symbol[n_symbols] = name
	address_of[n_symbols] = address
	percpu[n_symbols] = section == ".data..percpu"
	if (base(name) in entries)
		listed_at[address, percpu[n_symbols]] = 1
}

# Hexadecimal numbers of equal length: no awk need have 64 bits.
function between(start, address, end)
{
	return start in mark && end in mark && "x" address >= "x" mark[start] &&
	       "x" address < "x" mark[end]
}

function inside(area, address)
{
	return between("__start_asi_" area, address, "__end_asi_" area)
}

function in_section(i,    s)
{
	for (s in sections)
		if (!percpu[i] && between("__start_" s, address_of[i], "__stop_" s))
			return 1
	return 0
}

function in_areas(i)
{
	if (percpu[i])
		return inside("percpu", address_of[i])
	return inside("data", address_of[i]) || inside("bss", address_of[i])
}

function judge_vmlinux(    i, e, ids, n, j)
{
	for (i = 1; i <= n_symbols; i++) {
		if (in_areas(i) && !in_section(i) &&
		    !((address_of[i], percpu[i]) in listed_at)) {
			print list ": " symbol[i] " is not listed, but at " \
				address_of[i] " among what is" > "/dev/stderr"
			failed = 1
		}
		n = split(entries[base(symbol[i])], ids, " ")
		for (j = 1; j <= n; j++)
			if (in_areas(i) && percpu[i] == (kind_of[ids[j]] == "percpu"))
				placed[ids[j]]++
	}
	for (i in sections)
		placed[sections[i]] = inside("data", mark["__start_" i])
	for (e = 1; e <= nr; e++)
		if (placed[e] != 1)
			complain(e, "is " (placed[e] ? "several times" : "not") \
				 " among the variables that are mapped")
}

FILENAME == config {
	if (/^CONFIG_[A-Z0-9_]*=y$/)
		options[substr($0, 1, index($0, "=") - 1)]
	next
}

FILENAME == list {
	if (/^[ \t]*(#|$)/)
		next
	if (/^\[/)
		read_heading($0)
	else
		read_entry($0)
	next
}

/:[ \t]+file format / {
	object = substr($0, 1, index($0, ":") - 1)
	next
}

# ADDRESS FLAGS SECTION<tab>SIZE NAME; a section, a file, a function are no variable
/^[0-9a-f]+ .*\t/ {
	split($0, halves, "\t")
	section = halves[1]
	sub(/.* /, "", section)
	if (substr($0, 18, 7) ~ /[dfF]/ || section ~ /^(\*|\.text|\.init|\.discard|\.export_symbol)/)
		next
	if (mode == "vmlinux") {
		remember_address($NF, section, $1)
		next
	}
	remember_section(section)
	if (base($NF) in entries)
		remember(base($NF), object, section)
}

END {
	if (mode == "lds" && !failed)
		print_lds()
	for (e = 1; mode == "objects" && e <= nr; e++)
		judge_object(e)
	if (mode == "vmlinux")
		judge_vmlinux()
	exit failed
}
