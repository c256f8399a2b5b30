//! A PostgreSQL server of the test's own, in a folder of its own, run by nobody in particular.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Nothing takes longer, on a slow and busy machine either.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Debug)]
pub(crate) struct PostgresServer {
    process: Child,
    folder: tempfile::TempDir,
    programs: PathBuf,
    port: u16,
    account: Option<(u32, u32)>,
}

impl PostgresServer {
    /// `None`, and a line that says so: there is no PostgreSQL on this computer.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(|_| Vec::new())
    }

    /// With settings that may need files in the server's folder.
    pub(crate) fn start_with(settings: impl FnOnce(&Path) -> Vec<String>) -> Option<Self> {
        let Some(programs) = programs() else {
            eprintln!("SKIPPED: there is no PostgreSQL on this computer (Debian: apt-get install postgresql)");
            return None;
        };
        let folder = tempfile::Builder::new().prefix("tandem-postgres").tempdir().expect("a folder");
        // PostgreSQL refuses to run as root.
        let account = is_root().then(|| account("postgres").or_else(|| account("nobody")).expect("an account"));
        let port = free_port();
        let settings = settings(folder.path());
        give(folder.path(), account);

        let data = folder.path().join("data");
        let mut make = run_as(&programs.join("initdb"), account);
        make.args(["--username", "tandem", "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"]);
        let made = make.arg("--pgdata").arg(&data).current_dir(folder.path()).output().expect("initdb starts");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));

        let mut server = run_as(&programs.join("postgres"), account);
        server.arg("-D").arg(&data).arg("-k").arg(folder.path()).args(["-h", "127.0.0.1", "-p", &port.to_string()]);
        // What a power cut would lose, no test misses.
        for setting in ["fsync=off".to_owned()].iter().chain(&settings) {
            server.args(["-c", setting]);
        }
        let process = server.current_dir(folder.path()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let server = Self { process: process.expect("postgres starts"), folder, programs, port, account };
        server.wait_until_ready();
        Some(server)
    }

    fn wait_until_ready(&self) {
        let begun = Instant::now();
        while !self.run("pg_isready", &["--quiet"]).status.success() {
            assert!(begun.elapsed() < PATIENCE, "PostgreSQL isn't ready");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Makes a database; its URL over the socket in the server's folder.
    pub(crate) fn database(&self, name: &str) -> String {
        let made = self.run("createdb", &["--username", "tandem", name]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let socket = self.folder.path().display().to_string().replace('/', "%2F");
        format!("postgres://tandem@{socket}:{}/{name}", self.port)
    }

    /// The URL of a database over TCP.
    pub(crate) fn over_tcp(&self, name: &str) -> String {
        format!("postgres://tandem@localhost:{}/{name}", self.port)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn run(&self, program: &str, arguments: &[&str]) -> std::process::Output {
        let mut command = run_as(&self.programs.join(program), self.account);
        command.arg("--host").arg(self.folder.path()).args(["--port", &self.port.to_string()]).args(arguments);
        command.current_dir(self.folder.path()).output().expect("a program of PostgreSQL starts")
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        // At once: its folder goes anyway. Its own children notice that it is gone.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

fn programs() -> Option<PathBuf> {
    const NEEDED: [&str; 4] = ["initdb", "postgres", "pg_isready", "createdb"];
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    folders.sort_by(|one, other| other.cmp(one));
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    folders.into_iter().find(|folder| NEEDED.iter().all(|program| folder.join(program).is_file()))
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn account(name: &str) -> Option<(u32, u32)> {
    let accounts = std::fs::read_to_string("/etc/passwd").ok()?;
    let mut fields = accounts.lines().find(|line| line.split(':').next() == Some(name))?.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

fn give(path: &Path, account: Option<(u32, u32)>) {
    let Some((user, group)) = account else { return };
    std::os::unix::fs::chown(path, Some(user), Some(group)).expect("root may give a file away");
    for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
        give(&entry.path(), Some((user, group)));
    }
}

fn run_as(program: &Path, account: Option<(u32, u32)>) -> Command {
    use std::os::unix::process::CommandExt as _;
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).env("LC_ALL", "C").env_remove("PGHOST").env_remove("PGDATA");
    if let Some((user, group)) = account {
        command.uid(user).gid(group);
    }
    command
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port()
}
