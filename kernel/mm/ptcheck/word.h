/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What maps a page frame, in one word: the counts and the rules about them.
 *
 * All three counts change by one atomic addition whose result is judged, so that
 * of two entries that must not exist together one sees the other, whatever the
 * order and on whatever processors they are made.
 *
 * A file page has 31 bits: the reference count gives up there. Anonymous
 * pages have 24: one entry per process, of which there are 2^22 at most, unless
 * an administrator lets KSM share a page more than 16 million times. More than
 * one writable entry has been reported already.
 *
 * Also compiled in user space by the unit tests.
 */
#ifndef _MM_PTCHECK_WORD_H
#define _MM_PTCHECK_WORD_H

#include <linux/bits.h>
#include <linux/types.h>

#define PTCHECK_ANON_SHIFT	32
#define PTCHECK_WRITE_SHIFT	56

#define PTCHECK_FILE_ONE	1ULL
#define PTCHECK_ANON_ONE	BIT_ULL(PTCHECK_ANON_SHIFT)
#define PTCHECK_WRITE_ONE	BIT_ULL(PTCHECK_WRITE_SHIFT)

/* What happens to one entry of a page table. */
enum ptcheck_op {
	PTCHECK_MAP_READ,
	PTCHECK_MAP_WRITE,
	PTCHECK_UNMAP_READ,
	PTCHECK_UNMAP_WRITE,
	PTCHECK_UPGRADE,		/* read-only to writable, in place */
	PTCHECK_DOWNGRADE,
	PTCHECK_NR_OPS,
};

enum ptcheck_rule {
	PTCHECK_ALLOWED,
	PTCHECK_ANON_SHARED_WRITE,
	PTCHECK_ANON_OVER_FILE,
	PTCHECK_FILE_OVER_ANON,
	PTCHECK_UNMAP_NOT_MAPPED,
	PTCHECK_UNMAP_WRONG_TYPE,
	PTCHECK_WRITE_MISCOUNT,
	PTCHECK_FREED_MAPPED,
	PTCHECK_ALLOCATED_MAPPED,
	PTCHECK_KERNEL_PAGE,
	PTCHECK_UFFD_WP_WRITE,
	PTCHECK_ASI_FRAME,
	PTCHECK_ASI_CLASS,
	PTCHECK_ASI_PERMISSION,
	PTCHECK_ASI_STALE,
	PTCHECK_TEXT_WRITE,
	PTCHECK_NR_RULES,
};

struct ptcheck_counts {
	unsigned int file;
	unsigned int anon;
	unsigned int write;		/* of the anonymous ones */
};

static inline bool ptcheck_is_removal(enum ptcheck_op op)
{
	return op == PTCHECK_UNMAP_READ || op == PTCHECK_UNMAP_WRITE ||
	       op == PTCHECK_DOWNGRADE;
}

/* What @op adds to the word. Of file pages it does not matter who writes. */
static inline u64 ptcheck_delta(enum ptcheck_op op, bool anon)
{
	const u64 map = anon ? PTCHECK_ANON_ONE : PTCHECK_FILE_ONE;
	const u64 write = anon ? PTCHECK_WRITE_ONE : 0;

	switch (op) {
	case PTCHECK_MAP_READ:
		return map;
	case PTCHECK_MAP_WRITE:
		return map + write;
	case PTCHECK_UNMAP_READ:
		return -map;
	case PTCHECK_UNMAP_WRITE:
		return -(map + write);
	case PTCHECK_UPGRADE:
		return write;
	case PTCHECK_DOWNGRADE:
		return -write;
	default:
		return 0;
	}
}

/*
 * Whether an operation that found @old is beyond doubt: with one or two comparisons, of
 * an entry that is alone or shares as it may. What is doubtful goes to ptcheck_judge().
 */
static inline bool ptcheck_common(u64 old, enum ptcheck_op op, bool anon)
{
	/* The highest bits of the counts, so that there is no carry. */
	const u64 readers = (PTCHECK_WRITE_ONE >> 1) - PTCHECK_ANON_ONE;
	const u64 files = (1ULL << 31) - 1;

	switch (op) {
	case PTCHECK_MAP_READ:
		return anon ? !(old & ~readers) : old < files;
	case PTCHECK_MAP_WRITE:
		return anon ? !old : old < files;
	case PTCHECK_UNMAP_READ:
		return anon ? old && !(old & ~readers) : old - 1 < files;
	case PTCHECK_UNMAP_WRITE:
		return anon ? old == PTCHECK_ANON_ONE + PTCHECK_WRITE_ONE :
			      old - 1 < files;
	case PTCHECK_UPGRADE:
		return anon && old == PTCHECK_ANON_ONE;
	case PTCHECK_DOWNGRADE:
		return anon && old == PTCHECK_ANON_ONE + PTCHECK_WRITE_ONE;
	default:
		return false;
	}
}

struct ptcheck_counts ptcheck_counts(u64 word);
enum ptcheck_rule ptcheck_judge(u64 old, enum ptcheck_op op, bool anon);
u64 ptcheck_repair(u64 old, enum ptcheck_op op, bool anon,
		   enum ptcheck_rule rule);
const char *ptcheck_rule_name(enum ptcheck_rule rule);
const char *ptcheck_rule_text(enum ptcheck_rule rule);

#endif /* _MM_PTCHECK_WORD_H */
