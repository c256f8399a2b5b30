//! What is in a data file, one item after the other.

use super::{loose, mbox::MboxReader};
use crate::{
    StoreError,
    mapi::{self, Message, MsgError, NoItem},
    pst::{Pst, PstError},
};
use pim::{Flag, Flags, FolderKind, Format, Kind, SpecialUse};
use std::{
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
    path::Path,
};

/// Larger files with items in text or one item are refused; data files and mailboxes have no such bound.
const WHOLE_BYTES_MAX: u64 = crate::Payload::SIZE_MAX;

/// What sort of data file it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FileKind {
    /// Outlook's data file (`.pst`).
    Pst,
    /// One item of Outlook (`.msg`).
    Msg,
    /// Many messages (mbox).
    Mbox,
    /// One message (`.eml`).
    Message,
    /// Contacts (`.vcf`).
    Cards,
    /// Events, tasks and journal entries (`.ics`).
    Calendar,
}

impl FileKind {
    /// By what is in it; the ending decides only where that says nothing.
    pub fn of(path: &Path) -> Result<Option<Self>, io::Error> {
        let mut head = Vec::new();
        crate::files::open_regular(path)?.0.take(4_096).read_to_end(&mut head)?;
        Ok(Self::of_bytes(&head, path))
    }

    fn of_bytes(head: &[u8], path: &Path) -> Option<Self> {
        const COMPOUND_FILE: &[u8] = &[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
        let text = loose::as_utf8(head);
        let text = text.trim_ascii_start();
        let starts = |word: &[u8]| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
        Some(match () {
            () if head.starts_with(b"!BDN") => Self::Pst,
            () if head.starts_with(COMPOUND_FILE) => Self::Msg,
            () if starts(b"BEGIN:VCARD") => Self::Cards,
            () if starts(b"BEGIN:VCALENDAR") => Self::Calendar,
            () if head.starts_with(b"From ") => Self::Mbox,
            () => match &*ending {
                "pst" | "ost" => Self::Pst,
                // A message of the Internet under the ending of Outlook's, as some programs write it.
                "eml" | "msg" => Self::Message,
                "mbox" | "mbx" => Self::Mbox,
                "vcf" => Self::Cards,
                "ics" | "ifb" | "vcs" => Self::Calendar,
                _ => return None,
            },
        })
    }
}

/// An item of a data file.
#[derive(Clone, Debug)]
pub struct SourceItem {
    /// The folder in the file; empty where it has none.
    pub path: Vec<String>,
    /// What that folder is for, where the file says.
    pub special_use: Option<SpecialUse>,
    /// What sort of folder holds it.
    pub folder: FolderKind,
    /// How `bytes` are written.
    pub format: Format,
    /// The item.
    pub bytes: Vec<u8>,
    /// Marks of a message.
    pub flags: Flags,
    /// When it was last changed, in seconds since 1970.
    pub modified: Option<i64>,
    /// The UID written in it.
    pub uid: Option<String>,
}

/// Why something of a data file can't be brought in.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Reason {
    /// It can't be read.
    #[error("it is damaged")]
    Damaged,
    /// It is larger than an item can be.
    #[error("it is larger than an item can be")]
    TooLarge,
    /// The store can't hold it, or can't be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What reading a data file gives.
#[derive(Clone, Debug)]
pub enum Found {
    /// An item.
    Item(Box<SourceItem>),
    /// Something that can't be brought in.
    Skipped {
        /// The folder in the file.
        path: Vec<String>,
        /// Its subject or name, as far as it can be told.
        title: String,
        /// Why.
        reason: Reason,
    },
    /// What a program keeps for itself, or what was deleted: nobody misses it.
    LeftOut,
}

/// Why a data file can't be read at all.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Not one of the kinds this crate reads.
    #[error("this is no data file that can be read")]
    Unknown,
    /// Outlook's, but of a version this crate can't read.
    #[error("Outlook data files of this version can't be read ({version})")]
    Version {
        /// As in the file.
        version: u16,
    },
    /// So damaged that nothing of it can be read.
    #[error("the file is damaged")]
    Damaged,
    /// Larger than this kind can be.
    #[error("the file is too large")]
    TooLarge,
    /// The system can't read it.
    #[error("the file can't be read")]
    Io(#[from] io::Error),
}

/// What a file says about itself.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct About {
    /// Outlook asks for a password when it opens the file.
    pub has_password: bool,
    /// Parts of the list of items that can't be read.
    pub missing_parts: u64,
}

