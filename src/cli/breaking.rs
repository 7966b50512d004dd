//! `pgpubsub-gen breaking`.

use std::path::{Path, PathBuf};

use crate::breaking::{Finding, Outcome};
use crate::diagnostic::{Format, Sources, escaped, property};
use crate::pipeline::{self, Source};
use crate::write;

use super::args::Display;
use super::git::Reference;
use super::{DIFFERENT, OK, output};

pub(super) fn run(schema: Option<&Path>, against: &str, display: &Display) -> anyhow::Result<u8> {
    let source = output::source(schema)?;
    let compared = if Path::new(against).is_file() {
        let old = pipeline::read(Path::new(against))?;
        let read = |path: &str| write::read_include(&old.root, path);
        pipeline::breaking(&source, &old, &read)
    } else {
        let reference = Reference::new(&source.root, against)?;
        let old = in_reference(&source, schema, against, &reference)?;
        let read = |path: &str| match reference.text(path) {
            Ok(Some(text)) => Ok(text),
            Ok(None) => Err(format!("`{against}` has no such file")),
            Err(error) => Err(error.to_string()),
        };
        pipeline::breaking(&source, &old, &read)
    };
    let compared = compared.map_err(|error| error.shown(display.format()))?;
    let shown = compared
        .findings
        .iter()
        .filter(|finding| !display.quiet || finding.outcome() == Outcome::Breaks);
    for finding in shown {
        output::line(&match display.format() {
            Format::Text { .. } => text(finding, &compared.sources),
            Format::Json => json(finding, &compared.sources),
            Format::Github => github(finding, &compared.sources),
        })?;
    }
    if matches!(display.format(), Format::Text { .. }) && !display.quiet {
        output::line(&summary(&compared.findings, &source.name, against))?;
    }
    let breaks = |finding: &Finding| finding.outcome() == Outcome::Breaks;
    Ok(if compared.findings.iter().any(breaks) {
        DIFFERENT
    } else {
        OK
    })
}

/// The schema file as a commit has it.
fn in_reference(
    source: &Source,
    schema: Option<&Path>,
    against: &str,
    reference: &Reference<'_>,
) -> anyhow::Result<Source> {
    let path = schema.unwrap_or(Path::new("schema.yaml"));
    let name = match path.file_name().and_then(|name| name.to_str()) {
        Some(name) if path != Path::new("-") => name,
        _ => anyhow::bail!("a commit has no file for standard input; name the schema file"),
    };
    let Some(text) = reference.text(name)? else {
        anyhow::bail!("`{against}` has no file {}", source.name);
    };
    Ok(Source {
        name: format!("{against}:{}", source.name),
        text,
        root: PathBuf::from(&source.root),
    })
}

/// File, line and column; the file alone for what is not there any more.
fn place<'s>(finding: &Finding, sources: &'s Sources) -> (&'s str, Option<(usize, usize)>) {
    match &finding.span {
        Some(span) => {
            let (file, span) = sources.locate(span);
            (&file.name, Some(file.position(span.start)))
        }
        None => (&sources.main().name, None),
    }
}

fn text(finding: &Finding, sources: &Sources) -> String {
    let mut out = format!(
        "{}: {} [{}]\n",
        finding.outcome().as_str(),
        finding.what,
        finding.kind.as_str()
    );
    if let (file, Some((line, column))) = place(finding, sources) {
        out += &format!("  --> {file}:{line}:{column}\n");
    }
    for (about, verdict) in finding.verdicts() {
        out += &format!(
            "  {about:<14}  {:<6}  {}\n",
            verdict.outcome.as_str(),
            verdict.reason
        );
    }
    for advice in &finding.advice {
        out += &format!("  help: {advice}\n");
    }
    out
}

fn json(finding: &Finding, sources: &Sources) -> String {
    let (file, position) = place(finding, sources);
    let mut object = serde_json::json!({
        "severity": severity(finding.outcome()),
        "code": finding.kind.as_str(),
        "message": finding.what,
        "file": file,
        "waiting": finding.waiting,
        "old_workers": finding.workers,
        "old_publishers": finding.publishers,
        "advice": finding.advice,
    });
    if let Some((line, column)) = position {
        object["line"] = line.into();
        object["column"] = column.into();
    }
    object.to_string()
}

fn severity(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "note",
        Outcome::Note => "warning",
        Outcome::Breaks => "error",
    }
}

fn github(finding: &Finding, sources: &Sources) -> String {
    let command = match finding.outcome() {
        Outcome::Ok => "notice",
        outcome => severity(outcome),
    };
    let (file, position) = place(finding, sources);
    let place = position.map_or_else(String::new, |(line, column)| {
        format!(",line={line},col={column}")
    });
    let mut message = finding.what.clone();
    for (about, verdict) in finding.verdicts() {
        message += &format!(
            "\n{about}: {}: {}",
            verdict.outcome.as_str(),
            verdict.reason
        );
    }
    for advice in &finding.advice {
        message += &format!("\nhelp: {advice}");
    }
    format!(
        "::{command} file={}{place},title={}::{}",
        property(file),
        finding.kind.as_str(),
        escaped(&message)
    )
}

fn summary(findings: &[Finding], name: &str, against: &str) -> String {
    let count = |outcome| {
        let of = findings
            .iter()
            .filter(|finding| finding.outcome() == outcome);
        of.count()
    };
    let changes = match findings.len() {
        0 => return format!("{name}: no change against {against}"),
        1 => "1 change".to_owned(),
        count => format!("{count} changes"),
    };
    let (breaks, notes) = (count(Outcome::Breaks), count(Outcome::Note));
    let verdict = match (breaks, notes) {
        (0, 0) => "nothing breaks".to_owned(),
        (0, notes) => format!("nothing breaks, {notes} to look at"),
        (breaks, 0) => format!("{breaks} that break"),
        (breaks, notes) => format!("{breaks} that break, {notes} to look at"),
    };
    format!("{name}: {changes} against {against}: {verdict}")
}
