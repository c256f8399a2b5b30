//! `.msg` files (MS-OXMSG), as little of them as a stand-in for Outlook needs. On purpose not the codec of the crate
//! under test: what both read alike isn't one mistake made twice.

use std::{
    collections::BTreeMap,
    io::{Cursor, Read as _, Write as _},
};

/// A property's value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// Of a fixed size: type and its eight bytes.
    Fixed(u16, [u8; 8]),
    Text(String),
    Bytes(Vec<u8>),
    Texts(Vec<String>),
    /// Streams we only carry: type, and each by the rest of its name.
    Other(u16, Vec<(String, Vec<u8>)>),
}

impl Value {
    pub(crate) fn kind(&self) -> u16 {
        match self {
            Self::Fixed(kind, _) | Self::Other(kind, _) => *kind,
            Self::Text(_) => 0x1F,
            Self::Bytes(_) => 0x102,
            Self::Texts(_) => 0x101F,
        }
    }
}

/// An item: properties by their schema name without a type, and what hangs on it as it was.
#[derive(Clone, Debug, Default)]
pub(crate) struct Item {
    pub(crate) properties: BTreeMap<String, Value>,
    header: Vec<u8>,
    /// Named properties in the order of their numbers: what hangs on the item is numbered by it, too.
    named: Vec<String>,
    /// Streams of recipients and attachments, by path.
    parts: BTreeMap<String, Vec<u8>>,
}

const PROPERTIES: &str = "__properties_version1.0";
const NAMES: &str = "__nameid_version1.0";

pub(crate) fn read(bytes: &[u8]) -> Option<Item> {
    let mut file = cfb::CompoundFile::open(Cursor::new(bytes)).ok()?;
    let paths: Vec<String> = file
        .walk()
        .filter(|entry| entry.is_stream())
        .map(|entry| entry.path().display().to_string().trim_start_matches('/').replace('\\', "/"))
        .collect();
    let mut streams = BTreeMap::new();
    for path in paths {
        let mut bytes = Vec::new();
        file.open_stream(format!("/{path}")).ok()?.read_to_end(&mut bytes).ok()?;
        streams.insert(path, bytes);
    }
    let mut item = Item { named: names(&streams)?, ..Item::default() };
    let table = streams.remove(PROPERTIES)?;
    item.header = table.get(..32)?.to_vec();
    for entry in table[32..].chunks_exact(16) {
        let (kind, id) = (u16::from_le_bytes([entry[0], entry[1]]), u16::from_le_bytes([entry[2], entry[3]]));
        let name = format!("__substg1.0_{id:04X}{kind:04X}");
        let stream = streams.get(&name);
        let value = match kind {
            0x1F => Value::Text(utf16(stream?)),
            0x102 => Value::Bytes(stream?.clone()),
            0x101F => {
                let count = stream?.len() / 4;
                let each = (0..count).map(|at| streams.get(&format!("{name}-{at:08X}")).map(|text| utf16(text)));
                Value::Texts(each.collect::<Option<_>>()?)
            }
            0x0D | 0x48 | 0x1002.. => {
                let mine = streams.iter().filter_map(|(path, bytes)| Some((path.strip_prefix(&name)?, bytes)));
                Value::Other(kind, mine.map(|(rest, bytes)| (rest.to_owned(), bytes.clone())).collect())
            }
            _ => Value::Fixed(kind, entry[8..16].try_into().ok()?),
        };
        let key = match id {
            0x8000.. => item.named.get(usize::from(id - 0x8000))?.clone(),
            _ => format!("proptag/0x{id:04X}"),
        };
        item.properties.insert(key, value);
    }
    let is_part = |path: &String| path.starts_with("__recip") || path.starts_with("__attach");
    item.parts = streams.into_iter().filter(|(path, _)| is_part(path)).collect();
    Some(item)
}

