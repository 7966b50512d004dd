#!/usr/bin/env python3
"""Fills the chapter on benchmarks from a file of results: report.py RESULTS.jsonl

Replaces what stands between `<!-- made by bench/report.py: NAME -->` and `<!-- end -->` in docs/src/benchmarks.md, and draws
docs/src/benchmarks/*.svg. The text around it is written by hand.
"""

import json
import os
import re
import statistics
import sys
from html import escape

HERE = os.path.dirname(os.path.abspath(__file__))
BOOK = os.path.join(HERE, "..", "docs", "src")
NO_TRIGGER = "no trigger"
EQUAL_WORK = "trigger of equal work to django-pgpubsub"
STORE_ONLY = "store only, by hand"


class Results:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.all = [json.loads(line) for line in file if line.strip()]

    def where(self, benchmark, **keys):
        return [r for r in self.all if r["benchmark"] == benchmark and all(r.get(k) == v for k, v in keys.items())]

    def values(self, field, benchmark, **keys):
        return [r[field] for r in self.where(benchmark, **keys)]

    def median(self, field, benchmark, **keys):
        values = self.values(field, benchmark, **keys)
        return statistics.median(values) if values else None

    def distinct(self, field, benchmark, **keys):
        return list(dict.fromkeys(r[field] for r in self.where(benchmark, **keys)))


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def spread(values):
    if not values:
        return "-"
    return f"{number(statistics.median(values))} ({number(min(values))}-{number(max(values))})"


def over(value, base):
    return "-" if value is None or not base else f"{value / base:.2f}"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def bars(path, title, unit, groups):
    """Horizontal bars. groups: [(label, [(name, value)])]; names are told apart by colour."""
    colours = ["#4c78a8", "#f58518", "#54a24b", "#b279a2", "#9d755d", "#e45756", "#72b7b2"]
    names = list(dict.fromkeys(name for _, group in groups for name, _ in group))
    most = max((value for _, group in groups for _, value in group), default=0) or 1
    left, width, height = 460, 400, 16
    y, parts = 30, []
    for label, group in groups:
        if label:
            parts.append(f'<text x="10" y="{y + 12}" font-weight="bold">{escape(label)}</text>')
            y += 20
        for name, value in group:
            colour = colours[names.index(name) % len(colours)]
            parts.append(f'<text x="{left - 8}" y="{y + 12}" text-anchor="end">{escape(name)}</text>')
            parts.append(f'<rect x="{left}" y="{y}" width="{value / most * width:.1f}" height="{height - 3}" fill="{colour}"/>')
            parts.append(f'<text x="{left + value / most * width + 6:.1f}" y="{y + 12}">{number(value)}</text>')
            y += height
        y += 8
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 940 {y + 4}" font-family="sans-serif" font-size="12">'
        f'<rect width="940" height="{y + 4}" fill="#ffffff"/><text x="10" y="18" font-size="14">{escape(title)} ({escape(unit)})</text>'
        + "".join(parts)
        + "</svg>\n"
    )
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(svg)


def plot(name, title, unit, groups):
    bars(os.path.join(BOOK, "benchmarks", f"{name}.svg"), title, unit, groups)
    return f"![{title}](benchmarks/{name}.svg)"


def conditions(results, path):
    found = results.where("conditions")
    if not found:
        return "No conditions were recorded."
    c = found[0]
    loads = [r["load"] for r in results.all if r.get("load") is not None]
    lines = [
        f"- {c['date']}, commit `{c['commit']}`, {c['rustc']}, release build;",
        f"- {c['cpus']} CPUs ({c['cpu']}), {c['memory']}, {c['kernel']}; clients, workers and server on the same ones;",
        f"- {c['postgres']}, a throwaway cluster on a unix socket, `fsync=on`, `synchronous_commit=on`, autovacuum as it is by default; only {c['settings']} differ from what initdb writes;",
        f"- a flush takes {c['flush']} here, which is fast: \"1 ms flush\" is `commit_delay=1000`, `commit_siblings=0`, with which each flush takes a millisecond longer, as on a disk in a cloud;",
        f"- load of the machine before each run, the benchmark's own included: {min(loads):.1f} to {max(loads):.1f};" if loads else "",
        "- what is compared is measured in turns (each once, then each again); figures are the median, with the least and the most in parentheses; ratios are those of medians. Noise between equal runs is about 15 %;",
        f"- raw data: `bench/results/{os.path.basename(path)}` in the repository, a line of JSON for each run; `bench/run.sh` measures all of it again.",
    ]
    return "\n".join(line for line in lines if line)


