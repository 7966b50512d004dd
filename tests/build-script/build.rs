//! Generates the channels of the example into `OUT_DIR`, and checks that its migrations are up to date.

fn main() -> Result<(), pgpubsub_gen::build_script::Error> {
    pgpubsub_gen::compile("../../schema.example.yaml")
}
