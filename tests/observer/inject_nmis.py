#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Send NMIs to all CPUs of a machine under QEMU that take them.

    inject_nmis.py DIR MILLISECONDS

DIR is what run-vm was given as --out. They begin when the machine starts to
report on its result channel: firmware and early boot are not prepared for any.
They end with its result: QEMU can hang if a command comes while it is switched off.
Ends then, with the machine or when told to, and says how many there were.
"""
import pathlib
import signal
import sys
import time

from machine import Qmp


def reporting(directory):
    result = directory / "result.log"
    return result.exists() and result.stat().st_size > 0


def over(directory):
    return b"BULKHEAD-RESULT" in (directory / "result.log").read_bytes()


def inject(directory, seconds):
    """Yields after each NMI."""
    qmp = Qmp(directory / "qmp")
    while not reporting(directory):
        time.sleep(0.05)
    while not over(directory):
        qmp.command("inject-nmi")
        yield
        time.sleep(seconds)


def main():
    directory, milliseconds = pathlib.Path(sys.argv[1]), float(sys.argv[2])
    sent = 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    try:
        for _ in inject(directory, milliseconds / 1000):
            sent += 1
    # A socket that is closed reads as no JSON at all.
    except (OSError, ValueError) as error:
        print(f"the machine is gone: {error!r}")
    finally:
        print(f"{sent} NMIs sent")


if __name__ == "__main__":
    main()
