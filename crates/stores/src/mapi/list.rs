//! Distribution lists (MS-OXOCNTC 2.2.2) and vCards of a group (RFC 6350 6.1.4).

use super::{
    Address, Message, Value,
    bag::kind,
    calendar,
    lines::{Lines, parameter},
    mail, names,
};
use pim::{Component, Property};

/// `PidLidDistributionListStream` and its like hold at most this.
const MEMBERS_MAX: usize = 16_384;

/// True for a card that stands for several.
pub(crate) fn is_list(card: &Component) -> bool {
    ["KIND", "X-ADDRESSBOOKSERVER-KIND"]
        .iter()
        .any(|name| card.first(name).is_some_and(|line| line.value.trim().eq_ignore_ascii_case("group")))
        || card.first("X-EVOLUTION-LIST").is_some_and(|line| line.value.trim().eq_ignore_ascii_case("TRUE"))
}

pub(crate) fn to_card(message: &Message, uid: &str) -> Vec<u8> {
    let bag = &message.properties;
    let mut lines = Lines::default();
    lines.raw("BEGIN", "VCARD");
    lines.raw("VERSION", "4.0");
    lines.raw("KIND", "group");
    lines.raw("UID", uid);
    let names = [&names::LIST_NAME, &names::DISPLAY_NAME, &names::SUBJECT];
    let name = names.iter().find_map(|key| bag.text(key)).unwrap_or_else(|| "-".to_owned());
    lines.text("FN", &super::address::one_line(&name));
    for member in members(message) {
        if member.email.is_empty() {
            lines.raw("MEMBER;VALUE=text", &super::lines::escaped(&member.name));
        } else {
            let name = parameter("X-CN", &member.name);
            lines.raw(&format!("MEMBER{name}"), &format!("mailto:{}", member.email.replace(char::is_whitespace, "")));
        }
    }
    lines.list("CATEGORIES", &bag.texts(&names::KEYWORDS));
    let note = mail::Bodies::of(bag).text.unwrap_or_default();
    lines.text("NOTE", note.replace("\r\n", "\n").trim_end());
    if let Some(modified) = bag.time(&names::LAST_MODIFICATION_TIME) {
        lines.raw("REV", &modified.utc_text());
    }
    lines.raw("END", "VCARD");
    lines.finish()
}

/// The one-off members say name and address of every member; the others only where they are one-offs themselves.
fn members(message: &Message) -> Vec<Address> {
    let bag = &message.properties;
    let entries = |key| match bag.get(key) {
        Some(Value::Many { values, .. }) => {
            let bytes = values.iter().filter_map(|value| match value {
                Value::Binary(bytes) => Some(&**bytes),
                _ => None,
            });
            bytes.map(Address::from_entry_id).collect()
        }
        _ => Vec::new(),
    };
    let (one_offs, members): (Vec<_>, Vec<_>) = (entries(&names::LIST_ONE_OFF_MEMBERS), entries(&names::LIST_MEMBERS));
    let count = one_offs.len().max(members.len()).min(MEMBERS_MAX);
    let member = |at: usize| one_offs.get(at).cloned().flatten().or_else(|| members.get(at).cloned().flatten());
    (0..count).filter_map(member).collect()
}

pub(crate) fn from_card(card: &Component) -> Message {
    let mut message = Message::default();
    calendar::read_common(&mut message, card, "IPM.DistList");
    let bag = &mut message.properties;
    let name = card.text("FN").unwrap_or_default();
    mail::set_subject(bag, &name);
    bag.set_text(names::LIST_NAME, name.clone());
    bag.set_text(names::DISPLAY_NAME, name.clone());
    bag.set_text(names::FILE_UNDER, name);
    bag.set_text(names::BODY, card.text("NOTE").unwrap_or_default().replace('\n', "\r\n"));
    bag.set(names::ICON_INDEX, Value::I32(0x202));
    let groups = ["MEMBER", "X-ADDRESSBOOKSERVER-MEMBER", "EMAIL"];
    let lines = card.properties.iter().filter(|line| groups.contains(&line.name.as_str()));
    let members: Vec<Address> = lines.filter_map(member).take(MEMBERS_MAX).collect();
    let entries: Vec<Value> = members.iter().map(|member| Value::Binary(member.to_entry_id())).collect();
    if !entries.is_empty() {
        bag.set(names::LIST_MEMBERS, Value::Many { of: kind::BINARY, values: entries.clone() });
        bag.set(names::LIST_ONE_OFF_MEMBERS, Value::Many { of: kind::BINARY, values: entries });
    }
    message
}

fn member(line: &Property) -> Option<Address> {
    let name = ["X-CN", "CN", "X-EVOLUTION-DEST-NAME"].iter().find_map(|name| line.parameter(name)).unwrap_or_default();
    let text = line.text();
    let text = text.trim();
    let email = if line.name == "EMAIL" {
        Some(text)
    } else {
        text.get(..7).filter(|s| s.eq_ignore_ascii_case("mailto:")).map(|_| &text[7..])
    };
    // A member by UID is a contact that isn't in this card.
    let is_name = line.parameter("VALUE").is_some_and(|kind| kind.eq_ignore_ascii_case("text"));
    match email {
        Some(email) => Some(Address::new(name, super::address::one_line(email))),
        None if is_name => Some(Address::new(super::address::one_line(text), "")),
        None => None,
    }
}
