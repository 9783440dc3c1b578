// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test module: a secret in its variables, a timer that calls its text, and
 * changes of attributes of memory that every instance maps. See
 * Documentation/arch/x86/asi.rst.
 */
#include <linux/gfp.h>
#include <linux/hex.h>
#include <linux/hrtimer.h>
#include <linux/module.h>
#include <linux/set_memory.h>
#include <asm/asi.h>
#include <asm/asi_module.h>

#define SECRET_LEN	32
#define NR_PAGES	4
#define PERIOD		(2 * NSEC_PER_MSEC)

/* The timer and what it counts are mapped everywhere; so must be its text. */
static struct pulse {
	struct hrtimer timer;
	u64 calls;
	u64 restricted;		/* of these on restricted tables */
} pulse __asi_not_sensitive;

struct place {
	u8 secret[SECRET_LEN] __aligned(PAGE_SIZE);
};

static struct place data[NR_PAGES] = { [0 ... NR_PAGES - 1] = { { 1 } } };
static struct place bss[NR_PAGES];

static char *complement;
module_param(complement, charp, 0);
MODULE_PARM_DESC(complement, "of the secret, 64 hex digits");

static bool attributes;
module_param(attributes, bool, 0);
MODULE_PARM_DESC(attributes, "change those of mapped memory, too");

static int get_calls(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%llu\n", READ_ONCE(pulse.calls));
}

static int get_restricted(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%llu\n", READ_ONCE(pulse.restricted));
}

static const struct kernel_param_ops calls_ops = { .get = get_calls };
module_param_cb(calls, &calls_ops, NULL, 0444);
MODULE_PARM_DESC(calls, "of the timer so far");

static const struct kernel_param_ops restricted_ops = { .get = get_restricted };
module_param_cb(restricted, &restricted_ops, NULL, 0444);
MODULE_PARM_DESC(restricted, "how many of them on restricted tables");

static enum hrtimer_restart beat(struct hrtimer *timer)
{
	struct pulse *p = container_of(timer, struct pulse, timer);

	p->restricted += asi_restricted();
	p->calls++;
	hrtimer_forward_now(timer, PERIOD);
	return HRTIMER_RESTART;
}

static void start_pulse(void)
{
	hrtimer_init(&pulse.timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	pulse.timer.function = beat;
	hrtimer_start(&pulse.timer, PERIOD, HRTIMER_MODE_REL_HARD);
}

/* Nowhere but in its place: whoever looks for it must not find a copy. */
static void plant(struct place *places, const u8 *mask)
{
	int page, i;

	for (page = 0; page < NR_PAGES; page++)
		for (i = 0; i < SECRET_LEN; i++)
			WRITE_ONCE(places[page].secret[i], ~mask[i]);
}

static int plant_all(void)
{
	u8 mask[SECRET_LEN];

	if (strlen(complement) != 2 * SECRET_LEN ||
	    hex2bin(mask, complement, SECRET_LEN))
		return -EINVAL;
	plant(data, mask);
	plant(bss, mask);
	return 0;
}

/* Uncached and back, like a driver that shares a buffer with a device. */
static int change_attributes(void)
{
	unsigned long page = __get_free_page(GFP_KERNEL |
					     __GFP_GLOBAL_NONSENSITIVE);
	int err;

	if (!page)
		return -ENOMEM;
	err = set_memory_uc(page, 1);
	memset((void *)page, 1, PAGE_SIZE);
	err = err ?: set_memory_wb(page, 1);
	free_page(page);
	return err;
}

static int __init test_init(void)
{
	int err = complement ? plant_all() : 0;

	err = err ?: (attributes ? change_attributes() : 0);
	if (!err)
		start_pulse();
	return err;
}

static void __exit test_exit(void)
{
	hrtimer_cancel(&pulse.timer);
}

module_init(test_init);
module_exit(test_exit);
MODULE_DESCRIPTION("Test module of Address Space Isolation");
MODULE_LICENSE("GPL");
