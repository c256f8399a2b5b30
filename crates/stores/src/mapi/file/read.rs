//! Reading `.msg` files.

use super::{MsgError, limits, slashed};
use crate::mapi::{Attachment, Bag, Guid, Key, Message, Value, bag::kind, names, text};
use std::{
    collections::BTreeMap,
    io::{Cursor, Read},
};

const PROPERTIES: &str = "__properties_version1.0";
const NAMES: &str = "/__nameid_version1.0";
const ATTACHED_OBJECT: &str = "__substg1.0_3701000D";
/// Where a header is longer: the top of the file, an item inside an item, a recipient or an attachment.
const TOP_HEADER: usize = 32;
const INNER_HEADER: usize = 24;
const PART_HEADER: usize = 8;

type File<'a> = cfb::CompoundFile<Cursor<&'a [u8]>>;

pub(super) fn read(bytes: &[u8]) -> Result<Message, MsgError> {
    let file = cfb::CompoundFile::open(Cursor::new(bytes)).map_err(MsgError::Container)?;
    let mut reader = Reader { file, names: BTreeMap::new(), bytes_left: limits::VALUE_BYTES_MAX, code_page: None };
    if !reader.file.is_stream(format!("/{PROPERTIES}")) {
        return Err(MsgError::NoMessage);
    }
    reader.names = reader.named_properties()?;
    reader.message("", TOP_HEADER, 0)
}

struct Reader<'a> {
    file: File<'a>,
    names: BTreeMap<u16, Key>,
    bytes_left: u64,
    /// Of the outermost item: where an inner one doesn't say.
    code_page: Option<u16>,
}

