//! A computer in a story: a profile, a data folder, and the program.

use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader, Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

pub(crate) const PASSWORD: &str = "zebra-anchor-mild-otter-lamp";
/// An address where nobody answers.
const NOBODY: &str = "127.0.0.1:47000";
/// Nothing in a story takes longer, on a slow and busy machine either.
const PATIENCE: Duration = Duration::from_secs(30);

/// A computer. Its profile and data lie in one folder that goes with it.
pub(crate) struct Computer {
    folder: tempfile::TempDir,
    /// What is logged, where that is more than usual.
    logged: Option<&'static str>,
    /// Where the message bus of its desktop is, if its data lies in Evolution Data Server.
    bus: Option<String>,
    /// The program for Windows, run under Wine, if its data lies in Outlook.
    windows: Option<PathBuf>,
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) exit: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Computer {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("password"), format!("{PASSWORD}\n")).unwrap();
        Self { folder, logged: None, bus: None, windows: None }
    }

    /// One in a session of a desktop, with its data in Evolution Data Server.
    #[cfg(target_os = "linux")]
    pub(crate) fn in_session(bus: String) -> Self {
        Self { bus: Some(bus), ..Self::new() }
    }

    /// One with Windows and its data in Outlook, where this is the program.
    #[cfg(target_os = "linux")]
    pub(crate) fn with_windows(program: PathBuf) -> Self {
        Self { windows: Some(program), ..Self::new() }
    }

    /// One that logs everything there is to log.
    pub(crate) fn that_logs_everything() -> Self {
        Self { logged: Some("trace"), ..Self::new() }
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path("data")
    }

    pub(crate) fn store(&self) -> String {
        match (&self.bus, &self.windows) {
            (Some(_), _) => "eds:".to_owned(),
            (_, Some(_)) => "outlook:".to_owned(),
            (None, None) => format!("files:{}", self.data().display()),
        }
    }

    /// Runs the program to its end. Nobody is there to be asked.
    pub(crate) fn tandem(&self, arguments: &[&str]) -> Ran {
        // What Outlook doesn't show any more counts as deleted after a minute.
        let patience = if self.windows.is_some() { PATIENCE * 40 } else { PATIENCE };
        run_patiently(self.command(arguments), Stdio::null(), patience)
    }

    /// The same, also where the tests run as root, as somebody to whom permissions apply.
    #[cfg(target_os = "linux")]
    pub(crate) fn tandem_unprivileged(&self, arguments: &[&str]) -> Ran {
        let plain = self.command(arguments);
        let mut command = Command::new("setpriv");
        command.arg("--bounding-set=-dac_override,-dac_read_search").arg(plain.get_program()).args(plain.get_args());
        for (name, value) in plain.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        run(command, Stdio::null())
    }

    /// Runs the program with a text on its standard input.
    pub(crate) fn tandem_told(&self, arguments: &[&str], text: &str) -> Ran {
        let mut input = tempfile::tempfile().unwrap();
        input.write_all(text.as_bytes()).unwrap();
        input.rewind().unwrap();
        run(self.command(arguments), Stdio::from(input))
    }

    /// Runs the program in a desktop session of its own, whose password store is open.
    #[cfg(target_os = "linux")]
    pub(crate) fn tandem_in_session(&self, arguments: &[&str]) -> Ran {
        let plain = self.command(arguments);
        let unlock = "printf password | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1";
        let mut command = Command::new("dbus-run-session");
        command.args(["--", "sh", "-c", &format!("{unlock} && exec \"$@\""), "sh"]);
        command
            .arg(plain.get_program())
            .args(plain.get_args())
            .envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        fs::create_dir_all(self.path("run")).unwrap();
        command.env("XDG_RUNTIME_DIR", self.path("run")).env("TANDEM_SECRETS", "keyring");
        for name in ["TANDEM_CONFIG_DIR", "TANDEM_LOG", "XDG_DATA_HOME", "DBUS_SESSION_BUS_ADDRESS", "DISPLAY"] {
            command.env_remove(name);
        }
        run(command, Stdio::null())
    }

    /// Runs a command that must do what it was asked for, and gives back what it says as JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.tandem(&[arguments, &["--json"]].concat());
        assert_eq!(ran.exit, 0, "{arguments:?}: {ran:?}");
        ran.json()
    }

    /// Starts a command that stays.
    pub(crate) fn stay(&self, arguments: &[&str]) -> Staying {
        let mut command = self.command(&[arguments, &["--json"]].concat());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        out.read_line(&mut first).unwrap();
        if first.is_empty() {
            let mut said = String::new();
            child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            panic!("{arguments:?} ended at once: {:?} {said}", child.wait());
        }
        let first = serde_json::from_str(&first).unwrap_or_else(|error| panic!("{error}: {first}"));
        Staying { child, first, out: Some(drain(out)) }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = match &self.windows {
            Some(program) => {
                let mut wine = Command::new("/usr/lib/wine/wine64");
                wine.arg(program).current_dir(self.folder.path());
                wine
            }
            None => Command::new(env!("CARGO_BIN_EXE_tandem")),
        };
        command.args(arguments).arg("--config-dir").arg(self.path("profile"));
        command.env("TANDEM_SECRETS", "file").env("LC_ALL", "C").env("HOME", self.folder.path());
        command.env_remove("TANDEM_CONFIG_DIR").env_remove("TANDEM_LOG");
        if let Some(logged) = self.logged {
            command.env("TANDEM_LOG", logged);
        }
        if let Some(bus) = &self.bus {
            command.env("DBUS_SESSION_BUS_ADDRESS", bus);
        }
        // No story speaks to the world; those that need a network for addresses start one and name it.
        if !arguments.contains(&"--dht-bootstrap") && !self.path("profile/config.toml").exists() {
            command.env("TANDEM_DHT_BOOTSTRAP", NOBODY);
        }
        command
    }

    /// Makes this computer a server with what is in its data folder.
    pub(crate) fn become_server(&self) {
        let password = self.path("password").display().to_string();
        let init = ["init", "--server", "--name", "Office PC", "--listen", "127.0.0.1:0"];
        self.json(&[&init[..], &["--store", &self.store(), "--password-file", &password]].concat());
    }

    /// An invitation to this server, which has to be running.
    pub(crate) fn invite(&self, serving: &Staying) -> PathBuf {
        let file = self.path("office.tandem");
        self.json(&["invite", "--out", &file.display().to_string(), "--hint", &serving.address()]);
        file
    }

    /// Joins with the right password and further words.
    pub(crate) fn join(&self, invitation: &Path, further: &[&str]) -> Ran {
        let (invitation, password) = (invitation.display().to_string(), self.path("password").display().to_string());
        let store = self.store();
        let join = ["join", &invitation, "--store", &store, "--password-file", &password, "--name", "Laptop"];
        self.tandem(&[&join[..], further].concat())
    }

    pub(crate) fn write(&self, item: &str, text: impl AsRef<[u8]>) {
        let file = self.data().join(item);
        let folder = file.parent().unwrap();
        fs::create_dir_all(folder).unwrap();
        if item.starts_with("mail/") {
            for part in ["cur", "new", "tmp"] {
                fs::create_dir_all(folder.parent().unwrap().join(part)).unwrap();
            }
        }
        // As a whole or not at all, as programs do that share a folder.
        let mut temporary = tempfile::Builder::new().prefix(".new").tempfile_in(folder).unwrap();
        temporary.write_all(text.as_ref()).unwrap();
        temporary.persist(file).unwrap();
    }

    pub(crate) fn read(&self, item: &str) -> String {
        fs::read_to_string(self.data().join(item)).unwrap_or_else(|error| panic!("{item}: {error}"))
    }

    pub(crate) fn has(&self, item: &str) -> bool {
        self.data().join(item).exists()
    }

    pub(crate) fn delete(&self, item: &str) {
        fs::remove_file(self.data().join(item)).unwrap();
    }

    /// Every visible file with a hash of its content.
    pub(crate) fn contents(&self) -> BTreeMap<String, blake3::Hash> {
        let mut contents = BTreeMap::new();
        collect(&self.data(), "", &mut contents);
        contents
    }

    /// Waits until this computer's data is as it should be.
    #[track_caller]
    pub(crate) fn soon(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !is_so(self) {
            assert!(
                begun.elapsed() < PATIENCE,
                "not within {PATIENCE:?}: {what}; there is {:#?}",
                self.contents().keys()
            );
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Runs a command to its end.
fn run(command: Command, input: Stdio) -> Ran {
    run_patiently(command, input, PATIENCE)
}

fn run_patiently(mut command: Command, input: Stdio, patience: Duration) -> Ran {
    let (mut out, mut err) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
    command.stdin(input).stdout(out.try_clone().unwrap()).stderr(err.try_clone().unwrap());
    let mut child = command.spawn().unwrap();
    let begun = Instant::now();
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break Some(status),
            None if begun.elapsed() > patience => {
                child.kill().unwrap();
                child.wait().unwrap();
                break None;
            }
            None => thread::sleep(Duration::from_millis(5)),
        }
    };
    let [stdout, stderr] = [&mut out, &mut err].map(|file| {
        let mut text = String::new();
        file.rewind().unwrap();
        file.read_to_string(&mut text).unwrap();
        text
    });
    let status = status.unwrap_or_else(|| panic!("{command:?} doesn't end: {stdout} {stderr}"));
    Ran { exit: status.code().expect("it ended by itself"), stdout, stderr }
}

