# SPDX-License-Identifier: Apache-2.0
"""Runs a command under those rules of a systemd unit that the kernel enforces by seccomp, without systemd as process 1.

    python3 tests/deploy/sandbox.py deploy/manygate.service COMMAND...

SystemCallFilter=, SystemCallErrorNumber=, MemoryDenyWriteExecute= and RestrictAddressFamilies= become the filters that
systemd makes of them (systemd.exec(5)); NoNewPrivileges= is set. Needs libseccomp and systemd-analyze, which knows the
groups of calls.

missing = sandbox.missing()     # what is not installed, or None
"""

import ctypes
import ctypes.util
import errno
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys

FAMILIES = 64  # AF_MAX of Linux is below it
ALLOW = 0x7FFF0000
DENY = 0x00050000
MASKED_EQUAL = 7
WRITE, EXECUTE, SHARED_EXECUTE = 2, 4, 0o100000
SET_NO_NEW_PRIVILEGES = 38


class Comparison(ctypes.Structure):
    """Of one argument of a call (struct scmp_arg_cmp of seccomp.h)."""

    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


def missing():
    if ctypes.util.find_library("seccomp") is None:
        return "libseccomp"
    return None if shutil.which("systemd-analyze") else "systemd-analyze"


def settings(text):
    """{name: [values, in order]} of a unit."""
    values = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", text, re.M):
        values.setdefault(name, []).append(value.strip())
    return values


def call_groups():
    """{"@name": names of calls and of groups}."""
    listing = subprocess.run(["systemd-analyze", "syscall-filter"], capture_output=True, text=True, check=True).stdout
    groups, name = {}, None
    for line in re.sub(r"\x1b\[[0-9;]*m", "", listing).splitlines():
        if line.startswith("@"):
            name = line.strip()
            groups[name] = set()
        elif name and line.startswith(" ") and not line.strip().startswith("#"):
            groups[name].add(line.strip())
        elif line.startswith("#"):
            name = None  # calls of this kernel that are in no group
    return groups


def members(names, groups):
    found = set()
    for name in names:
        found |= members(groups[name], groups) if name.startswith("@") else {name}
    return found


def allowed_calls(filters):
    """A first line of allowed calls, then lines of calls taken away, as ["@system-service", "~@privileged"]."""
    groups = call_groups()
    allowed = members(["@default"], groups)
    for line in filters:
        calls = members(line.removeprefix("~").split(), groups)
        allowed = allowed - calls if line.startswith("~") else allowed | calls
    return allowed


class Filter:
    """One seccomp filter; a call goes through if all filters of a process allow it."""

    def __init__(self, otherwise):
        self.library = ctypes.CDLL(ctypes.util.find_library("seccomp"), use_errno=True)
        self.library.seccomp_init.restype = ctypes.c_void_p
        self.context = ctypes.c_void_p(self.library.seccomp_init(ctypes.c_uint32(otherwise)))

    def add(self, action, call, *comparisons):
        number = self.library.seccomp_syscall_resolve_name(call.encode())
        if number < 0:
            return  # a call of another architecture
        array = (Comparison * max(1, len(comparisons)))(*comparisons)
        done = self.library.seccomp_rule_add_array(
            self.context, ctypes.c_uint32(action), ctypes.c_int(number), ctypes.c_uint(len(comparisons)), array
        )
        # A rule of what happens anyway is refused with EPERM or EACCES.
        if done not in (0, -errno.EPERM, -errno.EACCES):
            raise OSError(-done, f"seccomp rule for {call}")

    def load(self):
        done = self.library.seccomp_load(self.context)
        if done != 0:
            raise OSError(-done, "seccomp_load")


def confine(unit):
    """Puts this process, and what it becomes, under the unit's rules."""
    # Resolved before the first filter holds, for the groups are asked for by running a program.
    allowed = allowed_calls(unit["SystemCallFilter"])
    filters = []
    calls = Filter(DENY | getattr(errno, unit["SystemCallErrorNumber"][-1]))
    for call in sorted(allowed):
        calls.add(ALLOW, call)
    filters.append(calls)
    if unit.get("MemoryDenyWriteExecute") == ["yes"]:
        memory = Filter(ALLOW)
        both = WRITE | EXECUTE
        memory.add(DENY | errno.EPERM, "mmap", Comparison(2, MASKED_EQUAL, both, both))
        memory.add(DENY | errno.EPERM, "mprotect", Comparison(2, MASKED_EQUAL, EXECUTE, EXECUTE))
        memory.add(DENY | errno.EPERM, "pkey_mprotect", Comparison(2, MASKED_EQUAL, EXECUTE, EXECUTE))
        memory.add(DENY | errno.EPERM, "shmat", Comparison(2, MASKED_EQUAL, SHARED_EXECUTE, SHARED_EXECUTE))
        filters.append(memory)
    families = {int(getattr(socket, name)) for line in unit["RestrictAddressFamilies"] for name in line.split()}
    sockets = Filter(ALLOW)
    for family in set(range(FAMILIES)) - families:
        sockets.add(DENY | errno.EAFNOSUPPORT, "socket", Comparison(0, MASKED_EQUAL, 0xFFFFFFFF, family))
    filters.append(sockets)
    if ctypes.CDLL(None).prctl(SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        raise OSError("prctl")
    for one in reversed(filters):
        one.load()


if __name__ == "__main__":
    confine(settings(pathlib.Path(sys.argv[1]).read_text()))
    os.execv(sys.argv[2], sys.argv[2:])
