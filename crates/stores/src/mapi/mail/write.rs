//! From properties to Internet mail.

use super::{DEPTH_MAX, FOLLOW_UP, headers, message_flag, method, verb};
use crate::mapi::{Address, Attachment, Bag, Message, Value, names, rtf, text};
use mail_builder::{
    headers::content_type::ContentType,
    mime::{BodyPart, MimePart},
};
use pim::{Flag, Flags};

/// A message as Internet mail, with the marks it has.
pub(crate) fn to_mail(message: &Message) -> (Vec<u8>, Flags) {
    (render(message, 0), flags(&message.properties))
}

fn render(message: &Message, depth: usize) -> Vec<u8> {
    let properties = &message.properties;
    let arrived = properties.text(&names::TRANSPORT_MESSAGE_HEADERS).map(|text| headers::arrived(&text));
    let arrived = arrived.unwrap_or_default();
    let mut bytes: Vec<u8> =
        arrived.iter().flat_map(|(name, value)| format!("{name}: {value}\r\n").into_bytes()).collect();
    bytes.extend(made_headers(message, &arrived));
    if !arrived.iter().any(|(name, _)| name.eq_ignore_ascii_case("mime-version")) {
        bytes.extend(b"MIME-Version: 1.0\r\n");
    }
    match signed_entity(message) {
        Some(entity) => bytes.extend(entity),
        None => body(message, depth).write_part(&mut bytes).map(|_| ()).expect("memory takes what is written"),
    }
    bytes
}

fn made_headers(message: &Message, arrived: &[(String, String)]) -> Vec<u8> {
    let properties = &message.properties;
    let mut made = headers::Made { arrived, bytes: Vec::new() };
    let (author, sender) = (Address::of_author(properties), Address::of_sender(properties));
    let from = if author.is_empty() { sender.clone() } else { author };
    // When it came in is no substitute for a date that a header from the Internet doesn't have.
    let delivered = || properties.time(&names::MESSAGE_DELIVERY_TIME).filter(|_| arrived.is_empty());
    made.date(properties.time(&names::CLIENT_SUBMIT_TIME).or_else(delivered));
    made.addresses("From", std::slice::from_ref(&from));
    // Who sent it is said only where it was somebody else, and never beside a From that came over the Internet.
    if arrived.is_empty() && sender != from {
        made.addresses("Sender", &[sender]);
    }
    for (name, kind) in [("To", 1), ("Cc", 2), ("Bcc", 3)] {
        made.addresses(name, &headers::recipients(&message.recipients, kind));
    }
    made.text("Subject", properties.text(&names::SUBJECT));
    made.plain("Message-ID", properties.text(&names::INTERNET_MESSAGE_ID));
    made.plain("In-Reply-To", properties.text(&names::IN_REPLY_TO_ID));
    made.plain("References", properties.text(&names::INTERNET_REFERENCES));
    if arrived.is_empty() {
        let names_of_reply = properties.text(&names::REPLY_RECIPIENT_NAMES).filter(|names| names.contains('@'));
        made.plain("Reply-To", names_of_reply.map(|names| names.replace(';', ",")));
        let importance = match properties.number(&names::IMPORTANCE) {
            Some(0) => Some("low"),
            Some(2) => Some("high"),
            _ => None,
        };
        made.plain("Importance", importance.map(str::to_owned));
        let sensitivity = match properties.number(&names::SENSITIVITY) {
            Some(1) => Some("Personal"),
            Some(2) => Some("Private"),
            Some(3) => Some("Company-Confidential"),
            _ => None,
        };
        made.plain("Sensitivity", sensitivity.map(str::to_owned));
        if properties.is(&names::READ_RECEIPT_REQUESTED) {
            made.addresses("Disposition-Notification-To", &[from]);
        }
        let index = properties.binary(&names::CONVERSATION_INDEX).filter(|index| index.len() <= 1_024);
        made.plain("Thread-Index", index.map(base64));
    }
    made.bytes
}

fn base64(bytes: &[u8]) -> String {
    let encoded = mail_builder::encoders::base64::base64_encode(bytes).unwrap_or_default();
    String::from_utf8(encoded).unwrap_or_default()
}

/// Whole of a message that is signed or encrypted: it must stay as it is, and Outlook keeps it as one attachment
/// (MS-OXOSMIME 2.1.3).
fn signed_entity(message: &Message) -> Option<Vec<u8>> {
    let class = message.properties.text(&names::MESSAGE_CLASS)?.to_ascii_uppercase();
    let [only] = &message.attachments[..] else { return None };
    let data = only.properties.binary(&names::ATTACH_DATA)?;
    if class.contains(".SMIME.MULTIPARTSIGNED") {
        let head = String::from_utf8_lossy(&data[..data.len().min(4_096)]).to_ascii_lowercase();
        return head.contains("content-type:").then(|| data.to_vec());
    }
    if !class.contains(".SMIME") {
        return None;
    }
    let mut entity = Vec::new();
    let content_type = ContentType::new("application/pkcs7-mime").attribute("name", "smime.p7m");
    let part = MimePart::new(content_type, data.to_vec()).attachment("smime.p7m");
    part.write_part(&mut entity).ok()?;
    Some(entity)
}

