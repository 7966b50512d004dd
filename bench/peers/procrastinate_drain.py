"""Drains a backlog with procrastinate: procrastinate_drain.py COUNT CONCURRENCY, with PG* variables.

Writes how many were drained, and in how many seconds.
"""

import asyncio
import json
import sys
import time

import procrastinate

app = procrastinate.App(connector=procrastinate.PsycopgConnector(min_size=2, max_size=30))
done = 0


@app.task(name="nothing", queue="bench")
async def nothing(new):
    global done
    done += 1


async def main(count, concurrency):
    payload = {"new": {"id": 1, "name": "item name 1", "qty": 1, "price": 12.34, "note": "x" * 480}}
    async with app.open_async():
        tables = await app.connector.execute_query_one_async("SELECT to_regclass('procrastinate_jobs') IS NOT NULL AS there")
        if not tables["there"]:
            await app.schema_manager.apply_schema_async()
        await app.connector.execute_query_async("TRUNCATE procrastinate_jobs CASCADE")
        for sent in range(0, count, 1000):
            await nothing.batch_defer_async(*[payload] * min(1000, count - sent))
        began = time.monotonic()
        await app.run_worker_async(wait=False, concurrency=concurrency, listen_notify=False, install_signal_handlers=False)
        seconds = time.monotonic() - began
    assert done == count, f"{done} of {count}"
    print(json.dumps({"count": done, "seconds": seconds}))


asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
