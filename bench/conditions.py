#!/usr/bin/env python3
"""Writes on what and of what was measured, as one line of JSON."""

import datetime
import json
import os
import platform
import subprocess
import tempfile


def said(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def first(path, prefix):
    with open(path, encoding="utf-8") as file:
        return next((line.split(":", 1)[1].strip() for line in file if line.startswith(prefix)), "unknown")


def flush():
    """How long a flush of 8 kB takes on the disk of the temporary folder."""
    with tempfile.NamedTemporaryFile() as file:
        began, count = datetime.datetime.now(), 500
        for _ in range(count):
            file.seek(0)
            file.write(b"x" * 8192)
            file.flush()
            os.fdatasync(file.fileno())
        took = (datetime.datetime.now() - began).total_seconds()
    return f"{took / count * 1000:.2f} ms"


bin_folder = os.environ.get("PGPUBSUB_PG_BIN") or said("pg_config", "--bindir")
print(json.dumps({
    "benchmark": "conditions",
    "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
    "commit": said("git", "rev-parse", "--short", "HEAD") + ("" if said("git", "status", "--porcelain", "--untracked-files=no") == "" else " with changes"),
    "rustc": " ".join(said("rustc", "--version").split()[:2]),
    "cpus": os.cpu_count(),
    "cpu": first("/proc/cpuinfo", "model name"),
    "memory": f"{int(first('/proc/meminfo', 'MemTotal').split()[0]) / (1 << 20):.0f} GiB",
    "kernel": f"{platform.system()} {platform.release()}",
    "postgres": said(os.path.join(bin_folder, "postgres"), "--version").replace("postgres (PostgreSQL)", "PostgreSQL"),
    "settings": "`shared_buffers=1GB`, `max_wal_size=8GB`, `checkpoint_timeout=30min`, `max_connections=200`",
    "flush": flush(),
}))
