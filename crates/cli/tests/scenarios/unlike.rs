//! Computers whose disks are unlike: what one can name, the other can't.

use crate::{
    computer::{Computer, card, mail},
    neighbours::is_here,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A disk on which `Anna` and `anna` are one name, as on Windows, on a Mac, or on a stick (exFAT).
struct Stick {
    mounted: PathBuf,
    device: String,
    _image: tempfile::NamedTempFile,
}

impl Stick {
    /// Plugs it in at a folder. `None`, and a line that says so, where this system can't.
    fn at(folder: &Path) -> Option<Self> {
        if !["losetup", "mkfs.exfat", "mount.exfat-fuse"].into_iter().all(is_here) {
            return None;
        }
        let image = tempfile::NamedTempFile::new().unwrap();
        image.as_file().set_len(32 << 20).unwrap();
        fs::create_dir_all(folder).unwrap();
        let device = said("losetup", &["--find", "--show", &image.path().display().to_string()])?;
        let stick = Self { mounted: folder.to_owned(), device, _image: image };
        said("mkfs.exfat", &[&stick.device])?;
        said("mount.exfat-fuse", &[&stick.device, &folder.display().to_string()])?;
        Some(stick)
    }
}

impl Drop for Stick {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.mounted).output();
        let _ = Command::new("losetup").args(["--detach", &self.device]).output();
    }
}

/// What a program prints; it may need rights that nobody has here.
fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().unwrap();
    if !output.status.success() {
        println!("SKIPPED: {program}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

/// The items of a kind, whatever their files and folders are called.
fn texts(computer: &Computer, ending: &str) -> Vec<String> {
    let names = computer.contents().into_keys().filter(|path| path.ends_with(ending));
    let mut texts: Vec<String> = names.map(|path| computer.read(&path)).collect();
    texts.sort();
    texts
}

#[test]
fn names_that_differ_only_by_case_are_kept_apart_where_case_does_not_count() {
    let (office, laptop) = (Computer::new(), Computer::new());
    let Some(stick) = Stick::at(&laptop.data()) else { return };
    for (name, note) in
        [("todo", "first"), ("Todo", "second"), ("TODO", "third"), ("ärger", "fourth"), ("Ärger", "fifth")]
    {
        office.write(&format!("notes/Ideas/{name}.md"), format!("# {note}\n"));
    }
    office.write("contacts/Friends/anna.vcf", card("Anna", "+49 1", "Carpenter"));
    office.write("contacts/Friends/ANNA.vcf", card("ANNA", "+49 2", "Baker"));
    // So are folders.
    office.write("contacts/friends/bert.vcf", card("Bert", "+49 3", "Cook"));
    office.become_server();
    let serving = office.stay(&["serve"]);
    laptop.join(&office.invite(&serving), &["--yes"]).went_well();
    let all = |computer: &Computer| [".md", ".vcf"].map(|ending| texts(computer, ending)).concat();
    let is_same = |laptop: &Computer, items: usize| all(laptop) == all(&office) && all(laptop).len() == items;
    laptop.soon("all eight are there", |laptop| is_same(laptop, 8));

    // Each is still itself: an edit here arrives at the one it was made to, and nothing goes back and forth.
    let edited = laptop.contents().into_keys().find(|path| laptop.read(path) == "# second\n").unwrap();
    laptop.write(&edited, "# second, edited\n");
    laptop.tandem(&["sync"]).went_well();
    office.soon("the edit is there", |office| office.read("notes/Ideas/Todo.md") == "# second, edited\n");
    assert_eq!(office.read("notes/Ideas/todo.md"), "# first\n");
    laptop.soon("eight are there still", |laptop| is_same(laptop, 8));
    drop(serving);
    drop(stick);
}

#[test]
fn mail_is_kept_on_a_disk_without_colons_in_names() {
    let (office, laptop) = (Computer::new(), Computer::new());
    let Some(stick) = Stick::at(&laptop.data()) else { return };
    office.write("mail/cur/1.host:2,S", mail("first"));
    office.write("mail/cur/2.host:2,FS", mail("second"));
    office.write("notes/Ideas/what: a name?.md", "# third\n");
    office.become_server();
    let serving = office.stay(&["serve"]);
    laptop.join(&office.invite(&serving), &["--yes"]).went_well();
    assert_eq!(laptop.contents().into_keys().filter(|path| path.contains(";2,")).count(), 2);
    assert_eq!(texts(&laptop, ".md"), ["# third\n"]);

    let first = laptop.contents().into_keys().find(|path| path.ends_with("1.host;2,S")).unwrap();
    fs::rename(laptop.data().join(&first), laptop.data().join(first.replace(";2,S", ";2,RS"))).unwrap();
    laptop.tandem(&["sync"]).went_well();
    office
        .soon("the answer is known", |office| office.contents().into_keys().any(|path| path.ends_with("1.host:2,RS")));
    drop(serving);
    drop(stick);
}
