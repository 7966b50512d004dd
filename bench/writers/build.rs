//! Generates the channel of `schema.yaml` in each way of waking workers into `OUT_DIR`.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

use pgpubsub_gen::diagnostic::{Diagnostics, Format, Sources};
use pgpubsub_gen::history::History;
use pgpubsub_gen::render::{Mode, render};
use pgpubsub_gen::{plan, schema};

const VARIANTS: [(&str, &str, &str); 4] = [
    ("door", "door", "row"),
    ("commit", "commit", "row"),
    ("poll", "poll", "row"),
    ("statement", "door", "statement"),
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=schema.yaml");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let text = fs::read_to_string("schema.yaml")?;
    for (name, wake, level) in VARIANTS {
        let text = text.replace("WAKE", wake).replace("LEVEL", level);
        let sources = Sources::new("schema.yaml", &text);
        let shown =
            |mistakes: Diagnostics| mistakes.render(&sources, Format::Text { colour: false });
        let schema = schema::load_text(&sources).map_err(shown)?.schema;
        let plan = plan::plan(&schema, &History::default())?;
        for (mode, end) in [(Mode::Include, ".rs"), (Mode::Project, ".up.sql")] {
            let files = render(&plan, mode)?;
            let found = files.iter().filter(|(path, _)| path.ends_with(end));
            let text: String = found.map(|(_, file)| file.text.as_str()).collect();
            fs::write(out.join(format!("{name}{end}")), text)?;
        }
    }
    Ok(())
}
