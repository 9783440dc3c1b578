// SPDX-License-Identifier: GPL-2.0
/* A guest of the guest, with SVM: see guest_vmcb.h. */
#include <string.h>

#include "asi_stats.h"
#include "guest_layout.h"
#include "guest_vmcb.h"
#include "kvm_guest.h"

/* The control area of the VMCB, and the state save area behind it. */
#define INTERCEPTS_4	0x010
#define ASID		0x058
#define NESTED_CONTROL	0x090
#define NESTED_CR3	0x0b0
#define SAVE_AREA	0x400

#define INTERCEPT_VMRUN		1U
#define INTERCEPT_VMMCALL	2U

#define CODE_64BIT	0xa9b
#define DATA		0xc93

#define NESTED_TABLES	0x40000UL
#define NESTED_ENTRIES	512
#define LARGE		(2UL << 20)

static bool parameter(const char *name)
{
	char text[8];

	return guest_cpu_is_amd() && read_text(name, text, sizeof(text)) &&
	       (text[0] == '1' || text[0] == 'Y');
}

bool guest_can_nest(void)
{
	return parameter("/sys/module/kvm_amd/parameters/nested");
}

bool guest_can_nest_tables(void)
{
	return guest_can_nest() &&
	       parameter("/sys/module/kvm_amd/parameters/npt");
}

struct segment {
	uint16_t selector, attrib;
	uint32_t limit;
	uint64_t base;
};

static void put_segment(uint8_t *save, unsigned int offset, uint16_t selector,
			uint16_t attrib)
{
	struct segment s = { selector, attrib, 0xffffffff, 0 };

	memcpy(save + offset, &s, sizeof(s));
}

static void put(uint8_t *area, unsigned int offset, uint64_t value)
{
	memcpy(area + offset, &value, sizeof(value));
}

void guest_build_vmcb(uint8_t *vmcb, uint64_t rip, uint64_t nested_cr3)
{
	uint8_t *save = vmcb + SAVE_AREA;
	uint32_t intercepts = INTERCEPT_VMRUN | INTERCEPT_VMMCALL;

	memset(vmcb, 0, 4096);
	memcpy(vmcb + INTERCEPTS_4, &intercepts, sizeof(intercepts));
	put(vmcb, ASID, 1);
	put(vmcb, NESTED_CONTROL, nested_cr3 ? 1 : 0);
	put(vmcb, NESTED_CR3, nested_cr3);
	put_segment(save, 0x00, GUEST_DS, DATA);	/* ES */
	put_segment(save, 0x10, GUEST_CS, CODE_64BIT);
	put_segment(save, 0x20, GUEST_DS, DATA);	/* SS */
	put_segment(save, 0x30, GUEST_DS, DATA);	/* DS */
	put(save, 0x0d0, 0x500 | EFER_SVME);		/* EFER */
	put(save, 0x148, 0x20);				/* CR4 */
	put(save, 0x150, GUEST_PGD);			/* CR3 */
	put(save, 0x158, 0x80010033);			/* CR0 */
	put(save, 0x160, 0x400);			/* DR7 */
	put(save, 0x168, 0xffff0ff0);			/* DR6 */
	put(save, 0x170, 2);				/* RFLAGS */
	put(save, 0x178, rip);
	put(save, 0x1d8, GUEST_STACKS);			/* RSP */
}

/* For anybody: nested page tables are walked as user mode. */
uint64_t guest_build_nested_tables(uint8_t *mem)
{
	uint64_t *pgd = (void *)(mem + NESTED_TABLES);
	uint64_t *pud = pgd + NESTED_ENTRIES, *pmd = pud + NESTED_ENTRIES;
	unsigned int i;

	pgd[0] = (NESTED_TABLES + 0x1000) | 7;
	pud[0] = (NESTED_TABLES + 0x2000) | 7;
	for (i = 0; i < NESTED_ENTRIES; i++)
		pmd[i] = i * LARGE | 0x87;
	return NESTED_TABLES;
}
