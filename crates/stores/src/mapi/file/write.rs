//! Writing `.msg` files.

use super::{MsgError, slashed};
use crate::mapi::{Attachment, Bag, Guid, Key, Message, Value, bag::kind, names, text};
use std::{
    collections::BTreeMap,
    io::{Cursor, Read, Write},
};

/// Readable and writable (PROPATTR_READABLE | PROPATTR_WRITABLE).
const FLAGS: u32 = 6;
/// Strings are in Unicode (STORE_UNICODE_OK).
const UNICODE: i32 = 0x0004_0000;
const NAMES: &str = "/__nameid_version1.0";
/// Streams that find a name by its hash.
const HASH_STREAMS: u32 = 0x1F;

type File = cfb::CompoundFile<Cursor<Vec<u8>>>;

pub(super) fn write(message: &Message) -> Result<Vec<u8>, MsgError> {
    let file = cfb::CompoundFile::create_with_version(cfb::Version::V3, Cursor::new(Vec::new()));
    let mut writer = Writer { file: file.map_err(MsgError::Container)?, names: Names::default() };
    writer.storage(NAMES)?;
    writer.message("", message, true)?;
    writer.write_names()?;
    writer.file.flush().map_err(MsgError::Container)?;
    Ok(writer.file.into_inner().into_inner())
}

struct Writer {
    file: File,
    names: Names,
}

/// Named properties in the order in which they were met.
#[derive(Default)]
struct Names {
    numbers: BTreeMap<Key, u16>,
    guids: Vec<Guid>,
    entries: Vec<u8>,
    strings: Vec<u8>,
    /// Entries of each hash stream.
    hashes: BTreeMap<u32, Vec<u8>>,
}

impl Writer {
    fn storage(&mut self, path: &str) -> Result<(), MsgError> {
        self.file.create_storage(path).map_err(MsgError::Container)
    }

    fn stream(&mut self, path: &str, bytes: &[u8]) -> Result<(), MsgError> {
        let mut stream = self.file.create_stream(path).map_err(MsgError::Container)?;
        stream.write_all(bytes).map_err(MsgError::Container)
    }

    fn message(&mut self, path: &str, message: &Message, is_top: bool) -> Result<(), MsgError> {
        let count = |count: usize| u32::try_from(count).map_err(|_| MsgError::TooLarge);
        let (recipients, attachments) = (count(message.recipients.len())?, count(message.attachments.len())?);
        let mut header = vec![0; 8];
        for number in [recipients, attachments, recipients, attachments] {
            header.extend(number.to_le_bytes());
        }
        if is_top {
            header.extend([0; 8]);
        }
        let mut properties = message.properties.clone();
        properties.set(names::STORE_SUPPORT_MASK, Value::I32(UNICODE));
        self.bag(path, &properties, header)?;
        for (at, recipient) in message.recipients.iter().enumerate() {
            let path = format!("{path}/__recip_version1.0_#{at:08X}");
            self.storage(&path)?;
            self.bag(&path, recipient, vec![0; 8])?;
        }
        for (at, attachment) in message.attachments.iter().enumerate() {
            let path = format!("{path}/__attach_version1.0_#{at:08X}");
            self.storage(&path)?;
            self.attachment(&path, attachment)?;
        }
        Ok(())
    }

    fn attachment(&mut self, path: &str, attachment: &Attachment) -> Result<(), MsgError> {
        let mut header = vec![0; 8];
        let object = format!("{path}/__substg1.0_3701000D");
        // 1 = an item, 4 = a storage (MS-OXMSG 2.4.2.2).
        let what: Option<u32> = match attachment {
            Attachment { message: Some(_), .. } => Some(1),
            Attachment { object: Some(_), .. } => Some(4),
            _ => None,
        };
        let mut properties = attachment.properties.clone();
        if let Some(what) = what {
            properties.0.remove(&names::ATTACH_DATA);
            header.extend((0x3701_0000 | u32::from(kind::OBJECT)).to_le_bytes());
            header.extend(FLAGS.to_le_bytes());
            header.extend(u32::MAX.to_le_bytes());
            header.extend(what.to_le_bytes());
            self.storage(&object)?;
        }
        self.bag(path, &properties, header)?;
        match attachment {
            Attachment { message: Some(message), .. } => self.message(&object, message, false),
            Attachment { object: Some(bytes), .. } => self.copy_in(&object, bytes),
            _ => Ok(()),
        }
    }

    fn bag(&mut self, path: &str, bag: &Bag, header: Vec<u8>) -> Result<(), MsgError> {
        let mut rows = header;
        for (key, value) in &bag.0 {
            let number = self.names.number(key)?;
            let tag = (u32::from(number) << 16) | u32::from(value.kind());
            rows.extend(tag.to_le_bytes());
            rows.extend(FLAGS.to_le_bytes());
            let stream = format!("{path}/__substg1.0_{tag:08X}");
            if let Some(fixed) = value.fixed_bytes() {
                rows.extend(&fixed);
                rows.extend(std::iter::repeat_n(0, 8 - fixed.len()));
                continue;
            }
            // Sizes of texts count an end that isn't written (MS-OXMSG 2.4.2.2).
            let (bytes, end) = match value {
                Value::Many { of, values } => (self.many(&stream, *of, values)?, 0),
                Value::Text(text) => (text::encode_utf16(text), 2),
                Value::Binary(bytes) => (bytes.clone(), 0),
                Value::Guid(guid) => (guid.0.to_vec(), 0),
                _ => (Vec::new(), 0),
            };
            let size = u32::try_from(bytes.len() + end).map_err(|_| MsgError::TooLarge)?;
            rows.extend(size.to_le_bytes());
            rows.extend([0; 4]);
            self.stream(&stream, &bytes)?;
        }
        self.stream(&format!("{path}/__properties_version1.0"), &rows)
    }

