//! Property bags: what a MAPI object is made of (MS-OXCDATA 2.11, MS-OXPROPS).

use std::{borrow::Cow, collections::BTreeMap, fmt};

/// A 128-bit identifier, in the byte order of the wire (MS-DTYP 2.3.4.2).
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Guid(pub [u8; 16]);

impl Guid {
    /// From the parts in which GUIDs are written: `{first-second-third-rest}`.
    #[must_use]
    pub const fn new(first: u32, second: u16, third: u16, rest: [u8; 8]) -> Self {
        let (a, b, c, d) = (first.to_le_bytes(), second.to_le_bytes(), third.to_le_bytes(), rest);
        Self([a[0], a[1], a[2], a[3], b[0], b[1], c[0], c[1], d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7]])
    }

    /// One of Outlook's property sets, `{0006xxxx-0000-0000-C000-000000000046}`.
    pub(crate) const fn set(first: u32) -> Self {
        Self::new(first, 0, 0, [0xC0, 0, 0, 0, 0, 0, 0, 0x46])
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Which property: a fixed tag, or a named property that each file and each store numbers for itself.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Key {
    /// The property ID, below 0x8000.
    Tag(u16),
    /// A number in a property set.
    Id(Guid, u32),
    /// A name in a property set. Compared as it is written.
    Name(Guid, Cow<'static, str>),
}

/// A property's value. Strings in code pages are decoded where they are read, so there is one kind of text.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// PtypInteger16.
    I16(i16),
    /// PtypInteger32.
    I32(i32),
    /// PtypFloating32.
    F32(f32),
    /// PtypFloating64.
    F64(f64),
    /// PtypCurrency, in ten-thousandths.
    Currency(i64),
    /// PtypFloatingTime, days since 30 December 1899.
    FloatingTime(f64),
    /// PtypErrorCode.
    Error(u32),
    /// PtypBoolean.
    Bool(bool),
    /// PtypInteger64.
    I64(i64),
    /// PtypTime: 100 ns since 1601, UTC.
    Time(u64),
    /// PtypGuid.
    Guid(Guid),
    /// PtypString.
    Text(String),
    /// PtypBinary.
    Binary(Vec<u8>),
    /// One of the multiple-value types; all of one type, which is told by `of` where there are none.
    Many {
        /// The type of each (a Ptyp number without 0x1000).
        of: u16,
        /// In their order.
        values: Vec<Self>,
    },
}

impl fmt::Debug for Value {
    /// Texts and bytes by their length: what is debugged ends up in logs, and logs never hold contents.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Binary(bytes) => write!(f, "Binary({} bytes)", bytes.len()),
            Self::Many { of, values } => write!(f, "Many({:#06x}, {})", of, values.len()),
            other => write!(f, "{:#06x}", other.kind()),
        }
    }
}

/// Property types (MS-OXCDATA 2.11.1).
pub(crate) mod kind {
    pub(crate) const I16: u16 = 0x0002;
    pub(crate) const I32: u16 = 0x0003;
    pub(crate) const F32: u16 = 0x0004;
    pub(crate) const F64: u16 = 0x0005;
    pub(crate) const CURRENCY: u16 = 0x0006;
    pub(crate) const FLOATING_TIME: u16 = 0x0007;
    pub(crate) const ERROR: u16 = 0x000A;
    pub(crate) const BOOL: u16 = 0x000B;
    pub(crate) const OBJECT: u16 = 0x000D;
    pub(crate) const I64: u16 = 0x0014;
    pub(crate) const TEXT_8: u16 = 0x001E;
    pub(crate) const TEXT: u16 = 0x001F;
    pub(crate) const TIME: u16 = 0x0040;
    pub(crate) const GUID: u16 = 0x0048;
    pub(crate) const BINARY: u16 = 0x0102;
    pub(crate) const MANY: u16 = 0x1000;
}

impl Value {
    /// The number of its type.
    #[must_use]
    pub fn kind(&self) -> u16 {
        match self {
            Self::I16(_) => kind::I16,
            Self::I32(_) => kind::I32,
            Self::F32(_) => kind::F32,
            Self::F64(_) => kind::F64,
            Self::Currency(_) => kind::CURRENCY,
            Self::FloatingTime(_) => kind::FLOATING_TIME,
            Self::Error(_) => kind::ERROR,
            Self::Bool(_) => kind::BOOL,
            Self::I64(_) => kind::I64,
            Self::Time(_) => kind::TIME,
            Self::Guid(_) => kind::GUID,
            Self::Text(_) => kind::TEXT,
            Self::Binary(_) => kind::BINARY,
            Self::Many { of, .. } => kind::MANY | of,
        }
    }

