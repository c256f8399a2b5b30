//! One module for each thing people do.

mod conflicts;
mod data_files;
mod devices;
mod folders;
mod held;
mod history;
mod pages;
mod publication;
mod reach;
mod running;
mod selftest;
mod servers;
mod setup;
mod start;
mod status;
mod stores;

use crate::{
    args::Command,
    output::{Answer, Output},
    terminal,
    words::printable,
};
use app::{
    message::{Code, Exit, ProblemView, Result},
    profile::Profile,
};
use std::time::{SystemTime, UNIX_EPOCH};

/// Carries out a command.
pub(crate) async fn carry_out(command: Command, profile: &Profile, output: Output) -> Result<Answer> {
    // Being interrupted is how some commands end; they see to it themselves.
    let sees_to_it = matches!(command, Command::Serve | Command::Run | Command::Start(_))
        || matches!(&command, Command::Servers(servers) if servers.watch);
    let work = dispatch(command, profile, output);
    if sees_to_it {
        return work.await;
    }
    Ok(unless_interrupted(work).await?.unwrap_or_else(Answer::interrupted))
}

/// Does some work; `None`: somebody interrupted it. The work is dropped then, which ends it in order.
async fn unless_interrupted<T>(work: impl Future<Output = Result<T>>) -> Result<Option<T>> {
    tokio::select! {
        done = work => done.map(Some),
        () = terminal::interrupted() => Ok(None),
    }
}

async fn dispatch(command: Command, profile: &Profile, output: Output) -> Result<Answer> {
    let words = output.words;
    match command {
        Command::Start(args) => start::start(args, profile, output).await,
        Command::Init(args) => setup::init(args, profile, output).await,
        Command::Servers(args) => servers::servers(&args, profile, output).await,
        Command::Publish(args) => publication::publish(args, profile, output).await,
        Command::Revoke(args) => publication::revoke(&args, profile, output).await,
        Command::Join(args) => setup::join(args, profile, output).await,
        Command::Leave(args) => setup::leave(&args, profile, output).await,
        Command::Serve => running::serve(profile, output).await,
        Command::Run => running::stay_connected(profile, output).await,
        Command::Sync => running::sync(profile, output).await,
        Command::Status => status::status(profile, words).await,
        Command::Pause(args) => status::pause(&args, profile, words).await,
        Command::Resume => status::resume(profile, words).await,
        Command::Internet(args) => status::internet(&args, profile, words).await,
        Command::PeerNames(args) => status::peer_names(&args, profile, words).await,
        Command::Rendezvous(args) => reach::rendezvous(args, profile, words).await,
        Command::Relay(args) => reach::relay(args, profile, output).await,
        Command::Firewall(args) => reach::firewall(args, profile, output.words).await,
        Command::Doctor => status::doctor(profile, words).await,
        Command::Folders(args) => folders::folders(args, profile, words).await,
        Command::Held(args) => held::held(args, profile, output).await,
        Command::Conflicts(args) => conflicts::conflicts(args, profile, output).await,
        Command::History(args) => history::history(&args, profile, words).await,
        Command::Undo(args) => history::undo(args, profile, output).await,
        Command::Devices(args) => devices::devices(args, profile, words).await,
        Command::Invite(args) => devices::invite(args, profile, words).await,
        Command::Password(args) => devices::password(args, profile, output).await,
        Command::ServiceId(args) => devices::service_id(&args, profile, words).await,
        Command::Stores(args) => stores::stores(args, words).await,
        Command::Selftest(args) => selftest::selftest(args, output).await,
        Command::Import(args) => data_files::import(args, profile, output).await,
        Command::Export(args) => data_files::export(args, profile, words).await,
        Command::Log(args) => Ok(pages::log(&args, profile)),
        Command::Completions(args) => Ok(pages::completions(&args)),
        Command::Man(args) => pages::man(&args),
    }
}

/// A problem that was looked for, and what to do about it.
fn advice(problem: &ProblemView) -> String {
    let command = problem.command.as_deref().map(|command| format!(": {command}")).unwrap_or_default();
    let (message, action) = (printable(&problem.message), printable(&problem.action));
    format!("  {message}\n  → {action}{}  [{}]\n", printable(&command), problem.code)
}

/// What a command ends with that met this problem on the way.
fn exit_of(problem: &ProblemView) -> Exit {
    let code = serde_json::from_value::<Code>(problem.code.clone().into());
    code.map_or(Exit::Other, Code::exit)
}

fn now_secs() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Enough of an ID to tell it from others, as commands take it.
fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}
