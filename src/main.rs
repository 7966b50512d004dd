//! The command line of pgpubsub-gen.

fn main() -> std::process::ExitCode {
    pgpubsub_gen::cli::main()
}
