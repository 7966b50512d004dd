//! Generates the channels of `schema.yaml` into `OUT_DIR`.

fn main() -> Result<(), pgpubsub_gen::build_script::Error> {
    pgpubsub_gen::compile("schema.yaml")
}
