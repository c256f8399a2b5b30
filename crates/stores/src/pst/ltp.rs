//! Heaps, property contexts and tables (MS-PST 2.3).

use super::{
    PstError,
    ndb::{Ndb, Nid, Node},
};
use crate::mapi::{Guid, Key, Value, kind, names, variable};
use std::{
    collections::BTreeSet,
    io::{Read, Seek},
};

/// Properties of one object, columns of a table, values of one property.
const PROPERTIES_MAX: usize = 16_384;
const ROWS_MAX: usize = 65_536;
const LEVELS_MAX: u8 = 8;

/// A record of a tree: key and value.
type Record = (Vec<u8>, Vec<u8>);

/// A node's heap, and the nodes below it that hold what is too large for the heap.
#[derive(Clone, Debug)]
pub(super) struct Context {
    blocks: Vec<Vec<u8>>,
    pub(super) inner: Vec<Node>,
}

/// A property as it lies in the file.
#[derive(Clone, Debug)]
pub(super) struct Property {
    pub(super) id: u16,
    kind: u16,
    bytes: Vec<u8>,
}

/// The properties of one object.
#[derive(Clone, Debug, Default)]
pub(super) struct Raw(pub(super) Vec<Property>);

impl Raw {
    /// The code page of strings that are not in Unicode.
    pub(super) fn code_page(&self) -> Option<u16> {
        let page = |key: &Key| {
            let property = self.0.iter().find(|property| Key::Tag(property.id) == *key)?;
            let number = i32::from_le_bytes(property.bytes.get(..4)?.try_into().ok()?);
            u16::try_from(number).ok().filter(|page| *page > 0)
        };
        page(&names::MESSAGE_CODE_PAGE).or_else(|| page(&names::INTERNET_CODE_PAGE))
    }
}

impl Property {
    /// `None` for types that say nothing outside the file.
    pub(super) fn value(&self, code_page: u16) -> Option<Value> {
        if self.kind & kind::MANY != 0 {
            return self.many(code_page);
        }
        let mut eight = [0; 8];
        let count = self.bytes.len().min(8);
        eight[..count].copy_from_slice(&self.bytes[..count]);
        Value::fixed(self.kind, eight).or_else(|| variable(self.kind, self.subject(), code_page))
    }

    /// Subjects begin with how long what stands before them (`Re: `) is (MS-PST 2.5.3.1.1.1).
    fn subject(&self) -> Vec<u8> {
        let is_subject = Key::Tag(self.id) == names::SUBJECT;
        match (&*self.bytes, self.kind) {
            ([1, 0, _, _, rest @ ..], kind::TEXT) | ([1, _, rest @ ..], kind::TEXT_8) if is_subject => rest.to_vec(),
            (bytes, _) => bytes.to_vec(),
        }
    }

    fn many(&self, code_page: u16) -> Option<Value> {
        let of = self.kind & !kind::MANY;
        let width = match of {
            kind::I16 => 2,
            kind::I32 | kind::F32 => 4,
            kind::F64 | kind::CURRENCY | kind::FLOATING_TIME | kind::I64 | kind::TIME => 8,
            kind::GUID => 16,
            kind::TEXT | kind::TEXT_8 | kind::BINARY => 0,
            _ => return None,
        };
        let values = if width > 0 {
            let value = |bytes: &[u8]| {
                if of == kind::GUID {
                    return Some(Value::Guid(Guid(bytes.try_into().ok()?)));
                }
                let mut eight = [0; 8];
                eight[..width].copy_from_slice(bytes);
                Value::fixed(of, eight)
            };
            self.bytes.chunks_exact(width).take(PROPERTIES_MAX).filter_map(value).collect()
        } else {
            let number = |at: usize| {
                let bytes = self.bytes.get(at * 4..at * 4 + 4)?;
                Some(u32::from_le_bytes(bytes.try_into().ok()?) as usize)
            };
            let count = number(0)?.min(PROPERTIES_MAX);
            // All values together are no longer than the property: overlapping ones are nobody's.
            let mut left = self.bytes.len();
            let mut values = Vec::new();
            for at in 0..count {
                let (start, next) = (number(at + 1)?, if at + 1 < count { number(at + 2)? } else { self.bytes.len() });
                let bytes = self.bytes.get(start..next)?;
                left = left.checked_sub(bytes.len())?;
                values.extend(variable(of, bytes.to_vec(), code_page));
            }
            values
        };
        Some(Value::Many { of: if of == kind::TEXT_8 { kind::TEXT } else { of }, values })
    }
}

