//! What people write, and what opens doors, stays out of logs and out of places that aren't meant for it.

use crate::computer::{Computer, Pair, card, mail};
use serde_json::Value;
use std::{fs, path::Path};

/// Every file below a folder.
fn files(folder: &Path, each: &mut impl FnMut(&Path, &[u8])) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, each);
        } else if path.is_file() {
            each(&path, &fs::read(&path).unwrap());
        }
    }
}

fn contains(bytes: &[u8], word: &str) -> bool {
    let lower = bytes.to_ascii_lowercase();
    let word = word.to_ascii_lowercase();
    lower.windows(word.len()).any(|window| window == word.as_bytes())
}

const PASSWORD: &str = "canary-otter-velvet-granite-plum";
/// What people wrote, or called something.
const WRITTEN: [&str; 7] = [
    "CanarySubject",
    "canary.sender@example.org",
    "CanaryBody",
    "CanaryName",
    "+49 7391 555",
    "CanaryTitle",
    "CanaryNote",
];

#[test]
fn a_whole_life_with_everything_logged_leaves_no_word_and_no_key_in_the_logs() {
    let secret_mail = mail("CanarySubject").replace("anna@example.org", "canary.sender@example.org") + "CanaryBody\n";
    let (office, laptop) = (Computer::that_logs_everything(), Computer::that_logs_everything());
    for computer in [&office, &laptop] {
        fs::write(computer.path("password"), PASSWORD).unwrap();
    }
    let mut pair = Pair::of(office, laptop, |office, laptop| {
        office.write("mail/cur/1.a:2,S", &secret_mail);
        office.write("contacts/Friends/anna.vcf", card("CanaryName", "+49 7391 555", "Baker"));
        office.write("notes/Ideas/one.md", "# CanaryNote\n");
        // Broken, and named for that to the person at the computer.
        office.write("contacts/Friends/broken.vcf", "BEGIN:VCARD\r\nFN:CanaryName\r\nCanaryTitle");
        laptop.write("contacts/Friends/anna.vcf", card("CanaryName", "+49 7391 555", "CanaryTitle"));
        for number in 0..40 {
            office.write(&format!("mail/.CanaryFolder/cur/{number}.m:2,S"), mail(&format!("CanarySubject {number}")));
        }
    });
    let invitation = pair.office.path("ticket.tandem").display().to_string();
    pair.office.json(&["invite", "--ticket", "--out", &invitation]);
    let invitation: Value = serde_json::from_slice(&fs::read(invitation).unwrap()).unwrap();
    let opens = ["/ticket/token", "/service_id"].map(|at| invitation.pointer(at).unwrap().as_str().unwrap().to_owned());

    // Conflicts, held deletions, moves, undo, a wrong password, a server that is gone.
    pair.office.write("contacts/Friends/anna.vcf", card("CanaryName", "+49 1", "Baker"));
    pair.laptop.write("contacts/Friends/anna.vcf", card("CanaryName", "+49 2", "CanaryTitle"));
    let many: Vec<String> = pair.laptop.contents().into_keys().filter(|path| path.contains("CanaryFolder")).collect();
    assert_eq!(many.len(), 40);
    many.iter().take(30).for_each(|path| pair.laptop.delete(path));
    pair.laptop.tandem(&["sync"]);
    for command in [&["status"][..], &["folders"], &["held"], &["conflicts"], &["history"], &["doctor"]] {
        pair.laptop.tandem(command);
        pair.office.tandem(command);
    }
    let conflicts = pair.laptop.json(&["conflicts"]);
    if let Some(id) = conflicts["conflicts"][0]["id"].as_str() {
        pair.laptop.tandem(&["conflicts", "resolve", id, "--keep", "both"]);
    }
    let run = pair.laptop.json(&["history"])["runs"][0]["id"].as_i64().unwrap().to_string();
    pair.laptop.tandem(&["undo", &run]);
    let late = Computer::that_logs_everything();
    fs::write(late.path("password"), "CanaryGuess-wrong-all-through").unwrap();
    late.join(&pair.invitation, &["--yes"]).told(4, "A01");
    pair.office.json(&["service-id", "renew"]);
    let new_password = pair.office.path("new-password");
    fs::write(&new_password, "canary-second-lantern-granite-plum").unwrap();
    pair.office.json(&["password", "--password-file", &new_password.display().to_string()]);
    pair.switch_server_off();
    pair.laptop.tandem(&["sync"]);

    let guesses = ["CanaryGuess-wrong-all-through", "canary-second-lantern-granite-plum", PASSWORD];
    let mut lines = 0;
    for computer in [&pair.office, &pair.laptop, &late] {
        files(&computer.path("profile/log"), &mut |path, bytes| {
            lines += bytes.split(|byte| *byte == b'\n').count();
            for word in WRITTEN.into_iter().chain(guesses).chain(opens.iter().map(String::as_str)) {
                let line = bytes.split(|byte| *byte == b'\n').find(|line| contains(line, word));
                let line = line.map(String::from_utf8_lossy);
                assert!(line.is_none(), "{word} stands in {}: {}", path.display(), line.unwrap());
            }
        });
        // Of what is kept, only the file of secrets holds a password, and it is the owner's alone.
        files(&computer.path("profile"), &mut |path, bytes| {
            let may = path.file_name().is_some_and(|name| name == "secrets.json");
            for password in guesses {
                assert!(may || !contains(bytes, password), "{password} stands in {}", path.display());
            }
        });
    }
    assert!(lines > 1_000, "everything was to be logged, and there are only {lines} lines");
}
