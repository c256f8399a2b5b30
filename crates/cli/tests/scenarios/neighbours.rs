//! Other programs at the same folders: they understand what Tandem writes, and what they do crosses once.

use crate::computer::{Computer, Pair, event, mail};
use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Whether a program is there to test with; says so if it isn't.
pub(crate) fn is_here(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).stdout(Stdio::null()).status();
    let is_here = found.is_ok_and(|status| status.success());
    if !is_here {
        println!("SKIPPED: {program} isn't installed");
    }
    is_here
}

/// Runs a program that has to do what it is asked for, and gives back what it prints.
#[track_caller]
fn told(command: &mut Command, input: &str) -> String {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Every message on a computer, as folder and name.
fn messages(computer: &Computer) -> Vec<String> {
    let is_message = |path: &String| path.starts_with("mail/") && (path.contains("/cur/") || path.contains("/new/"));
    computer.contents().into_keys().filter(is_message).collect()
}

fn two_mails(office: &Computer) {
    office.write("mail/cur/1.a:2,S", mail("first"));
    office.write("mail/.Entw&APw-rfe/cur/2.b:2,FS", mail("second"));
}

/// The one message with this subject in a folder (`cur` or `new`): its name.
fn one(computer: &Computer, folder: &str, subject: &str) -> Option<String> {
    let places = ["cur", "new"].map(|part| format!("{folder}/{part}/"));
    let mut found: Vec<String> = messages(computer)
        .into_iter()
        .filter(|path| places.iter().any(|place| path.starts_with(place)))
        .filter(|path| computer.read(path).contains(&format!("Subject: {subject}\n")))
        .collect();
    found.pop().filter(|_| found.is_empty())
}

/// Whether a message with this subject lies in a folder once, with these flags.
fn holds(computer: &Computer, folder: &str, subject: &str, flags: &str) -> bool {
    one(computer, folder, subject).is_some_and(|name| name.ends_with(&format!(":2,{flags}")))
}

/// Dovecot's own hand at a Maildir. It refuses to work as root, so there the mail belongs to the user `mail`.
struct Dovecot<'a> {
    computer: &'a Computer,
    config: PathBuf,
    user: String,
}

