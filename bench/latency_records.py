#!/usr/bin/env python3
"""Makes records of what `bench/latency` writes for people: reads its lines, writes a line of JSON for each run."""

import json
import re
import sys

for line in sys.stdin:
    words = line.split()
    # The title, and the medians, which the report takes itself.
    if not re.match(r"\s*\d+ +[a-z]+ ", line) or line.rstrip().endswith("median of the runs"):
        continue
    rate, way, written, rang, *times, load = words
    times = [float(time) for time in times]
    names = ["p50", "p99", "p999", "max"]
    record = {"benchmark": "latency", "who": way, "per_second": int(rate), "written": float(written), "rang": float(rang.rstrip("%")) / 100}
    record.update({f"commit_{name}": time for name, time in zip(names, times[:4])})
    record.update({f"insert_{name}": time for name, time in zip(names, times[6:10])})
    record["load"] = float(load)
    print(json.dumps(record), flush=True)