    /// A value of a type whose size doesn't vary, from the eight bytes in which files hold it (little endian).
    pub(crate) fn fixed(kind: u16, bytes: [u8; 8]) -> Option<Self> {
        let four = [bytes[0], bytes[1], bytes[2], bytes[3]];
        Some(match kind {
            kind::I16 => Self::I16(i16::from_le_bytes([bytes[0], bytes[1]])),
            kind::I32 => Self::I32(i32::from_le_bytes(four)),
            kind::F32 => Self::F32(f32::from_le_bytes(four)),
            kind::F64 => Self::F64(f64::from_le_bytes(bytes)),
            kind::CURRENCY => Self::Currency(i64::from_le_bytes(bytes)),
            kind::FLOATING_TIME => Self::FloatingTime(f64::from_le_bytes(bytes)),
            kind::ERROR => Self::Error(u32::from_le_bytes(four)),
            kind::BOOL => Self::Bool(bytes[0] != 0),
            kind::I64 => Self::I64(i64::from_le_bytes(bytes)),
            kind::TIME => Self::Time(u64::from_le_bytes(bytes)),
            _ => return None,
        })
    }

    /// The bytes of a value whose size doesn't vary; `None` for the others.
    pub(crate) fn fixed_bytes(&self) -> Option<Vec<u8>> {
        Some(match self {
            Self::I16(number) => number.to_le_bytes().to_vec(),
            Self::I32(number) => number.to_le_bytes().to_vec(),
            Self::F32(number) => number.to_le_bytes().to_vec(),
            Self::F64(number) | Self::FloatingTime(number) => number.to_le_bytes().to_vec(),
            Self::Currency(number) | Self::I64(number) => number.to_le_bytes().to_vec(),
            Self::Error(number) => number.to_le_bytes().to_vec(),
            Self::Bool(is) => vec![u8::from(*is), 0],
            Self::Time(time) => time.to_le_bytes().to_vec(),
            _ => return None,
        })
    }
}

/// Properties by key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bag(pub BTreeMap<Key, Value>);

impl Bag {
    /// The value of a property.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Value> {
        self.0.get(key)
    }

    /// Sets a property.
    pub fn set(&mut self, key: Key, value: Value) {
        self.0.insert(key, value);
    }

    /// Sets a text, unless it is empty.
    pub fn set_text(&mut self, key: Key, text: impl Into<String>) {
        let text = text.into();
        if !text.is_empty() {
            self.set(key, Value::Text(text));
        }
    }

    /// A text that says something; line ends as `\n`.
    #[must_use]
    pub fn text(&self, key: &Key) -> Option<String> {
        let Some(Value::Text(text)) = self.get(key) else { return None };
        let text = text.trim_end_matches('\0');
        (!text.trim().is_empty()).then(|| text.replace("\r\n", "\n").replace('\r', "\n"))
    }

    /// A number, whatever its size.
    #[must_use]
    pub fn number(&self, key: &Key) -> Option<i64> {
        match self.get(key)? {
            Value::I16(number) => Some((*number).into()),
            Value::I32(number) => Some((*number).into()),
            Value::I64(number) => Some(*number),
            Value::Bool(is) => Some((*is).into()),
            _ => None,
        }
    }

    /// True only if it says so.
    #[must_use]
    pub fn is(&self, key: &Key) -> bool {
        matches!(self.get(key), Some(Value::Bool(true)))
    }

    /// A time, unless it is one of the values that stand for none.
    #[must_use]
    pub fn time(&self, key: &Key) -> Option<super::Stamp> {
        match self.get(key)? {
            Value::Time(time) => super::Stamp::from_filetime(*time),
            _ => None,
        }
    }

    /// Bytes.
    #[must_use]
    pub fn binary(&self, key: &Key) -> Option<&[u8]> {
        match self.get(key)? {
            Value::Binary(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Texts of a multiple-value property.
    #[must_use]
    pub fn texts(&self, key: &Key) -> Vec<String> {
        let text = |value: &Value| match value {
            Value::Text(text) => Some(text.trim_end_matches('\0').to_owned()).filter(|text| !text.trim().is_empty()),
            _ => None,
        };
        match self.get(key) {
            Some(Value::Many { values, .. }) => values.iter().filter_map(text).collect(),
            Some(value) => text(value).into_iter().collect(),
            None => Vec::new(),
        }
    }

    /// Sets a multiple-value property of texts, unless there are none.
    pub fn set_texts(&mut self, key: Key, texts: impl IntoIterator<Item = String>) {
        let values: Vec<Value> = texts.into_iter().map(Value::Text).collect();
        if !values.is_empty() {
            self.set(key, Value::Many { of: kind::TEXT, values });
        }
    }
}

/// An Outlook item: its properties, who it goes to, and what hangs on it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message {
    /// The item's own properties.
    pub properties: Bag,
    /// One bag per recipient, in their order.
    pub recipients: Vec<Bag>,
    /// In their order.
    pub attachments: Vec<Attachment>,
}

/// What hangs on an item.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attachment {
    /// The attachment's properties; its bytes are `PidTagAttachDataBinary`.
    pub properties: Bag,
    /// An item inside the item.
    pub message: Option<Box<Message>>,
    /// An OLE object, as a compound file (MS-CFB).
    pub object: Option<Vec<u8>>,
}
