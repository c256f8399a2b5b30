//! The guided start: two computers with sample data on this one, a change crossing both ways while one watches; then, with
//! a person at the terminal, a server with their own data.
//!
//! Nothing is simulated: two profiles, two data folders, two running instances that talk over the loopback network.

use super::{running, unless_interrupted};
use crate::{
    args::{PasswordFrom, Start},
    output::{Answer, Output},
    password as passwords,
    table::{Cell, Table},
    terminal::{ask, ask_yes},
    words::say,
};
use app::{
    api::types::{InviteAnswer, InviteRequest, Nothing, Preview, Status},
    message::{Code, Problem, Result},
    node::{InitServer, JoinRequest, Node, OpenOptions, Pairing, Use, computer_name},
    password::{self, Rule},
    places::{self, Found},
    profile::Profile,
    samples as sample,
    secrets::StoreKind,
    settings::Settings,
};
use identity::Invitation;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::{
    env, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

const OFFICE: &str = "Office PC";
const LAPTOP: &str = "Laptop";
/// A change that takes longer to cross than this doesn't cross.
const CROSSING_MAX: Duration = Duration::from_secs(30);
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

pub(crate) async fn start(args: Start, profile: &Profile, output: Output) -> Result<Answer> {
    match unless_interrupted(guide(args, profile, output)).await? {
        Some(Next::End(answer)) => Ok(answer),
        Some(Next::Serve) => running::serve(profile, output).await,
        None => Ok(Answer::interrupted()),
    }
}

/// How the guided start goes on.
enum Next {
    End(Answer),
    /// As the server that was made.
    Serve,
}

async fn guide(args: Start, profile: &Profile, output: Output) -> Result<Next> {
    let words = output.words;
    let temporary = match &args.dir {
        Some(_) => None,
        None => Some(tempfile::Builder::new().prefix("tandem-sample").tempdir().map_err(unwritable(&env::temp_dir()))?),
    };
    let place = match (&args.dir, &temporary) {
        (Some(dir), _) => std::path::absolute(dir).unwrap_or_else(|_| dir.clone()),
        (None, Some(temporary)) => temporary.path().to_owned(),
        (None, None) => env::temp_dir(),
    };
    let crossings = demonstrate(&place, output).await?;
    drop(temporary);
    if args.dir.is_some() {
        output.line(&say!(words, "start-kept", place = place.display().to_string()));
    }
    let document = json!({"place": args.dir.map(|_| place), "crossings": crossings});
    let is_set_up = Settings::load(&profile.settings_file())?.role.is_some();
    if is_set_up {
        return Ok(Next::End(Answer::new(document, say!(words, "start-set-up-already", program = program(profile)))));
    }
    let is_wanted = output.can_ask && ask_yes(say!(words, "start-own-question"), &say!(words, "yes-letters")).await?;
    if !is_wanted {
        return Ok(Next::End(Answer::new(document, say!(words, "start-own-later", program = program(profile)))));
    }
    own_server(profile, output).await
}

/// What crossed, and how long it took.
#[derive(Debug, Serialize)]
struct Crossing {
    what: &'static str,
    seconds: f64,
}

async fn demonstrate(place: &Path, output: Output) -> Result<Vec<Crossing>> {
    let words = output.words;
    let [office, laptop] = ["office", "laptop"].map(|name| Computer::at(&place.join(name)));
    if office.folder.exists() || laptop.folder.exists() {
        return Err(Problem::new(Code::FileNotWritable).with("file", place).because("the samples are there already"));
    }
    sample::write_office(&office.data).map_err(unwritable(&office.data))?;
    sample::write_laptop(&laptop.data).map_err(unwritable(&laptop.data))?;
    output.line(&say!(words, "start-intro"));
    output.line(&format!("\n{}", lists(&[(OFFICE, &office), (LAPTOP, &laptop)])));

    let password = password::suggest(words.language);
    let here = SocketAddr::from(([127, 0, 0, 1], 0));
    let request = InitServer {
        name: OFFICE.to_owned(),
        stores: vec![office.store()],
        password: password.clone(),
        internet: false,
        listen: Some(here),
        secrets: Some(StoreKind::File),
        folders: None,
    };
    Node::init_server(&office.profile, request).await?;
    let server = Node::open(&office.profile, Use::Serve, OpenOptions::default()).await?;
    output.line(&say!(words, "start-server", server = OFFICE));
    let hints = server.listening().iter().map(|address| format!("127.0.0.1:{}", address.port())).take(1).collect();
    let invitation: InviteAnswer = call(&server, "invite", InviteRequest { hints, ..InviteRequest::default() }).await?;
    let invitation = Invitation::parse(invitation.file.as_bytes())
        .map_err(|error| Problem::with_invitation(error, &invitation.file_name))?;
    let request = JoinRequest {
        server: invitation.into(),
        stores: vec![laptop.store()],
        password,
        mode: Pairing::Combine,
        only: Vec::new(),
        map: Vec::new(),
        device_name: LAPTOP.to_owned(),
        secrets: Some(StoreKind::File),
        addresses: Vec::new(),
        dht_bootstrap: Vec::new(),
    };
    let client = Node::join(&laptop.profile, request).await?;
    let preview: Preview = call(&client, "preview", Nothing {}).await?;
    output.line(&say!(words, "start-preview", client = LAPTOP));
    output.line(&format!("\n{}", super::setup::show(&preview, OFFICE, words)));
    let _: Status = call(&client, "start", Nothing {}).await?;
    let _: Status = call(&client, "wait_quiet", Nothing {}).await?;
    client.shut_down().await;
    output.line(&say!(words, "start-same"));
    output.line(&format!("\n{}", lists(&[(OFFICE, &office), (LAPTOP, &laptop)])));

    let client = Node::open(&laptop.profile, Use::Run, OpenOptions::default()).await?;
    wait_connected(&client).await?;
    let crossings = vec![
        Crossing {
            what: "change-on-server",
            seconds: {
                edit(&office, sample::ANNA, "+49 170 1111111", "+49 170 9876543")?;
                output.line(&say!(words, "start-change", computer = OFFICE, what = "Anna Abel: +49 170 9876543"));
                arrives(&laptop, sample::ANNA, "+49 170 9876543", LAPTOP, output).await?
            },
        },
        Crossing {
            what: "change-on-client",
            seconds: {
                edit(&laptop, sample::PLANTS, "STATUS:NEEDS-ACTION", "STATUS:COMPLETED")?;
                output.line(&say!(words, "start-change", computer = LAPTOP, what = "Water the plants: COMPLETED"));
                arrives(&office, sample::PLANTS, "STATUS:COMPLETED", OFFICE, output).await?
            },
        },
        Crossing {
            what: "change-on-both",
            seconds: {
                edit(&office, sample::BERT, "+49 170 2222222", "+49 170 5555555")?;
                edit(&laptop, sample::BERT, "TITLE:Carpenter", "TITLE:Master carpenter")?;
                output.line(&say!(words, "start-both", what = "Bert Brook"));
                let there = arrives(&laptop, sample::BERT, "+49 170 5555555", LAPTOP, output).await?;
                there + arrives(&office, sample::BERT, "TITLE:Master carpenter", OFFICE, output).await?
            },
        },
    ];
    client.shut_down().await;
    server.shut_down().await;
    output.line(&format!("{}\n", say!(words, "start-done")));
    Ok(crossings)
}

/// One of the two: its profile and its data, in one folder.
struct Computer {
    folder: PathBuf,
    data: PathBuf,
    profile: Profile,
}

impl Computer {
    fn at(folder: &Path) -> Self {
        let profile = Profile::in_folder(&folder.join("profile"));
        Self { folder: folder.to_owned(), data: folder.join("data"), profile }
    }

    fn store(&self) -> String {
        format!("files:{}", self.data.display())
    }
}

async fn call<A: DeserializeOwned>(node: &Node, command: &str, request: impl Serialize) -> Result<A> {
    let answer: Value = node.call(command, json!(request)).await?;
    serde_json::from_value(answer).map_err(|error| Problem::new(Code::Unexpected).because(error))
}

async fn wait_connected(node: &Node) -> Result<()> {
    let begun = Instant::now();
    loop {
        let status: Status = call(node, "status", Nothing {}).await?;
        if status.is_connected {
            return Ok(());
        }
        if begun.elapsed() > CROSSING_MAX {
            return Err(Problem::new(Code::ServerSilent).with("server", OFFICE));
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

fn edit(computer: &Computer, item: &str, from: &str, to: &str) -> Result<()> {
    let file = computer.data.join(item);
    sample::edit(&file, from, to)
        .map_err(|error| Problem::new(Code::NotWritable).with("path", file.as_path()).because(error))
}

/// Waits until an item says this on that computer, and shows its line. Gives back the seconds it took.
async fn arrives(at: &Computer, item: &str, text: &str, name: &str, output: Output) -> Result<f64> {
    let begun = Instant::now();
    let file = at.data.join(item);
    loop {
        if let Some(line) = sample::line_with(&file, text) {
            let seconds = begun.elapsed().as_secs_f64();
            let time = format!("{seconds:.2}");
            output.line(&say!(output.words, "start-arrived", computer = name, line = line, seconds = time));
            return Ok(seconds);
        }
        if begun.elapsed() > CROSSING_MAX {
            return Err(Problem::new(Code::Unexpected).because("a change of the samples didn't cross"));
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

/// What the computers hold, beside each other.
fn lists(computers: &[(&str, &Computer); 2]) -> String {
    let mut table = Table::new([Cell::left(""), Cell::left(computers[0].0), Cell::left(computers[1].0)]);
    let held = computers.map(|(_, computer)| sample::titles(&computer.data));
    let mut rows: Vec<(&str, &str)> = Vec::new();
    for (folder, titles) in held.iter().flatten() {
        rows.extend(titles.iter().map(|title| (folder.as_str(), title.as_str())));
    }
    rows.sort_unstable();
    rows.dedup();
    for (folder, title) in rows {
        let has = |titles: &[(String, Vec<String>)]| {
            titles.iter().any(|(f, titles)| f == folder && titles.iter().any(|t| t == title))
        };
        let cell = |titles| Cell::left(if has(titles) { title } else { "–" });
        table.add([Cell::left(folder), cell(&held[0]), cell(&held[1])]);
    }
    table.print()
}

/// Asks for what a server needs, makes it, and says how the other computers come in.
async fn own_server(profile: &Profile, output: Output) -> Result<Next> {
    let words = output.words;
    let store = loop {
        let usual = env::home_dir().unwrap_or_default().join("Tandem");
        let answer = ask(say!(words, "start-place-question", usual = usual.display().to_string())).await?;
        let path = match answer.strip_prefix("~/") {
            _ if answer.is_empty() => usual,
            Some(below) => env::home_dir().unwrap_or_default().join(below),
            None => PathBuf::from(&answer),
        };
        let place = places::look(&path)?;
        match (place.store, &place.found) {
            (Some(store), Found::Missing | Found::Empty | Found::Layout { .. } | Found::Part { .. }) => break store,
            _ => output.line(&super::stores::describe(&places::look(&path)?, words)),
        }
    };
    let usual = computer_name();
    let name = ask(say!(words, "start-name-question", usual = &usual)).await?;
    let name = if name.is_empty() { usual } else { name };
    let from = PasswordFrom { password_file: None };
    let password = passwords::new(&from, output, Rule::new(false), &[&name]).await?;
    let request =
        InitServer { name, stores: vec![store], password, internet: false, listen: None, secrets: None, folders: None };
    let created = Node::init_server(profile, request).await?;
    if let Some(note) = &created.note {
        output.problem_beside(note);
    }
    output.line(&say!(words, "server-made", name = created.name.as_str()));
    output.line(&say!(words, "start-how-to-join", program = program(profile)));
    if ask_yes(say!(words, "start-serve-question"), &say!(words, "yes-letters")).await? {
        return Ok(Next::Serve);
    }
    Ok(Next::End(Answer::done(say!(words, "start-serve-later", program = program(profile)))))
}

/// How this program is called from a terminal, for this profile.
fn program(profile: &Profile) -> String {
    let program = env::current_exe().map(|path| path.display().to_string()).unwrap_or_else(|_| "tandem".to_owned());
    let is_usual = Profile::find(None).is_ok_and(|usual| usual == *profile);
    if is_usual { program } else { format!("{program} --config-dir {}", profile.folder().display()) }
}

fn unwritable(place: &Path) -> impl Fn(io::Error) -> Problem {
    let place = place.to_owned();
    move |error| Problem::new(Code::FileNotWritable).with("file", place.as_path()).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn both_computers_are_listed_beside_each_other() {
        let place = tempfile::tempdir().unwrap();
        let [office, laptop] = ["office", "laptop"].map(|name| Computer::at(&place.path().join(name)));
        sample::write_office(&office.data).unwrap();
        sample::write_laptop(&laptop.data).unwrap();
        fs::remove_file(office.data.join(sample::ANNA)).unwrap();
        let lists = lists(&[(OFFICE, &office), (LAPTOP, &laptop)]);
        let row = |start: &str| {
            lists.lines().find(|line| line.contains(start)).unwrap().split_whitespace().collect::<Vec<_>>()
        };
        assert_eq!(row("Bert"), ["contacts/Friends", "Bert", "Brook", "Bert", "Brook"]);
        assert_eq!(row("Clara Clark"), ["contacts/Friends", "–", "Clara", "Clark"]);
        assert!(!lists.contains("Anna"));
    }
}
