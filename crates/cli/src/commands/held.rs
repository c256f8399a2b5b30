//! Deletions that wait for a decision.

use crate::{
    args::{Held, HeldDecision},
    door::{ask, decide},
    output::{Answer, Output},
    words::{Words, printable, say},
};
use app::{
    api::types::{DecideHeld, Done, HeldDecision as Decision, HeldView, HeldWhere, Nothing},
    message::Result,
    node::Use,
    profile::Profile,
};
use serde_json::json;

pub(crate) async fn held(args: Held, profile: &Profile, output: Output) -> Result<Answer> {
    let words = output.words;
    let (folder, decision) = match args.decision {
        None => return list(profile, words).await,
        Some(HeldDecision::Allow { folder }) => (folder, Decision::Allow),
        Some(HeldDecision::Restore { folder }) => (folder, Decision::Restore),
    };
    let request = DecideHeld { folder: folder.clone(), decision };
    let decided = decide::<Done>(profile, output, "decide_held", request).await?;
    let text = match decision {
        Decision::Allow => say!(words, "held-allowed", folder = &folder),
        Decision::Restore if decided.is_done => say!(words, "held-restored", folder = &folder),
        Decision::Restore => say!(words, "held-restoring", folder = &folder),
    };
    Ok(Answer::new(json!({"done": decided.is_done}), decided.said(words, text)))
}

async fn list(profile: &Profile, words: Words) -> Result<Answer> {
    let held: Vec<HeldView> = ask(profile, Use::Ask, "held", Nothing {}).await?;
    let mut text = String::new();
    for waiting in &held {
        let (folder, n, of) = (&waiting.path, waiting.count, waiting.of);
        text.push_str(&match waiting.waits {
            HeldWhere::AtServer => say!(words, "held-at-server", folder = folder, n = n, of = of),
            HeldWhere::Here => say!(words, "held-here", folder = folder, n = n, of = of),
            HeldWhere::Emptied => say!(words, "held-emptied", folder = folder, n = n),
            HeldWhere::Reverted => say!(words, "held-reverted", folder = folder, n = n, of = of),
            HeldWhere::DeletedElsewhere => say!(words, "held-deleted-elsewhere", folder = folder, n = n),
        });
        text.push_str(&format!("  [{}]\n", waiting.problem.code));
        for example in &waiting.examples {
            text.push_str(&format!("    {}\n", printable(example)));
        }
    }
    text.push_str(&if held.is_empty() { say!(words, "held-none") } else { say!(words, "held-how") });
    Ok(Answer::new(json!({"held": held}), text))
}
