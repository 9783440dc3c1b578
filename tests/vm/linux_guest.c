// SPDX-License-Identifier: GPL-2.0
/*
 * A whole Linux under a VMM of our own: see linux_guest.h. What a PC has and KVM does
 * not is a serial port here, and nothing else.
 */
#define _GNU_SOURCE
#include <asm/bootparam.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "linux_guest.h"
#include "restricted.h"
#include "vm_test.h"

#define MIB		(1UL << 20)
#define BOOT_PARAMS	0x90000UL
#define COMMAND_LINE	0x91000UL
#define KERNEL		0x100000UL
#define ENTRY_64	0x200
#define MP_TABLE	0x9fc00UL
#define STACK		0x90000UL

#define APIC_BASE	0xfee00900UL	/* enabled, of the boot processor */
#define COM1		0x3f8
#define COM1_IRQ	4
#define CMOS_DATA	0x71

#define PARAMETERS	"console=ttyS0 panic=-1 reboot=t acpi=off noxsave"

struct file {
	void *data;
	size_t size;
};

static struct file load(const char *path)
{
	struct file file = { 0 };
	struct stat st;
	int fd = open(path, O_RDONLY);

	if (fd < 0 || fstat(fd, &st))
		skip("no %s in this initramfs", path);
	file.size = st.st_size;
	file.data = mmap(NULL, file.size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (file.data == MAP_FAILED)
		die("%s", path);
	close(fd);
	return file;
}

/* vm->mem of restricted memory is only what there is before the guest runs. */
static void put(struct guest_vm *vm, uint64_t gpa, const void *from, size_t size)
{
	int err = 0;

	if (vm->mem_fd >= 0)
		err = restricted_populate(vm->fd, gpa, from, size);
	else
		memcpy(vm->mem + gpa, from, size);
	if (!err)
		return;
	errno = -err;
	die("%zu bytes at %#lx", size, gpa);
}

static void fill_params(struct boot_params *params, const struct file *kernel,
			uint64_t initrd, const struct file *initrd_file,
			size_t memory)
{
	const uint8_t *image = kernel->data;

	memset(params, 0, sizeof(*params));
	memcpy(&params->hdr, image + 0x1f1, 0x202 + image[0x201] - 0x1f1);
	params->hdr.type_of_loader = 0xff;
	params->hdr.loadflags |= LOADED_HIGH;
	params->hdr.cmd_line_ptr = COMMAND_LINE;
	params->hdr.ramdisk_image = initrd;
	params->hdr.ramdisk_size = initrd_file->size;
	params->e820_table[0] = (struct boot_e820_entry){
		0, MP_TABLE, 1 };
	params->e820_table[1] = (struct boot_e820_entry){
		KERNEL, memory - KERNEL, 1 };
	params->e820_entries = 2;
}

/* The table of the MultiProcessor Specification: one CPU, ISA interrupts. */
struct mp_table {
	struct {
		char signature[4];
		uint32_t table;
		uint8_t length, version, checksum, features[5];
	} pointer;
	struct {
		char signature[4];
		uint16_t length;
		uint8_t version, checksum;
		char oem[20];
		uint32_t oem_table;
		uint16_t oem_size, entries;
		uint32_t apic, reserved;
	} header;
	struct {
		uint8_t type, id, version, flags;
		uint32_t signature, features, reserved[2];
	} cpu;
	struct {
		uint8_t type, id;
		char name[6];
	} bus;
	struct {
		uint8_t type, id, version, flags;
		uint32_t address;
	} ioapic;
	struct {
		uint8_t type, kind, flags[2], bus, irq, apic, pin;
	} irq[16], lint[2];
};

static uint8_t checksum(const void *from, size_t size)
{
	const uint8_t *byte = from;
	uint8_t sum = 0;

	while (size--)
		sum -= *byte++;
	return sum;
}

static void put_mp_table(struct guest_vm *vm)
{
	struct mp_table mp = {
		.pointer = { "_MP_", MP_TABLE + sizeof(mp.pointer), 1, 4 },
		.header = { "PCMP", sizeof(mp) - sizeof(mp.pointer), 4,
			    .entries = 21, .apic = 0xfee00000 },
		.cpu = { 0, 0, 0x14, 3 },
		.bus = { 1, 0, "ISA   " },
		.ioapic = { 2, 1, 0x11, 1, 0xfec00000 },
		.lint = { { 4, 3, .apic = 0xff }, { 4, 1, .apic = 0xff, .pin = 1 } },
	};
	int i;

	for (i = 0; i < 16; i++) {
		mp.irq[i].type = 3;
		mp.irq[i].irq = i;
		mp.irq[i].apic = 1;
		mp.irq[i].pin = i;
	}
	mp.pointer.checksum = checksum(&mp.pointer, sizeof(mp.pointer));
	mp.header.checksum = checksum(&mp.header, mp.header.length);
	put(vm, MP_TABLE, &mp, sizeof(mp));
}

static void load_files(struct guest_vm *vm, const char *parameters)
{
	struct file kernel = load("/guest/bzImage");
	struct file initrd = load("/guest/initrd.gz");
	uint64_t initrd_at = (vm->mem_size - initrd.size) & ~(MIB - 1);
	struct boot_params params;
	size_t setup;

	fill_params(&params, &kernel, initrd_at, &initrd, vm->mem_size);
	setup = (params.hdr.setup_sects + 1) * 512;
	put_mp_table(vm);
	put(vm, BOOT_PARAMS, &params, sizeof(params));
	put(vm, COMMAND_LINE, parameters, strlen(parameters) + 1);
	put(vm, KERNEL, (uint8_t *)kernel.data + setup, kernel.size - setup);
	put(vm, initrd_at, initrd.data, initrd.size);
	munmap(kernel.data, kernel.size);
	munmap(initrd.data, initrd.size);
}

static void set_registers(struct guest_vm *vm)
{
	struct kvm_regs regs = {
		.rip = KERNEL + ENTRY_64, .rsi = BOOT_PARAMS, .rflags = 2,
		.rsp = STACK,
	};
	struct kvm_sregs sregs;

	if (ioctl(vm->vcpu[0].fd, KVM_GET_SREGS, &sregs))
		die("registers");
	sregs.apic_base = APIC_BASE;
	if (ioctl(vm->vcpu[0].fd, KVM_SET_SREGS, &sregs) ||
	    ioctl(vm->vcpu[0].fd, KVM_SET_REGS, &regs))
		die("registers");
}

void linux_guest_load(struct linux_guest *guest, struct guest_vm *vm,
		      const char *parameters)
{
	char all[1024];

	guest->vm = vm;
	snprintf(all, sizeof(all), PARAMETERS " %s", parameters);
	load_files(vm, all);
	set_registers(vm);
}

static void update_irq(struct linux_guest *guest)
{
	const struct linux_serial *serial = &guest->serial;
	struct kvm_irq_level level = {
		.irq = COM1_IRQ,
		.level = serial->sent && (serial->ier & 2),
	};

	ioctl(guest->vm->fd, KVM_IRQ_LINE, &level);
}

static void send(struct linux_guest *guest, char c)
{
	struct linux_serial *serial = &guest->serial;

	serial->sent = true;
	if (c == '\r')
		return;
	if (c != '\n' && serial->len < sizeof(serial->line) - 1) {
		serial->line[serial->len++] = c;
		return;
	}
	serial->line[serial->len] = 0;
	serial->len = 0;
	if (guest->on_line)
		guest->on_line(guest);
	printf("%s\n", serial->line);
	guest->failed |= !!strstr(serial->line, "GUEST-FAILED");
	if (strncmp(serial->line, "GUEST-OK", 8))
		return;
	guest->ok = true;
	note("%s", serial->line);
}

static void serial_write(struct linux_guest *guest, unsigned int reg,
			 uint8_t value)
{
	struct linux_serial *serial = &guest->serial;
	bool divisor = serial->lcr & 0x80;

	if (divisor && reg < 2) {
		serial->divisor[reg] = value;
		return;
	}
	switch (reg) {
	case 0: send(guest, value); break;
	case 1:
		serial->sent |= value & ~serial->ier & 2;
		serial->ier = value & 0xf;
		break;
	case 2: serial->fifo = value & 1; break;
	case 3: serial->lcr = value; break;
	case 4: serial->mcr = value & 0x1f; break;
	case 7: serial->scratch = value; break;
	}
	update_irq(guest);
}

static uint8_t interrupt_reason(struct linux_guest *guest)
{
	struct linux_serial *serial = &guest->serial;
	uint8_t fifo = serial->fifo ? 0xc0 : 0;

	if (!serial->sent || !(serial->ier & 2))
		return fifo | 1;
	serial->sent = false;
	update_irq(guest);
	return fifo | 2;
}

static uint8_t modem_status(const struct linux_serial *serial)
{
	uint8_t mcr = serial->mcr;

	if (!(mcr & 0x10))
		return 0xb0;
	return (mcr & 0xc) << 4 | (mcr & 2) << 3 | (mcr & 1) << 5;
}

static uint8_t serial_read(struct linux_guest *guest, unsigned int reg)
{
	const struct linux_serial *serial = &guest->serial;

	if (serial->lcr & 0x80 && reg < 2)
		return serial->divisor[reg];
	switch (reg) {
	case 1: return serial->ier;
	case 2: return interrupt_reason(guest);
	case 3: return serial->lcr;
	case 4: return serial->mcr;
	case 5: return 0x60;	/* empty: everything is sent at once */
	case 6: return modem_status(serial);
	case 7: return serial->scratch;
	default: return 0;
	}
}

static void port_in(struct linux_guest *guest, const struct kvm_run *run,
		    uint8_t *data)
{
	unsigned int reg = run->io.port - COM1;

	memset(data, run->io.port == CMOS_DATA ? 0 : 0xff, run->io.size);
	if (reg < 8)
		*data = serial_read(guest, reg);
}

static void port(struct linux_guest *guest, struct kvm_run *run)
{
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	unsigned int reg = run->io.port - COM1;
	uint32_t i;

	for (i = 0; i < run->io.count; i++, data += run->io.size) {
		if (run->io.direction == KVM_EXIT_IO_IN)
			port_in(guest, run, data);
		else if (reg < 8)
			serial_write(guest, reg, *data);
	}
}

bool linux_guest_run(struct linux_guest *guest)
{
	struct guest_vcpu *vcpu = &guest->vm->vcpu[0];
	struct kvm_run *run = vcpu->run;

	for (;;) {
		if (ioctl(vcpu->fd, KVM_RUN, 0) && errno != EINTR)
			return check(false, "KVM_RUN: %s, exit %u",
				     strerror(errno), run->exit_reason);
		if (run->exit_reason == KVM_EXIT_IO)
			port(guest, run);
		else if (run->exit_reason == KVM_EXIT_MMIO)
			memset(run->mmio.data, 0xff, 8);
		else if (run->exit_reason == KVM_EXIT_SHUTDOWN)
			return true;
		else if (run->exit_reason != KVM_EXIT_INTR)
			return check(false, "exit %u", run->exit_reason);
	}
}
