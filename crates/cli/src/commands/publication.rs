//! Publishing the server under a server ID, and taking that back.

use crate::{
    args::{Publish, Revoke, Switch},
    door::Door,
    output::{Answer, Output},
    terminal::ask_yes,
    words::{Words, printable, say},
};
use app::{
    api::types::{Nothing, PublicationPlace, PublicationState, PublicationView, PublishRequest},
    finding,
    message::{Code, Problem, Result},
    node::Use,
    profile::Profile,
};
use identity::{Comment, ServerName};
use serde_json::json;

pub(crate) async fn publish(args: Publish, profile: &Profile, output: Output) -> Result<Answer> {
    // Before anything is shown or asked.
    let name = args.name.as_deref().map(ServerName::parse).transpose()?;
    let comment =
        args.comment.as_deref().map(Comment::parse).transpose().map_err(|error| {
            Problem::new(Code::CommentNotUsable).with("chars_max", Comment::CHARS_MAX).because(error)
        })?;
    let directory = args.directory.as_deref().map(directory_address).transpose()?;
    let request = PublishRequest {
        name: name.as_ref().map(ToString::to_string),
        comment: comment.as_ref().map(ToString::to_string),
        dht: args.dht.map(Switch::is_on),
        directory,
    };
    let door = Door::find(profile, Use::Ask).await?;
    let outcome = publish_by(&door, request, args.yes, output).await;
    door.close().await;
    outcome
}

/// Reads what `--directory` says: an address, or "none", which the node knows as an empty one.
fn directory_address(text: &str) -> Result<String> {
    match text {
        "none" => Ok(String::new()),
        text => finding::check_directory(text),
    }
}

async fn publish_by(door: &Door, request: PublishRequest, yes: bool, output: Output) -> Result<Answer> {
    let words = output.words;
    let now: PublicationView = door.call("publication", Nothing {}).await?;
    let wanted = PublicationView {
        name: request.name.clone().unwrap_or_else(|| now.name.clone()),
        comment: request.comment.clone().or_else(|| now.comment.clone()),
        places: wanted_places(&now, &request),
        ..now
    };
    if !yes {
        let shown = what_is_stored(&wanted, words);
        if !output.can_ask {
            return Ok(Answer::new(json!(wanted), format!("{shown}\n{}", say!(words, "publish-how"))));
        }
        output.line(&shown);
        if !ask_yes(say!(words, "publish-question"), &say!(words, "yes-letters")).await? {
            return Ok(Answer::new(json!(wanted), say!(words, "nothing-changed")));
        }
    }
    output.note(&say!(words, "publishing"));
    let request = PublishRequest { name: Some(wanted.name), comment: wanted.comment, ..request };
    let published: PublicationView = door.call("publish", request).await?;
    let id = published.server_id.clone().unwrap_or_default();
    let mut text = format!("{}\n\n  {id}\n\n{}", say!(words, "published"), say!(words, "published-next"));
    for place in published.places.iter().filter(|place| place.problem.is_some()) {
        let code = place.problem.clone().unwrap_or_default();
        let place = place.directory.as_deref().map_or_else(|| say!(words, "publish-dht"), printable);
        text = format!("{text}\n\n{}", say!(words, "published-not-yet", place = place, code = code));
    }
    Ok(Answer::new(json!(published), text))
}

/// Where it will lie, as it is shown before anything is done.
fn wanted_places(now: &PublicationView, request: &PublishRequest) -> Vec<PublicationPlace> {
    let is_new = now.state != PublicationState::Published;
    let before = || now.places.iter().filter(|place| !is_new && !place.is_left);
    let in_dht = request.dht.unwrap_or_else(|| is_new || before().any(|place| place.directory.is_none()));
    let directory = request.directory.clone().or_else(|| before().find_map(|place| place.directory.clone()));
    let place = |directory| PublicationPlace { directory, is_left: false, stored_at: None, problem: None };
    let directory = directory.filter(|directory| !directory.is_empty()).map(Some);
    in_dht.then_some(None).into_iter().chain(directory).map(place).collect()
}

/// The five things, and where they will lie.
fn what_is_stored(view: &PublicationView, words: Words) -> String {
    let made_now = say!(words, "publish-made-now");
    let comment = view.comment.as_deref().map(printable).unwrap_or_else(|| say!(words, "publish-none"));
    let mut lines = vec![
        say!(words, "publish-intro"),
        say!(words, "publish-name", name = printable(&view.name)),
        say!(words, "publish-id", id = view.server_id.as_deref().unwrap_or(&made_now)),
        say!(words, "publish-comment", comment = comment),
        say!(words, "publish-key", key = &view.public_key),
        say!(words, "publish-service-id"),
    ];
    lines.extend(view.places.iter().map(|place| match &place.directory {
        None => say!(words, "publish-where"),
        Some(directory) => say!(words, "publish-where-directory", directory = printable(directory)),
    }));
    lines.push(say!(words, "publish-not-stored"));
    lines.join("\n")
}

pub(crate) async fn revoke(args: &Revoke, profile: &Profile, output: Output) -> Result<Answer> {
    let door = Door::find(profile, Use::Ask).await?;
    let outcome = revoke_by(&door, args.yes, output).await;
    door.close().await;
    outcome
}

async fn revoke_by(door: &Door, yes: bool, output: Output) -> Result<Answer> {
    let words = output.words;
    let now: PublicationView = door.call("publication", Nothing {}).await?;
    let Some(id) = now.server_id.clone() else {
        return Ok(Answer::new(json!(now), say!(words, "not-published")));
    };
    if output.can_ask && !yes {
        let question = say!(words, "revoke-question", name = printable(&now.name), id = id);
        if !ask_yes(question, &say!(words, "yes-letters")).await? {
            return Ok(Answer::new(json!(now), say!(words, "nothing-changed")));
        }
    }
    let left: PublicationView = door.call("revoke", Nothing {}).await?;
    let text = match left.state {
        PublicationState::Revoking => say!(words, "revoke-queued"),
        _ => say!(words, "revoked"),
    };
    Ok(Answer::new(json!(left), text))
}
