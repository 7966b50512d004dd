//! What the kernel knows of a process.

use std::fs;

use crate::Result;

/// Seconds for which the threads of a process have run.
///
/// # Errors
/// There is no such process.
pub fn cpu_of(process: u32) -> Result<f64> {
    // In nanoseconds, where the kernel keeps them; its ticks of 10 ms would be most of what an idle process takes.
    let mut nanoseconds = 0;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        let text = fs::read_to_string(thread?.path().join("schedstat"))?;
        let ran = text.split(' ').next().ok_or("an empty schedstat")?;
        nanoseconds += ran.parse::<u64>()?;
    }
    Ok(nanoseconds as f64 / 1e9)
}

/// Bytes of memory that a process has.
///
/// # Errors
/// There is no such process.
pub fn resident_memory(process: u32) -> Result<u64> {
    field(process, "VmRSS:")
}

/// The most that it ever had.
///
/// # Errors
/// There is no such process.
pub fn peak_memory(process: u32) -> Result<u64> {
    field(process, "VmHWM:")
}

fn field(process: u32, name: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(kilobytes.ok_or("no such line")?.parse::<u64>()? * 1024)
}
