//! Becoming a server, becoming a client, and leaving.

use super::running;
use crate::{
    args::{Init, Join, Leave},
    door::Door,
    output::{Answer, Output},
    password, progress,
    table::{Cell, Table},
    terminal::ask_yes,
    words::{Words, printable, say},
};
use app::{
    api::types::{Nothing, Preview, PreviewFolder, Status, UndoAnswer},
    finding,
    invitation::{self, Given},
    lan::LanSearch,
    message::{Code, Problem, Result},
    node::{InitServer, JoinAgain, JoinRequest, Node, ServerToJoin, computer_name},
    password::Rule,
    places,
    profile::Profile,
    secrets::StoreKind,
    settings::{Role, Settings},
};
use identity::{Fingerprint, ServerId};
use serde_json::json;

/// More names of one folder would hide the table.
const NAMES_MAX: usize = 5;

pub(crate) async fn init(args: Init, profile: &Profile, output: Output) -> Result<Answer> {
    let words = output.words;
    // Before anybody is asked for a password.
    refuse_second_role(&Settings::load(&profile.settings_file())?)?;
    let name = args.name.unwrap_or_else(computer_name);
    let internet = args.internet.is_on();
    let stores = absolute(&args.stores)?;
    let password = password::new(&args.password, output, Rule::new(internet), &[&name]).await?;
    let secrets = args.secrets.secrets.map(StoreKind::from);
    let request = InitServer { name, stores, password, internet, listen: args.listen, secrets, folders: None };
    let created = Node::init_server(profile, request).await?;
    let (name, fingerprint) = (created.name.as_str(), created.fingerprint.to_string());
    let mut text = say!(words, "server-made", name = name);
    text.push_str(&format!("\n{}\n", say!(words, "status-fingerprint", fingerprint = &fingerprint)));
    text.push_str(&say!(words, "server-next"));
    if let Some(note) = &created.note {
        output.problem_beside(note);
    }
    let secrets = match created.secrets {
        StoreKind::Keyring => "keyring",
        StoreKind::File => "file",
    };
    let note = created.note.map(|note| note.view(words.language));
    Ok(Answer::new(json!({"name": name, "fingerprint": fingerprint, "secrets": secrets, "note": note}), text))
}

pub(crate) async fn join(args: Join, profile: &Profile, output: Output) -> Result<Answer> {
    let mut settings = Settings::load(&profile.settings_file())?;
    if !args.nodes.is_empty() {
        settings.network.dht_bootstrap.clone_from(&args.nodes);
    }
    let server = server_to_join(&args, &settings, output).await?;
    let (preview, yes) = (args.preview, args.yes);
    let node = match known_server(&settings, &server)? {
        // Added before, by a preview: the password isn't needed again.
        true => Node::join_again(profile, again(args)?).await?,
        false => {
            let name = server.name.as_str();
            output.note(&say!(output.words, "joining", server = name));
            let password = password::existing(&args.password, output, name).await?;
            Node::join(profile, request(args, server, password)?).await?
        }
    };
    let door = Door::Own(node);
    let outcome = first_synchronization(&door, preview, yes, output).await;
    door.close().await;
    outcome
}

/// The server that was named, one way or another. Nothing is asked of it yet.
async fn server_to_join(args: &Join, settings: &Settings, output: Output) -> Result<ServerToJoin> {
    match (&args.invitation, &args.lan) {
        (Some(given), _) => match invitation::read(given)? {
            Given::Invitation(invitation) => Ok((*invitation).into()),
            Given::Id(id) => found_by_id(id, args.directory.as_deref(), settings, output).await,
        },
        (None, Some(name)) => Ok(LanSearch::start(None)?.find(name).await?.into()),
        (None, None) => unreachable!("the arguments say that one of them is there"),
    }
}

/// Looks a server up and shows who it is, before anything is stored or a password asked for.
async fn found_by_id(
    id: ServerId,
    directory: Option<&str>,
    settings: &Settings,
    output: Output,
) -> Result<ServerToJoin> {
    let words = output.words;
    output.note(&say!(words, "looking-up"));
    let found = finding::look_up(id, settings, directory).await?;
    let record = &found.record;
    let comment = record.comment.as_ref().map_or_else(|| "none".to_owned(), |comment| printable(comment.as_str()));
    let (name, fingerprint) = (printable(record.name.as_str()), Fingerprint::of(&record.public_key).to_string());
    output.note(&say!(words, "found-by-id", name = name, comment = comment, fingerprint = fingerprint));
    Ok(found.into())
}

fn absolute(stores: &[String]) -> Result<Vec<String>> {
    stores.iter().map(|store| places::absolute(store)).collect()
}

fn again(args: Join) -> Result<JoinAgain> {
    let stores = absolute(&args.stores)?;
    let map = args.map.into_iter().map(|pair| (pair.theirs, pair.mine)).collect();
    Ok(JoinAgain { stores, mode: args.mode.into(), only: args.only, map, directions: Vec::new() })
}

fn request(args: Join, server: ServerToJoin, password: identity::Secret) -> Result<JoinRequest> {
    Ok(JoinRequest {
        server,
        stores: absolute(&args.stores)?,
        password,
        mode: args.mode.into(),
        only: args.only,
        map: args.map.into_iter().map(|pair| (pair.theirs, pair.mine)).collect(),
        device_name: args.name.unwrap_or_else(computer_name),
        secrets: args.secrets.secrets.map(StoreKind::from),
        addresses: args.addresses,
        dht_bootstrap: args.nodes,
    })
}

