#!/usr/bin/env python3
"""Drains the same backlog with every peer that is installed, with the worker and with SQL by hand, in turns on one server.

run.py PROGRAMS MESSAGES REPETITIONS, where PROGRAMS is the folder of the built programs. A line of JSON for each run.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from urllib.parse import unquote

HERE = os.path.dirname(os.path.abspath(__file__))
AT_LEAST_ONCE, EXACTLY_ONCE = "at least once", "exactly once"
programs, messages, repetitions = os.path.abspath(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
installed = os.path.join(os.path.dirname(programs), "peers")
python = os.path.join(installed, "python", "bin", "python")
# A peer that hangs is left out.
PATIENCE = 90


class Peer:
    def __init__(self, name, setting, delivery, command, share=1.0, cwd=None):
        self.name, self.setting, self.delivery, self.command, self.cwd = name, setting, delivery, command, cwd
        # Slow ones get fewer messages, for time.
        self.count = max(int(messages * share), 100)
        self.why_not = None

    @property
    def database(self):
        return "".join(letter if letter.isalnum() else "_" for letter in self.name.lower())


def own(who, batch):
    program = os.path.join(programs, "pgpubsub-bench-drain")
    return lambda url, count: [program, "one", who, url, str(batch), str(count)]


def rust(peer, setting):
    program = os.path.join(programs, "pgpubsub-bench-peers")
    return lambda url, count: [program, peer, str(count), str(setting)]


def node(peer, setting):
    return lambda url, count: ["node", os.path.join(HERE, "node.js"), peer, str(count), str(setting)]


def peers(folder):
    shutil.copytree(os.path.join(HERE, "django"), os.path.join(folder, "django"))
    exactly, least = EXACTLY_ONCE, AT_LEAST_ONCE
    procrastinate = os.path.join(HERE, "procrastinate_drain.py")
    return [
        Peer("SQL by hand", "batch 1", exactly, own("raw", 1), 0.25),
        Peer("SQL by hand", "batch 100", exactly, own("raw", 100), 5),
        Peer("SQL by hand", "batch 1000", exactly, own("raw", 1000), 5),
        Peer("pgpubsub-gen", "batch 1", exactly, own("worker", 1), 0.25),
        Peer("pgpubsub-gen", "batch 100", exactly, own("worker", 100), 5),
        Peer("pgpubsub-gen", "batch 1000", exactly, own("worker", 1000), 5),
        Peer("pgmq (Rust)", "read 1, delete", least, rust("pgmq", 1), 0.1),
        Peer("pgmq (Rust)", "read 100, delete", least, rust("pgmq", 100)),
        Peer("pgmq (Rust)", "read 1000, delete", least, rust("pgmq", 1000)),
        Peer("graphile_worker (Rust)", "24 at once, local queue, batched", least, rust("graphile_worker", 24)),
        Peer("graphile-worker (Node)", "1 at once, defaults", least, node("graphile-worker", 1), 0.1, installed),
        Peer("graphile-worker (Node)", "24 at once, local queue, batched", least, node("graphile-worker", 24), 1, installed),
        Peer("pg-boss (Node)", "fetch 100, complete", least, node("pg-boss", 100), 0.25, installed),
        Peer("pg-boss (Node)", "fetch 1000, complete", least, node("pg-boss", 1000), 1, installed),
        Peer("procrastinate (Python)", "20 at once", least, lambda url, count: [python, procrastinate, str(count), "20"], 0.05),
        Peer("django-pgpubsub (Python)", "recovery", exactly, lambda url, count: [python, "drain.py", str(count)], 0.15, os.path.join(folder, "django")),
    ]


def parts(url):
    """postgresql://USER@FOLDER:PORT/DATABASE, as the server says it."""
    user, rest = url.removeprefix("postgresql://").split("@", 1)
    place, _ = rest.split("/", 1)
    folder, port = place.rsplit(":", 1)
    return {"PGUSER": user, "PGHOST": unquote(folder), "PGPORT": port}


def run(peer, url, variables):
    environment = {**os.environ, **variables, "PGDATABASE": peer.database, "DATABASE_URL": f"postgresql:///{peer.database}?host={variables['PGHOST']}&port={variables['PGPORT']}&user={variables['PGUSER']}"}
    command = peer.command(url.rsplit("/", 1)[0] + "/" + peer.database, peer.count)
    try:
        ran = subprocess.run(command, cwd=peer.cwd, env=environment, capture_output=True, text=True, timeout=PATIENCE)
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, str(error).split("\n")[0]
    if ran.returncode != 0:
        return None, (ran.stderr.strip() or "failed").split("\n")[-1]
    return json.loads(ran.stdout.strip().split("\n")[-1]), None


def main():
    server = subprocess.Popen([os.path.join(programs, "pgpubsub-bench-drain"), "server"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    url = server.stdout.readline().strip()
    variables = parts(url)
    with tempfile.TemporaryDirectory() as folder:
        everybody = peers(folder)
        for database in sorted({peer.database for peer in everybody}):
            subprocess.run(["createdb", database], check=True, env={**os.environ, **variables})
        for repetition in range(repetitions):
            for peer in everybody:
                if peer.why_not:
                    continue
                result, peer.why_not = run(peer, url, variables)
                with open("/proc/loadavg", encoding="utf-8") as file:
                    load = float(file.read().split()[0])
                if result:
                    print(json.dumps({"benchmark": "peers", "peer": peer.name, "setting": peer.setting, "delivery": peer.delivery, "repetition": repetition, "count": result["count"],
                                      "seconds": result["seconds"], "rate": result["count"] / result["seconds"], "load": load}), flush=True)
                else:
                    print(json.dumps({"benchmark": "peers-left-out", "peer": f"{peer.name}, {peer.setting}", "why": peer.why_not}), flush=True)
    server.stdin.close()
    server.wait()


main()
