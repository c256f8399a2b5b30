//! What is at a place.
#![allow(clippy::unwrap_used)]

use pim::FolderKind;
use std::{fs, path::Path};
use stores::{
    conformance::sample,
    files::{self, FilesSpec, Found, Part, detect},
};

fn found(make: impl FnOnce(&Path)) -> Found {
    let place = tempfile::tempdir().unwrap();
    make(place.path());
    detect(place.path()).unwrap()
}

#[test]
fn a_place_is_told_for_what_it_is() {
    assert_eq!(found(|_| {}), Found::Empty);
    assert_eq!(found(|place| fs::remove_dir(place).unwrap()), Found::Missing);
    assert_eq!(
        found(|place| files::prepare(&FilesSpec::at(place)).unwrap()),
        Found::Layout { parts: Part::ALL.into() }
    );
    let maildir = |place: &Path| ["cur", "new", "tmp"].iter().for_each(|sub| fs::create_dir(place.join(sub)).unwrap());
    assert_eq!(found(maildir), Found::Part { part: Part::Mail });
    let book = |place: &Path| {
        for name in ["a", "b"] {
            fs::write(place.join(format!("{name}.vcf")), sample(FolderKind::Contacts, name)).unwrap();
        }
    };
    assert_eq!(found(book), Found::Part { part: Part::Contacts });
    let calendars = |place: &Path| {
        fs::create_dir(place.join("home")).unwrap();
        for name in ["a", "b"] {
            fs::write(place.join(format!("home/{name}.ics")), sample(FolderKind::Calendar, name)).unwrap();
        }
    };
    assert_eq!(found(calendars), Found::Part { part: Part::Calendars });
    let other = found(|place| fs::write(place.join("holiday.jpg"), b"x").unwrap());
    assert_eq!(other, Found::Other { examples: vec!["holiday.jpg".into()], names: 1 });
}

fn loose(place: &Path) -> Vec<std::path::PathBuf> {
    fs::write(place.join("one.eml"), sample(FolderKind::Mail, "one")).unwrap();
    let cards = [sample(FolderKind::Contacts, "a"), sample(FolderKind::Contacts, "b")].concat();
    fs::write(place.join("All people.vcf"), cards).unwrap();
    let mixed = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:e\r\nEND:VEVENT\r\nBEGIN:VTODO\r\nUID:t\r\nEND:VTODO\r\n\
        BEGIN:VJOURNAL\r\nUID:j\r\nEND:VJOURNAL\r\nEND:VCALENDAR\r\n";
    fs::write(place.join("Everything.ics"), mixed).unwrap();
    ["All people.vcf", "Everything.ics", "one.eml"].map(|name| place.join(name)).into()
}

#[test]
fn loose_files_can_be_imported() {
    let place = tempfile::tempdir().unwrap();
    let paths = loose(place.path());
    let Found::Importable { files } = detect(place.path()).unwrap() else { panic!() };
    let told: Vec<(&Path, u64)> = files.iter().map(|file| (file.path.as_path(), file.items)).collect();
    assert_eq!(told, [(&*paths[0], 2), (&*paths[1], 3), (&*paths[2], 1)]);
}
