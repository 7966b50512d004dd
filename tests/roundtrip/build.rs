//! Generates the channels of `schema.yaml` into `OUT_DIR`, and takes the comment marks off a golden listener skeleton.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

const SKELETON: &str = "../golden/example/project/generated-example/src/listeners.rs";

fn main() -> Result<(), Box<dyn Error>> {
    pgpubsub_gen::compile("schema.yaml")?;
    println!("cargo::rerun-if-changed={SKELETON}");
    let skeleton = fs::read_to_string(SKELETON)?;
    let (_, code) = skeleton
        .split_once("\n\n")
        .ok_or("a skeleton behind its explanation")?;
    let lines = code
        .lines()
        .map(|line| line.strip_prefix("//").unwrap_or(line));
    let code: Vec<&str> = lines
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect();
    fs::write(
        Path::new(&env::var("OUT_DIR")?).join("skeleton.rs"),
        code.join("\n"),
    )?;
    Ok(())
}