def singles(results):
    clients = results.distinct("clients", "singles")
    parts = []
    for slow in results.distinct("slow_flush", "singles"):
        rows = []
        for variant in results.distinct("variant", "singles"):
            row = [variant]
            for count in clients:
                keys = {"clients": count, "slow_flush": slow}
                base = results.median("rate", "singles", variant=NO_TRIGGER, **keys)
                values = results.values("rate", "singles", variant=variant, **keys)
                ratio = over(statistics.median(values) if values else None, base)
                row.append(f"{spread(values)} **{ratio}**")
            rows.append(row)
        title = "1 ms flush" if slow else "flush as it is"
        parts.append(f"### Single rows, {title}\n\n" + table(["rows a second, **ratio to no trigger**"] + [f"{n} clients" if n > 1 else "1 client" for n in clients], rows))
    groups = [
        (f"{count} clients, 1 ms flush", [(v, results.median("rate", "singles", variant=v, clients=count, slow_flush=True)) for v in results.distinct("variant", "singles")])
        for count in clients
        if count > 1 and results.where("singles", clients=count, slow_flush=True)
    ]
    parts.append(plot("writers", "Single rows", "rows a second", groups))
    return "\n\n".join(parts)


def bulk(results):
    rows = []
    for variant in results.distinct("variant", "bulk"):
        row = [variant]
        for slow in [False, True]:
            base = results.median("seconds", "bulk", variant=NO_TRIGGER, slow_flush=slow)
            values = results.values("seconds", "bulk", variant=variant, slow_flush=slow)
            row.append(f"{spread(values)} **x{over(statistics.median(values) if values else None, base)}**")
        rows.append(row)
    count = (results.distinct("rows", "bulk") or [0])[0]
    return table([f"{count:,} rows in one statement, seconds", "flush as it is", "1 ms flush"], rows)


def drain(results):
    processes = results.distinct("processes", "drain")
    rows, groups = [], []
    for listener in results.distinct("listener", "drain"):
        for batch in results.distinct("batch", "drain"):
            for who in results.distinct("who", "drain", listener=listener, batch=batch):
                row = [listener, str(batch), {"raw": "SQL by hand", "raw-savepoints": "the same, with savepoints", "worker": "**worker**", "raw-slices": "SQL by hand, one `INSERT` for a batch", "worker-slices": "**worker**, `receives: batch`, one `INSERT`"}[who]]
                base = "raw-slices" if who.endswith("-slices") else "raw"
                for count in processes:
                    keys = {"listener": listener, "batch": batch, "processes": count}
                    values = results.values("rate", "drain", who=who, **keys)
                    ratio = over(statistics.median(values) if values else None, results.median("rate", "drain", who=base, **keys))
                    steady = over(results.median("steady", "drain", who=who, **keys), results.median("steady", "drain", who=base, **keys))
                    row.append(f"{spread(values)} **{ratio}** {steady}" if values else "-")
                rows.append(row)
            groups.append((f"listener: {listener}, batch {batch}, 1 process", [(who, results.median("rate", "drain", listener=listener, batch=batch, processes=1, who=who)) for who in results.distinct("who", "drain", listener=listener, batch=batch, processes=1)]))
    head = ["listener", "batch", "notifications a second, **ratio to SQL by hand**, the same after the first batch"] + [f"{n} processes" if n > 1 else "1 process" for n in processes]
    return table(head, rows) + "\n\n" + plot("drain", "Drain", "notifications a second", groups)


def decay(results):
    rows = []
    for r in results.where("decay"):
        rates = r["rates"]
        rows.append([
            "held" if r["snapshot"] else "none",
            {"raw": "SQL by hand", "worker": "**worker**"}[r["who"]],
            f"{r['count']:,}",
            number(r["count"] / r["seconds"]),
            " ".join(f"{rate / 1000:.0f}" for rate in rates),
            over(rates[-1], rates[0]),
        ])
    groups = [(f"{'snapshot held' if r['snapshot'] else 'no snapshot'}, {r['who']}", [(f"tenth {i + 1}", rate) for i, rate in enumerate(r["rates"])]) for r in results.where("decay", who="worker")]
    return table(["old snapshot", "", "backlog", "a second", "thousands a second in each tenth", "last / first"], rows) + "\n\n" + plot("decay", "A large backlog, batch 100", "notifications a second", groups)


