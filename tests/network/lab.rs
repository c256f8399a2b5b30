//! Network namespaces as computers: made for one story, gone with it. Nothing outside them is touched.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

/// Nothing in a story takes longer, on a slow and busy machine either.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Set where a story that is skipped is one that failed.
const REQUIRED: &str = "TANDEM_LABS_REQUIRED";

/// A set of namespaces. Their names begin with one prefix that no other story has.
pub(crate) struct Lab {
    prefix: String,
    hosts: Vec<String>,
}

static COUNT: AtomicU32 = AtomicU32::new(0);

impl Lab {
    /// A lab for a story that needs these programs; `None`, and a line that says so, where it can't be had.
    pub(crate) fn new(programs: &[&str]) -> Option<Self> {
        let prefix = format!("tn{}-{}-", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let lab = Self { prefix, hosts: Vec::new() };
        let Some(missing) = lab.missing(programs) else { return Some(lab) };
        assert!(std::env::var_os(REQUIRED).is_none(), "{REQUIRED} is set: {missing}");
        eprintln!("SKIPPED: {missing}");
        None
    }

    /// What keeps a lab from being built here.
    fn missing(&self, programs: &[&str]) -> Option<String> {
        let is_root = Command::new("id").arg("-u").output().is_ok_and(|out| out.stdout.starts_with(b"0\n"));
        if !is_root {
            return Some("network namespaces need root".to_owned());
        }
        let is_there = |program: &str| {
            let folders = ["/usr/bin", "/usr/sbin", "/bin", "/sbin"];
            folders.iter().any(|folder| std::path::Path::new(folder).join(program).exists())
        };
        if let Some(program) = ["ip"].iter().chain(programs).find(|program| !is_there(program)) {
            return Some(format!("the program {program} is missing"));
        }
        let tried = Command::new("ip").args(["netns", "add", &self.namespace("try")]).output().unwrap();
        if !tried.status.success() {
            return Some(format!("no network namespaces here: {}", String::from_utf8_lossy(&tried.stderr)));
        }
        must(Command::new("ip").args(["netns", "del", &self.namespace("try")]));
        None
    }

    /// Computers at one switch, each with the last number of its address.
    pub(crate) fn switched(hosts: &[(&'static str, u8)], programs: &[&str]) -> Option<Self> {
        let mut lab = Self::new(programs)?;
        lab.switch("switch");
        for (host, number) in hosts {
            lab.host(host).wire(host, "eth0", "switch", "br0", &[&format!("10.7.0.{number}/24")]);
        }
        Some(lab)
    }

    /// Adds a computer without any cable.
    pub(crate) fn host(&mut self, name: &str) -> &mut Self {
        must(Command::new("ip").args(["netns", "add", &self.namespace(name)]));
        self.hosts.push(name.to_owned());
        self.ip(name, "link set lo up");
        // Duplicate address detection costs a second a cable, and nobody has our addresses.
        self.run(name, &["sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0"]);
        self
    }

    /// Adds a switch: a computer with the bridge `br0`.
    pub(crate) fn switch(&mut self, name: &str) -> &mut Self {
        self.host(name);
        self.ip(name, "link add br0 type bridge mcast_snooping 0");
        self.ip(name, "link set br0 up");
        self
    }

    /// Plugs a computer's `interface` into the bridge of another, and gives it addresses.
    pub(crate) fn wire(&mut self, host: &str, interface: &str, switch: &str, bridge: &str, addresses: &[&str]) {
        let peer = format!("{host}.{interface}");
        self.ip(host, &format!("link add {interface} type veth peer name {peer}"));
        self.ip(host, &format!("link set {peer} netns {}", self.namespace(switch)));
        self.ip(switch, &format!("link set {peer} master {bridge} up"));
        self.ip(host, &format!("link set {interface} up"));
        for address in addresses {
            let family = if address.contains(':') { "-6 addr add {} nodad" } else { "addr add {}" };
            let words = format!("{} dev {interface}", family.replace("{}", address));
            self.ip(host, &words);
        }
    }

    /// The system's name for a computer's namespace.
    pub(crate) fn namespace(&self, host: &str) -> String {
        format!("{}{host}", self.prefix)
    }

    /// `ip` on a computer.
    pub(crate) fn ip(&self, host: &str, words: &str) {
        must(Command::new("ip").args(["-n", &self.namespace(host)]).args(words.split(' ')));
    }

    /// A program on a computer.
    pub(crate) fn command(&self, host: &str, program: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace(host)]).args(program);
        command
    }

    /// Runs a program that has to do well, and gives back what it printed.
    pub(crate) fn run(&self, host: &str, program: &[&str]) -> String {
        must(&mut self.command(host, program))
    }

    /// Rules for the packet filter of a computer, beside those it has.
    pub(crate) fn firewall(&self, host: &str, rules: &str) {
        let mut nft = self.command(host, &["nft", "-f", "-"]).stdin(Stdio::piped()).spawn().unwrap();
        nft.stdin.take().unwrap().write_all(rules.as_bytes()).unwrap();
        assert!(nft.wait().unwrap().success(), "{rules}");
    }

    /// Starts a story of this program as a process on a computer; waits until it says so, and gives back what follows.
    pub(crate) fn play(&self, host: &str, story: &str, variable: (&str, &str), says: &str) -> (Program, String) {
        let test = std::env::current_exe().unwrap().display().to_string();
        let mut process = self.command(host, &[&test, "--ignored", "--exact", story, "--nocapture"]);
        let process = process.env(variable.0, variable.1).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = process.stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let said = lines.find_map(|line| line.split_once(says).map(|(_, rest)| rest.to_owned()));
        // After a minute the harness prints that it is still running, and dies if nobody listens any more.
        thread::spawn(move || lines.for_each(drop));
        (Program(process), said.unwrap_or_else(|| panic!("{story} doesn't begin")))
    }

    /// Starts a program that stays until it is dropped.
    pub(crate) fn stay(&self, host: &str, program: &[&str]) -> Program {
        let mut command = self.command(host, program);
        Program(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for host in &self.hosts {
            let _ = Command::new("ip").args(["netns", "del", &self.namespace(host)]).output();
        }
    }
}

/// A running program.
pub(crate) struct Program(pub(crate) Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a command that has to do well.
#[track_caller]
pub(crate) fn must(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.stdin(Stdio::null()).output().unwrap();
    assert!(status.success(), "{command:?}: {status} {}", String::from_utf8_lossy(&stderr));
    String::from_utf8_lossy(&stdout).into_owned()
}

/// Waits until something is so, and says how long that took.
#[track_caller]
pub(crate) fn until<T>(what: &str, look: impl FnMut() -> Option<T>) -> (T, Duration) {
    until_within(PATIENCE, what, look)
}

/// The same for what takes longer by design.
#[track_caller]
pub(crate) fn until_within<T>(patience: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> (T, Duration) {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return (found, begun.elapsed());
        }
        assert!(begun.elapsed() < patience, "not within {patience:?}: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}
