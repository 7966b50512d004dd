// Shapes of a test, one a line: `model author 1 {"columns": {"id": "bigint"}}`.

/// Reads them; a line that is none is a mistake of the test.
pub(crate) fn shapes(text: &str) -> pgpubsub_gen::history::Shapes {
    use pgpubsub_gen::history::{ShapeVersion, Shaped, Shapes};

    let mut shapes = Shapes::default();
    for line in text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let mut words = line.splitn(4, ' ');
        let mut word = || words.next().unwrap_or_else(|| panic!("{line}"));
        let of = match word() {
            "model" => Shaped::Model,
            "message" => Shaped::Message,
            _ => panic!("{line}"),
        };
        shapes.record(ShapeVersion {
            of,
            name: word().to_owned(),
            version: word().parse().unwrap_or_else(|_| panic!("{line}")),
            shape: serde_json::from_str(word()).unwrap_or_else(|error| panic!("{line}: {error}")),
        });
    }
    shapes
}
