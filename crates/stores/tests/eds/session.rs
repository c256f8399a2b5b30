//! A real Evolution Data Server with a message bus and a home of its own.

use std::{
    fs,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// A person's session: a bus, and what it starts when it is asked for.
pub(crate) struct Session {
    place: TempDir,
    home: PathBuf,
    bus: Option<Child>,
}

impl Session {
    /// A new session, or nothing (said in a line) where there is no EDS.
    pub(crate) fn start() -> Option<Self> {
        const NEEDED: [&str; 2] =
            ["org.gnome.evolution.dataserver.Sources5", "org.gnome.evolution.dataserver.Calendar8"];
        let services = Path::new("/usr/share/dbus-1/services");
        let is_there = NEEDED.iter().all(|name| services.join(format!("{name}.service")).exists());
        let bus = Command::new("dbus-daemon").arg("--version").stdout(Stdio::null()).status();
        if !is_there || bus.is_err() {
            eprintln!("skipped: Evolution Data Server or dbus-daemon isn't here");
            return None;
        }
        // Names of sockets are short.
        let place = tempfile::Builder::new().prefix("tandem-eds-").tempdir_in("/tmp").expect("/tmp can be written");
        let mut session = Self { home: place.path().join("home"), place, bus: None };
        session.log_in();
        Some(session)
    }

    /// Where the bus is, as D-Bus writes it.
    pub(crate) fn address(&self) -> String {
        format!("unix:path={}", self.socket().display())
    }

    fn socket(&self) -> PathBuf {
        self.place.path().join("bus")
    }

    /// The home that a session after the next [`Session::log_out`] has.
    pub(crate) fn moves_into(&mut self, name: &str) {
        self.home = self.place.path().join(name);
    }

    /// A folder for whoever tests.
    pub(crate) fn place(&self) -> &Path {
        self.place.path()
    }

    pub(crate) fn log_in(&mut self) {
        let run = self.place.path().join("run");
        for folder in [&self.home, &run] {
            fs::create_dir_all(folder).expect("a folder can be made");
        }
        let bus = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--nopidfile", &format!("--address={}", self.address())])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.home)
            .env("XDG_RUNTIME_DIR", &run)
            .env("LANG", "C.UTF-8")
            .env("GSETTINGS_BACKEND", "memory")
            .env("GIO_USE_VFS", "local")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("dbus-daemon starts");
        self.bus = Some(bus);
        wait("the bus to be there", || std::os::unix::net::UnixStream::connect(self.socket()).is_ok());
    }

    /// The session ends, and all that ran in it.
    pub(crate) fn log_out(&mut self) {
        if let Some(mut bus) = self.bus.take() {
            let _ = bus.kill();
            let _ = bus.wait();
            let _ = fs::remove_file(self.socket());
        }
        let started = Instant::now();
        loop {
            let left = self.processes();
            if left.is_empty() {
                return;
            }
            if started.elapsed() > Duration::from_secs(5) {
                for process in left {
                    let _ = Command::new("kill").args(["-KILL", &process.to_string()]).status();
                }
            }
            assert!(started.elapsed() < Duration::from_secs(60), "EDS doesn't end");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends what runs in the session and whose program is called so, as a crash does.
    pub(crate) fn kill(&self, program: &str) {
        let is_it = |process: &u32| {
            let command = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&command).split('\0').next().is_some_and(|path| path.contains(program))
        };
        let found: Vec<u32> = self.processes().into_iter().filter(is_it).collect();
        for process in &found {
            let _ = Command::new("kill").args(["-KILL", &process.to_string()]).status();
        }
        wait("what was killed to be gone", || self.processes().iter().all(|process| !found.contains(process)));
    }

    /// What runs with the session's home.
    fn processes(&self) -> Vec<u32> {
        let home = format!("HOME={}/", self.place.path().display()).into_bytes();
        let processes = fs::read_dir("/proc").expect("there is /proc").flatten();
        processes
            .filter_map(|entry| {
                let number = entry.file_name().to_str()?.parse().ok()?;
                let environment = fs::read(entry.path().join("environ")).ok()?;
                environment.split(|byte| *byte == 0).any(|line| line.starts_with(&home)).then_some(number)
            })
            .collect()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.log_out();
    }
}

fn wait(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(60), "waited for {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
