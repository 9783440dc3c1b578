# SPDX-License-Identifier: GPL-2.0
"""A machine under QEMU as its owner sees it: GDB stub to stop it, QMP to look."""
import json
import re
import socket
import time


def connect(path, seconds=20):
    """The socket appears when the emulator has started."""
    deadline = time.monotonic() + seconds
    while True:
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.connect(str(path))
            return sock
        except OSError:
            sock.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


class Gdb:
    """The few packets of the remote protocol that stop and go on."""

    def __init__(self, path, seconds):
        self.sock = connect(path)
        self.sock.settimeout(seconds)
        self.buffer = b""
        self.stopped_at = None
        self.request("?")

    def _byte(self):
        if not self.buffer:
            self.buffer = self.sock.recv(65536)
            if not self.buffer:
                raise EOFError("the machine is gone")
        byte, self.buffer = self.buffer[:1], self.buffer[1:]
        return byte

    def _reply(self):
        while self._byte() != b"$":
            pass
        text = b""
        while (byte := self._byte()) != b"#":
            text += byte
        self._byte(), self._byte()
        self.sock.sendall(b"+")
        return text.decode("latin-1")

    def _send(self, text):
        checksum = sum(text.encode()) & 0xFF
        self.sock.sendall(f"${text}#{checksum:02x}".encode())

    def request(self, text):
        self._send(text)
        return self._reply()

    def set_breakpoint(self, address):
        if self.request(f"Z1,{address:x},1") != "OK":
            raise RuntimeError("the emulator refuses the breakpoint")

    def remove_breakpoint(self, address):
        self.request(f"z1,{address:x},1")

    def _go(self, how):
        reply = self.request(how)
        if reply[:1] not in "TS":
            raise RuntimeError(f"the machine ended: {reply}")

    def run_to(self, address):
        """Goes on until the next time @address is reached."""
        if self.stopped_at == address:
            # A breakpoint would stop the machine where it stands.
            self._go("s")
        self.set_breakpoint(address)
        self._go("c")
        self.remove_breakpoint(address)
        self.stopped_at = address

    def detach(self):
        self.request("D")
        self.sock.close()


class Qmp:
    def __init__(self, path):
        self.file = connect(path).makefile("rw")
        self.file.readline()
        self.command("qmp_capabilities")

    def command(self, name, **arguments):
        json.dump({"execute": name, "arguments": arguments}, self.file)
        self.file.flush()
        while True:
            reply = json.loads(self.file.readline())
            if "error" in reply:
                raise RuntimeError(reply["error"]["desc"])
            if "return" in reply:
                return reply["return"]

    def registers(self, cpu):
        """Control registers and RIP of one CPU."""
        text = self.command("human-monitor-command", **{
            "command-line": "info registers", "cpu-index": cpu})
        return {name: int(value, 16) for name, value in
                re.findall(r"\b(RIP|CR[0234])=([0-9a-f]+)", text)}

    def cpus(self):
        return [cpu["cpu-index"] for cpu in self.command("query-cpus-fast")]

    def save_memory(self, size, path):
        self.command("pmemsave", val=0, size=size, filename=str(path))