/// Whether this profile was added to this server already.
fn known_server(settings: &Settings, wanted: &ServerToJoin) -> Result<bool> {
    match (&settings.role, &settings.server) {
        (None, _) => Ok(false),
        (Some(Role::Client), Some(server)) if wanted.is(&server.public_key) => Ok(true),
        (Some(Role::Client), Some(server)) => Err(Problem::new(Code::OtherServer)
            .with("server", server.name.as_str())
            .with("other", wanted.name.as_str())),
        _ => refuse_second_role(settings).map(|()| false),
    }
}

fn refuse_second_role(settings: &Settings) -> Result<()> {
    match settings.role {
        None => Ok(()),
        Some(Role::Server) => Err(Problem::new(Code::AlreadySetUp).with("role", "server")),
        Some(Role::Client) => Err(Problem::new(Code::AlreadySetUp).with("role", "client")),
    }
}

async fn first_synchronization(door: &Door, only_preview: bool, yes: bool, output: Output) -> Result<Answer> {
    let words = output.words;
    if yes && !only_preview {
        // Nobody is to look at the comparison, so nothing waits for its end.
        let _: Status = door.call("start", Nothing {}).await?;
        return running::until_quiet(door, output).await;
    }
    let preview: Preview = progress::watch(output, door, door.call("preview", Nothing {})).await?;
    let Status { server_name: server, .. } = door.call("status", Nothing {}).await?;
    let table = show(&preview, &server, words);
    let is_asked = !only_preview && output.can_ask;
    if !is_asked {
        let how = say!(words, "preview-how");
        return Ok(Answer::new(json!(preview), format!("{table}\n{how}")));
    }
    output.line(&table);
    if !ask_yes(say!(words, "preview-question"), &say!(words, "yes-letters")).await? {
        return Ok(Answer::new(json!(preview), say!(words, "preview-how")));
    }
    let _: Status = door.call("start", Nothing {}).await?;
    running::until_quiet(door, output).await
}

/// The preview as a table, with names of what needs a look.
pub(super) fn show(preview: &Preview, server: &str, words: Words) -> String {
    let mut table = Table::new([
        Cell::left(""),
        Cell::right(say!(words, "preview-added-here")),
        Cell::right(say!(words, "preview-added-there", server = server)),
        Cell::right(say!(words, "preview-same")),
        Cell::right(say!(words, "preview-differ")),
        Cell::right(say!(words, "preview-not-sure")),
    ]);
    let total = PreviewFolder { path: say!(words, "preview-total"), ..preview.total.clone() };
    for folder in preview.folders.iter().chain([&total]) {
        table.add([
            Cell::left(&folder.path),
            Cell::right(words.number(folder.added_here)),
            Cell::right(words.number(folder.added_there)),
            Cell::right(words.number(folder.same)),
            Cell::right(words.number(folder.differ)),
            Cell::right(words.number(folder.not_sure)),
        ]);
    }
    let mut text = table.print();
    let mut add = |line: String| text.push_str(&format!("{line}\n"));
    for folder in &preview.folders {
        for name in folder.names.iter().take(NAMES_MAX) {
            add(say!(words, "preview-name", folder = &folder.path, name = printable(name)));
        }
        if folder.names.len() > NAMES_MAX {
            add(say!(words, "preview-more-names", folder = &folder.path, n = folder.names.len() - NAMES_MAX));
        }
    }
    if total.removed_here > 0 {
        add(say!(words, "preview-removed-here", n = total.removed_here));
    }
    if total.removed_there > 0 {
        add(say!(words, "preview-removed-there", n = total.removed_there, server = server));
    }
    let (here, there) = (words.bytes(preview.bytes_here), words.bytes(preview.bytes_there));
    add(say!(words, "preview-bytes", here = here, there = there));
    text
}

pub(crate) async fn leave(args: &Leave, profile: &Profile, output: Output) -> Result<Answer> {
    let words = output.words;
    let settings = Settings::load(&profile.settings_file())?;
    let question = match (settings.role, &settings.server) {
        (Some(Role::Client), Some(server)) if args.undo => {
            say!(words, "leave-undo-question", server = server.name.as_str())
        }
        (Some(Role::Client), Some(server)) => say!(words, "leave-question", server = server.name.as_str()),
        _ => say!(words, "leave-question-server"),
    };
    let is_asked = output.can_ask && !args.yes && settings.role.is_some();
    if is_asked && !ask_yes(question, &say!(words, "yes-letters")).await? {
        return Ok(Answer::new(json!({"done": false}), say!(words, "nothing-changed")));
    }
    let taken_back = match args.undo {
        true => Some(Node::take_back_first(profile).await?),
        false => None,
    };
    let stays = Node::leave(profile).await?;
    if let Some(problem) = &stays {
        output.problem_beside(problem);
    }
    let stays = stays.map(|problem| problem.view(words.language));
    let mut text = say!(words, "left");
    if let Some(UndoAnswer { undone, left }) = &taken_back {
        text = format!("{}\n{text}", say!(words, "taken-back", n = *undone));
        for item in left {
            text.push_str(&format!("\n    {}", printable(item)));
        }
        if !left.is_empty() {
            output.problem_beside(&Problem::new(Code::ChangedSince).with("n", left.len()));
        }
    }
    Ok(Answer::new(json!({"done": true, "stays": stays, "takenBack": taken_back}), text))
}
