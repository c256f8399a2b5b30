//! What helps other computers to reach a server behind any router: a rendezvous, a relay, and a firewall that lets them in.

use super::{advice, exit_of};
use crate::{
    args::{Firewall, PasswordFrom, Relay, Rendezvous},
    door::ask,
    output::{Answer, Output},
    password,
    words::{Words, say},
};
use app::{
    api::types::{
        FirewallStateView, FirewallView, Nothing, RelayRequest, RelayStateView, RelayView, RendezvousRequest,
        RendezvousView, TranslationView,
    },
    message::{Exit, Result},
    node::Use,
    profile::Profile,
};
use serde_json::json;

pub(crate) async fn rendezvous(args: Rendezvous, profile: &Profile, words: Words) -> Result<Answer> {
    let all: Vec<RendezvousView> = match args.rendezvous.as_slice() {
        [] => ask(profile, Use::Ask, "rendezvous", Nothing {}).await?,
        [off] if off == "off" => set(profile, Vec::new()).await?,
        _ => set(profile, args.rendezvous).await?,
    };
    let mut text = String::new();
    if all.is_empty() {
        text.push_str(&say!(words, "rendezvous-none"));
    }
    for RendezvousView { rendezvous, observed } in &all {
        text.push_str(rendezvous);
        text.push('\n');
        if observed.is_empty() {
            text.push_str(&format!("  {}\n", say!(words, "rendezvous-no-line")));
        }
        for seen in observed {
            let translation = match seen.translation {
                TranslationView::Unknown => say!(words, "translation-unknown"),
                TranslationView::None => say!(words, "translation-none"),
                TranslationView::EndpointIndependent => say!(words, "translation-independent"),
                TranslationView::EndpointDependent => say!(words, "translation-dependent"),
            };
            text.push_str(&format!("  {}\n", say!(words, "rendezvous-sees", address = &seen.address)));
            text.push_str(&format!("  {translation}\n"));
        }
    }
    Ok(Answer::new(json!({"rendezvous": all}), text.trim_end().to_owned()))
}

pub(crate) async fn relay(args: Relay, profile: &Profile, output: Output) -> Result<Answer> {
    let words = output.words;
    let view: RelayView = match args.relay {
        None => ask(profile, Use::Ask, "relay", Nothing {}).await?,
        Some(off) if off == "off" => {
            let none = RelayRequest { address: None, user: None, password: None };
            ask(profile, Use::Ask, "set_relay", none).await?
        }
        Some(address) => {
            let from = PasswordFrom { password_file: args.password_file };
            let password = password::existing(&from, output, &address).await?;
            let request =
                RelayRequest { address: Some(address), user: args.user, password: Some(password.expose().to_owned()) };
            ask(profile, Use::Ask, "set_relay", request).await?
        }
    };
    let mut text = match (&view.address, view.state) {
        (None, _) => say!(words, "relay-none"),
        (Some(address), None) => say!(words, "relay-later", address = address),
        (Some(address), Some(RelayStateView::Ready)) => say!(words, "relay-ready", address = address),
        (Some(address), Some(_)) => say!(words, "relay-not-yet", address = address),
    };
    if let Some(problem) = &view.problem {
        text.push_str(&format!("\n{}", advice(problem)));
    }
    let exit = view.problem.as_ref().map_or(Exit::Ok, exit_of);
    Ok(Answer::new(json!(view), text.trim_end().to_owned()).ending(exit))
}

pub(crate) async fn firewall(args: Firewall, profile: &Profile, words: Words) -> Result<Answer> {
    let command = if args.change.is_some() { "allow_in_firewall" } else { "firewall" };
    let view: FirewallView = ask(profile, Use::Ask, command, Nothing {}).await?;
    let port = view.port.to_string();
    let mut text = match (view.state, &view.program) {
        (FirewallStateView::Open, Some(program)) => say!(words, "firewall-open", port = port, program = program),
        (FirewallStateView::None, _) => say!(words, "firewall-none"),
        // The problem says it.
        (FirewallStateView::Open | FirewallStateView::Closed | FirewallStateView::Unknown, _) => String::new(),
    };
    if let Some(problem) = &view.problem {
        text.push_str(&advice(problem));
    }
    let exit = view.problem.as_ref().map_or(Exit::Ok, exit_of);
    Ok(Answer::new(json!(view), text.trim().to_owned()).ending(exit))
}

async fn set(profile: &Profile, rendezvous: Vec<String>) -> Result<Vec<RendezvousView>> {
    ask(profile, Use::Ask, "set_rendezvous", RendezvousRequest { rendezvous }).await
}
