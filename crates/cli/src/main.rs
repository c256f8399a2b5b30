//! `tandem`: Tandem in a terminal.
//!
//! A command line becomes an [`args::Tandem`]; [`commands`] carries it out through the profile's running instance or one of
//! its own ([`door`]) and gives back an [`output::Answer`], which is printed here. Nothing is decided in this crate that
//! a window would have to decide as well.

mod args;
mod commands;
mod door;
mod output;
mod password;
mod progress;
mod table;
mod terminal;
mod words;

use app::{
    language::Language,
    message::{Code, Exit, Problem, Result},
    profile::Profile,
    settings::Settings,
};
use args::{Command, Tandem};
use clap::Parser as _;
use output::{Answer, Output};
use std::{
    io::{self, IsTerminal as _},
    process::ExitCode,
};
use terminal::Modes;
use words::Words;

fn main() -> ExitCode {
    let Tandem { common, mut command } = match Tandem::try_parse() {
        Ok(args) => args,
        Err(error) => return usage(&error),
    };
    let profile = Profile::find(common.config_dir.as_deref()).map_err(Problem::from);
    let chosen = profile.as_ref().ok().and_then(|profile| Settings::load(&profile.settings_file()).ok());
    let language = Language::choose(common.lang, chosen.and_then(|settings| settings.language));
    let can_ask = !common.no_input && !common.json && io::stdin().is_terminal() && io::stderr().is_terminal();
    let output = Output { words: Words { language }, json: common.json, can_ask };
    app::log::start(profile.as_ref().ok().map(Profile::logs), common.verbose);

    let modes = Modes::remember();
    let nodes = common.dht_bootstrap;
    if let Command::Join(join) = &mut command {
        join.nodes.clone_from(&nodes);
    }
    let is_init = matches!(command, Command::Init(_));
    let carry_out = |profile: Profile| {
        if nodes.is_empty() {
            return run(command, &profile, output);
        }
        if !is_init {
            remember_nodes(&nodes, &profile)?;
        }
        let answer = run(command, &profile, output)?;
        if is_init {
            remember_nodes(&nodes, &profile)?;
        }
        Ok(answer)
    };
    match profile.and_then(carry_out) {
        Ok(answer) if answer.exit == Answer::INTERRUPTED => {
            modes.restore();
            // Not by returning: that would wait for whoever is still being asked something.
            std::process::exit(answer.exit.into())
        }
        Ok(answer) => {
            output.answer(&answer);
            ExitCode::from(answer.exit)
        }
        Err(problem) => {
            output.problem(&problem);
            ExitCode::from(problem.code.exit() as u8)
        }
    }
}

/// Keeps in mind by which nodes this profile takes part in the network for addresses, once it is set up.
fn remember_nodes(nodes: &[String], profile: &Profile) -> Result<()> {
    let file = profile.settings_file();
    let mut settings = Settings::load(&file)?;
    if settings.role.is_none() || settings.network.dht_bootstrap == nodes {
        return Ok(());
    }
    settings.network.dht_bootstrap = nodes.to_vec();
    Ok(settings.save(&file)?)
}

fn run(command: Command, profile: &Profile, output: Output) -> Result<Answer> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Problem::new(Code::Unexpected).because(error))?;
    let answer = runtime.block_on(commands::carry_out(command, profile, output));
    // A question nobody answered any more must not keep the program alive.
    runtime.shutdown_background();
    answer
}

/// What was typed isn't a command. Help and version come this way too.
fn usage(error: &clap::Error) -> ExitCode {
    let is_help = !error.use_stderr();
    if !is_help && std::env::args_os().any(|argument| argument == "--json") {
        let text = error.to_string();
        let reason = text.lines().next().unwrap_or_default().trim_start_matches("error: ").trim_end_matches('.');
        let problem = Problem::new(Code::NotUnderstood).with("reason", reason);
        let words = Words { language: Language::of_system() };
        Output { words, json: true, can_ask: false }.problem(&problem);
    } else {
        let _ = error.print();
    }
    ExitCode::from(if is_help { Exit::Ok as u8 } else { Exit::Usage as u8 })
}