    /// Writes the values and gives the bytes of the stream that lists them.
    fn many(&mut self, stream: &str, of: u16, values: &[Value]) -> Result<Vec<u8>, MsgError> {
        let mut list = Vec::new();
        for (at, value) in values.iter().enumerate() {
            let (bytes, end) = match value {
                Value::Text(text) => (text::encode_utf16(text), 2),
                Value::Binary(bytes) => (bytes.clone(), 0),
                Value::Guid(guid) => {
                    list.extend(guid.0);
                    continue;
                }
                fixed => {
                    list.extend(fixed.fixed_bytes().unwrap_or_default());
                    continue;
                }
            };
            let size = u32::try_from(bytes.len() + end).map_err(|_| MsgError::TooLarge)?;
            list.extend(size.to_le_bytes());
            if of == kind::BINARY {
                list.extend([0; 4]);
            }
            let mut bytes = bytes;
            bytes.extend(std::iter::repeat_n(0, end));
            self.stream(&format!("{stream}-{at:08X}"), &bytes)?;
        }
        Ok(list)
    }

    fn write_names(&mut self) -> Result<(), MsgError> {
        let names = std::mem::take(&mut self.names);
        let guids: Vec<u8> = names.guids.iter().flat_map(|guid| guid.0).collect();
        for (stream, bytes) in [("00020102", &guids), ("00030102", &names.entries), ("00040102", &names.strings)] {
            self.stream(&format!("{NAMES}/__substg1.0_{stream}"), bytes)?;
        }
        for (hash, entries) in &names.hashes {
            self.stream(&format!("{NAMES}/__substg1.0_{:04X}0102", 0x1000 + hash), entries)?;
        }
        Ok(())
    }

    fn copy_in(&mut self, storage: &str, bytes: &[u8]) -> Result<(), MsgError> {
        let mut source = cfb::CompoundFile::open(Cursor::new(bytes)).map_err(MsgError::Container)?;
        let entries: Vec<_> =
            source.walk().skip(1).map(|entry| (entry.path().to_owned(), entry.is_storage())).collect();
        for (path, is_storage) in entries {
            let Some(inner) = slashed(&path) else { continue };
            let target = format!("{storage}{inner}");
            if is_storage {
                self.storage(&target)?;
            } else {
                let mut bytes = Vec::new();
                let mut stream = source.open_stream(&path).map_err(MsgError::Container)?;
                stream.read_to_end(&mut bytes).map_err(MsgError::Container)?;
                self.stream(&target, &bytes)?;
            }
        }
        Ok(())
    }
}

impl Names {
    /// The number that stands for a property in this file.
    fn number(&mut self, key: &Key) -> Result<u16, MsgError> {
        let (guid, name) = match key {
            Key::Tag(tag) => return Ok(*tag),
            Key::Id(guid, _) => (*guid, None),
            Key::Name(guid, name) => (*guid, Some(name)),
        };
        if let Some(number) = self.numbers.get(key) {
            return Ok(*number);
        }
        let index = u16::try_from(self.numbers.len()).ok().filter(|index| *index < 0x7FFF).ok_or(MsgError::TooLarge)?;
        let set = self.set_index(guid)? << 1;
        let (first, hashed, set) = match (key, name) {
            (Key::Id(_, id), _) => (*id, *id, set),
            (_, Some(name)) => {
                let bytes = text::encode_utf16(name);
                let at = u32::try_from(self.strings.len()).map_err(|_| MsgError::TooLarge)?;
                self.strings.extend(u32::try_from(bytes.len()).map_err(|_| MsgError::TooLarge)?.to_le_bytes());
                self.strings.extend(&bytes);
                self.strings.resize(self.strings.len().next_multiple_of(4), 0);
                (at, crc32(&bytes), set | 1)
            }
            _ => unreachable!("a tag has its own number"),
        };
        let entry = |first: u32| [&first.to_le_bytes()[..], &set.to_le_bytes(), &index.to_le_bytes()].concat();
        self.entries.extend(entry(first));
        self.hashes.entry((hashed ^ u32::from(set)) % HASH_STREAMS).or_default().extend(entry(hashed));
        self.numbers.insert(key.clone(), 0x8000 + index);
        Ok(0x8000 + index)
    }

    /// 1 and 2 stand for two sets that everybody knows.
    fn set_index(&mut self, guid: Guid) -> Result<u16, MsgError> {
        if guid == names::PS_MAPI {
            return Ok(1);
        }
        if guid == names::PS_PUBLIC_STRINGS {
            return Ok(2);
        }
        let at = self.guids.iter().position(|known| *known == guid).unwrap_or_else(|| {
            self.guids.push(guid);
            self.guids.len() - 1
        });
        u16::try_from(at + 3).ok().filter(|index| *index < 0x7FFF).ok_or(MsgError::TooLarge)
    }
}

/// CRC-32 with nothing inverted at its ends (MS-OXRTFCP 2.1.3.2), as names are hashed.
fn crc32(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_hashed_like_outlook_does() {
        // From a file written by Outlook: see tests/mapi_msg.rs for whole streams.
        assert_eq!(crc32(b""), 0);
        assert_eq!(crc32(&[1]), 0x7707_3096);
    }
}
