//! A computer in a lab: a profile, a data folder, and the program.

use crate::lab::{Lab, must, until};
use serde_json::Value;
use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex},
    thread,
};

pub(crate) const PASSWORD: &str = "zebra-anchor-mild-otter-lamp";

/// A computer. Its files go with it.
pub(crate) struct Computer<'a> {
    lab: &'a Lab,
    host: &'static str,
    folder: tempfile::TempDir,
    environment: Vec<(&'static str, String)>,
    /// The program runs with no more rights than anybody has.
    is_users: bool,
}

/// A user of whom the system knows nothing but the number.
const USER: u32 = 65_534;

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) exit: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    #[track_caller]
    pub(crate) fn went_well(self) -> Self {
        assert_eq!(self.exit, 0, "{} {}", self.stdout, self.stderr);
        self
    }
}

impl<'a> Computer<'a> {
    pub(crate) fn new(lab: &'a Lab, host: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("password"), format!("{PASSWORD}\n")).unwrap();
        Self { lab, host, folder, environment: Vec::new(), is_users: false }
    }

    /// The program finds this in its environment.
    pub(crate) fn with(mut self, variable: (&'static str, String)) -> Self {
        self.environment.push(variable);
        self
    }

    /// A user without rights runs the program, a copy of it: nobody else has to be able to reach where it was built.
    pub(crate) fn with_user(mut self) -> Self {
        fs::copy(program(), self.path("tandem")).unwrap();
        self.is_users = true;
        self.own();
        self
    }

    /// Makes everything here the user's.
    fn own(&self) {
        if self.is_users {
            must(Command::new("chown").arg("-R").arg(format!("{USER}:{USER}")).arg(self.folder.path()));
        }
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let (user, group) = (format!("--reuid={USER}"), format!("--regid={USER}"));
        let mut command = if self.is_users {
            let copy = self.path("tandem").display().to_string();
            self.lab.command(self.host, &["setpriv", &user, &group, "--clear-groups", &copy])
        } else {
            self.lab.command(self.host, &[&program()])
        };
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.args(arguments).arg("--config-dir").arg(self.path("profile")).arg("--json");
        command.env("TANDEM_SECRETS", "file").env("LC_ALL", "C").env("HOME", self.folder.path());
        command.env_remove("TANDEM_CONFIG_DIR").env_remove("TANDEM_LOG").stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn tandem(&self, arguments: &[&str]) -> Ran {
        let Output { status, stdout, stderr } = self.command(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { exit: status.code().unwrap_or(-1), stdout: text(stdout), stderr: text(stderr) }
    }

    /// Starts a command that stays until it is dropped.
    pub(crate) fn stay(&self, arguments: &[&str]) -> Staying {
        let mut child = self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let said: Arc<Mutex<Vec<Value>>> = Arc::default();
        let (out, hears) = (child.stdout.take().unwrap(), Arc::clone(&said));
        thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                hears.lock().unwrap().extend(serde_json::from_str::<Value>(&line));
            }
        });
        let staying = Staying { child, said };
        until("the program said something", || (!staying.said().is_empty()).then_some(()));
        staying
    }

    /// Makes this computer a server, reached at any of its addresses.
    pub(crate) fn become_server(&self, name: &str, further: &[&str]) {
        let (store, password) = (self.store(), self.path("password").display().to_string());
        let init = ["init", "--server", "--name", name, "--store", &store, "--password-file", &password];
        self.tandem(&[&init[..], further].concat()).went_well();
    }

    /// Joins a server.
    pub(crate) fn join(&self, server: &[&str]) -> Ran {
        let (store, password) = (self.store(), self.path("password").display().to_string());
        let join = ["join", "--store", &store, "--password-file", &password, "--yes"];
        self.tandem(&[&join[..], server].concat())
    }

    /// Where its server may be is forgotten, also where it was when this computer was added; it doesn't run meanwhile.
    pub(crate) fn forget_addresses(&self) {
        let profile = app::profile::Profile::in_folder(&self.path("profile"));
        let index = app::index::Index::open(&profile.index_database(), 0).unwrap().index;
        index.set_value("net.candidates", None).unwrap();
        let mut settings = app::settings::Settings::load(&profile.settings_file()).unwrap();
        settings.server.as_mut().unwrap().hints.clear();
        settings.save(&profile.settings_file()).unwrap();
    }

    fn store(&self) -> String {
        format!("files:{}", self.path("data").display())
    }

    /// Writes an item.
    pub(crate) fn write(&self, item: &str, text: &str) {
        let file = self.path("data").join(item);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
        self.own();
    }

    pub(crate) fn has(&self, item: &str) -> bool {
        self.path("data").join(item).exists()
    }
}

/// A command that stays.
pub(crate) struct Staying {
    child: Child,
    said: Arc<Mutex<Vec<Value>>>,
}

impl Staying {
    /// Everything it said so far.
    pub(crate) fn said(&self) -> Vec<Value> {
        self.said.lock().unwrap().clone()
    }

    /// The last thing of this kind that it said.
    pub(crate) fn last(&self, event: &str) -> Option<Value> {
        self.said().into_iter().rev().find(|said| said["event"] == event)
    }

    /// Puts it to sleep, or wakes it up.
    pub(crate) fn set_asleep(&self, is_asleep: bool) {
        let signal = if is_asleep { "-STOP" } else { "-CONT" };
        must(Command::new("kill").args([signal, &self.child.id().to_string()]));
    }

    /// Ends it as a system does that shuts down.
    pub(crate) fn end(mut self) {
        let status = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(status.success());
        until("it ends", || self.child.try_wait().unwrap());
    }
}

impl Drop for Staying {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> String {
    built("tandem")
}

/// A program of this workspace, built with this test: both lie in the same folder.
pub(crate) fn built(name: &str) -> String {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().and_then(Path::parent).unwrap();
    let program = folder.join(name);
    assert!(program.exists(), "{} is missing: run the tests of the whole workspace", program.display());
    program.display().to_string()
}
