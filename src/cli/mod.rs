//! The command line: one command a file, one exit code an outcome.

mod apply;
mod args;
mod blocked;
mod breaking;
mod check;
mod explain;
mod generate;
mod git;
mod import;
mod init;
mod late_group;
pub(crate) mod live;
mod ls;
mod output;
mod pending;
mod quarantine;
mod replay;
mod schedules;
mod switch;
mod unlock;
mod who_holds;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Args, Command};

/// Everything is as it should be.
const OK: u8 = 0;
/// `check` found differences, or `breaking` what breaks.
const DIFFERENT: u8 = 1;
/// Something could not be done. clap uses the same for a wrong call.
const ERROR: u8 = 2;

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let args = Args::parse();
    let outcome = match &args.command {
        Some(Command::Check {
            schema,
            database_url,
        }) => check::run(schema.as_deref(), database_url.as_deref(), &args.display),
        Some(Command::Ls(ls)) => ls::run(ls, &args.display),
        Some(Command::Apply(on)) => apply::run(on, &args.display),
        Some(Command::Enable(switch)) => switch::run(switch, true, &args.display),
        Some(Command::Disable(switch)) => switch::run(switch, false, &args.display),
        Some(Command::Pending(pending)) => pending::run(pending, &args.display),
        Some(Command::WhoHolds(which)) => who_holds::run(which, &args.display),
        Some(Command::Blocked(blocked)) => blocked::run(blocked, &args.display),
        Some(Command::Schedules(on)) => schedules::run(on, &args.display),
        Some(Command::Quarantine(quarantine)) => quarantine::run(quarantine, &args.display),
        Some(Command::Replay(replay)) => replay::run(replay, &args.display),
        Some(Command::Breaking { against, schema }) => {
            breaking::run(schema.as_deref(), against, &args.display)
        }
        Some(Command::Import(import)) => import::run(import),
        Some(Command::Unlock { column, schema }) => {
            unlock::run(schema.as_deref(), column, &args.display)
        }
        Some(Command::Explain { code }) => explain::run(code.as_deref()),
        Some(Command::JsonSchema) => init::json_schema(),
        Some(Command::Init { schema }) => init::run(schema.as_deref()),
        Some(Command::Generate(generate)) => generate::run(generate, &args.display),
        None => generate::run(&args.generate, &args.display),
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            // The reader of our output has gone: nobody is left to tell.
            if !output::is_broken_pipe(&error) {
                output::error(&error);
            }
            ExitCode::from(ERROR)
        }
    }
}
