//! What helps other computers to reach a server behind any router: a rendezvous.

use crate::{
    args::Rendezvous,
    door::ask,
    output::Answer,
    words::{Words, say},
};
use app::{
    api::types::{Nothing, RendezvousRequest, RendezvousView, TranslationView},
    message::Result,
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

async fn set(profile: &Profile, rendezvous: Vec<String>) -> Result<Vec<RendezvousView>> {
    ask(profile, Use::Ask, "set_rendezvous", RendezvousRequest { rendezvous }).await
}