impl Context {
    pub(super) fn read(blocks: Vec<Vec<u8>>, inner: Vec<Node>) -> Result<Self, PstError> {
        match blocks.first().map(Vec::as_slice) {
            Some([_, _, 0xEC, ..]) => Ok(Self { blocks, inner }),
            _ => Err(PstError::Damaged),
        }
    }

    /// What kind of heap it is, and where its root lies.
    fn header(&self) -> Result<(u8, u32), PstError> {
        let header = self.blocks[0].get(..12).ok_or(PstError::Damaged)?;
        Ok((header[3], u32::from_le_bytes([header[4], header[5], header[6], header[7]])))
    }

    /// What lies at a place of the heap; 0 is nothing.
    fn at(&self, hid: u32) -> Result<&[u8], PstError> {
        if hid == 0 {
            return Ok(&[]);
        }
        let (index, block) = ((hid >> 5) & 0x7FF, hid >> 16);
        let find = || {
            let block = self.blocks.get(block as usize)?;
            let word = |at: usize| Some(usize::from(u16::from_le_bytes(block.get(at..at + 2)?.try_into().ok()?)));
            let map = word(0)?;
            let count = word(map)?;
            let index = usize::try_from(index).ok().filter(|index| (1..=count).contains(index))?;
            block.get(word(map + 2 + index * 2)?..word(map + 4 + index * 2)?)
        };
        find().ok_or(PstError::Damaged)
    }

    /// What a number leads to: a place of the heap, or a node below.
    fn bytes<R: Read + Seek>(&self, ndb: &mut Ndb<R>, hnid: u32) -> Result<Vec<u8>, PstError> {
        if hnid & 0x1F == 0 {
            return self.at(hnid).map(<[u8]>::to_vec);
        }
        Ok(self.blocks_of(ndb, Nid(hnid))?.concat())
    }

    fn blocks_of<R: Read + Seek>(&self, ndb: &mut Ndb<R>, nid: Nid) -> Result<Vec<Vec<u8>>, PstError> {
        let at = self.inner.binary_search_by_key(&nid, |node| node.nid).map_err(|_| PstError::Damaged)?;
        ndb.blocks(self.inner[at].data)
    }

    /// The records of a tree on the heap: keys with their values.
    fn tree(&self, root: u32) -> Result<Vec<Record>, PstError> {
        let header = self.at(root)?;
        let [0xB5, key_bytes, value_bytes, levels, first @ ..] = header else { return Err(PstError::Damaged) };
        let first = u32::from_le_bytes(first.get(..4).and_then(|hid| hid.try_into().ok()).ok_or(PstError::Damaged)?);
        let (key_bytes, value_bytes) = (usize::from(*key_bytes), usize::from(*value_bytes));
        if key_bytes == 0 || *levels > LEVELS_MAX {
            return Err(PstError::Damaged);
        }
        let mut records = Vec::new();
        let mut open = vec![(first, *levels)];
        let mut steps = 0;
        while let Some((hid, level)) = open.pop() {
            steps += 1;
            if steps > PROPERTIES_MAX {
                return Err(PstError::TooLarge);
            }
            let bytes = self.at(hid)?;
            if level > 0 {
                let children: Vec<u32> = bytes
                    .chunks_exact(key_bytes + 4)
                    .map(|entry| u32::from_le_bytes(entry[key_bytes..].try_into().expect("four bytes")))
                    .collect();
                open.extend(children.into_iter().rev().map(|child| (child, level - 1)));
                continue;
            }
            for entry in bytes.chunks_exact(key_bytes + value_bytes) {
                if records.len() == ROWS_MAX {
                    return Err(PstError::TooLarge);
                }
                records.push((entry[..key_bytes].to_vec(), entry[key_bytes..].to_vec()));
            }
        }
        Ok(records)
    }

    /// The records of a property context: ID, type, and value or where it is.
    fn records(&self) -> Result<Vec<(u16, u16, u32)>, PstError> {
        let (0xBC, root) = self.header()? else { return Err(PstError::Damaged) };
        let record = |(key, value): Record| {
            let id = u16::from_le_bytes(key.get(..2)?.try_into().ok()?);
            let kind = u16::from_le_bytes(value.get(..2)?.try_into().ok()?);
            Some((id, kind, u32::from_le_bytes(value.get(2..6)?.try_into().ok()?)))
        };
        Ok(self.tree(root)?.into_iter().filter_map(record).collect())
    }