impl Reader<'_> {
    fn message(&mut self, path: &str, header: usize, depth: usize) -> Result<Message, MsgError> {
        if depth > limits::DEPTH_MAX {
            return Err(MsgError::TooLarge);
        }
        let rows = self.rows(path, header)?;
        let number = |key: &Key| {
            let tag = match key {
                Key::Tag(tag) => (u32::from(*tag) << 16) | u32::from(kind::I32),
                _ => return None,
            };
            let row = rows.iter().find(|row| row.tag == tag)?;
            u16::try_from(i32::from_le_bytes(row.value[..4].try_into().ok()?)).ok().filter(|page| *page > 0)
        };
        let own = number(&names::MESSAGE_CODE_PAGE).or_else(|| number(&names::INTERNET_CODE_PAGE));
        let code_page = own.or(self.code_page).unwrap_or(text::WINDOWS_1252);
        let outer = self.code_page.replace(code_page);
        let mut message = Message { properties: self.bag(path, &rows, code_page)?, ..Message::default() };
        let root = if path.is_empty() { "/" } else { path };
        let storages = self.file.read_storage(root).map_err(MsgError::Container)?;
        let mut parts: Vec<String> = storages
            .filter(|entry| entry.is_storage())
            .map(|entry| entry.name().to_owned())
            .filter(|name| name.starts_with("__recip_version1.0_#") || name.starts_with("__attach_version1.0_#"))
            .take(limits::PARTS_MAX)
            .collect();
        // The numbers are hexadecimal digits of one width, so this is their order.
        parts.sort();
        for part in parts {
            let path = format!("{path}/{part}");
            let rows = self.rows(&path, PART_HEADER)?;
            let properties = self.bag(&path, &rows, code_page)?;
            if part.starts_with("__recip") {
                message.recipients.push(properties);
                continue;
            }
            let mut attachment = Attachment { properties, ..Attachment::default() };
            let object = format!("{path}/{ATTACHED_OBJECT}");
            if self.file.is_storage(&object) {
                if self.file.is_stream(format!("{object}/{PROPERTIES}")) {
                    attachment.message = Some(Box::new(self.message(&object, INNER_HEADER, depth + 1)?));
                } else {
                    attachment.object = Some(self.copy_out(&object)?);
                }
            }
            message.attachments.push(attachment);
        }
        self.code_page = outer;
        Ok(message)
    }

    fn stream(&mut self, path: &str) -> Result<Vec<u8>, MsgError> {
        let stream = self.file.open_stream(path).map_err(MsgError::Container)?;
        let length = stream.len();
        self.bytes_left = self.bytes_left.checked_sub(length).ok_or(MsgError::TooLarge)?;
        let mut bytes = Vec::new();
        stream.take(length).read_to_end(&mut bytes).map_err(MsgError::Container)?;
        Ok(bytes)
    }

    /// A stream that may be missing.
    fn stream_if_there(&mut self, path: &str) -> Result<Option<Vec<u8>>, MsgError> {
        if self.file.is_stream(path) { self.stream(path).map(Some) } else { Ok(None) }
    }

    fn rows(&mut self, path: &str, header: usize) -> Result<Vec<Row>, MsgError> {
        // Some programs leave out the properties of recipients and attachments that have none.
        let bytes = self.stream_if_there(&format!("{path}/{PROPERTIES}"))?.unwrap_or_default();
        let rows = bytes.get(header..).unwrap_or_default().chunks_exact(16);
        if rows.len() > limits::PROPERTIES_MAX {
            return Err(MsgError::TooLarge);
        }
        let row = |row: &[u8]| Row {
            tag: u32::from_le_bytes([row[0], row[1], row[2], row[3]]),
            value: [row[8], row[9], row[10], row[11], row[12], row[13], row[14], row[15]],
        };
        Ok(rows.map(row).collect())
    }

    fn bag(&mut self, path: &str, rows: &[Row], code_page: u16) -> Result<Bag, MsgError> {
        let mut bag = Bag::default();
        for row in rows {
            let (id, of) = ((row.tag >> 16) as u16, row.tag as u16);
            let key = match id {
                0x8000.. => self.names.get(&id).cloned(),
                _ => Some(Key::Tag(id)),
            };
            // A number that no name stands for means nothing outside its file.
            let Some(key) = key else { continue };
            if let Some(value) = self.value(path, row, of, code_page)? {
                // Unicode beside the same in a code page: Unicode says more.
                let is_better = of & 0xFFF == kind::TEXT || !bag.0.contains_key(&key);
                if is_better {
                    bag.set(key, value);
                }
            }
        }
        Ok(bag)
    }

    fn value(&mut self, path: &str, row: &Row, of: u16, code_page: u16) -> Result<Option<Value>, MsgError> {
        if let Some(value) = Value::fixed(of, row.value) {
            return Ok(Some(value));
        }
        let stream = format!("{path}/__substg1.0_{:08X}", row.tag);
        if of & kind::MANY != 0 {
            return self.many(&stream, of & !kind::MANY, code_page);
        }
        match of {
            kind::TEXT | kind::TEXT_8 | kind::BINARY | kind::GUID => {
                Ok(self.stream_if_there(&stream)?.and_then(|bytes| variable(of, bytes, code_page)))
            }
            _ => Ok(None),
        }
    }

    fn many(&mut self, stream: &str, of: u16, code_page: u16) -> Result<Option<Value>, MsgError> {
        let Some(bytes) = self.stream_if_there(stream)? else { return Ok(None) };
        let mut values = Vec::new();
        let width = match of {
            kind::TEXT | kind::TEXT_8 => 4,
            kind::BINARY => 8,
            kind::I16 => 2,
            kind::GUID => 16,
            kind::I32 | kind::F32 => 4,
            kind::F64 | kind::CURRENCY | kind::FLOATING_TIME | kind::I64 | kind::TIME => 8,
            _ => return Ok(None),
        };
        let chunks = bytes.chunks_exact(width);
        if chunks.len() > limits::VALUES_MAX {
            return Err(MsgError::TooLarge);
        }
        for (at, chunk) in chunks.enumerate() {
            let value = match of {
                kind::TEXT | kind::TEXT_8 | kind::BINARY => {
                    let bytes = self.stream_if_there(&format!("{stream}-{at:08X}"))?.unwrap_or_default();
                    variable(of, bytes, code_page)
                }
                kind::GUID => variable(of, chunk.to_vec(), code_page),
                _ => {
                    let mut eight = [0; 8];
                    eight[..width].copy_from_slice(chunk);
                    Value::fixed(of, eight)
                }
            };
            values.extend(value);
        }
        Ok(Some(Value::Many { of: if of == kind::TEXT_8 { kind::TEXT } else { of }, values }))
    }

    fn named_properties(&mut self) -> Result<BTreeMap<u16, Key>, MsgError> {
        let mut part =
            |kind: &str| Ok(self.stream_if_there(&format!("{NAMES}/__substg1.0_{kind}"))?.unwrap_or_default());
        Ok(named_properties(&part("00020102")?, &part("00030102")?, &part("00040102")?))
    }

    /// An OLE object becomes a file of its own.
    fn copy_out(&mut self, storage: &str) -> Result<Vec<u8>, MsgError> {
        let entries: Vec<(String, bool)> = self
            .file
            .walk_storage(storage)
            .map_err(MsgError::Container)?
            .skip(1)
            .take(limits::PARTS_MAX)
            .filter_map(|entry| Some((slashed(entry.path())?, entry.is_storage())))
            .collect();
        let mut copy = cfb::CompoundFile::create(Cursor::new(Vec::new())).map_err(MsgError::Container)?;
        for (path, is_storage) in entries {
            let Some(inner) = path.strip_prefix(storage) else { continue };
            if is_storage {
                copy.create_storage(inner).map_err(MsgError::Container)?;
            } else {
                let bytes = self.stream(&path)?;
                let mut stream = copy.create_stream(inner).map_err(MsgError::Container)?;
                std::io::Write::write_all(&mut stream, &bytes).map_err(MsgError::Container)?;
            }
        }
        copy.flush().map_err(MsgError::Container)?;
        Ok(copy.into_inner().into_inner())
    }
}