/// mixed( alternative( text, related( HTML, pictures in it ), RTF ), attachments ), as far as there are such parts.
fn body(message: &Message, depth: usize) -> MimePart<'static> {
    let properties = &message.properties;
    let bodies = Bodies::of(properties);
    let mut inline = Vec::new();
    let mut attached = Vec::new();
    for attachment in &message.attachments {
        let Some(part) = part(attachment, depth) else { continue };
        let id = attachment.properties.text(&names::ATTACH_CONTENT_ID);
        let is_shown =
            id.is_some_and(|id| bodies.html.as_ref().is_some_and(|html| html.contains(&format!("cid:{id}"))));
        if is_shown { inline.push(part) } else { attached.push(part) }
    }
    let mut alternatives = Vec::new();
    if let Some(text) = bodies.text {
        alternatives.push(MimePart::new(ContentType::new("text/plain"), text));
    }
    if let Some(html) = bodies.html {
        let html = MimePart::new(ContentType::new("text/html"), html);
        inline.insert(0, html);
        alternatives.push(multipart("related", inline));
    }
    if let Some(rtf) = bodies.rtf {
        alternatives.push(MimePart::new(ContentType::new("application/rtf"), rtf));
    }
    if let Some(request) = meeting_part(message) {
        alternatives.push(request);
    }
    if alternatives.is_empty() {
        alternatives.push(MimePart::new(ContentType::new("text/plain"), String::new()));
    }
    attached.insert(0, multipart("alternative", alternatives));
    multipart("mixed", attached)
}

/// Several parts as one; a single one stays alone.
fn multipart(kind: &str, mut parts: Vec<MimePart<'static>>) -> MimePart<'static> {
    if parts.len() == 1 {
        return parts.remove(0);
    }
    // The same message must give the same bytes each time, so the boundary comes from what it bounds.
    let mut hasher = blake3::Hasher::new();
    hasher.update(kind.as_bytes());
    parts.iter().for_each(|part| hash(part, &mut hasher));
    let boundary = format!("=_{}", &hasher.finalize().to_hex()[..32]);
    let content_type = ContentType::new(format!("multipart/{kind}")).attribute("boundary", boundary);
    MimePart::new(content_type, parts)
}

fn hash(part: &MimePart<'_>, hasher: &mut blake3::Hasher) {
    match &part.contents {
        BodyPart::Text(text) => drop(hasher.update(text.as_bytes())),
        BodyPart::Binary(bytes) => drop(hasher.update(bytes)),
        BodyPart::Multipart(parts) => parts.iter().for_each(|part| hash(part, hasher)),
    }
}

/// The forms in which a message says what it says.
pub(crate) struct Bodies {
    pub(crate) text: Option<String>,
    pub(crate) html: Option<String>,
    /// RTF that was written as RTF.
    pub(crate) rtf: Option<Vec<u8>>,
}

impl Bodies {
    pub(crate) fn of(properties: &Bag) -> Self {
        let plain = properties.text(&names::BODY);
        let page = properties.number(&names::INTERNET_CODE_PAGE).and_then(|page| u16::try_from(page).ok());
        let html = match properties.get(&names::HTML) {
            Some(Value::Binary(bytes)) => Some(text::decode(bytes, page.unwrap_or(text::WINDOWS_1252))),
            Some(Value::Text(html)) => Some(html.clone()),
            _ => None,
        };
        let html = html.filter(|html| !html.trim().is_empty());
        let rtf = properties.binary(&names::RTF_COMPRESSED).and_then(rtf::decompress);
        match (html, rtf.as_deref().map(rtf::body)) {
            (Some(html), _) => Self { text: plain, html: Some(html), rtf: None },
            (None, Some(rtf::Body::Html(html))) => Self { text: plain, html: Some(html), rtf: None },
            (None, Some(rtf::Body::Text(text))) => Self { text: plain.or(Some(text)), html: None, rtf: None },
            (None, Some(rtf::Body::Rtf(text))) => {
                let is_empty = text.trim().is_empty() && plain.is_none();
                let text = plain.or(Some(text)).filter(|text| !text.trim().is_empty());
                Self { text, html: None, rtf: rtf.filter(|_| !is_empty) }
            }
            (None, None) => Self { text: plain, html: None, rtf: None },
        }
    }
}

fn part(attachment: &Attachment, depth: usize) -> Option<MimePart<'static>> {
    let properties = &attachment.properties;
    let name = file_name(properties);
    if let Some(message) = &attachment.message {
        return inner_item(message, name, depth);
    }
    let data = attachment.object.clone().or_else(|| properties.binary(&names::ATTACH_DATA).map(<[u8]>::to_vec));
    let is_ole = properties.number(&names::ATTACH_METHOD) == Some(method::OLE);
    let Some(data) = data else {
        // Only a reference: where it points to is all there is.
        let path =
            properties.text(&names::ATTACH_LONG_PATHNAME).or_else(|| properties.text(&names::ATTACH_PATHNAME))?;
        let name = name.unwrap_or_else(|| "link".to_owned()) + ".txt";
        return Some(MimePart::new(ContentType::new("text/plain"), path).attachment(name));
    };
    let tag = properties.text(&names::ATTACH_MIME_TAG).filter(|tag| is_media_type(tag) && !is_ole);
    let tag = tag.unwrap_or_else(|| "application/octet-stream".to_owned());
    // Bytes of a text stay as they are only in base 64.
    let binary = BodyPart::Binary(data.into());
    let mut part = MimePart::new(ContentType::new(tag.clone()), binary);
    if tag.starts_with("text/") || tag.starts_with("multipart/") || tag.starts_with("message/") {
        let BodyPart::Binary(data) = &part.contents else { return None };
        let mut encoded = Vec::new();
        mail_builder::encoders::base64::base64_encode_mime(data, &mut encoded, false).ok()?;
        // Only bytes in base 64 may carry any bytes at all, and multiparts may not be encoded.
        let tag = if tag.starts_with("text/") { tag } else { "application/octet-stream".to_owned() };
        part = MimePart::new(ContentType::new(tag), encoded).transfer_encoding("base64");
    }
    if let Some(id) = properties.text(&names::ATTACH_CONTENT_ID) {
        part = part.cid(crate::mapi::address::one_line(&id));
    }
    if let Some(location) = properties.text(&names::ATTACH_CONTENT_LOCATION) {
        part = part.location(crate::mapi::address::one_line(&location));
    }
    Some(match name {
        Some(name) => part.attachment(name),
        None => part,
    })
}

