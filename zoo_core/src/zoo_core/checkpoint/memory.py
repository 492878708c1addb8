"""How much memory a load may take."""

from __future__ import annotations

import sys
from pathlib import Path


def available_memory() -> int | None:
    """Bytes that can still be allocated without swapping, within the limit of the control group; None when
    the platform does not say."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    found = next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)
    room = _control_group_room()
    return found if room is None else room if found is None else min(found, room)


def _control_group_room() -> int | None:
    for limit, used in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ):
        try:
            allowed, taken = Path(limit).read_text().strip(), Path(used).read_text().strip()
        except OSError:
            continue
        if allowed.isdigit():
            return max(int(allowed) - int(taken), 0) + _reclaimable()
    return None


def _reclaimable() -> int:
    """Bytes of page cache that count as used in the control group but are given back on demand."""
    for path, key in (("/sys/fs/cgroup/memory.stat", "inactive_file"),
                      ("/sys/fs/cgroup/memory/memory.stat", "total_inactive_file")):  # fmt: skip
        try:
            pairs = (line.split() for line in Path(path).read_text().splitlines())
            return next((int(value) for name, value in pairs if name == key), 0)
        except (OSError, ValueError):
            continue
    return 0


def human(nbytes: int) -> str:
    """``1.2 GB``, decimal units."""
    size = float(nbytes)
    for unit in ("bytes", "kB", "MB", "GB"):
        if abs(size) < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:,.3g} TB"
