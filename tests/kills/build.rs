//! Generates the channels of `schema.yaml` and their migration into `OUT_DIR`.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use pgpubsub_gen::diagnostic::{Diagnostics, Format, Sources};
use pgpubsub_gen::history::History;
use pgpubsub_gen::render::{Mode, render};
use pgpubsub_gen::{plan, schema};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=schema.yaml");
    let text = fs::read_to_string("schema.yaml")?;
    let sources = Sources::new("schema.yaml", &text);
    let shown = |mistakes: Diagnostics| mistakes.render(&sources, Format::Text { colour: false });
    let schema = schema::load_text(&sources).map_err(shown)?.schema;
    let plan = plan::plan(&schema, &History::default())?;
    let out = env::var("OUT_DIR")?;
    for (mode, end, name) in [
        (Mode::Include, ".rs", "pubsub.rs"),
        (Mode::Project, ".up.sql", "up.sql"),
    ] {
        let files = render(&plan, mode)?;
        let found = files.iter().filter(|(path, _)| path.ends_with(end));
        let text: String = found.map(|(_, file)| file.text.as_str()).collect();
        fs::write(Path::new(&out).join(name), text)?;
    }
    Ok(())
}
