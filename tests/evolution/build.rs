//! Generates the channels of `schema.yaml`, whose earlier versions are in `schema.shapes`, into `OUT_DIR`.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use pgpubsub_gen::diagnostic::{Format, Sources};
use pgpubsub_gen::history::History;
use pgpubsub_gen::render::{Mode, render};
use pgpubsub_gen::{plan, schema};

#[path = "../golden/shapes.rs"]
mod shapes;

fn main() -> Result<(), Box<dyn Error>> {
    for path in ["schema.yaml", "schema.shapes", "../golden/shapes.rs"] {
        println!("cargo::rerun-if-changed={path}");
    }
    let text = fs::read_to_string("schema.yaml")?;
    let sources = Sources::new("schema.yaml", &text);
    let shown = |mistakes: pgpubsub_gen::diagnostic::Diagnostics| {
        mistakes.render(&sources, Format::Text { colour: false })
    };
    let schema = schema::load_text(&sources).map_err(shown)?.schema;
    let history = History {
        shapes: shapes::shapes(&fs::read_to_string("schema.shapes")?),
        ..History::default()
    };
    let mistakes = plan::check(&schema, &history.shapes);
    if !mistakes.is_empty() {
        return Err(shown(mistakes).into());
    }
    let plan = plan::plan(&schema, &history)?;
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
