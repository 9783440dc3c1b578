#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Look at a running host from outside: what is mapped when it enters a guest?

    observe.py --dir DIR --vmlinux FILE --mem MIB [--skip N] [--entries N]

DIR is where run-vm keeps the sockets of a machine started with --gdb and
"-S", and its console.log, on which `canary` prints the complements of the
secrets it planted. The machine is stopped at its VMRUN instruction; page tables
are walked from CR3 in an image of its physical memory, and the image is searched
for the secrets. Nothing the observed kernel says is believed, except where the
instruction is: KASLR must be off (nokaslr).

Prints one JSON line per secret and one "summary" line:
    pages         pages of physical memory that hold a secret
    mapped        how many of them the tables in CR3 map, at the worst entry
"""
import argparse
import json
import mmap
import pathlib
import re
import subprocess
import sys

from machine import Gdb, Qmp
from pagewalk import PageWalk

PAGE = 4096
LA57 = 1 << 12
CANARY = re.compile(r"^canary (\w+) ([0-9a-f]{64})\s*$", re.MULTILINE)
PLANTED = re.compile(r"^ok \d+ - \d+ secrets planted", re.MULTILINE)


def vmrun_address(vmlinux):
    listing = subprocess.run(
        ["objdump", "-d", "--disassemble=__svm_vcpu_run", vmlinux],
        check=True, capture_output=True, text=True).stdout
    found = re.findall(r"^\s*([0-9a-f]+):.*\bvmrun\b", listing, re.MULTILINE)
    if len(found) != 1:
        sys.exit(f"observe: {len(found)} vmrun instructions in __svm_vcpu_run")
    return int(found[0], 16)


def read_secrets(console):
    found = CANARY.findall(console.read_text(errors="replace"))
    return {kind: bytes(b ^ 0xFF for b in bytes.fromhex(text))
            for kind, text in found}


def pages_with(memory, secret):
    pages, at = set(), memory.find(secret)
    while at >= 0:
        pages.add(at // PAGE * PAGE)
        pages.add((at + len(secret) - 1) // PAGE * PAGE)
        at = memory.find(secret, at + 1)
    return sorted(pages)


def stopped_cpu(qmp, address):
    for cpu in qmp.cpus():
        registers = qmp.registers(cpu)
        if registers["RIP"] == address:
            return registers
    sys.exit("observe: stopped, but not at the breakpoint")


def look(memory, registers, secrets):
    """Which pages hold each secret, and which of them are mapped right now."""
    levels = 5 if registers["CR4"] & LA57 else 4
    walk = PageWalk(memory, registers["CR3"], levels)
    if walk.outside:
        sys.exit(f"observe: {walk.outside} page tables are outside the memory")
    seen = {}
    for kind, secret in secrets.items():
        pages = pages_with(memory, secret)
        mapped = [page for page in pages if walk.maps(page)]
        seen[kind] = {"pages": len(pages), "mapped": len(mapped),
                      "at": [hex(a) for page in mapped[:1]
                             for a in walk.addresses(page)]}
    return seen, walk


def observe_entry(args, qmp, address):
    image = args.dir / "memory.img"
    registers = stopped_cpu(qmp, address)
    secrets = read_secrets(args.dir / "console.log")
    if not secrets:
        sys.exit("observe: no canaries on the console")
    qmp.save_memory(args.mem << 20, image)
    try:
        with open(image, "rb") as f, \
             mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as memory:
            seen, walk = look(memory, registers, secrets)
            entry = {"cr3": hex(registers["CR3"]), "levels": walk.levels,
                     "mapped_bytes": walk.mapped_bytes(), "memory": len(memory),
                     "tables": len(walk.tables)}
    finally:
        image.unlink(missing_ok=True)
    return seen, entry


def worst(observations):
    """Per secret the entry that mapped most of its pages."""
    result = {}
    for seen in observations:
        for kind, now in seen.items():
            if kind not in result or now["mapped"] > result[kind]["mapped"]:
                result[kind] = now
    return result


def wait_until_planted(args, gdb, address):
    """Some secrets are those of another VM, whose own entries do map them."""
    console = args.dir / "console.log"
    gdb.run_to(address)
    while not PLANTED.search(console.read_text(errors="replace")):
        gdb.run_to(address)


def observe(args):
    address = vmrun_address(args.vmlinux)
    gdb = Gdb(args.dir / "gdb", args.timeout)
    qmp = Qmp(args.dir / "qmp")
    observations, entries = [], []
    wait_until_planted(args, gdb, address)
    for _ in range(args.entries):
        for _ in range(args.skip + 1):
            gdb.run_to(address)
        seen, entry = observe_entry(args, qmp, address)
        observations.append(seen)
        entries.append(entry)
    gdb.detach()
    return worst(observations), entries


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--dir", type=pathlib.Path, required=True)
    parser.add_argument("--vmlinux", required=True)
    parser.add_argument("--mem", type=int, required=True)
    parser.add_argument("--skip", type=int, default=40)
    parser.add_argument("--entries", type=int, default=3)
    parser.add_argument("--timeout", type=float, default=120)
    return parser.parse_args()


def main():
    result, entries = observe(arguments())
    for entry in entries:
        print(json.dumps({"entry": entry}))
    for kind, seen in result.items():
        print(json.dumps({"secret": kind, **seen}))
    print(json.dumps({"summary": {
        "secrets": len(result),
        "found": sum(seen["pages"] > 0 for seen in result.values()),
        "pages": sum(seen["pages"] for seen in result.values()),
        "mapped": sum(seen["mapped"] for seen in result.values())}}))


if __name__ == "__main__":
    main()