def order(results):
    processes = results.distinct("processes", "order")
    rows = []
    for what in results.distinct("what", "order"):
        row = [what]
        for count in processes:
            values = results.values("rate", "order", what=what, processes=count)
            ratios = [over(statistics.median(values), results.median("rate", "order", what=base, processes=count)) for base in ["by id", "1,000 keys"]]
            row.append(f"{spread(values)} **{ratios[0]}** {ratios[1]}")
        rows.append(row)
    head = ["notifications a second, **ratio to by id**, ratio to 1,000 keys"] + [f"{n} processes" if n > 1 else "1 process" for n in processes]
    return table(head, rows)


def memory(results):
    mib = 1 << 20
    rows = [[f"draining, {r['concurrency']} consumers, batch {r['batch']}", f"{r['count']:,}", f"{r['memory'][0] / mib:.1f}", f"{r['memory'][-1] / mib:.1f}", f"{r['peak_memory'] / mib:.1f}"] for r in results.where("memory") if r["memory"]]
    rows += [[f"draining, {r['concurrency']} consumer, batch {r['batch']}{', snapshot held' if r['snapshot'] else ''}", f"{r['count']:,}", f"{r['memory'][0] / mib:.1f}", f"{r['memory'][-1] / mib:.1f}", f"{r['peak_memory'] / mib:.1f}"] for r in results.where("decay", who="worker") if r["memory"]]
    rows += [[f"at rest, `wake: {r['wake']}`", "0", f"{r['memory'] / mib:.1f}", "", ""] for r in results.where("idle")]
    return table(["worker", "waiting at the start", "MiB after a tenth", "MiB in the end", "peak MiB"], rows)


def idle(results):
    rows = [[f"`{r['wake']}`", f"{r['worker'] * 100:.3f} %", f"{r['server'] * 100:.3f} %", str(r["sessions"]), f"{r['seconds']:.0f} s"] for r in results.where("idle")]
    return table(["`wake`", "worker, of a core", "its sessions in the server", "sessions", "watched for"], rows)


def best(results):
    """Of our settings."""
    settings = results.distinct("setting", "peers", peer="pgpubsub-gen")
    return max((results.median("rate", "peers", peer="pgpubsub-gen", setting=setting) for setting in settings), default=None)


def peers(results):
    rows, groups = [], []
    own = best(results)
    for peer in results.distinct("peer", "peers"):
        for setting in results.distinct("setting", "peers", peer=peer):
            found = results.where("peers", peer=peer, setting=setting)
            values = [r["rate"] for r in found]
            rows.append([peer, setting, found[0]["delivery"], f"{found[0]['count']:,}", spread(values), over(statistics.median(values), own)])
            groups.append((peer + ", " + setting, statistics.median(values)))
    groups.sort(key=lambda pair: -pair[1])
    left_out = "".join(f"\n- not measured: {r['peer']}: {r['why']}" for r in results.where("peers-left-out"))
    picture = plot("peers", "Drain, one process, next to others", "messages a second", [("", groups)]) if groups else ""
    return table(["", "setting", "delivery", "messages", "a second", "ratio to the best of pgpubsub-gen"], rows) + left_out + "\n\n" + picture


def latency(results):
    found = results.where("latency")
    if not found:
        return "Not measured in this run."
    rows = []
    names = {"raw": "SQL by hand, NOTIFY at each commit", "commit": "worker, `wake: commit`", "door": "worker, `wake: door`"}
    for per_second in results.distinct("per_second", "latency"):
        for who in results.distinct("who", "latency", per_second=per_second):
            keys = {"who": who, "per_second": per_second}
            row = [str(per_second), names.get(who, who), f"{results.median('rang', 'latency', **keys) * 100:.0f} %"]
            row += [spread(results.values(f"commit_{field}", "latency", **keys)) for field in ["p50", "p99", "p999", "max"]]
            row += [spread(results.values(f"insert_{field}", "latency", **keys)) for field in ["p50", "p99"]]
            rows.append(row)
    head = ["notifications a second", "", "writers that sent a NOTIFY", "commit to listener, ms: p50", "p99", "p99.9", "worst", "insert to listener, ms: p50", "p99"]
    return table(head, rows)


