#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What the build does with the static allowlist, in the directory of the objects:
#
#   static.sh lds		print the macros of the linker script
#   static.sh check VMLINUX	hold the linked kernel and its objects against it
#
# $ASI_STATIC_LIST and $ASI_STATIC_OBJECTS replace the list and the archives.
set -e

here=$(dirname "$0")
list=${ASI_STATIC_LIST:-$here/static.list}
config=include/config/auto.conf
objects=${ASI_STATIC_OBJECTS:-vmlinux.a $KBUILD_VMLINUX_LIBS}
one_object=0
if grep -qE '^CONFIG_(X86_KERNEL_IBT|LTO_CLANG)=y' $config; then
	one_object=1
fi

# judge MODE: with symbol tables on standard input
judge() {
	${AWK:-awk} -v mode="$1" -v config=$config -v list="$list" \
		-v one_object=$one_object -f "$here/static.awk" $config "$list" -
}

case $1 in
lds)
	judge lds </dev/null
	;;
check)
	# Nothing depends on the list then, and instrumentation renames sections.
	if grep -q '^CONFIG_ASI_STATIC_COARSE=y' $config; then
		exit 0
	fi
	# One list of all objects: a name is unique only among all of them.
	for archive in $objects; do
		${OBJDUMP:-objdump} -t "$archive"
	done | judge objects
	${OBJDUMP:-objdump} -t "$2" | judge vmlinux
	;;
*)
	echo "usage: $0 lds|check VMLINUX" >&2
	exit 2
	;;
esac