struct Row {
    tag: u32,
    value: [u8; 8],
}

/// A value of variable size from its bytes.
pub(crate) fn variable(of: u16, bytes: Vec<u8>, code_page: u16) -> Option<Value> {
    Some(match of {
        kind::TEXT => Value::Text(text::decode_utf16(&bytes)),
        kind::TEXT_8 => Value::Text(text::decode(&bytes, code_page)),
        kind::BINARY => Value::Binary(bytes),
        kind::GUID => Value::Guid(Guid(bytes.get(..16)?.try_into().ok()?)),
        _ => return None,
    })
}

/// Which property each number from 0x8000 on stands for, from the streams that say so (MS-OXMSG 2.2.3, MS-PST 2.4.7).
pub(crate) fn named_properties(guids: &[u8], entries: &[u8], strings: &[u8]) -> BTreeMap<u16, Key> {
    let named = |entry: &[u8]| {
        let id = u32::from_le_bytes(entry[..4].try_into().ok()?);
        let index_and_kind = u16::from_le_bytes([entry[4], entry[5]]);
        let number = u16::from_le_bytes([entry[6], entry[7]]).checked_add(0x8000)?;
        let set = match usize::from(index_and_kind >> 1) {
            1 => names::PS_MAPI,
            2 => names::PS_PUBLIC_STRINGS,
            index => {
                let at = index.checked_sub(3)? * 16;
                Guid(guids.get(at..at + 16)?.try_into().ok()?)
            }
        };
        let key = match index_and_kind & 1 {
            0 => Key::Id(set, id),
            _ => Key::Name(set, name_at(strings, id as usize)?.into()),
        };
        Some((number, key))
    };
    entries.chunks_exact(8).take(0x7FFF).filter_map(named).collect()
}

fn name_at(strings: &[u8], at: usize) -> Option<String> {
    let length = strings.get(at..)?.get(..4)?;
    let length = u32::from_le_bytes(length.try_into().ok()?) as usize;
    Some(text::decode_utf16(strings.get(at + 4..)?.get(..length)?))
}
