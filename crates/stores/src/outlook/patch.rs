//! Which properties an edit changes, and whether they can be set one by one.

use super::{dispatch::Variant, schema};
use crate::mapi::{Address, Attachment, Bag, Key, Message, Value, names};

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

/// What differs between `old` as conversion there and back leaves it and `new`, applied to `old`: what conversion doesn't
/// know stays.
pub(super) fn between<E>(
    mut old: Message,
    new: Message,
    is_mail: bool,
    there_and_back: impl Fn(&Message) -> Result<Message, E>,
) -> Result<Patch, E> {
    let same = there_and_back(&old)?;
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
    if same.recipients != new.recipients {
        old.recipients = merged_people(&old.recipients, &same.recipients, new.recipients);
    }
    if same.attachments != new.attachments {
        old.attachments = merged_attachments(&old, &same, new.attachments, there_and_back);
    }
    if must_replace || set.len() + remove.len() > VALUES_MAX {
        // Formatted text says the old words; Outlook makes it anew from the plain one.
        if body.is_some() {
            old.properties.0.remove(&names::RTF_COMPRESSED);
            old.properties.0.remove(&names::HTML);
        }
        return Ok(Patch::Replace(Box::new(old)));
    }
    Ok(Patch::Properties { set, remove, body })
}

/// Parts of an item, each with what it is told as; `None` where it isn't told.
type Told<'a, T> = Vec<(&'a T, Option<T>)>;

/// `new`, with the part there was in place of each that nobody changed, and with those that weren't told.
fn merged<T: Clone + PartialEq>(told: Told<'_, T>, new: Vec<T>) -> Vec<T> {
    let (mut told, untold): (Vec<_>, Vec<_>) = told.into_iter().partition(|(_, as_told)| as_told.is_some());
    let of_old = |part: T| match told.iter().position(|(_, as_told)| as_told.as_ref() == Some(&part)) {
        Some(at) => told.remove(at).0.clone(),
        None => part,
    };
    let merged: Vec<T> = new.into_iter().map(of_old).collect();
    merged.into_iter().chain(untold.into_iter().map(|(part, _)| part.clone())).collect()
}

/// Not every kind of item tells its people elsewhere (a delegated task doesn't), nor those without an address.
fn merged_people(old: &[Bag], same: &[Bag], new: Vec<Bag>) -> Vec<Bag> {
    let kind = |bag: &Bag| bag.number(&names::RECIPIENT_TYPE).unwrap_or(1) & 0xF;
    let who = |bag: &Bag| {
        let Address { name, email } = Address::of_recipient(bag);
        let email = email.replace(char::is_whitespace, "").to_lowercase();
        if email.is_empty() { name } else { email }
    };
    let mut left: Vec<&Bag> = same.iter().collect();
    let told = old.iter().map(|person| {
        let is_it = |other: &&Bag| who(other) == who(person);
        let at = left.iter().position(|other| is_it(other) && kind(other) == kind(person));
        let at = at.or_else(|| left.iter().position(is_it));
        (person, at.map(|at| left.remove(at).clone()))
    });
    merged(told.collect(), new)
}

