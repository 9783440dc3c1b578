#!/bin/sh
# Boot a Linux guest under the distribution's QEMU, which knows nothing of page
# tracking, and have `bulkhead watch` look at the text of its kernel while its root
# patches a function there. Arguments: "tell" (it happens, and is told), "stop" (it
# is caught, does not happen, and the VM is stopped) or "text" (so is the first change
# of any function); seconds of patience.
mode=${1:-stop} patience=${2:-60} function=__x64_sys_sethostname
[ -e /dev/kvm ] || { echo "no /dev/kvm"; exit 4; }
[ -e /guest/System.map ] || { echo "no System.map of the guest in this initramfs"; exit 4; }

dir=/tmp/watch.$$ qemu='' watch=''
mkdir -p $dir
mkfifo $dir/in
trap 'kill $qemu $watch 2>/dev/null; wait; cat $dir/log $dir/told $dir/said; rm -rf $dir' EXIT
exec 4<>$dir/in

# await FILE TEXT: until FILE has TEXT.
await() {
	left=$((patience * 5))
	until grep -q "$2" "$1" 2>/dev/null; do
		left=$((left - 1))
		if [ $left -le 0 ]; then
			echo "not ok - nothing said $2" >&3
			exit 1
		fi
		sleep 0.2
	done
}

failed=0
# check WHAT COMMAND...
check() {
	what=$1
	shift
	if "$@"; then
		echo "ok - $mode: $what" >&3
	else
		echo "not ok - $mode: $what" >&3
		failed=1
	fi
}

# shellcheck disable=SC2317 # called by check()
has() {
	grep -q "$2" "$1"
}

# shellcheck disable=SC2317 # called by check()
has_not() {
	! grep -q "$2" "$1"
}

# An idle guest here, of any flavour of the host, with the timer of any machine, at
# times is not woken up for a minute. Root in this one waits for nothing but its
# console before the function is patched.
qemu-system-x86_64 -accel kvm -machine microvm,acpi=off -cpu host,-xsave,host-cache-info=off \
	-smp 1 -m 96M -nodefaults -no-user-config -nographic \
	-L /usr/share/qemu -serial stdio -no-reboot \
	-kernel /guest/bzImage -initrd /guest/initrd.gz \
	-append "console=ttyS0 panic=-1 reboot=t nokaslr highres=off nohz=off guest.patch=$function guest.mem=4 guest.cpu=50" \
	<$dir/in >$dir/log 2>&1 &
qemu=$!
await $dir/log GUEST-READY

case $mode in
stop) set -- --protect $function --stop ;;
text) set -- --protect-text --stop ;;
tell) set -- --range _text.._etext --svg $dir/heat.svg --html $dir/heat.html ;;
esac
/tests/bulkhead watch --map /guest/System.map --json "$@" $qemu >$dir/told 2>$dir/said &
watch=$!
await $dir/told '"type": "start"'
echo go >&4
wait $watch
status=$?
watch=''

[ "$mode" = text ] || check "the function is named" has $dir/told "\"access\": \"write\".*\"target\": \"$function+0x[0-9a-f]*\""
check "and who wrote to it" has $dir/told '"code": "[a-z_]*\(text_poke\|memcpy\)[a-z_]*+0x'
check "with the bytes" has $dir/told '"bytes": [0-9]*, "data": "[0-9a-f][0-9a-f]'
case $mode in
stop | text)
	check "it exits with 3" [ $status -eq 3 ]
	check "the VM is stopped" has $dir/told '"outcome": "stopped"'
	sleep 1
	check "nothing is patched" has_not $dir/log GUEST-PATCHED
	check "and QEMU knows" has $dir/log 'kvm run failed'
	;;
tell)
	check "it exits with 0" [ $status -eq 0 ]
	check "when the guest has ended" has $dir/told 'the process of the VM has ended'
	check "which it did in peace" has $dir/log GUEST-OK
	check "nothing is lost" has $dir/told '"lost": 0'
	check "heat map as SVG" has $dir/heat.svg '</svg>'
	check "heat map as HTML" has $dir/heat.html '</html>'
	qemu=''
	;;
esac
exit $failed
