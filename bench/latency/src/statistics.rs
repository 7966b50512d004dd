//! What a run comes to.

use std::collections::HashMap;

use crate::Result;
use crate::writer::Written;

pub(crate) const TITLE: &str = " rate  way      written/s  rang  after commit: p50  p99  p99.9  max   without a NOTIFY: p50  p99   after created_at: p50  p99  p99.9  max ms  load";

pub(crate) struct Row {
    rate: f64,
    /// Part of the writers that sent a NOTIFY.
    rang: f64,
    after_commit: Vec<f64>,
    after_created: Vec<f64>,
    /// Of those whose writers sent no NOTIFY, after the commit.
    silent: Vec<f64>,
}

/// Microseconds from each commit to the listener. An entry that came before the writer heard of its own commit counts as 0.
pub(crate) fn row(
    written: &[Written],
    entries: &HashMap<i64, (i64, i64)>,
    seconds: u64,
) -> Result<Row> {
    let lost = written
        .iter()
        .filter(|written| !entries.contains_key(&written.number))
        .count();
    if lost > 0 {
        return Err(format!("{lost} of {} were not delivered", written.len()).into());
    }
    let after_commit = |written: &Written| (entries[&written.number].0 - written.committed).max(0);
    let after_created = |written: &Written| {
        let (entered, created_at) = entries[&written.number];
        entered - created_at
    };
    let rang = written.iter().filter(|written| written.rang).count();
    let silent = written.iter().filter(|written| !written.rang);
    Ok(Row {
        rate: written.len() as f64 / seconds as f64,
        rang: rang as f64 / written.len() as f64,
        after_commit: percentiles(written.iter().map(after_commit).collect()),
        after_created: percentiles(written.iter().map(after_created).collect()),
        silent: percentiles(silent.map(after_commit).collect()),
    })
}

/// In milliseconds: p50, p99, p99.9 and the longest.
fn percentiles(mut times: Vec<i64>) -> Vec<f64> {
    times.sort_unstable();
    let Some(last) = times.len().checked_sub(1) else {
        return vec![0.0; 4];
    };
    let at = |part: f64| times[((times.len() as f64 * part) as usize).min(last)] as f64 / 1e3;
    vec![at(0.5), at(0.99), at(0.999), at(1.0)]
}

impl Row {
    pub(crate) fn medians(rows: &[Self]) -> Self {
        let median = |of: &dyn Fn(&Self) -> f64| {
            let mut values: Vec<f64> = rows.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        Self {
            rate: median(&|row| row.rate),
            rang: median(&|row| row.rang),
            after_commit: (0..4).map(|n| median(&|row| row.after_commit[n])).collect(),
            silent: (0..4).map(|n| median(&|row| row.silent[n])).collect(),
            after_created: (0..4)
                .map(|n| median(&|row| row.after_created[n]))
                .collect(),
        }
    }

    pub(crate) fn text(&self) -> String {
        let times = |times: &[f64]| -> String {
            let times: Vec<String> = times.iter().map(|time| format!("{time:7.2}")).collect();
            times.join(" ")
        };
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        format!(
            "{:8.0}  {:3.0}%  {}   {}   {}  {}",
            self.rate,
            self.rang * 100.0,
            times(&self.after_commit),
            times(&self.silent[..2]),
            times(&self.after_created),
            load.split(' ').next().unwrap_or("?")
        )
    }
}