/// Links, empty files and hidden ones aren't told everywhere: which are is seen by telling one more each time.
fn merged_attachments<E>(
    old: &Message,
    same: &Message,
    new: Vec<Attachment>,
    there_and_back: impl Fn(&Message) -> Result<Message, E>,
) -> Vec<Attachment> {
    // A changed occurrence is told with the series, whatever hangs on it.
    let replaced = |attachment: &Attachment| attachment.properties.time(&names::EXCEPTION_REPLACE_TIME);
    let (occurrences, files): (Vec<_>, Vec<_>) = old.attachments.iter().partition(|one| replaced(one).is_some());
    let mut told: Told<'_, Attachment> = Vec::new();
    for occurrence in occurrences {
        // Seconds are dropped here and there.
        let is_it = |other: &&Attachment| {
            replaced(other).zip(replaced(occurrence)).is_some_and(|(other, one)| (other.0 - one.0).abs() < 60)
        };
        told.push((occurrence, same.attachments.iter().find(is_it).cloned()));
    }
    let mut item = Message { attachments: Vec::new(), ..old.clone() };
    let tell = |item: &Message| there_and_back(item).map(|told| told.attachments).unwrap_or_default();
    let mut before = tell(&item);
    for file in files {
        item.attachments.push(file.clone());
        let mut now = tell(&item);
        let after = now.clone();
        if now.len() > before.len() {
            for known in &before {
                now.iter().position(|one| one == known).map(|at| now.remove(at));
            }
            // Where telling one more changes others too, nothing says which is which: what is new counts.
            if let [as_told] = &now[..] {
                told.push((file, Some(as_told.clone())));
            }
        } else {
            told.push((file, None));
        }
        before = after;
    }
    merged(told, new)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapi::{self, Zone};
    use pim::{Flags, FolderKind};

    fn message(kind: FolderKind, text: &str) -> Message {
        mapi::from_item(kind, kind.format(), text.as_bytes(), &Flags::default(), &Zone::utc()).unwrap()
    }

    fn told(item: &Message) -> String {
        String::from_utf8(mapi::to_item(item).unwrap().bytes).unwrap().replace("\r\n ", "")
    }

    /// What becomes of an item when somebody edits what is told of it elsewhere.
    fn edited(kind: FolderKind, old: &Message, edit: impl Fn(String) -> String) -> Message {
        let there_and_back = |item: &Message| Ok::<_, ()>(message(kind, &told(item)));
        let new = edit(told(old));
        assert_ne!(new, told(old), "the edit changes something");
        match between(old.clone(), message(kind, &new), false, there_and_back).unwrap() {
            Patch::Replace(item) => *item,
            Patch::Properties { .. } => panic!("what hangs on an item is no property"),
        }
    }

    fn file(name: &str, bytes: Option<&[u8]>) -> Attachment {
        let mut attachment = Attachment::default();
        let bag = &mut attachment.properties;
        bag.set_text(names::ATTACH_LONG_FILENAME, name);
        // A property that isn't told: whoever has it is the one there was.
        bag.set_text(names::ATTACH_CONTENT_ID, format!("{name}@example.org"));
        if let Some(bytes) = bytes {
            bag.set(names::ATTACH_DATA, Value::Binary(bytes.to_vec()));
        }
        attachment
    }

    fn names_of(item: &Message) -> Vec<String> {
        item.attachments.iter().filter_map(|one| one.properties.text(&names::ATTACH_LONG_FILENAME)).collect()
    }

    #[test]
    fn a_delegated_task_keeps_who_has_it_when_a_file_is_added_elsewhere() {
        let text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTODO\r\nUID:t\r\nSUMMARY:Plants\r\nEND:VTODO\r\nEND:VCALENDAR\r\n";
        let mut task = message(FolderKind::Tasks, text);
        task.recipients.push(Address::new("Bert", "bert@example.org").to_recipient(1));
        task.attachments = vec![file("link", None), file("plan.txt", Some(b"plan"))];
        let attach = "ATTACH;VALUE=BINARY;ENCODING=BASE64;X-FILENAME=more.txt:bW9yZQ==\r\nEND:VTODO";
        let item = edited(FolderKind::Tasks, &task, |text| text.replace("END:VTODO", attach));
        assert_eq!(item.recipients, task.recipients);
        let mut names = names_of(&item);
        names.sort();
        assert_eq!(names, ["link", "more.txt", "plan.txt"]);
        assert!(task.attachments.iter().all(|one| item.attachments.contains(one)), "{:?}", item.attachments);
        // What was told and is deleted elsewhere is deleted.
        let gone = edited(FolderKind::Tasks, &item, |text| {
            text.split_inclusive("\r\n").filter(|line| !line.contains("plan.txt")).collect()
        });
        assert!(!names_of(&gone).contains(&"plan.txt".to_owned()) && names_of(&gone).contains(&"link".to_owned()));
    }

    #[test]
    fn a_contact_keeps_what_is_not_told_of_it_when_its_picture_changes() {
        let text = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:a\r\nFN:Anna\r\nN:;Anna;;;\r\n\
            PHOTO;ENCODING=b;TYPE=PNG:iVBORw0KGgo=\r\nEND:VCARD\r\n";
        let mut contact = message(FolderKind::Contacts, text);
        contact.attachments.extend([file("link", None), file("plan.txt", Some(b"plan"))]);
        let second = contact.attachments[0].clone();
        contact.attachments.push(second);
        let item = edited(FolderKind::Contacts, &contact, |text| text.replacen("iVBORw0KGgo=", "iVBORw0KGgoB", 1));
        assert!(contact.attachments[1..].iter().all(|one| item.attachments.contains(one)), "{:?}", names_of(&item));
        assert_eq!(item.attachments.len(), 4);
        assert_eq!(item.attachments[0].properties.binary(&names::ATTACH_DATA).unwrap().last(), Some(&1));
    }

    #[test]
    fn a_meeting_keeps_people_without_an_address_and_loses_who_is_taken_off() {
        let text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:e\r\nSUMMARY:Talk\r\n\
            DTSTART:20260105T100000Z\r\nDTEND:20260105T110000Z\r\nORGANIZER:mailto:anna@example.org\r\n\
            ATTENDEE:mailto:bert@example.org\r\nATTENDEE:mailto:carl@example.org\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        let mut meeting = message(FolderKind::Calendar, text);
        meeting.recipients.push(Address::new("Room 7", "").to_recipient(1));
        let item = edited(FolderKind::Calendar, &meeting, |text| {
            text.split_inclusive("\r\n").filter(|line| !line.contains("bert@")).collect()
        });
        let who: Vec<String> = item.recipients.iter().map(|bag| Address::of_recipient(bag).name).collect();
        let kept: Vec<&Bag> = [0, 2, 3].iter().map(|at| &meeting.recipients[*at]).collect();
        assert_eq!(item.recipients.iter().collect::<Vec<_>>(), kept, "{who:?}");
    }

    #[test]
    fn a_changed_occurrence_keeps_what_only_outlook_knows_of_it_when_a_file_is_added_to_the_series() {
        let text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:e\r\nSUMMARY:Talk\r\n\
            DTSTART:20260105T100000Z\r\nDTEND:20260105T110000Z\r\nRRULE:FREQ=DAILY;COUNT=5\r\nEND:VEVENT\r\n\
            BEGIN:VEVENT\r\nUID:e\r\nRECURRENCE-ID:20260106T100000Z\r\nSUMMARY:Other talk\r\n\
            DTSTART:20260106T120000Z\r\nDTEND:20260106T130000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        let mut series = message(FolderKind::Calendar, text);
        let inner = series.attachments[0].message.as_mut().unwrap();
        inner.properties.set_text(names::BILLING, "17");
        let attach = "ATTACH;VALUE=BINARY;ENCODING=BASE64;X-FILENAME=more.txt:bW9yZQ==\r\nEND:VEVENT";
        let item = edited(FolderKind::Calendar, &series, |text| text.replacen("END:VEVENT", attach, 1));
        assert!(item.attachments.contains(&series.attachments[0]));
        assert_eq!(item.attachments.len(), 2);
    }
}