    /// All properties. One that can't be read makes the item damaged: half an item must not pass for a whole one.
    pub(super) fn properties<R: Read + Seek>(&self, ndb: &mut Ndb<R>) -> Result<Raw, PstError> {
        let mut raw = Raw::default();
        for (id, kind, value) in self.records()? {
            let bytes = match kind {
                kind::OBJECT => continue,
                _ if is_inline(kind) => value.to_le_bytes().to_vec(),
                _ => self.bytes(ndb, value)?,
            };
            raw.0.push(Property { id, kind, bytes });
        }
        Ok(raw)
    }

    /// The node of the object that an attachment is.
    pub(super) fn object(&self) -> Option<Nid> {
        let records = self.records().ok()?;
        let (.., value) =
            records.into_iter().find(|(id, kind, _)| Key::Tag(*id) == names::ATTACH_DATA && *kind == kind::OBJECT)?;
        let place = self.at(value).ok()?;
        Some(Nid(u32::from_le_bytes(place.get(..4)?.try_into().ok()?)))
    }

    /// The rows of a table.
    pub(super) fn rows<R: Read + Seek>(&self, ndb: &mut Ndb<R>) -> Result<Vec<Raw>, PstError> {
        let (0x7C, root) = self.header()? else { return Err(PstError::Damaged) };
        let info = self.at(root)?;
        let [0x7C, columns, rest @ ..] = info else { return Err(PstError::Damaged) };
        let word = |at: usize| {
            let bytes = rest.get(at..at + 2).and_then(|bytes| bytes.try_into().ok()).ok_or(PstError::Damaged)?;
            Ok::<_, PstError>(usize::from(u16::from_le_bytes(bytes)))
        };
        let (bitmap_at, row_bytes) = (word(4)?, word(6)?);
        // The matrix also holds rows that were deleted; those the index names are the table.
        let index = rest.get(8..12).and_then(|bytes| bytes.try_into().ok()).ok_or(PstError::Damaged)?;
        let number = |value: &[u8]| value.iter().rev().fold(0u32, |number, byte| number << 8 | u32::from(*byte));
        let live: BTreeSet<u32> =
            self.tree(u32::from_le_bytes(index))?.iter().map(|(_, value)| number(value)).collect();
        let rows_at = rest.get(12..16).and_then(|bytes| bytes.try_into().ok()).ok_or(PstError::Damaged)?;
        let rows_at = u32::from_le_bytes(rows_at);
        let columns: Vec<&[u8]> =
            rest.get(20..).unwrap_or_default().chunks_exact(8).take(usize::from(*columns)).collect();
        if row_bytes == 0 || bitmap_at > row_bytes {
            return Err(PstError::Damaged);
        }
        // Rows never cross the end of a block.
        let blocks = match rows_at {
            hid if hid & 0x1F == 0 => vec![self.at(hid)?.to_vec()],
            nid => self.blocks_of(ndb, Nid(nid))?,
        };
        let mut rows = Vec::new();
        let all = blocks.iter().flat_map(|block| block.chunks_exact(row_bytes));
        for (_, row) in (0u32..).zip(all).filter(|(at, _)| live.contains(at)) {
            if rows.len() == ROWS_MAX {
                return Err(PstError::TooLarge);
            }
            let mut raw = Raw::default();
            for column in &columns {
                let (kind, id) =
                    (u16::from_le_bytes([column[0], column[1]]), u16::from_le_bytes([column[2], column[3]]));
                let at = usize::from(u16::from_le_bytes([column[4], column[5]]));
                let (count, bit) = (usize::from(column[6]), usize::from(column[7]));
                let is_there = row.get(bitmap_at + bit / 8).is_some_and(|byte| byte & (0x80 >> (bit % 8)) != 0);
                let Some(cell) = row.get(at..at + count).filter(|_| is_there) else { continue };
                let bytes = if is_inline(kind) || is_eight(kind) {
                    cell.to_vec()
                } else {
                    let hnid = cell.get(..4).and_then(|cell| cell.try_into().ok()).ok_or(PstError::Damaged)?;
                    self.bytes(ndb, u32::from_le_bytes(hnid))?
                };
                raw.0.push(Property { id, kind, bytes });
            }
            rows.push(raw);
        }
        Ok(rows)
    }
}

/// Types whose values are no larger than the number that would lead to them.
fn is_inline(of: u16) -> bool {
    matches!(of, kind::I16 | kind::I32 | kind::F32 | kind::ERROR | kind::BOOL)
}

/// Types of eight bytes, which stand in the rows of a table.
fn is_eight(of: u16) -> bool {
    matches!(of, kind::F64 | kind::CURRENCY | kind::FLOATING_TIME | kind::I64 | kind::TIME)
}
