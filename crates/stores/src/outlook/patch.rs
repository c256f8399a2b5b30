//! Which properties an edit changes, and whether they can be set one by one.

use super::{dispatch::Variant, schema};
use crate::mapi::{Bag, Key, Message, Value, names};

/// How an item becomes what it is to be.
pub(super) enum Patch {
    /// By setting a few properties.
    Properties {
        /// Schema names and values.
        set: Vec<(String, Variant)>,
        /// Schema names.
        remove: Vec<String>,
        /// The text, which has a member of its own.
        body: Option<String>,
    },
    /// By another item in its place: what differs can't be set, or is a part of its own.
    Replace(Box<Message>),
}

/// `PropertyAccessor` refuses longer values, and many of them at once make a slow call.
const VALUE_BYTES_MAX: usize = 2_000;
const VALUES_MAX: usize = 64;

/// What differs between `same` (the item as conversion leaves it) and `new`, applied to `old` (the item as it is): what
/// conversion doesn't know stays.
pub(super) fn between(same: Message, new: Message, mut old: Message, is_mail: bool) -> Patch {
    let parts_differ = same.recipients != new.recipients || same.attachments != new.attachments;
    let (mut set, mut remove, mut body) = (Vec::new(), Vec::new(), None);
    let mut must_replace = is_mail || parts_differ;
    for (key, value) in changed(&same.properties, &new.properties) {
        match value {
            Some(value) => {
                match variant(key, value) {
                    Settable::Property(variant) => set.push((schema::of(key, value.kind()), variant)),
                    Settable::Body(text) => body = Some(text),
                    Settable::No => must_replace = true,
                }
                old.properties.set(key.clone(), value.clone());
            }
            None => {
                let kind = same.properties.get(key).map_or(0x1F, Value::kind);
                if *key == names::BODY {
                    body = Some(String::new());
                } else {
                    remove.push(schema::of(key, kind));
                }
                old.properties.0.remove(key);
            }
        }
    }
    if parts_differ {
        (old.recipients, old.attachments) = (new.recipients, new.attachments);
    }
    if must_replace || set.len() + remove.len() > VALUES_MAX {
        // Formatted text says the old words; Outlook makes it anew from the plain one.
        if body.is_some() {
            old.properties.0.remove(&names::RTF_COMPRESSED);
            old.properties.0.remove(&names::HTML);
        }
        return Patch::Replace(Box::new(old));
    }
    Patch::Properties { set, remove, body }
}

fn changed<'a>(same: &'a Bag, new: &'a Bag) -> impl Iterator<Item = (&'a Key, Option<&'a Value>)> {
    // When it was made and changed is Outlook's to say.
    let is_ours = |key: &Key| ![names::CREATION_TIME, names::LAST_MODIFICATION_TIME].contains(key);
    let set = new.0.iter().filter(|(key, value)| same.get(key) != Some(value)).map(|(key, value)| (key, Some(value)));
    let gone = same.0.keys().filter(|key| new.get(key).is_none()).map(|key| (key, None));
    set.chain(gone).filter(move |(key, _)| is_ours(key))
}

/// Whether `PropertyAccessor` takes a property.
pub(super) enum Settable {
    Property(Variant),
    Body(String),
    No,
}

pub(super) fn variant(key: &Key, value: &Value) -> Settable {
    // Recurrence, time zones, members: blobs that Outlook keeps caches of.
    let property = match value {
        Value::Text(text) if *key == names::BODY => return Settable::Body(text.clone()),
        Value::Text(text) if text.len() <= VALUE_BYTES_MAX => Variant::Text(text.clone()),
        Value::I16(number) => Variant::I16(*number),
        Value::I32(number) => Variant::I32(*number),
        Value::F64(number) => Variant::F64(*number),
        Value::Bool(is) => Variant::Bool(*is),
        Value::Time(time) => Variant::Date(date(*time)),
        Value::Many { values, .. } => {
            let texts = values.iter().map(|value| match value {
                Value::Text(text) => Some(Variant::Text(text.clone())),
                _ => None,
            });
            match texts.collect::<Option<Vec<_>>>() {
                Some(texts) => Variant::List(texts),
                None => return Settable::No,
            }
        }
        _ => return Settable::No,
    };
    if *key == names::MESSAGE_CLASS { Settable::No } else { Settable::Property(property) }
}

/// 100 ns since 1601 as days since 30 December 1899.
#[allow(clippy::cast_precision_loss)] // A date has fewer digits than that.
fn date(time: u64) -> f64 {
    time as f64 / 864e9 - 109_205.0
}
