#!/bin/sh
# Run a Linux guest beside a process that holds secrets, and report what the
# kernel says about it as "# DATA SECTION NAME VALUE" lines.
#
#   demo CPUS MIB PATIENCE AUDIT_INTERVAL
#
# Without ASI in the kernel there are only KVM's own statistics, which last as
# long as the machine they are about.
asi=/sys/kernel/debug/asi
kvm=/sys/kernel/debug/kvm

data() {
	echo "# DATA $*" >&3
}

# Every "NAME VALUE" line of file $2.
section() {
	[ -r "$2" ] || return 0
	while read -r name value; do
		data "$1" "$name" "$value"
	done <"$2"
}

# Of this guest alone: another virtual machine keeps secrets.
kvm_statistics() {
	for dir in "$kvm/$(pidof qemu-system-x86_64)"-*; do
		[ -r "$dir/exits" ] || return
	done
	for name in exits io_exits mmio_exits halt_exits irq_exits irq_window_exits signal_exits; do
		[ ! -r "$dir/$name" ] || echo "$name $(cat "$dir/$name")"
	done >/tmp/kvm.new
	grep -q '^exits [1-9]' /tmp/kvm.new && mv /tmp/kvm.new /tmp/kvm
}

run_guest() {
	qemu-guest "$1" "$2" "$3" &
	guest=$!
	while kill -0 $guest 2>/dev/null; do
		kvm_statistics
		sleep 1
	done
	wait $guest
}

report() {
	section stats $asi/stats
	section audit $asi/audit
	section canaries $asi/canary
	section kvm_exits $asi/kvm_exits
	section outcomes $asi/kvm_outcomes
	section kvm /tmp/kvm
	[ ! -r $asi/exits ] || head -n 100 $asi/exits | while read -r line; do
		data sites "$line"
	done
}

# From here on it is the guest of this demonstration that is counted, not the one
# that keeps secrets. When audits are switched on the kernel searches for those.
start_counting() {
	section before $asi/stats
	[ ! -w $asi/exits ] || echo 0 >$asi/exits
	[ ! -w $asi/kvm_exits ] || echo 1 >$asi/kvm_exits
	[ ! -w $asi/audit_interval ] || echo "$1" >$asi/audit_interval
}

if [ "$1" = inside ]; then
	start_counting "$5"
	run_guest "$2" "$3" "$4"
	status=$?
	report
	exit $status
fi

enabled=$(cat /sys/kernel/mm/asi/enabled 2>/dev/null || echo 0)
data host asi "$enabled"
data host release "$(uname -r)"
canary --hold demo inside "$@"