fn collect(folder: &Path, below: &str, contents: &mut BTreeMap<String, blake3::Hash>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().into_string().unwrap();
        let path = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
        // Folders of a Maildir begin with a dot, and so do Tandem's own marks.
        let is_mark = name.starts_with(".tandem") || name == "maildirfolder";
        if is_mark || (name.starts_with('.') && entry.path().is_file()) {
            continue;
        }
        if entry.path().is_dir() {
            collect(&entry.path(), &path, contents);
        } else {
            contents.insert(path, blake3::hash(&fs::read(entry.path()).unwrap()));
        }
    }
}

impl Ran {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The command ended with this exit code and told this problem, on standard error and nowhere else.
    #[track_caller]
    pub(crate) fn told(&self, exit: i32, code: &str) {
        assert_eq!(self.exit, exit, "{self:?}");
        assert!(self.stderr.contains(&format!("[{code}]")), "{code} is missing: {self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
        assert!(!self.stderr.contains(PASSWORD), "{self:?}");
    }

    #[track_caller]
    pub(crate) fn went_well(self) -> Self {
        assert_eq!(self.exit, 0, "{self:?}");
        self
    }
}

/// A command that stays until it is dropped.
pub(crate) struct Staying {
    child: Child,
    /// The first line it printed.
    pub(crate) first: Value,
    out: Option<thread::JoinHandle<Vec<Value>>>,
}

impl Staying {
    /// Where a server listens, for a client on this computer.
    pub(crate) fn address(&self) -> String {
        let address = self.first["addresses"][0].as_str().unwrap_or_else(|| panic!("{}", self.first));
        address.to_owned()
    }

