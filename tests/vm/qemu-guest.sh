#!/bin/sh
# Boot a Linux guest under the distribution's QEMU with KVM and judge what it
# says. Arguments: CPUs, MiB of memory, seconds of patience, kernel parameters.
cpus=${1:-1} mem=${2:-128} patience=${3:-60}
shift 3 2>/dev/null || shift $#
[ -e /dev/kvm ] || { echo "no /dev/kvm"; exit 4; }
[ -e /guest/bzImage ] || { echo "no guest kernel in this initramfs"; exit 4; }

disk=/tmp/guest-disk.$$ log=/tmp/guest-console.$$
truncate -s 8M $disk
timeout "$patience" qemu-system-x86_64 -accel kvm -machine microvm,acpi=off -cpu host,-xsave,host-cache-info=off \
	-smp "$cpus" -m "${mem}M" -nodefaults -no-user-config -nographic \
	-L /usr/share/qemu -serial stdio -no-reboot \
	-drive id=disk,file=$disk,format=raw,if=none -device virtio-blk-device,drive=disk \
	-kernel /guest/bzImage -initrd /guest/initrd.gz \
	-append "console=ttyS0 panic=-1 reboot=t $*" </dev/null >$log 2>&1
# Not before: every line on the console is an interrupt of the machine's own port.
cat $log
rm -f $disk

ok=$(tr -d '\r' <$log | grep '^GUEST-OK')
[ -n "$ok" ] && echo "# $ok" >&3
tr -d '\r' <$log | grep -q "^GUEST-OK.* cpus=$cpus\$"
