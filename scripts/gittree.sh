# shellcheck shell=bash
# Git objects for what we have: the pristine source, and it with our changes.
# Sourced after lib.sh by the scripts that exchange work with git.

repo=$BULKHEAD_CACHE/linux.git
tree=$ROOT/build/tree
# What build/tree held when it last agreed with kernel/ and hooks/.
# shellcheck disable=SC2034 # used by the scripts that source this
marker=refs/worktree/bulkhead

# Fixed, so that equal sources make equal commits and equal patches.
export GIT_AUTHOR_NAME=Bulkhead GIT_AUTHOR_EMAIL=bulkhead@localhost
export GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL
export GIT_AUTHOR_DATE='1735689600 +0000' GIT_COMMITTER_DATE='1735689600 +0000'

repo_git() {
	plain_git --git-dir="$repo" "$@"
}

# with_index FILE COMMAND...: run a git command on an index of its own.
with_index() {
	local index=$1
	shift
	env -u GIT_DIR -u GIT_WORK_TREE GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 \
		GIT_INDEX_FILE="$index" git --git-dir="$repo" "$@"
}

# The objects of 90,000 files are made once; everything later refers to them.
commit_base() {
	[ -d "$repo" ] || repo_git init -q --bare
	# Fast to write beats small on disk, and nothing here is ever fetched.
	repo_git config core.compression 1
	repo_git config core.looseCompression 1
	repo_git config gc.auto 0
	rm -f "$repo/index.base"
	(cd "$src" && with_index "$repo/index.base" --work-tree=. add --all --force .)
	repo_git tag -f "$base" "$(repo_git commit-tree -m "Linux ${src##*/}" \
		"$(with_index "$repo/index.base" write-tree)")"
}

ensure_base() {
	src=$("$ROOT/scripts/unpack-source")
	base=base-${src##*/}-$(cut -d' ' -f2 "$src.key")
	if ! repo_git rev-parse -q --verify "$base" >/dev/null 2>&1; then
		step "Put Linux ${src##*/} into git (once)" commit_base
	fi
}

# our_tree INDEX: leave base, hooks and overlay in that index, print the tree.
our_tree() {
	local patch
	cp "$repo/index.base" "$1"
	with_index "$1" read-tree "$base"
	while read -r patch; do
		(cd "$repo" && with_index "$1" apply --cached --whitespace=nowarn "$ROOT/hooks/$patch") ||
			die "hook patch $patch does not apply"
	done < <(series "$ROOT/hooks")
	if [ -d "$ROOT/kernel" ]; then
		(cd "$ROOT/kernel" && with_index "$1" --work-tree=. add --ignore-removal --force .)
	fi
	with_index "$1" write-tree
}

# work_tree INDEX: the same for what build/tree holds right now. Debian's
# .gitignore ignores every new file, so what is not source is named here.
work_tree() {
	cp "$(tree_git rev-parse --path-format=absolute --git-path index)" "$1"
	GIT_INDEX_FILE=$1 tree_git add --update
	GIT_INDEX_FILE=$1 tree_git ls-files --others --exclude='*~' --exclude='.*.sw?' --exclude='.#*' \
		--exclude='*.orig' --exclude='*.rej' --exclude='*.o' --exclude='*.a' --exclude='*.ko' \
		--exclude='*.mod*' --exclude='.*.cmd' --exclude='/.config*' --exclude='/tags' \
		--exclude='/cscope*' --exclude='modules.order' >"$1.new"
	[ ! -s "$1.new" ] || GIT_INDEX_FILE=$1 tree_git add --force --pathspec-from-file="$1.new"
	GIT_INDEX_FILE=$1 tree_git write-tree
}

tree_git() {
	env -u GIT_DIR -u GIT_WORK_TREE GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 git -C "$tree" "$@"
}

# Paths that differ between two trees.
changed() {
	repo_git diff-tree -r --no-renames --name-only "$1" "$2"
}
