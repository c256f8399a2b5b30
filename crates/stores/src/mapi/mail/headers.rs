//! Header fields.

use crate::mapi::{Address, Bag, Stamp, names};
use mail_builder::headers::{Header, address, date::Date, text::Text};

/// More than this is no header.
const BYTES_MAX: usize = 1 << 20;

/// The fields of a header that came over the Internet, folded as they were, without those that describe the body.
pub(super) fn arrived(text: &str) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    let mut is_field = false;
    for line in text.get(..BYTES_MAX).unwrap_or(text).split('\n') {
        let line = line.trim_end_matches('\r');
        // Exchange writes a line without a colon first; an empty one ends the header.
        if line.starts_with([' ', '\t']) {
            if let (true, Some((_, value))) = (is_field, fields.last_mut())
                && !line.trim().is_empty()
            {
                value.push_str("\r\n");
                value.push_str(&clean(line));
            }
            continue;
        }
        is_field = match line.split_once(':').map(|(name, value)| (name.trim_end(), value)) {
            Some((name, value)) if !name.is_empty() && name.bytes().all(|byte| (b'!'..=b'~').contains(&byte)) => {
                fields.push((name.to_owned(), clean(value).trim_start().to_owned()));
                true
            }
            _ if line.is_empty() && !fields.is_empty() => break,
            _ => false,
        };
    }
    fields.retain(|(name, _)| {
        let name = name.to_ascii_lowercase();
        !name.starts_with("content-") && name != "mime-version"
    });
    fields
}

fn clean(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control() || *letter == '\t').collect()
}

/// Fields made of properties, for those that `arrived` has not.
pub(super) struct Made<'a> {
    pub(super) arrived: &'a [(String, String)],
    pub(super) bytes: Vec<u8>,
}

impl Made<'_> {
    fn is_missing(&self, name: &str) -> bool {
        !self.arrived.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
    }

    pub(super) fn text(&mut self, name: &str, value: Option<String>) {
        let Some(value) = value.map(|value| crate::mapi::address::one_line(&value)) else { return };
        if !value.is_empty() && self.is_missing(name) {
            self.field(name, &Text::new(value));
        }
    }

    /// A value that is never encoded: identifiers, words.
    pub(super) fn plain(&mut self, name: &str, value: Option<String>) {
        let Some(value) = value.map(|value| crate::mapi::address::one_line(&value)) else { return };
        if !value.is_empty() && self.is_missing(name) {
            self.bytes.extend(format!("{name}: {value}\r\n").into_bytes());
        }
    }

    pub(super) fn addresses(&mut self, name: &str, addresses: &[Address]) {
        let addresses: Vec<_> = addresses.iter().filter(|address| !address.is_empty()).map(builder_address).collect();
        if !addresses.is_empty() && self.is_missing(name) {
            self.field(name, &address::Address::new_list(addresses));
        }
    }

    pub(super) fn date(&mut self, stamp: Option<Stamp>) {
        if let Some(stamp) = stamp.filter(|stamp| stamp.unix() >= 0)
            && self.is_missing("Date")
        {
            self.field("Date", &Date::new(stamp.unix()));
        }
    }

    fn field(&mut self, name: &str, value: &impl Header) {
        self.bytes.extend(format!("{name}: ").into_bytes());
        value.write_header(&mut self.bytes, name.len() + 2).expect("memory takes what is written");
    }
}

/// Who has no address is written as a name alone, in the way an address without a host is.
fn builder_address(address: &Address) -> address::Address<'static> {
    if address.email.is_empty() {
        return address::Address::new_group(Some(address.name.clone()), Vec::new());
    }
    let name = Some(address.name.clone()).filter(|name| !name.is_empty());
    address::Address::new_address(name, address.email.clone())
}

/// Recipients of a kind (1 = To, 2 = Cc, 3 = Bcc).
pub(super) fn recipients(recipients: &[Bag], kind: i64) -> Vec<Address> {
    // Bits above the kind say what a resent message needs.
    let is_of_kind = |bag: &&Bag| bag.number(&names::RECIPIENT_TYPE).unwrap_or(1) & 0xF == kind;
    recipients.iter().filter(is_of_kind).map(Address::of_recipient).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_describe_the_body_are_left_out_and_folds_stay() {
        let text = "Microsoft Mail Internet Headers Version 2.0\r\nReceived: from a\r\n\tby b\r\nContent-Type: text/plain;\r\n \
            charset=x\r\nSubject: =?utf-8?Q?=C3=A9?=\r\n\r\nbody: x";
        let fields = arrived(text);
        assert_eq!(
            fields,
            [
                ("Received".to_owned(), "from a\r\n\tby b".to_owned()),
                ("Subject".to_owned(), "=?utf-8?Q?=C3=A9?=".to_owned()),
            ]
        );
    }

    #[test]
    fn a_property_cannot_add_a_field() {
        let mut made = Made { arrived: &[], bytes: Vec::new() };
        made.text("Subject", Some("a\r\nBcc: x@y".to_owned()));
        made.addresses("To", &[Address::new("A\r\nX: y", "a@b")]);
        let text = String::from_utf8(made.bytes).unwrap();
        assert_eq!(text.lines().count(), 2, "{text}");
    }
}