    /// Stops it in the middle of everything, as a computer that goes to sleep, or lets it go on.
    #[cfg(unix)]
    pub(crate) fn set_asleep(&self, is_asleep: bool) {
        let id = rustix::process::Pid::from_child(&self.child);
        let signal = if is_asleep { rustix::process::Signal::STOP } else { rustix::process::Signal::CONT };
        rustix::process::kill_process(id, signal).unwrap();
    }

    /// Ends it as a system does that shuts down, and gives back its exit code and every event it told.
    #[cfg(unix)]
    pub(crate) fn end(mut self) -> (Option<i32>, Vec<Value>) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        let begun = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < PATIENCE, "it doesn't end");
            thread::sleep(Duration::from_millis(20));
        }
        let events = self.out.take().unwrap().join().unwrap();
        (self.child.wait().unwrap().code(), events)
    }
}

impl Drop for Staying {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program that nobody reads from stands still one day.
fn drain(out: BufReader<ChildStdout>) -> thread::JoinHandle<Vec<Value>> {
    thread::spawn(move || {
        let lines = out.lines().map_while(Result::ok);
        lines.map(|line| serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
    })
}

/// A server and a client that have found together.
pub(crate) struct Pair {
    pub(crate) office: Computer,
    pub(crate) laptop: Computer,
    pub(crate) serving: Option<Staying>,
    pub(crate) invitation: PathBuf,
}

impl Pair {
    /// Ends the server.
    pub(crate) fn switch_server_off(&mut self) -> String {
        self.serving.take().expect("the server is on").address()
    }

    /// Starts it again where it was.
    pub(crate) fn switch_server_on(&mut self, address: &str) {
        let file = self.office.path("profile/config.toml");
        let settings = fs::read_to_string(&file).unwrap();
        fs::write(file, settings.replace("127.0.0.1:0", address)).unwrap();
        self.serving = Some(self.office.stay(&["serve"]));
    }

    /// `prepare` puts data on both before they meet.
    pub(crate) fn joined(prepare: impl FnOnce(&Computer, &Computer)) -> Self {
        Self::of(Computer::new(), Computer::new(), prepare)
    }

    /// The same with these two.
    pub(crate) fn of(office: Computer, laptop: Computer, prepare: impl FnOnce(&Computer, &Computer)) -> Self {
        prepare(&office, &laptop);
        office.become_server();
        let serving = office.stay(&["serve"]);
        let invitation = office.invite(&serving);
        laptop.join(&invitation, &["--yes"]).went_well();
        Self { office, laptop, serving: Some(serving), invitation }
    }

    /// One synchronization of the client.
    #[track_caller]
    pub(crate) fn sync(&self) -> Value {
        let ran = self.laptop.tandem(&["sync", "--json"]);
        assert_eq!(ran.exit, 0, "{ran:?}");
        ran.json()
    }

    /// Both computers hold the same, and `items` of it.
    #[track_caller]
    pub(crate) fn are_same(&self, items: usize) {
        let begun = Instant::now();
        loop {
            let (office, laptop) = (self.office.contents(), self.laptop.contents());
            if office == laptop && office.len() == items {
                return;
            }
            // What the client has sent reaches the server's folders a moment later.
            if begun.elapsed() > PATIENCE {
                let differ: Vec<&String> = office
                    .iter()
                    .filter(|(path, hash)| laptop.get(*path) != Some(hash))
                    .map(|(path, _)| path)
                    .collect();
                let (office, laptop) = (office.keys(), laptop.keys());
                panic!("{items} items were expected; differ {differ:?}; office {office:?}; laptop {laptop:?}");
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A contact with a phone number and a title.
pub(crate) fn card(name: &str, phone: &str, title: &str) -> String {
    format!(
        "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{name}@example.org\r\nFN:{name}\r\nN:;{name};;;\r\n\
         TEL;TYPE=CELL:{phone}\r\nTITLE:{title}\r\nEND:VCARD\r\n"
    )
}

/// A mail with a subject.
pub(crate) fn mail(subject: &str) -> String {
    format!(
        "From: Anna <anna@example.org>\nTo: Bert <bert@example.org>\nSubject: {subject}\n\
         Date: Mon, 16 Nov 2026 10:12:05 +0100\nMessage-ID: <{subject}@example.org>\n\nHello\n"
    )
}

/// An event with a title.
pub(crate) fn event(title: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\nBEGIN:VEVENT\r\nUID:{title}@example.org\r\n\
         DTSTAMP:20261116T080000Z\r\nDTSTART:20261203T090000Z\r\nSUMMARY:{title}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

/// A bit of everything.
pub(crate) fn everything(computer: &Computer) {
    computer.write("mail/cur/1.a:2,S", mail("first"));
    computer.write("mail/.Archive/cur/2.b:2,FS", mail("second"));
    computer.write("contacts/Friends/anna.vcf", card("Anna", "+49 1", "Carpenter"));
    computer.write("contacts/Friends/bert.vcf", card("Bert", "+49 2", "Baker"));
    computer.write("calendars/Work/planning.ics", event("Planning"));
    computer.write("tasks/Home/plants.ics", event("Plants").replace("VEVENT", "VTODO"));
    computer.write("notes/Ideas/garden.md", "# Garden\n\nTomatoes.\n");
}
