// Drains a backlog: node node.js graphile-worker|pg-boss COUNT SETTING, in a folder with both installed, and PG* variables.
// Writes how many were drained, and in how many seconds.
"use strict";
const { createRequire } = require("node:module");
const load = createRequire(process.cwd() + "/");
const [peer, countText, settingText] = process.argv.slice(2);
const count = Number(countText);
const setting = Number(settingText);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const payload = {
  new: {
    id: 1, name: "item name 1", qty: 1, created_at: "2026-01-01T00:00:00+00:00", price: 12.34,
    attrs: { colour: "red", size: 42, tags: ["a", "b", "c"] }, ref: "3f0e7c1a-0000-4000-8000-000000000000", active: true, note: "x".repeat(300),
  },
};

// A setting of 1: its defaults; more: concurrency, with the local queue and the batched completion that make it fastest.
async function graphile(pool) {
  const { run, makeWorkerUtils, Logger } = load("graphile-worker");
  const logger = new Logger(() => () => {});
  const utils = await makeWorkerUtils({ pgPool: pool, logger });
  await utils.migrate();
  await pool.query("TRUNCATE graphile_worker._private_jobs");
  const add = "SELECT graphile_worker.add_job('nothing', $1::json) FROM generate_series(1, $2::int)";
  await pool.query(add, [JSON.stringify(payload), count]);
  await pool.query("VACUUM ANALYZE graphile_worker._private_jobs");
  await pool.query("CHECKPOINT");
  const fast = { localQueue: { size: 500, refetchDelay: { durationMs: 10 } }, completeJobBatchDelay: 0, failJobBatchDelay: 0 };
  const worker = { concurrentJobs: setting, maxPoolSize: 28, ...(setting > 1 ? fast : {}) };
  let done = 0;
  const began = process.hrtime.bigint();
  await run({ preset: { worker }, logger, noHandleSignals: true, pgPool: pool, taskList: { nothing: () => { done++; } } });
  while (done < count) await pause(3);
  while (Number((await pool.query("SELECT count(*) FROM graphile_worker._private_jobs")).rows[0].count) > 0) await pause(3);
  return Number(process.hrtime.bigint() - began) / 1e9;
}

// Fetch and complete, so many at once.
async function boss(pool) {
  const loaded = load("pg-boss");
  const Boss = loaded.PgBoss ?? loaded.default ?? loaded;
  const { PGHOST: host, PGPORT: port, PGUSER: user, PGDATABASE: database } = process.env;
  const boss = new Boss({ host, port: Number(port), user, database, max: 10, supervise: false, schedule: false });
  boss.on("error", (error) => console.error(error));
  await boss.start();
  const queue = `bench_${process.pid}`;
  await boss.createQueue(queue);
  for (let sent = 0; sent < count; sent += 1000) {
    await boss.insert(Array.from({ length: Math.min(1000, count - sent) }, () => ({ name: queue, data: payload })));
  }
  await pool.query("VACUUM ANALYZE pgboss.job");
  await pool.query("CHECKPOINT");
  const began = process.hrtime.bigint();
  for (let done = 0; done < count; ) {
    const jobs = await boss.fetch(queue, { batchSize: setting });
    if (!jobs?.length) throw new Error(`${done} of ${count}`);
    await boss.complete(queue, jobs.map((job) => job.id));
    done += jobs.length;
  }
  return Number(process.hrtime.bigint() - began) / 1e9;
}

(async () => {
  const pool = new (load("pg").Pool)({ max: 30 });
  const seconds = await (peer === "pg-boss" ? boss(pool) : graphile(pool));
  console.log(JSON.stringify({ count, seconds }));
  process.exit(0);
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
