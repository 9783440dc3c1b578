#!/bin/sh
# ptcheck_stress [SECONDS]: the stressors of stress-ng's class vm, one after the
# other, each for that long. The kernel must have nothing to say.
seconds=${1:-2}
# shellcheck source=tests/vm/violations.sh
. /tests/violations
# What needs a disk, the network, a system call that is not built, or all memory.
without=vm-rw,pageswap,swap,ramfs,tmpfs,physpage,sysfs,dev-shm,shm-sysv,bad-altstack,numa,madvise,idle-page,mlockmany,vm-segv

[ -x /usr/bin/stress-ng ] || { echo "no stress-ng"; exit 4; }
before=$(found) || exit 1
mkdir -p /tmp/stress
cd /tmp/stress || exit 1
stress-ng --class vm --seq 1 --timeout "$seconds" --exclude "$without" --vm-bytes 32M \
	--mmap-bytes 32M --oomable --no-rand-seed --metrics-brief >log 2>&1
status=$?
tail -n 60 log
after=$(found) || exit 1
echo "violations: $before before, $after after"
[ "$status" -eq 0 ] && [ "$before" = "$after" ]