/// Reads a data file. `each` is told every item with the part of the file done so far, in bytes, and may end the reading
/// by an error of its own.
pub fn read<E>(
    path: &Path,
    mut each: impl FnMut(Found, u64) -> Result<(), E>,
) -> Result<Result<About, E>, SourceError> {
    let kind = FileKind::of(path)?.ok_or(SourceError::Unknown)?;
    let (file, _) = crate::files::open_regular(path)?;
    let size = file.metadata()?.len();
    let about = match kind {
        FileKind::Pst => return read_pst(file, size, each),
        FileKind::Mbox => return read_mbox(file, each),
        FileKind::Msg | FileKind::Message | FileKind::Cards | FileKind::Calendar => About::default(),
    };
    let modified = modified(&file);
    let bytes = whole(file)?;
    let mut ended = Ok(());
    let mut tell = |found: Found| {
        if ended.is_ok() {
            ended = each(found, size);
        }
    };
    match kind {
        FileKind::Msg => tell(msg(&bytes)?),
        FileKind::Message => tell(message(bytes, modified)),
        _ => loose_items(&bytes, kind == FileKind::Cards, modified).into_iter().for_each(tell),
    }
    Ok(ended.map(|()| about))
}

fn whole(file: File) -> Result<Vec<u8>, SourceError> {
    let mut bytes = Vec::new();
    file.take(WHOLE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > WHOLE_BYTES_MAX { Err(SourceError::TooLarge) } else { Ok(bytes) }
}

fn modified(file: &File) -> Option<i64> {
    let modified = file.metadata().ok()?.modified().ok()?;
    i64::try_from(modified.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs()).ok()
}

fn message(bytes: Vec<u8>, modified: Option<i64>) -> Found {
    // Somebody who keeps mail in files has read it.
    let flags = Flags([Flag::Seen].into());
    Found::Item(Box::new(SourceItem {
        path: Vec::new(),
        special_use: Some(SpecialUse::Inbox),
        folder: FolderKind::Mail,
        format: Format::Rfc5322,
        bytes,
        flags,
        modified,
        uid: None,
    }))
}

fn msg(bytes: &[u8]) -> Result<Found, SourceError> {
    let message = Message::from_msg(bytes).map_err(|error| match error {
        MsgError::TooLarge => SourceError::TooLarge,
        MsgError::NoMessage => SourceError::Unknown,
        MsgError::Container(_) | MsgError::Damaged => SourceError::Damaged,
    })?;
    let special_use = Some(SpecialUse::Inbox);
    Ok(outlook_item(&message, Vec::new(), special_use))
}

fn outlook_item(message: &Message, path: Vec<String>, special_use: Option<SpecialUse>) -> Found {
    let item = match mapi::to_item(message) {
        Ok(item) => item,
        Err(NoItem::ProgramData) => return Found::LeftOut,
        Err(_) => return Found::Skipped { path, title: title(message), reason: Reason::Damaged },
    };
    if item.bytes.len() as u64 > WHOLE_BYTES_MAX {
        return Found::Skipped { path, title: title(message), reason: Reason::TooLarge };
    }
    Found::Item(Box::new(SourceItem {
        path,
        special_use,
        folder: match item.kind {
            Kind::Message => FolderKind::Mail,
            Kind::Contact | Kind::DistributionList => FolderKind::Contacts,
            Kind::Event | Kind::Journal => FolderKind::Calendar,
            Kind::Task => FolderKind::Tasks,
            Kind::Note => FolderKind::Notes,
        },
        format: item.format,
        bytes: item.bytes,
        flags: item.flags,
        modified: item.modified,
        uid: item.uid,
    }))
}

fn title(message: &Message) -> String {
    message.properties.text(&mapi::names::SUBJECT).unwrap_or_default().chars().take(200).collect()
}

fn loose_items(bytes: &[u8], is_cards: bool, modified: Option<i64>) -> Vec<Found> {
    let bytes = loose::as_utf8(bytes);
    let split = if is_cards { loose::split_cards(&bytes) } else { loose::split_calendars(&bytes) };
    let mut found: Vec<Found> = Vec::new();
    for item in split.items {
        found.push(Found::Item(Box::new(SourceItem {
            path: Vec::new(),
            special_use: None,
            folder: item.folder,
            format: if is_cards { Format::VCard } else { Format::ICalendar },
            bytes: item.bytes,
            flags: Flags::default(),
            modified,
            uid: item.uid,
        })));
    }
    if !split.is_whole {
        found.push(Found::Skipped { path: Vec::new(), title: String::new(), reason: Reason::Damaged });
    }
    found
}

fn read_mbox<E>(
    file: File,
    mut each: impl FnMut(Found, u64) -> Result<(), E>,
) -> Result<Result<About, E>, SourceError> {
    let mut reader = MboxReader::new(BufReader::with_capacity(1 << 20, file));
    while let Some(message) = reader.next_message()? {
        let found = if message.is_deleted {
            Found::LeftOut
        } else if message.is_too_large {
            let title = pim::examine(FolderKind::Mail, Format::Rfc5322, &message.bytes).title;
            Found::Skipped { path: Vec::new(), title, reason: Reason::TooLarge }
        } else {
            Found::Item(Box::new(SourceItem {
                path: Vec::new(),
                special_use: None,
                folder: FolderKind::Mail,
                format: Format::Rfc5322,
                bytes: message.bytes,
                flags: message.flags,
                modified: None,
                uid: None,
            }))
        };
        if let Err(error) = each(found, reader.position()) {
            return Ok(Err(error));
        }
    }
    Ok(Ok(About::default()))
}

fn read_pst<E>(
    mut file: File,
    size: u64,
    mut each: impl FnMut(Found, u64) -> Result<(), E>,
) -> Result<Result<About, E>, SourceError> {
    file.seek(SeekFrom::Start(0))?;
    let mut pst = Pst::open(file).map_err(|error| match error {
        PstError::NotPst => SourceError::Unknown,
        PstError::Version { version } => SourceError::Version { version },
        PstError::Damaged | PstError::TooLarge => SourceError::Damaged,
        PstError::Io(error) => SourceError::Io(error),
    })?;
    let about = About { has_password: pst.has_password(), missing_parts: pst.missing_parts() };
    let folders = pst.folders();
    let total = folders.iter().map(|folder| folder.items.len() as u64).sum::<u64>().max(1);
    let mut done = 0_u64;
    for folder in folders {
        for item in folder.items {
            let found = match pst.message(item) {
                Ok(message) => outlook_item(&message, folder.path.clone(), folder.special_use),
                Err(PstError::Io(error)) => return Err(SourceError::Io(error)),
                Err(error) => Found::Skipped {
                    path: folder.path.clone(),
                    title: String::new(),
                    reason: if matches!(error, PstError::TooLarge) { Reason::TooLarge } else { Reason::Damaged },
                },
            };
            done += 1;
            let part = u128::from(size) * u128::from(done) / u128::from(total);
            if let Err(error) = each(found, u64::try_from(part).unwrap_or(size)) {
                return Ok(Err(error));
            }
        }
    }
    Ok(Ok(about))
}