fn inner_item(message: &Message, name: Option<String>, depth: usize) -> Option<MimePart<'static>> {
    if depth == DEPTH_MAX {
        return None;
    }
    let item = crate::mapi::item::inner(message)?;
    let (content_type, bytes, ending) = match item {
        crate::mapi::item::Inner::Mail => ("message/rfc822", render(message, depth + 1), "eml"),
        crate::mapi::item::Inner::Other(item) => match item.format {
            pim::Format::VCard => ("text/vcard", item.bytes, "vcf"),
            _ => ("text/calendar", item.bytes, "ics"),
        },
    };
    let name = name.unwrap_or_else(|| "item".to_owned());
    let name = if name.to_ascii_lowercase().ends_with(ending) { name } else { format!("{name}.{ending}") };
    Some(if content_type == "message/rfc822" {
        MimePart::new(ContentType::new(content_type), bytes).transfer_encoding("8bit").attachment(name)
    } else {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        MimePart::new(ContentType::new(content_type), text).attachment(name)
    })
}

/// A meeting request or answer says in iCalendar what it is about (MS-OXCICAL 2.1.3.1).
fn meeting_part(message: &Message) -> Option<MimePart<'static>> {
    let (method, calendar) = crate::mapi::event::meeting(message)?;
    let content_type = ContentType::new("text/calendar").attribute("method", method).attribute("charset", "utf-8");
    Some(MimePart::new(content_type, String::from_utf8_lossy(&calendar).into_owned()))
}

/// The name an attachment has, as one that any system can hold.
pub(crate) fn file_name(properties: &Bag) -> Option<String> {
    let keys = [names::ATTACH_LONG_FILENAME, names::ATTACH_FILENAME, names::DISPLAY_NAME];
    let name = keys.iter().find_map(|key| properties.text(key))?;
    let name = crate::mapi::address::one_line(&name);
    let name: String = name.rsplit(['/', '\\']).next().unwrap_or_default().chars().take(200).collect();
    Some(name).filter(|name| !name.is_empty())
}

pub(crate) fn is_media_type(text: &str) -> bool {
    let is_token = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    text.len() < 128 && text.split_once('/').is_some_and(|(kind, of)| is_token(kind) && is_token(of))
}

fn flags(properties: &Bag) -> Flags {
    let number = |key| properties.number(key).unwrap_or_default();
    let (bits, last) = (number(&names::MESSAGE_FLAGS), number(&names::LAST_VERB_EXECUTED));
    let marks = [
        (bits & message_flag::READ != 0, Flag::Seen),
        (bits & message_flag::UNSENT != 0, Flag::Draft),
        (matches!(last, verb::REPLIED | verb::REPLIED_TO_ALL), Flag::Answered),
        (last == verb::FORWARDED, Flag::Forwarded),
        (number(&names::FLAG_STATUS) == FOLLOW_UP, Flag::Flagged),
    ];
    let categories = properties.texts(&names::KEYWORDS).into_iter().map(Flag::Keyword);
    Flags(marks.into_iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag).chain(categories).collect())
}
