//! Who an item is from and to, and the entry IDs in which Outlook hides addresses (MS-OXCDATA 2.2.5).

use super::{Bag, Key, Value, names, text};

/// A name and an address; either may be missing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Address {
    pub(crate) name: String,
    pub(crate) email: String,
}

const ONE_OFF: [u8; 16] =
    [0x81, 0x2B, 0x1F, 0xA4, 0xBE, 0xA3, 0x10, 0x19, 0x9D, 0x6E, 0x00, 0xDD, 0x01, 0x0F, 0x54, 0x02];
/// Around the entry ID of a member of a distribution list (MS-OXOCNTC 2.2.2.2.4.1).
const WRAPPED: [u8; 16] =
    [0xC0, 0x91, 0xAD, 0xD3, 0x51, 0x9D, 0xCF, 0x11, 0xA4, 0xA9, 0x00, 0xAA, 0x00, 0x47, 0xFA, 0xA4];
/// Strings are Unicode (0x8000), the format is the sender's choice (0x1000), no RTF (0x0001).
const ONE_OFF_FLAGS: u16 = 0x9001;

impl Address {
    pub(crate) fn new(name: impl Into<String>, email: impl Into<String>) -> Self {
        Self { name: name.into(), email: email.into() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.name.is_empty() && self.email.is_empty()
    }

    /// The first of the keys that holds an Internet address: an address in Exchange's own form is none.
    pub(crate) fn of(bag: &Bag, name: &Key, smtp: &Key, address_type: &Key, email: &Key, entry_id: &Key) -> Self {
        let name = bag.text(name).unwrap_or_default();
        let from_entry = || Self::from_entry_id(bag.binary(entry_id)?).map(|address| address.email);
        let is_smtp = bag.text(address_type).is_none_or(|kind| kind.eq_ignore_ascii_case("smtp"));
        let email = bag.text(smtp).or_else(|| bag.text(email).filter(|email| is_smtp || email.contains('@')));
        let email = email.or_else(from_entry).unwrap_or_default();
        let email = email.strip_prefix("mailto:").unwrap_or(&email).trim().to_owned();
        // A name that only repeats the address says nothing.
        let name = if name.trim_matches('\'') == email { String::new() } else { name };
        Self { name: one_line(&name), email: one_line(&email) }
    }

    /// Of a recipient.
    pub(crate) fn of_recipient(bag: &Bag) -> Self {
        Self::of(
            bag,
            &names::DISPLAY_NAME,
            &names::SMTP_ADDRESS,
            &names::ADDRESS_TYPE,
            &names::EMAIL_ADDRESS,
            &names::ENTRY_ID,
        )
    }

    /// In whose name a message was sent.
    pub(crate) fn of_author(bag: &Bag) -> Self {
        Self::of(
            bag,
            &names::SENT_REPRESENTING_NAME,
            &names::SENT_REPRESENTING_SMTP_ADDRESS,
            &names::SENT_REPRESENTING_ADDRESS_TYPE,
            &names::SENT_REPRESENTING_EMAIL_ADDRESS,
            &names::SENT_REPRESENTING_ENTRY_ID,
        )
    }

    /// Who sent a message.
    pub(crate) fn of_sender(bag: &Bag) -> Self {
        Self::of(
            bag,
            &names::SENDER_NAME,
            &names::SENDER_SMTP_ADDRESS,
            &names::SENDER_ADDRESS_TYPE,
            &names::SENDER_EMAIL_ADDRESS,
            &names::SENDER_ENTRY_ID,
        )
    }

    /// The bag of a recipient: `kind` is 1 for To, 2 for Cc, 3 for Bcc.
    pub(crate) fn to_recipient(&self, kind: i32) -> Bag {
        let mut bag = Bag::default();
        let name = if self.name.is_empty() { &self.email } else { &self.name };
        bag.set(names::RECIPIENT_TYPE, Value::I32(kind));
        bag.set_text(names::DISPLAY_NAME, name.clone());
        // MAPI_MAILUSER, DT_MAILUSER.
        bag.set(names::OBJECT_TYPE, Value::I32(6));
        bag.set(names::DISPLAY_TYPE, Value::I32(0));
        if !self.email.is_empty() {
            bag.set_text(names::ADDRESS_TYPE, "SMTP");
            bag.set_text(names::EMAIL_ADDRESS, self.email.clone());
            bag.set_text(names::SMTP_ADDRESS, self.email.clone());
            let key = format!("SMTP:{}\0", self.email.to_uppercase()).into_bytes();
            bag.set(names::SEARCH_KEY, Value::Binary(key));
        }
        bag.set(names::ENTRY_ID, Value::Binary(self.to_entry_id()));
        bag
    }

    /// A one-off entry ID: name and address for those who aren't in an address book.
    pub(crate) fn to_entry_id(&self) -> Vec<u8> {
        let mut bytes = vec![0; 4];
        bytes.extend(ONE_OFF);
        bytes.extend([0, 0]);
        bytes.extend(ONE_OFF_FLAGS.to_le_bytes());
        let name = if self.name.is_empty() { &self.email } else { &self.name };
        for text in [name, "SMTP", &self.email] {
            bytes.extend(text::encode_utf16(text));
            bytes.extend([0, 0]);
        }
        bytes
    }

    /// Name and address in a one-off entry ID, also in one wrapped for a distribution list.
    pub(crate) fn from_entry_id(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.get(4..)?;
        if let Some(rest) = rest.strip_prefix(&WRAPPED) {
            // The kind of what is wrapped comes first; what is wrapped is never wrapped again.
            let inner = rest.get(1..)?;
            return if inner.get(4..)?.starts_with(&WRAPPED) { None } else { Self::from_entry_id(inner) };
        }
        let rest = rest.strip_prefix(&ONE_OFF)?;
        let flags = u16::from_le_bytes(rest.get(2..4)?.try_into().ok()?);
        let mut rest = rest.get(4..)?;
        let is_unicode = flags & 0x8000 != 0;
        let mut next = || {
            if is_unicode {
                let units = rest.chunks_exact(2).position(|unit| unit == [0, 0]).unwrap_or(rest.len() / 2);
                let text = text::decode_utf16(&rest[..units * 2]);
                rest = rest.get(units * 2 + 2..).unwrap_or_default();
                text
            } else {
                let end = rest.iter().position(|byte| *byte == 0).unwrap_or(rest.len());
                let text = text::decode(&rest[..end], text::WINDOWS_1252);
                rest = rest.get(end + 1..).unwrap_or_default();
                text
            }
        };
        let (name, kind, email) = (next(), next(), next());
        let email = if kind.eq_ignore_ascii_case("smtp") || email.contains('@') { email } else { String::new() };
        let name = if name == email { String::new() } else { name };
        Some(Self { name: one_line(&name), email: one_line(&email) }).filter(|address| !address.is_empty())
    }
}

/// Line ends and other control characters can't stand in a header field or a parameter.
pub(crate) fn one_line(text: &str) -> String {
    let cleaned: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    cleaned.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_id_carries_name_and_address() {
        let address = Address::new("Zoë 中", "zoe@example.org");
        let bytes = address.to_entry_id();
        assert_eq!(Address::from_entry_id(&bytes), Some(address.clone()));
        let wrapped = [&[0; 4][..], &WRAPPED, &[0x80], &bytes].concat();
        assert_eq!(Address::from_entry_id(&wrapped), Some(address));
        assert_eq!(Address::from_entry_id(&[&[0; 4][..], &WRAPPED, &[0x80], &wrapped].concat()), None);
        for cut in 0..24 {
            assert_eq!(Address::from_entry_id(&bytes[..cut]), None);
        }
    }

    #[test]
    fn exchange_addresses_are_no_internet_addresses() {
        let mut bag = Bag::default();
        bag.set_text(names::DISPLAY_NAME, "Ann");
        bag.set_text(names::ADDRESS_TYPE, "EX");
        bag.set_text(names::EMAIL_ADDRESS, "/o=First/ou=Group/cn=Recipients/cn=ann");
        assert_eq!(Address::of_recipient(&bag), Address::new("Ann", ""));
        bag.set_text(names::SMTP_ADDRESS, "ann@example.org");
        assert_eq!(Address::of_recipient(&bag), Address::new("Ann", "ann@example.org"));
    }
}
