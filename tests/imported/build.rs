//! Generates the channels of the imported `schema.yaml`.

fn main() -> Result<(), pgpubsub_gen::build_script::Error> {
    pgpubsub_gen::compile("schema.yaml")
}
