"""What a process says of itself once it has its first forecast."""

import time


def report() -> None:
    """Print CPU time since its start and peak memory.

    Linux keeps the peak of the parent in a child's resource usage; its own is in /proc.
    """
    cpu_ms = 1000 * time.process_time()
    with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 - see once_graph
        peak = next(line for line in status if line.startswith("VmHWM:"))
    print(f'{{"cpu_ms": {cpu_ms}, "rss_mb": {int(peak.split()[1]) * 1024 / 1e6}}}', flush=True)
