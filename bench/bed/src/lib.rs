//! What the benchmarks stand on: a server with the measured settings, processes, and records.

mod cpu;
mod process;
mod server;

use std::io::Write as _;

use pgpubsub_runtime::serde_json::{Value, json};

pub use cpu::{cpu_of, peak_memory, resident_memory};
pub use process::Process;
pub use server::{SETTINGS, Server};

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Writes a result as a line of JSON on standard output, with the load of the machine: what else ran at the time.
pub fn record(benchmark: &str, mut result: Value) {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    result["benchmark"] = json!(benchmark);
    result["load"] = json!(
        load.split(' ')
            .next()
            .and_then(|load| load.parse::<f64>().ok())
    );
    println!("{result}");
    // Somebody may be looking on.
    drop(std::io::stdout().flush());
}
