#!/bin/sh
# Sourced: what page table check has found so far.
# shellcheck shell=sh
violations=/sys/kernel/debug/page_table_check/violations

# Nothing to read is nothing found only where nothing is looked for.
found() {
	if [ -r "$violations" ]; then
		awk '$1 != "unprinted" { sum += $2 } END { print sum + 0 }' "$violations"
	elif grep -q 'page_table_check=on' /proc/cmdline; then
		echo "no $violations" >&2
		return 1
	else
		echo 0
	fi
}
