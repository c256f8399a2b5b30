//! Nodes and blocks (MS-PST 2.2).

use super::{PstError, crypt::Crypt};
use std::{
    collections::HashMap,
    io::{Read, Seek, SeekFrom},
};

const PAGE_BYTES: usize = 512;
const HEADER_BYTES: usize = 564;
/// Levels of a tree, and pages of a file that belong to one.
const LEVELS_MAX: u8 = 16;
/// Pages of the block tree kept in memory.
const CACHED_PAGES_MAX: usize = 4_096;
/// Bytes read for one item, its attachments included.
const ITEM_BYTES_MAX: u64 = 512 << 20;
/// Nodes below one node.
const INNER_NODES_MAX: usize = 65_536;

/// What kinds of nodes there are: the low five bits of a node's number.
pub(super) mod kind {
    pub(crate) const FOLDER: u32 = 0x02;
    pub(crate) const MESSAGE: u32 = 0x04;
    pub(crate) const ATTACHMENT: u32 = 0x05;
    pub(crate) const RECIPIENTS: u32 = 0x12;
}

/// The number of a node.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Nid(pub(super) u32);

impl Nid {
    pub(super) fn kind(self) -> u32 {
        self.0 & 0x1F
    }
}

/// The number of a block; 0 is none.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct Bid(u64);

impl Bid {
    /// The lowest bit has no meaning.
    fn new(number: u64) -> Self {
        Self(number & !1)
    }

    fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Holds a tree and not data.
    fn is_internal(self) -> bool {
        self.0 & 2 != 0
    }
}

/// An item, folder, or part of one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Node {
    pub(super) nid: Nid,
    pub(super) data: Bid,
    pub(super) inner: Bid,
    pub(super) parent: Nid,
}

/// Where things are in files of the old kind (ANSI, up to 2 GB) and of the new one (Unicode).
#[derive(Clone, Copy, Debug)]
struct Layout {
    is_unicode: bool,
}

impl Layout {
    fn number(self, bytes: &[u8], at: usize) -> Option<u64> {
        if self.is_unicode {
            Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
        } else {
            Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?).into())
        }
    }

    /// The `index`th number of a record.
    fn nth(self, bytes: &[u8], index: usize) -> Option<u64> {
        self.number(bytes, index * self.width())
    }

    fn width(self) -> usize {
        if self.is_unicode { 8 } else { 4 }
    }

    fn trailer(self) -> usize {
        if self.is_unicode { 16 } else { 12 }
    }
}

/// The lower layer of a file.
#[derive(Debug)]
pub(super) struct Ndb<R> {
    source: R,
    length: u64,
    layout: Layout,
    crypt: Crypt,
    node_root: u64,
    block_root: u64,
    pages: HashMap<u64, Page>,
    bytes_left: u64,
}

/// A page of a tree.
#[derive(Clone, Debug)]
struct Page {
    level: u8,
    entry_bytes: usize,
    entries: Vec<u8>,
}

impl Page {
    fn entries(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.entries.chunks_exact(self.entry_bytes)
    }
}

impl<R: Read + Seek> Ndb<R> {
    pub(super) fn open(mut source: R) -> Result<Self, PstError> {
        let length = source.seek(SeekFrom::End(0))?;
        source.seek(SeekFrom::Start(0))?;
        let mut header = Vec::new();
        source.by_ref().take(HEADER_BYTES as u64).read_to_end(&mut header)?;
        if !header.starts_with(b"!BDN") {
            return Err(PstError::NotPst);
        }
        if header.len() < HEADER_BYTES {
            return Err(PstError::Damaged);
        }
        let version = u16::from_le_bytes([header[10], header[11]]);
        let layout = match version {
            14 | 15 => Layout { is_unicode: false },
            // 36 and later have other pages, and compressed blocks.
            23..=35 => Layout { is_unicode: true },
            version => return Err(PstError::Version { version }),
        };
        let (nodes_at, blocks_at, crypt_at) = if layout.is_unicode { (224, 240, 513) } else { (188, 196, 461) };
        let root = |at| layout.number(&header, at).ok_or(PstError::Damaged);
        let crypt = Crypt::of(header[crypt_at]).ok_or(PstError::Version { version })?;
        let (node_root, block_root) = (root(nodes_at)?, root(blocks_at)?);
        Ok(Self {
            source,
            length,
            layout,
            crypt,
            node_root,
            block_root,
            pages: HashMap::new(),
            bytes_left: ITEM_BYTES_MAX,
        })
    }

    /// From here on the bytes read belong to another item.
    pub(super) fn start_item(&mut self) {
        self.bytes_left = ITEM_BYTES_MAX;
    }

