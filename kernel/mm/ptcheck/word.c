// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rules of page table check. Implements "Double mapping detection logic" of
 * the source, for mappings added in any order and for those changed in place.
 *
 * Also compiled in user space by the unit tests.
 */
#include <linux/types.h>

#include "word.h"

enum type { NONE, ANON, FILE_BACKED, NR_TYPES };

struct rule_name {
	const char *name;
	const char *text;
};

static const struct rule_name names[PTCHECK_NR_RULES] = {
	[PTCHECK_ALLOWED] = { "allowed", "nothing" },
	[PTCHECK_ANON_SHARED_WRITE] = { "anon_shared_write",
		"anonymous page mapped twice, and writable" },
	[PTCHECK_ANON_OVER_FILE] = { "anon_over_file",
		"page mapped as anonymous that is mapped as a file's" },
	[PTCHECK_FILE_OVER_ANON] = { "file_over_anon",
		"page mapped as a file's that is mapped as anonymous" },
	[PTCHECK_UNMAP_NOT_MAPPED] = { "unmap_not_mapped",
		"entry removed that nobody has made" },
	[PTCHECK_UNMAP_WRONG_TYPE] = { "unmap_wrong_type",
		"page has changed its type while it was mapped" },
	[PTCHECK_WRITE_MISCOUNT] = { "write_miscount",
		"entry has changed its permission unseen" },
	[PTCHECK_FREED_MAPPED] = { "freed_mapped", "page freed while it is mapped" },
	[PTCHECK_ALLOCATED_MAPPED] = { "allocated_mapped",
		"page allocated while it is mapped" },
	[PTCHECK_KERNEL_PAGE] = { "kernel_page", "page of the kernel mapped for users" },
	[PTCHECK_UFFD_WP_WRITE] = { "uffd_wp_write",
		"entry both write-protected by userfaultfd and writable" },
	[PTCHECK_ASI_FRAME] = { "asi_frame",
		"restricted table maps another frame than the full one" },
	[PTCHECK_ASI_CLASS] = { "asi_class",
		"restricted table maps memory that its instance must not see" },
	[PTCHECK_ASI_PERMISSION] = { "asi_permission",
		"restricted table allows what the full one does not" },
	[PTCHECK_ASI_STALE] = { "asi_stale",
		"memory that changes its class is mapped in a restricted table" },
	[PTCHECK_TEXT_WRITE] = { "text_write",
		"text or read-only data of the kernel writable" },
};

/* [mapped as][mapped again as][any of them writable] */
static const enum ptcheck_rule map_rules[NR_TYPES][NR_TYPES][2] = {
	[ANON][ANON] = { PTCHECK_ALLOWED, PTCHECK_ANON_SHARED_WRITE },
	[ANON][FILE_BACKED] = { PTCHECK_FILE_OVER_ANON, PTCHECK_FILE_OVER_ANON },
	[FILE_BACKED][ANON] = { PTCHECK_ANON_OVER_FILE, PTCHECK_ANON_OVER_FILE },
};

struct change {
	int maps;
	int writes;
};

static const struct change changes[PTCHECK_NR_OPS] = {
	[PTCHECK_MAP_READ]	= {  1,  0 },
	[PTCHECK_MAP_WRITE]	= {  1,  1 },
	[PTCHECK_UNMAP_READ]	= { -1,  0 },
	[PTCHECK_UNMAP_WRITE]	= { -1, -1 },
	[PTCHECK_UPGRADE]	= {  0,  1 },
	[PTCHECK_DOWNGRADE]	= {  0, -1 },
};

/** ptcheck_counts - the three counts in @word */
struct ptcheck_counts ptcheck_counts(u64 word)
{
	return (struct ptcheck_counts) {
		.file = (u32)word,
		.anon = (word >> PTCHECK_ANON_SHIFT) & 0xffffff,
		.write = word >> PTCHECK_WRITE_SHIFT,
	};
}

/* An entry goes, or loses a permission: it must have been counted. */
static enum ptcheck_rule judge_removal(struct ptcheck_counts c,
				       struct change change, bool anon)
{
	unsigned int mapped = anon ? c.anon : c.file;
	unsigned int other = anon ? c.file : c.anon;

	if (!mapped)
		return other ? PTCHECK_UNMAP_WRONG_TYPE : PTCHECK_UNMAP_NOT_MAPPED;
	if (!anon)
		return PTCHECK_ALLOWED;
	if (c.write < -change.writes || c.write + change.writes > c.anon + change.maps)
		return PTCHECK_WRITE_MISCOUNT;
	return PTCHECK_ALLOWED;
}

/* An entry comes, or gains a permission, beside @others. */
static enum ptcheck_rule judge_addition(struct ptcheck_counts others, bool write,
					bool anon)
{
	enum type new = anon ? ANON : FILE_BACKED;
	enum ptcheck_rule rule = PTCHECK_ALLOWED;

	write |= others.write;
	if (others.file)
		rule = map_rules[FILE_BACKED][new][write];
	if (others.anon && rule == PTCHECK_ALLOWED)
		rule = map_rules[ANON][new][write];
	return rule;
}

/**
 * ptcheck_judge - which rule an operation on one entry breaks
 * @old: word of the page before
 * @op: what happens
 * @anon: whether the page is anonymous now
 *
 * Return: the rule, or PTCHECK_ALLOWED.
 */
enum ptcheck_rule ptcheck_judge(u64 old, enum ptcheck_op op, bool anon)
{
	struct ptcheck_counts c = ptcheck_counts(old);
	struct change change = changes[op];

	if (change.maps < 0 || change.writes < 0)
		return judge_removal(c, change, anon);
	if (op == PTCHECK_UPGRADE && !(anon ? c.anon : c.file))
		return judge_removal(c, change, anon);
	/* The entry that is upgraded is among those counted. */
	if (op == PTCHECK_UPGRADE && anon)
		c.anon--;
	if (op == PTCHECK_UPGRADE && !anon)
		c.file--;
	return judge_addition(c, change.writes > 0, anon);
}

/* As many writable entries as there can be after an operation that miscounts. */
static u64 clamped(struct ptcheck_counts c, struct change change)
{
	u64 anon = c.anon + change.maps;
	u64 write = c.write + change.writes;

	if (c.write < -change.writes)
		write = 0;
	if (write > anon)
		write = anon;
	return c.file * PTCHECK_FILE_ONE + anon * PTCHECK_ANON_ONE +
	       write * PTCHECK_WRITE_ONE;
}

/**
 * ptcheck_repair - what to add to the word after an operation that broke a rule
 * @old: as given to ptcheck_judge()
 * @op: as given there
 * @anon: as given there
 * @rule: what it said
 *
 * A mapping that must not exist exists, and is counted until it goes. One that
 * never was counted must not make the next counts wrong.
 */
u64 ptcheck_repair(u64 old, enum ptcheck_op op, bool anon,
		   enum ptcheck_rule rule)
{
	u64 delta = ptcheck_delta(op, anon);

	if (rule == PTCHECK_UNMAP_NOT_MAPPED || rule == PTCHECK_UNMAP_WRONG_TYPE)
		return -delta;
	if (rule == PTCHECK_WRITE_MISCOUNT)
		return clamped(ptcheck_counts(old), changes[op]) - (old + delta);
	return 0;
}

/** ptcheck_rule_name - one word for @rule */
const char *ptcheck_rule_name(enum ptcheck_rule rule)
{
	return names[rule].name;
}

/** ptcheck_rule_text - what to tell people who see @rule broken */
const char *ptcheck_rule_text(enum ptcheck_rule rule)
{
	return names[rule].text;
}