impl<'a> Dovecot<'a> {
    fn at(computer: &'a Computer) -> Self {
        let own = std::env::var("USER").unwrap_or_else(|_| rustix::process::geteuid().as_raw().to_string());
        let user = if rustix::process::geteuid().is_root() { "mail".to_owned() } else { own };
        let config = computer.path("dovecot.conf");
        let text = format!(
            "mail_location = maildir:{}\nlog_path = {}\nssl = no\nmail_uid = {user}\nmail_gid = {user}\nfirst_valid_uid = 1\n\
             namespace inbox {{\n  inbox = yes\n}}\n",
            computer.data().join("mail").display(),
            computer.path("dovecot.log").display()
        );
        fs::write(&config, text).unwrap();
        for folder in [computer.path(""), computer.data()] {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self { computer, config, user }
    }

    #[track_caller]
    fn doveadm(&self, arguments: &[&str], input: &str) -> String {
        if rustix::process::geteuid().is_root() {
            let owner = format!("{0}:{0}", self.user);
            told(Command::new("chown").args(["-R", &owner]).arg(self.computer.data().join("mail")), "");
        }
        let mut doveadm = Command::new("doveadm");
        doveadm.arg("-c").arg(&self.config).args(arguments).env("USER", &self.user).env("HOME", "/");
        told(doveadm.current_dir("/"), input)
    }
}

#[test]
fn dovecot_finds_everything_and_what_it_saves_moves_and_marks_crosses_once() {
    if !is_here("doveadm") {
        return;
    }
    let pair = Pair::joined(|office, _| two_mails(office));
    let dovecot = Dovecot::at(&pair.laptop);
    let folders = dovecot.doveadm(&["mailbox", "status", "messages", "*"], "");
    for folder in ["INBOX messages=1", "Entwürfe messages=1"] {
        assert!(folders.contains(folder), "{folders:?} {:?}", fs::read_to_string(dovecot.computer.path("dovecot.log")));
    }
    let flags = dovecot.doveadm(&["fetch", "flags hdr.message-id", "mailbox", "Entwürfe"], "");
    assert!(flags.contains("\\Flagged \\Seen") && flags.contains("<second@example.org>"), "{flags}");

    dovecot.doveadm(&["save", "-m", "INBOX"], &mail("third"));
    dovecot.doveadm(&["move", "Entwürfe", "mailbox", "INBOX", "subject", "first"], "");
    dovecot.doveadm(&["flags", "add", "\\Answered", "mailbox", "Entwürfe", "subject", "second"], "");
    pair.sync();
    pair.office.soon("what Dovecot did is on the server", |office| {
        holds(office, "mail/.Entw&APw-rfe", "first", "S")
            && holds(office, "mail/.Entw&APw-rfe", "second", "FRS")
            && one(office, "mail", "third").is_some()
    });
    pair.sync();
    for computer in [&pair.office, &pair.laptop] {
        assert_eq!(messages(computer).len(), 3, "{:?}", messages(computer));
    }
    // And back: what comes from the server is Dovecot's, too.
    pair.office.write("mail/.Entw&APw-rfe/cur/4.d:2,F", mail("fourth"));
    pair.sync();
    let found = dovecot.doveadm(&["fetch", "flags", "mailbox", "Entwürfe", "subject", "fourth"], "");
    assert!(found.contains("\\Flagged"), "{found}");
}

#[test]
fn notmuch_finds_everything_and_its_tags_cross_as_flags() {
    if !is_here("notmuch") {
        return;
    }
    let pair = Pair::joined(|office, _| two_mails(office));
    let config = pair.laptop.path("notmuch.conf");
    let text = format!(
        "[database]\npath={}\n[user]\nname=x\nprimary_email=x@example.org\n[new]\ntags=new\n[maildir]\nsynchronize_flags=true\n",
        pair.laptop.data().join("mail").display()
    );
    fs::write(&config, text).unwrap();
    let notmuch = |arguments: &[&str]| {
        told(
            Command::new("notmuch").args(arguments).env("NOTMUCH_CONFIG", &config).env("HOME", pair.laptop.path("")),
            "",
        )
    };
    notmuch(&["new", "--quiet"]);
    let mut ids: Vec<String> = notmuch(&["search", "--output=messages", "*"]).lines().map(str::to_owned).collect();
    ids.sort();
    assert_eq!(ids, ["id:first@example.org", "id:second@example.org"]);
    assert_eq!(notmuch(&["count", "tag:flagged"]).trim(), "1");

    notmuch(&["tag", "+flagged", "+replied", "id:first@example.org"]);
    pair.sync();
    pair.office.soon("the tags are flags", |office| holds(office, "mail", "first", "FRS"));
    pair.office.write("mail/cur/3.c:2,", mail("third"));
    pair.sync();
    notmuch(&["new", "--quiet"]);
    assert_eq!(notmuch(&["count", "tag:unread"]).trim(), "1");
    assert_eq!(notmuch(&["count", "*"]).trim(), "3");
    // Its database lies among the folders, and isn't one.
    assert_eq!(messages(&pair.office).len(), 3);
    assert!(!pair.office.has("mail/.notmuch"));
}

#[test]
fn khal_shows_what_comes_and_what_it_adds_crosses() {
    if !is_here("khal") {
        return;
    }
    let pair = Pair::joined(|office, _| office.write("calendars/Work/planning.ics", event("Planning")));
    let khal = |arguments: &[&str]| khal(&pair.laptop, arguments);
    assert!(khal(&["list", "2026-12-03", "2026-12-05"]).contains("Planning"));

    khal(&["new", "-a", "Work", "2026-12-04", "10:00", "11:00", "Zahnärztin"]);
    pair.sync();
    let files = |computer: &Computer| -> Vec<String> {
        computer.contents().into_keys().filter(|path| path.starts_with("calendars/Work/")).collect()
    };
    pair.office.soon("the new event is on the server", |office| {
        files(office).iter().any(|path| office.read(path).contains("SUMMARY:Zahnärztin"))
    });
    pair.office.write(
        "calendars/Work/planning.ics",
        event("Planning").replace("SUMMARY:Planning", "SUMMARY:Planning at noon"),
    );
    pair.sync();
    let shown = khal(&["list", "2026-12-03", "2026-12-05"]);
    assert!(shown.contains("Planning at noon") && shown.contains("Zahnärztin"), "{shown}");
    for computer in [&pair.office, &pair.laptop] {
        assert_eq!(files(computer).len(), 2);
    }
}

#[track_caller]
fn khal(computer: &Computer, arguments: &[&str]) -> String {
    let config = computer.path("khal.conf");
    let place = |path: &Path| path.display().to_string();
    let text = format!(
        "[calendars]\n[[Work]]\npath = {}\n[locale]\ntimeformat = %H:%M\ndateformat = %Y-%m-%d\nlongdateformat = %Y-%m-%d\n\
         datetimeformat = %Y-%m-%d %H:%M\nlongdatetimeformat = %Y-%m-%d %H:%M\n[default]\ndefault_calendar = Work\n\
         [sqlite]\npath = {}\n",
        place(&computer.data().join("calendars/Work")),
        place(&computer.path("khal.db"))
    );
    fs::write(&config, text).unwrap();
    let mut khal = Command::new("khal");
    khal.arg("-c").arg(&config).args(arguments).env("HOME", computer.path("")).env("LC_ALL", "C.UTF-8");
    told(&mut khal, "")
}
