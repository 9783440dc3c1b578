#!/bin/sh
# What the kernel's own unit tests said when it booted.
results=$(ls /sys/kernel/debug/kunit/*/results 2>/dev/null)
[ -n "$results" ] || { echo "this kernel has no KUnit tests"; exit 4; }
for file in $results; do
	cat "$file"
	cat "$file" >&3
done
# shellcheck disable=SC2086 # a list of names without blanks
grep -hq '^ok ' $results && ! grep -hq '^ *not ok ' $results
