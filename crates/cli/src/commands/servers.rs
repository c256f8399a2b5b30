//! Servers in the local network. Works before this computer is anything.

use crate::{
    args::Servers,
    output::{Answer, Output},
    table::{Cell, Table},
    terminal::interrupted,
    words::{Words, say},
};
use app::{
    api::types::LanServerView,
    lan::LanSearch,
    message::{Code, Problem, Result},
    profile::Profile,
    settings::{Role, Settings},
};
use serde_json::json;

pub(crate) async fn servers(args: &Servers, profile: &Profile, output: Output) -> Result<Answer> {
    let words = output.words;
    let settings = Settings::load(&profile.settings_file())?;
    let known = match settings.role {
        Some(Role::Server) => settings.public_key,
        _ => settings.server.map(|server| server.public_key),
    };
    let mut search = LanSearch::start(known.as_ref())?;
    if args.watch {
        return watch(&mut search, output).await;
    }
    output.note(&say!(words, "servers-looking"));
    search.settled().await;
    let servers = search.servers();
    if servers.is_empty() {
        return Err(Problem::new(Code::NoServerFound));
    }
    Ok(Answer::new(json!({"servers": servers}), table(&servers, words)))
}

async fn watch(search: &mut LanSearch, output: Output) -> Result<Answer> {
    let words = output.words;
    output.note(&say!(words, "servers-looking"));
    let mut interrupted = std::pin::pin!(interrupted());
    loop {
        let servers = search.servers();
        output.event_or_line(&json!({"event": "servers", "servers": servers}), || table(&servers, words));
        tokio::select! {
            () = search.changed() => {}
            () = &mut interrupted => return Ok(Answer::new(json!({"event": "ended"}), say!(words, "ended"))),
        }
    }
}

fn table(servers: &[LanServerView], words: Words) -> String {
    let mut table = Table::new([
        Cell::left(say!(words, "head-id")),
        Cell::left(say!(words, "head-name")),
        Cell::left(say!(words, "head-address")),
        Cell::left(""),
    ]);
    for server in servers {
        let state = match (server.is_stale, server.is_known) {
            (true, _) => say!(words, "server-is-silent"),
            (false, true) => say!(words, "server-is-known"),
            (false, false) => String::new(),
        };
        table.add([
            Cell::left(&server.id),
            Cell::left(&server.name),
            Cell::left(server.addresses.first().map(String::as_str).unwrap_or_default()),
            Cell::left(state),
        ]);
    }
    table.print()
}