    fn bytes(&mut self, at: u64, count: usize) -> Result<Vec<u8>, PstError> {
        let end = at.checked_add(count as u64).ok_or(PstError::Damaged)?;
        if end > self.length {
            return Err(PstError::Damaged);
        }
        let mut bytes = vec![0; count];
        self.source.seek(SeekFrom::Start(at))?;
        self.source.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn page(&mut self, at: u64) -> Result<Page, PstError> {
        if let Some(page) = self.pages.get(&at) {
            return Ok(page.clone());
        }
        let bytes = self.bytes(at, PAGE_BYTES)?;
        let (about, trailer) = if self.layout.is_unicode { (488, 496) } else { (496, 500) };
        let [count, _, entry_bytes, level] = bytes[about..about + 4] else { return Err(PstError::Damaged) };
        let (kind, again) = (bytes[trailer], bytes[trailer + 1]);
        let checksum_at = if self.layout.is_unicode { trailer + 4 } else { trailer + 8 };
        let checksum = u32::from_le_bytes(bytes[checksum_at..checksum_at + 4].try_into().expect("four bytes"));
        let used = usize::from(count) * usize::from(entry_bytes);
        let smallest = 2 * self.layout.width();
        let is_whole = matches!(kind, 0x80 | 0x81)
            && kind == again
            && level < LEVELS_MAX
            && used <= about
            && usize::from(entry_bytes) >= smallest
            && crc32(&bytes[..trailer]) == checksum;
        if !is_whole {
            return Err(PstError::Damaged);
        }
        let page = Page { level, entry_bytes: entry_bytes.into(), entries: bytes[..used].to_vec() };
        if self.pages.len() == CACHED_PAGES_MAX {
            self.pages.clear();
        }
        self.pages.insert(at, page.clone());
        Ok(page)
    }

    /// Every node of the file by number, and how many parts of the tree can't be read.
    pub(super) fn nodes(&mut self) -> Result<(Vec<Node>, u64), PstError> {
        let mut nodes = Vec::new();
        let mut missing = 0;
        // A page belongs to the tree once: what a damaged file says can't send us round in circles.
        let mut pages_left = self.length / PAGE_BYTES as u64;
        let root = self.page(self.node_root)?;
        let mut open = vec![(self.node_root, root.level)];
        while let Some((at, level)) = open.pop() {
            pages_left = pages_left.checked_sub(1).ok_or(PstError::Damaged)?;
            let page = match self.page(at) {
                Ok(page) if page.level == level => page,
                Ok(_) | Err(PstError::Damaged) => {
                    missing += 1;
                    continue;
                }
                Err(error) => return Err(error),
            };
            for entry in page.entries() {
                if level > 0 {
                    if let Some(child) = self.layout.nth(entry, 2) {
                        open.push((child, level - 1));
                    }
                } else if let Some(node) = self.node(entry) {
                    nodes.push(node);
                }
            }
        }
        self.pages.clear();
        nodes.sort_by_key(|node: &Node| node.nid);
        nodes.dedup_by_key(|node| node.nid);
        Ok((nodes, missing))
    }

    fn node(&self, entry: &[u8]) -> Option<Node> {
        let at = 3 * self.layout.width();
        let parent = u32::from_le_bytes(entry.get(at..at + 4)?.try_into().ok()?);
        Some(Node {
            nid: Nid(self.layout.nth(entry, 0)? as u32),
            data: Bid::new(self.layout.nth(entry, 1)?),
            inner: Bid::new(self.layout.nth(entry, 2)?),
            parent: Nid(parent),
        })
    }

    /// Where a block is, and its size.
    fn find(&mut self, bid: Bid) -> Result<(u64, usize), PstError> {
        let mut at = self.block_root;
        let mut level_before = LEVELS_MAX;
        loop {
            let page = self.page(at)?;
            if page.level >= level_before {
                return Err(PstError::Damaged);
            }
            level_before = page.level;
            let key = |entry: &[u8]| self.layout.nth(entry, 0).map(Bid::new);
            let last = page.entries().rev().find(|entry| key(entry).is_some_and(|key| key <= bid));
            let entry = last.ok_or(PstError::Damaged)?;
            if page.level > 0 {
                at = self.layout.nth(entry, 2).ok_or(PstError::Damaged)?;
                continue;
            }
            if key(entry) != Some(bid) {
                return Err(PstError::Damaged);
            }
            let place = self.layout.nth(entry, 1).ok_or(PstError::Damaged)?;
            let size = entry.get(2 * self.layout.width()..).and_then(|rest| rest.get(..2)).ok_or(PstError::Damaged)?;
            return Ok((place, u16::from_le_bytes([size[0], size[1]]).into()));
        }
    }

    /// A block as it lies in the file, checked and readable.
    fn block(&mut self, bid: Bid) -> Result<Vec<u8>, PstError> {
        let (at, size) = self.find(bid)?;
        self.bytes_left = self.bytes_left.checked_sub(size as u64).ok_or(PstError::TooLarge)?;
        // Blocks end on 64 bytes, the trailer being the last of them.
        let trailer_bytes = self.layout.trailer();
        let whole = (size + trailer_bytes).next_multiple_of(64);
        let mut bytes = self.bytes(at, whole)?;
        let trailer = &bytes[whole - trailer_bytes..];
        let said_size = usize::from(u16::from_le_bytes([trailer[0], trailer[1]]));
        let checksum_at = if self.layout.is_unicode { 4 } else { 8 };
        let checksum = u32::from_le_bytes(trailer[checksum_at..checksum_at + 4].try_into().expect("four bytes"));
        bytes.truncate(size);
        if said_size != size || checksum != crc32(&bytes) {
            return Err(PstError::Damaged);
        }
        if !bid.is_internal() {
            self.crypt.decode(&mut bytes, bid.0);
        }
        Ok(bytes)
    }

    /// The blocks of data of a node, in order. Heaps care where one ends.
    pub(super) fn blocks(&mut self, bid: Bid) -> Result<Vec<Vec<u8>>, PstError> {
        let mut blocks = Vec::new();
        if !bid.is_none() {
            self.collect(bid, 3, &mut blocks)?;
        }
        Ok(blocks)
    }

    fn collect(&mut self, bid: Bid, levels: u8, blocks: &mut Vec<Vec<u8>>) -> Result<(), PstError> {
        let block = self.block(bid)?;
        if !bid.is_internal() {
            blocks.push(block);
            return Ok(());
        }
        let [1, level @ 1..=2, count_low, count_high, ..] = block[..] else { return Err(PstError::Damaged) };
        if level >= levels {
            return Err(PstError::Damaged);
        }
        let count = usize::from(u16::from_le_bytes([count_low, count_high]));
        let children = block.get(8..).unwrap_or_default().chunks_exact(self.layout.width()).take(count);
        let children: Vec<Bid> = children.filter_map(|entry| self.layout.nth(entry, 0)).map(Bid::new).collect();
        for child in children {
            self.collect(child, level, blocks)?;
        }
        Ok(())
    }

    /// The nodes below a node, by number.
    pub(super) fn inner_nodes(&mut self, bid: Bid) -> Result<Vec<Node>, PstError> {
        let mut nodes = Vec::new();
        if !bid.is_none() {
            self.collect_inner(bid, 2, &mut nodes)?;
        }
        nodes.sort_by_key(|node: &Node| node.nid);
        Ok(nodes)
    }

    fn collect_inner(&mut self, bid: Bid, levels: u8, nodes: &mut Vec<Node>) -> Result<(), PstError> {
        let block = self.block(bid)?;
        let [2, level, count_low, count_high, ..] = block[..] else { return Err(PstError::Damaged) };
        if level >= levels {
            return Err(PstError::Damaged);
        }
        let count = usize::from(u16::from_le_bytes([count_low, count_high]));
        let header = if self.layout.is_unicode { 8 } else { 4 };
        let width = self.layout.width() * if level == 0 { 3 } else { 2 };
        let entries = block.get(header..).unwrap_or_default().chunks_exact(width).take(count);
        let entries: Vec<&[u8]> = entries.collect();
        for entry in entries {
            let number = |index| self.layout.nth(entry, index).ok_or(PstError::Damaged);
            let (nid, data) = (Nid(number(0)? as u32), Bid::new(number(1)?));
            if level > 0 {
                self.collect_inner(data, level, nodes)?;
                continue;
            }
            if nodes.len() == INNER_NODES_MAX {
                return Err(PstError::TooLarge);
            }
            nodes.push(Node { nid, data, inner: Bid::new(number(2)?), parent: Nid(0) });
        }
        Ok(())
    }
}

/// The checksum of pages and blocks (MS-PST 5.3).
fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut at = 0;
        while at < 256 {
            let mut crc = at as u32;
            let mut bit = 0;
            while bit < 8 {
                crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
                bit += 1;
            }
            table[at] = crc;
            at += 1;
        }
        table
    };
    bytes.iter().fold(0, |crc, byte| TABLE[usize::from((crc as u8) ^ byte)] ^ (crc >> 8))
}