def goals(results):
    def single(variant, clients=32, slow=True):
        return results.median("rate", "singles", variant=variant, clients=clients, slow_flush=slow)

    def drained(batch, who, listener="none", processes=1, field="rate"):
        return results.median(field, "drain", batch=batch, who=who, listener=listener, processes=processes)

    checks = []

    def check(goal, value, least=None, most=None, unit=""):
        if value is None:
            checks.append([goal, "-", "not measured"])
            return
        met = (least is None or value >= least) and (most is None or value <= most)
        checks.append([goal, f"{value:.3g}{unit}", "met" if met else "**not met**"])

    def ratio(a, b):
        return None if a is None or not b else a / b

    check("writers keep 0.65 of the rate without a trigger (32 clients, 1 ms flush, live worker)", ratio(single("door"), single(NO_TRIGGER)), least=0.65)
    check("and no less than storing alone, by hand (no worker on either side)", ratio(single("door, no worker"), single(STORE_ONLY)), least=1.0)
    check("the same, with a live worker beside our writers only", ratio(single("door"), single(STORE_ONLY)), least=1.0)
    for listener, words in [("none", "without SQL"), ("insert", "with an INSERT")]:
        for batch in [1, 100, 1000]:
            for field, when in [("rate", ", from the start of the process"), ("steady", ", after the first batch")]:
                check(f"drain at 0.8 of SQL by hand, batch {batch}, listener {words}{when}", ratio(drained(batch, "worker", listener, field=field), drained(batch, "raw", listener, field=field)), least=0.8)
    for batch in [100, 1000]:
        for field, when in [("rate", ", from the start of the process"), ("steady", ", after the first batch")]:
            check(f"drain at 0.8 of SQL by hand, batch {batch}, listener that receives batches, one INSERT each{when}", ratio(drained(batch, "worker-slices", "insert", field=field), drained(batch, "raw-slices", "insert", field=field)), least=0.8)
    own = best(results)
    others = [results.median("rate", "peers", peer=peer, setting=setting) for peer in results.distinct("peer", "peers") if peer not in ("pgpubsub-gen", "SQL by hand") for setting in results.distinct("setting", "peers", peer=peer)]
    check("at least twice the fastest peer", ratio(own, max(others)) if others else None, least=2.0)
    blocked = results.distinct("what", "order")
    for what in [what for what in blocked if "beside" in what]:
        check(f"{what}: at least half the rate", ratio(results.median("rate", "order", what=what, processes=1), results.median("rate", "order", what="1,000 keys", processes=1)), least=0.5)
    for snapshot in [False, True]:
        rates = [r["rates"] for r in results.where("decay", who="worker", snapshot=snapshot) if r["rates"]]
        name = "with an old snapshot held elsewhere" if snapshot else "without a snapshot"
        check(f"the last tenth of a million at 0.9 of the first, {name}", rates[0][-1] / rates[0][0] if rates else None, least=0.9)
    check("p99 from insert to listener at 100 a second at most 2.5 ms", results.median("insert_p99", "latency", who="door", per_second=100), most=2.5, unit=" ms")
    peaks = results.values("peak_memory", "memory") + results.values("peak_memory", "decay", who="worker")
    check("memory of a worker under 64 MiB with a million waiting", max(peaks) / (1 << 20) if peaks else None, most=64, unit=" MiB")
    cpu = results.values("worker", "idle")
    check("an idle worker below 0.1 % of a core", max(cpu) * 100 if cpu else None, most=0.1, unit=" %")
    return table(["goal", "measured", ""], checks)


def main():
    path = sys.argv[1]
    results = Results(path)
    chapter = os.path.join(BOOK, "benchmarks.md")
    with open(chapter, encoding="utf-8") as file:
        text = file.read()
    makers = {
        "conditions": lambda: conditions(results, path), "goals": lambda: goals(results), "singles": lambda: singles(results),
        "bulk": lambda: bulk(results), "drain": lambda: drain(results), "decay": lambda: decay(results),
        "order": lambda: order(results), "memory": lambda: memory(results), "idle": lambda: idle(results), "peers": lambda: peers(results), "latency": lambda: latency(results),
    }
    for name, make in makers.items():
        begin = f"<!-- made by bench/report.py: {name} -->\n"
        pattern = re.compile(re.escape(begin) + ".*?<!-- end -->", re.DOTALL)
        made = make()
        text, count = pattern.subn(lambda _: f"{begin}{made}\n<!-- end -->", text)
        if count != 1:
            sys.exit(f"{chapter} has {count} places for {name}")
    with open(chapter, "w", encoding="utf-8") as file:
        file.write(text)


main()
