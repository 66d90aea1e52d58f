"""The identity of this worker process, for its leases."""

import hashlib
import os
import socket
from pathlib import Path

from incidentrelay.domain.delivery.leases import LeaseHolder


def identify_process() -> LeaseHolder:
    """This process. On machines that hide its start, leases run to their end."""
    host = hashlib.sha256(machine_name().encode()).hexdigest()[:12]
    pid = os.getpid()
    return LeaseHolder(host, _boot(), _namespace(), pid, start_of(pid) or 0)


def machine_name() -> str:
    return socket.gethostname()


def start_of(pid: int) -> int | None:
    """When a process started, in clock ticks since the boot; proc_pid_stat(5).

    None if there is no such process.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The name, in parentheses, may hold spaces. The start is the 22nd field.
    return int(text.rpartition(")")[2].split()[19])


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
    except OSError:
        return "unknown"


def _namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid").strip("pid:[]")
    except OSError:
        # A unique namespace keeps others from declaring this process dead.
        return f"unknown-{os.getpid()}"
