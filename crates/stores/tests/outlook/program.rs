//! The stand-in as a program of its own: what Outlook's setup writes, its start, and the person who works in it.

use std::{
    ffi::OsStr,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// How a program of Windows is run here: by itself, or by Wine.
pub(crate) type Run = fn(&OsStr) -> Command;

const PROGRAM: &str = "Outlook.Application";
const CLASS: &str = "{0006F03A-0000-0000-C000-000000000046}";
const EVENTS: &str = r"Interface\{00063077-0000-0000-C000-000000000046}";

/// Outlook, and the person at it.
pub(crate) struct Desk {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    _home: tempfile::TempDir,
}

impl Desk {
    pub(crate) fn start(double: &Path, run: Run) -> Self {
        for (key, value) in [
            (PROGRAM.to_owned(), "A stand-in for Outlook"),
            (format!(r"{PROGRAM}\CLSID"), CLASS),
            (format!(r"CLSID\{CLASS}"), "A stand-in for Outlook"),
            (EVENTS.to_owned(), "ItemsEvents"),
            // Events travel by the system's own marshaller for IDispatch.
            (format!(r"{EVENTS}\ProxyStubClsid32"), "{00020420-0000-0000-C000-000000000046}"),
        ] {
            // Wine 8 looks up classes of the computer only; a user without rights writes their own.
            let add_to = |hive: &str| registry(run, hive, "add", &key, &["/ve", "/d", value]);
            assert!(add_to("HKLM") || add_to("HKCU"), "a class can be registered");
        }
        // Who looks for Outlook looks for a process of this name.
        let home = tempfile::tempdir().unwrap();
        let exe = home.path().join("OUTLOOK.EXE");
        fs::copy(double, &exe).expect("the examples are built");
        let mut command = run(exe.as_os_str());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the stand-in starts");
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut desk = Self { child, input, output, _home: home };
        assert_eq!(desk.line(), "ready");
        desk
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert!(self.output.read_line(&mut line).unwrap() > 0, "the stand-in has ended");
        line.trim_end().to_owned()
    }

    /// What the person does (`desk.rs` says what they can), and sees then.
    pub(crate) fn does(&mut self, words: &[&str]) -> Vec<String> {
        writeln!(self.input, "{}", words.join("\t")).unwrap();
        let mut seen = Vec::new();
        loop {
            match self.line() {
                line if line == "." => return seen,
                line => seen.push(line),
            }
        }
    }

    pub(crate) fn sees(&mut self, folder: &str) -> String {
        self.does(&["see", folder]).join("\n")
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a computer looks like from which Outlook was removed.
pub(crate) fn remove(run: Run) {
    for hive in ["HKLM", "HKCU"] {
        registry(run, hive, "delete", PROGRAM, &[]);
    }
}

fn registry(run: Run, hive: &str, what: &str, key: &str, more: &[&str]) -> bool {
    let key = format!(r"{hive}\Software\Classes\{key}");
    let mut reg = run(OsStr::new("reg"));
    let done = reg.args([what, &key]).args(more).arg("/f").stdout(Stdio::null()).stderr(Stdio::null()).status();
    done.unwrap().success()
}