pub(crate) fn write(item: &Item) -> Vec<u8> {
    let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).unwrap();
    let mut streams = item.parts.clone();
    let mut named = item.named.clone();
    let mut table = if item.header.is_empty() { vec![0; 32] } else { item.header.clone() };
    for (key, value) in &item.properties {
        let id = match key.strip_prefix("proptag/0x") {
            Some(tag) => u16::from_str_radix(tag, 16).unwrap(),
            None => {
                let at = named.iter().position(|name| name == key).unwrap_or_else(|| {
                    named.push(key.clone());
                    named.len() - 1
                });
                0x8000 + u16::try_from(at).unwrap()
            }
        };
        let kind = value.kind();
        let name = format!("__substg1.0_{id:04X}{kind:04X}");
        let size = |bytes: usize| u64::try_from(bytes).unwrap().to_le_bytes();
        let eight = match value {
            Value::Fixed(_, bytes) => *bytes,
            Value::Text(text) => {
                let bytes = to_utf16(text);
                let length = bytes.len() + 2;
                streams.insert(name, bytes);
                size(length)
            }
            Value::Bytes(bytes) => {
                streams.insert(name, bytes.clone());
                size(bytes.len())
            }
            Value::Texts(texts) => {
                let each: Vec<Vec<u8>> = texts.iter().map(|text| [to_utf16(text), vec![0, 0]].concat()).collect();
                let lengths = each.iter().flat_map(|text| u32::try_from(text.len()).unwrap().to_le_bytes()).collect();
                for (at, text) in each.into_iter().enumerate() {
                    streams.insert(format!("{name}-{at:08X}"), text);
                }
                streams.insert(name, lengths);
                size(texts.len() * 4)
            }
            Value::Other(_, parts) => {
                for (rest, bytes) in parts {
                    streams.insert(format!("{name}{rest}"), bytes.clone());
                }
                size(parts.first().map_or(0, |(_, bytes)| bytes.len()))
            }
        };
        table.extend(u32::from(kind).to_le_bytes()[..2].iter().chain(&id.to_le_bytes()));
        table.extend(6_u32.to_le_bytes());
        table.extend(eight);
    }
    streams.insert(PROPERTIES.to_owned(), table);
    write_names(&named, &mut streams);
    for (path, bytes) in streams {
        if let Some((storage, _)) = path.rsplit_once('/') {
            file.create_storage_all(format!("/{storage}")).unwrap();
        }
        file.create_stream(format!("/{path}")).unwrap().write_all(&bytes).unwrap();
    }
    file.flush().unwrap();
    file.into_inner().into_inner()
}

fn names(streams: &BTreeMap<String, Vec<u8>>) -> Option<Vec<String>> {
    let stream = |id: u16| streams.get(&format!("{NAMES}/__substg1.0_{id:04X}0102")).map_or(&[][..], Vec::as_slice);
    let (guids, entries, strings) = (stream(2), stream(3), stream(4));
    let name = |entry: &[u8]| {
        let number = u32::from_le_bytes(entry[..4].try_into().ok()?);
        let what = u16::from_le_bytes([entry[4], entry[5]]);
        let set = match what >> 1 {
            1 => "{00020328-0000-0000-C000-000000000046}".to_owned(),
            2 => "{00020329-0000-0000-C000-000000000046}".to_owned(),
            at => {
                let at = usize::from(at - 3) * 16;
                guid(guids.get(at..at + 16)?)
            }
        };
        if what & 1 == 0 {
            return Some(format!("id/{set}/{number:04X}"));
        }
        let at = usize::try_from(number).ok()?;
        let length = usize::try_from(u32::from_le_bytes(strings.get(at..at + 4)?.try_into().ok()?)).ok()?;
        Some(format!("string/{set}/{}", utf16(strings.get(at + 4..at + 4 + length)?)))
    };
    entries.chunks_exact(8).map(name).collect()
}

fn write_names(named: &[String], streams: &mut BTreeMap<String, Vec<u8>>) {
    let (mut guids, mut entries, mut strings) = (Vec::<u8>::new(), Vec::new(), Vec::new());
    for (at, key) in named.iter().enumerate() {
        let mut parts = key.splitn(3, '/');
        let (is_text, set, name) = (parts.next() == Some("string"), parts.next().unwrap(), parts.next().unwrap());
        let bytes = guid_bytes(set);
        let index = guids.chunks(16).position(|known| known == bytes).unwrap_or_else(|| {
            guids.extend(&bytes);
            guids.len() / 16 - 1
        });
        let number = if is_text {
            let offset = strings.len();
            let text = to_utf16(name);
            strings.extend(u32::try_from(text.len()).unwrap().to_le_bytes());
            strings.extend(&text);
            strings.resize(strings.len().next_multiple_of(4), 0);
            u32::try_from(offset).unwrap()
        } else {
            u32::from_str_radix(name, 16).unwrap()
        };
        entries.extend(number.to_le_bytes());
        entries.extend((u16::try_from(index + 3).unwrap() << 1 | u16::from(is_text)).to_le_bytes());
        entries.extend(u16::try_from(at).unwrap().to_le_bytes());
    }
    for (id, bytes) in [(2, guids), (3, entries), (4, strings)] {
        streams.insert(format!("{NAMES}/__substg1.0_{id:04X}0102"), bytes);
    }
}

fn guid(b: &[u8]) -> String {
    let rest: String = b[10..].iter().map(|byte| format!("{byte:02X}")).collect();
    let first = [b[3], b[2], b[1], b[0]].map(|byte| format!("{byte:02X}")).concat();
    format!("{{{first}-{:02X}{:02X}-{:02X}{:02X}-{:02X}{:02X}-{rest}}}", b[5], b[4], b[7], b[6], b[8], b[9])
}

fn guid_bytes(text: &str) -> Vec<u8> {
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    let b: Vec<u8> = (0..16).map(|at| u8::from_str_radix(&digits[at * 2..at * 2 + 2], 16).unwrap()).collect();
    [vec![b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6]], b[8..].to_vec()].concat()
}

fn utf16(bytes: &[u8]) -> String {
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    String::from_utf16_lossy(&units).trim_end_matches('\0').to_owned()
}

fn to_utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}
