#!/bin/sh
# mm_selftests [time=SECONDS] [without=NAME]... [NAME...]: the kernel's own selftests of
# memory management, all or those named, each for so long at most (400); each must end as
# /kselftests/mm says it does on the plain kernel, and page table check, if it is on,
# must find nothing.
# shellcheck source=tests/vm/violations.sh
. /tests/violations
count=0 failed=0 seconds=400 names='' without=''

# Swap, for the tests of pages that are there.
add_swap() {
	dd if=/dev/zero of=/tmp/swap bs=1M count=64 2>/dev/null
	device=$(losetup -f)
	losetup "$device" /tmp/swap && mkswap "$device" >/dev/null && swapon "$device"
}

# pass:fail:xfail:skip of the last line with totals, - without one.
totals() {
	sed -n 's/.*Totals: pass:\([0-9]*\) fail:\([0-9]*\) xfail:\([0-9]*\) xpass:[0-9]* skip:\([0-9]*\) .*/\1:\2:\3:\4/p' "$1" |
		tail -n 1 | grep . || echo -
}

# run COMMAND STATUS TOTALS
run() {
	start=$(date +%s)
	# shellcheck disable=SC2086 # a command and its arguments
	(cd /tmp/selftests && timeout "$seconds" /kselftests/plain/$1 >log 2>&1 </dev/null)
	status=$?
	got=$(totals /tmp/selftests/log)
	count=$((count + 1))
	echo "mm_selftests $1 | $status | $got ($(($(date +%s) - start)) s)"
	if [ "$status" -eq "$(($2))" ] && [ "$got" = "$3" ]; then
		echo "ok $count - $1" >&3
		return
	fi
	echo "not ok $count - $1: status $status, totals $got" >&3
	grep -a -m 20 '^not ok\|FAIL' /tmp/selftests/log
	tail -n 5 /tmp/selftests/log
	failed=1
}

for argument; do
	case $argument in
	time=*) seconds=${argument#*=} ;;
	without=*) without="$without ${argument#*=}" ;;
	*) names="$names $argument" ;;
	esac
done
[ -r /kselftests/mm ] || { echo "no selftests"; exit 4; }
before=$(found) || exit 1
mkdir -p /tmp/selftests
add_swap || { echo "no swap"; exit 1; }
while IFS='|' read -r command status totals; do
	command=${command% }
	case " ${names:-$command} " in *" ${command%% *} "*) ;; *) continue ;; esac
	case "$without " in *" ${command%% *} "*) echo "left out: $command"; continue ;; esac
	echo 136 >/proc/sys/vm/nr_hugepages
	run "$command" "$status" "${totals# }"
done <<END
$(grep -v '^#' /kselftests/mm | grep .)
END
after=$(found) || exit 1
echo "violations: $before before, $after after"
[ "$count" -gt 0 ] && [ "$failed" -eq 0 ] && [ "$before" = "$after" ]
