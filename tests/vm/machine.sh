#!/bin/sh
# machine [asi|no-asi]: what every other test takes for granted about the machine
# it runs on. Elsewhere a test that needs ASI is skipped where it is missing.
# shellcheck disable=SC2317 # check calls the functions
failed=0 count=0

# check TEXT COMMAND...: one line of report on what COMMAND says.
check() {
	text=$1
	shift
	count=$((count + 1))
	if "$@"; then
		echo "ok $count - $text" >&3
	else
		echo "not ok $count - $text" >&3
		failed=1
	fi
}

cpu_has() {
	for flag in "$@"; do
		grep -qw "$flag" /proc/cpuinfo || return 1
	done
}

# Clock and timers of an emulated machine may disagree by an order of magnitude.
sleeps_two_seconds() {
	start=$(date +%s)
	sleep 2
	[ $(($(date +%s) - start)) -le 4 ]
}

asi_is() {
	[ "$(cat /sys/kernel/mm/asi/enabled 2>/dev/null || echo 0)" = "$1" ]
}

case $1 in
asi)    check "address space isolation is on" asi_is 1 ;;
no-asi) check "address space isolation is off" asi_is 0 ;;
esac
check "KVM" test -c /dev/kvm
check "debugfs" test -d /sys/kernel/debug/kvm
check "cgroups" test -f /sys/fs/cgroup/cgroup.procs
check "loopback interface" ping -q -c 1 -W 2 127.0.0.1
check "a pipe to report to" test -p /proc/self/fd/3
check "clock and timers agree" sleeps_two_seconds
case $(grep -m1 vendor_id /proc/cpuinfo) in
*AuthenticAMD)
	check "processor with SVM and NPT" cpu_has svm npt smep smap
	check "nested paging" grep -q '[Y1]' /sys/module/kvm_amd/parameters/npt ;;
*GenuineIntel)
	check "processor with VMX, PCID, INVPCID" cpu_has vmx pcid invpcid
	check "page table isolation" cpu_has pti
	check "EPT" grep -q '[Y1]' /sys/module/kvm_intel/parameters/ept
	check "VPID" grep -q '[Y1]' /sys/module/kvm_intel/parameters/vpid ;;
*)
	check "processor of a known make" false ;;
esac
exit $failed
