# shellcheck shell=bash
# Helpers shared by the scripts; source it, do not run it.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
: "${BULKHEAD_CACHE:=${XDG_CACHE_HOME:-$HOME/.cache}/bulkhead}"
: "${CCACHE_DIR:=$BULKHEAD_CACHE/ccache}"
# Objects must be found again whatever directory the cache lives in.
: "${CCACHE_BASEDIR:=$BULKHEAD_CACHE}"
CCACHE_NOHASHDIR=1
JOBS=${BULKHEAD_JOBS:-$(nproc)}
# The patched kernel source; scripts/prepare-tree brings it up to date.
BULKHEAD_TREE=$BULKHEAD_CACHE/tree/linux
export ROOT BULKHEAD_CACHE BULKHEAD_TREE CCACHE_DIR CCACHE_BASEDIR CCACHE_NOHASHDIR JOBS

say() {
	printf '%s\n' "$*"
}

warn() {
	printf '%s: warning: %s\n' "${0##*/}" "$*" >&2
}

die() {
	printf '%s: error: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# Git as it comes: neither the user's configuration (external diff programs,
# whitespace options) nor a repository around the directory may change results.
plain_git() {
	env -u GIT_DIR -u GIT_WORK_TREE -u GIT_INDEX_FILE -u GIT_EXTERNAL_DIFF \
		GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 \
		GIT_CEILING_DIRECTORIES="$(pwd -P | sed 's,/[^/]*$,,')" git "$@"
}

# What tells one source tarball from another. To the nanosecond: two of one
# size may be made within a second.
tarball_key() {
	stat -c '%s-%.9Y-%n' "$1"
}

# Names of the hook patches in the order of the series file.
series() {
	[ -f "$1/series" ] || return 0
	sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' "$1/series"
}

# The ticker ends with the script that started it, also when that was killed.
_ticker() {
	local text=$1 every=15 seconds=0 note
	[ -t 1 ] && every=1
	while sleep 1 >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do
		seconds=$((seconds + 1))
		[ $((seconds % every)) -eq 0 ] || continue
		note=
		[ -z "${STEP_PROGRESS:-}" ] || note=", $($STEP_PROGRESS)"
		if [ -t 1 ]; then
			printf '\r%s ... %d s%s\033[K' "$text" $seconds "$note"
		else
			printf '%s ... %d s%s\n' "$text" $seconds "$note"
		fi
	done
}

# step TEXT COMMAND...: run COMMAND with its output kept in $STEP_LOG (or a
# temporary file), say how long it took, and on failure show the end of the
# output and return its status. $STEP_PROGRESS may name a command printing how
# far it has come. A function given as COMMAND runs in a subshell, and without
# `set -e` if the caller tests the result.
step() {
	local text=$1 log=${STEP_LOG:-} rc=0 start=$SECONDS ticker job stopped='' monitor=$-
	shift
	[ -n "$log" ] || log=$(mktemp)
	if [ -t 1 ]; then printf '%s ...' "$text"; fi
	# Its `sleep` may outlive us by a second: it must not keep our locks.
	_ticker "$text" 7>&- 8>&- 9>&- &
	ticker=$!
	# A process group of its own, so that whoever stops this script also stops a
	# make and its compilers; left alone they would go on and keep our locks.
	set -m
	(set -e; "$@") </dev/null >"$log" 2>&1 &
	job=$!
	[[ $monitor == *m* ]] || set +m
	trap 'stopped=yes; kill -TERM -- -$job 2>/dev/null' INT TERM HUP
	wait $job || rc=$?
	[ -z "$stopped" ] || wait $job 2>/dev/null || true
	trap - INT TERM HUP
	# KILL: on anything else a shell this young may run our own EXIT trap.
	kill -KILL $ticker 2>/dev/null || true
	wait $ticker 2>/dev/null || true
	if [ -t 1 ]; then printf '\r\033[K'; fi
	if [ $rc -eq 0 ]; then
		say "$text: $((SECONDS - start)) s"
	else
		say "$text: FAILED after $((SECONDS - start)) s"
		[ -n "$stopped" ] || tail -n "${STEP_TAIL:-30}" "$log" >&2
	fi
	[ -n "${STEP_LOG:-}" ] || rm -f "$log"
	[ -z "$stopped" ] || exit 130
	return $rc
}
