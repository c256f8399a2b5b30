//! From Internet mail to properties.

use super::{DEPTH_MAX, FOLLOW_UP, message_flag, method, verb};
use crate::mapi::{Address, Attachment, Bag, Key, Message, Stamp, Value, names};
use mail_parser::{HeaderName, HeaderValue, MessageParser, MessagePart, MimeHeaders, PartType};
use pim::{Flag, Flags};

/// UTF-8, as a code page.
const UTF_8: i32 = 65_001;

/// Makes Outlook's message of an Internet mail; `None` for bytes that are none.
pub(crate) fn from_mail(bytes: &[u8], flags: &Flags) -> Option<Message> {
    let mail = MessageParser::default().parse(bytes)?;
    let mut message = read(&mail, 0);
    set_flags(&mut message.properties, flags, !message.attachments.is_empty());
    Some(message)
}

fn read(mail: &mail_parser::Message<'_>, depth: usize) -> Message {
    let mut message = Message::default();
    let bag = &mut message.properties;
    bag.set_text(names::MESSAGE_CLASS, "IPM.Note");
    bag.set_text(names::TRANSPORT_MESSAGE_HEADERS, raw_headers(mail));
    set_subject(bag, mail.subject().unwrap_or_default());
    set_time(bag, mail);
    set_people(&mut message, mail);
    let bag = &mut message.properties;
    let id = |text: &str| format!("<{}>", text.trim());
    if let Some(own) = mail.message_id() {
        bag.set_text(names::INTERNET_MESSAGE_ID, id(own));
    }
    let ids = |value: &HeaderValue<'_>| match value {
        HeaderValue::Text(one) => id(one),
        HeaderValue::TextList(all) => all.iter().map(|one| id(one)).collect::<Vec<_>>().join(" "),
        _ => String::new(),
    };
    bag.set_text(names::IN_REPLY_TO_ID, ids(mail.in_reply_to()));
    bag.set_text(names::INTERNET_REFERENCES, ids(mail.references()));
    set_marks(bag, mail);
    bag.set(names::INTERNET_CODE_PAGE, Value::I32(UTF_8));
    if let Some(entity) = signed_entity(mail) {
        message.set_signed(mail, entity);
        return message;
    }
    set_bodies(&mut message, mail, depth);
    message
}

/// A subject with and without what was put before it (`Re: `).
pub(crate) fn set_subject(bag: &mut Bag, subject: &str) {
    let subject = crate::mapi::address::one_line(subject);
    // At most three letters, a colon and a blank are a prefix (MS-OXCMSG 3.2.4.1.1).
    let prefix = subject.find(": ").filter(|at| subject[..*at].chars().count() <= 3).map_or(0, |at| at + 2);
    bag.set_text(names::NORMALIZED_SUBJECT, &subject[prefix..]);
    bag.set_text(names::CONVERSATION_TOPIC, &subject[prefix..]);
    bag.set_text(names::SUBJECT, subject);
}

fn raw_headers(mail: &mail_parser::Message<'_>) -> String {
    let root = mail.root_part();
    let raw = mail.raw_message.get(root.offset_header as usize..root.offset_body as usize).unwrap_or_default();
    let text = String::from_utf8_lossy(raw).replace("\r\n", "\n").replace('\n', "\r\n");
    text.trim_end_matches(['\r', '\n']).to_owned() + "\r\n\r\n"
}

fn set_time(bag: &mut Bag, mail: &mail_parser::Message<'_>) {
    let sent = mail.date().map(|date| Stamp::from_unix(date.to_timestamp()));
    let received = mail.received().and_then(|received| received.date()).map(|d| Stamp::from_unix(d.to_timestamp()));
    for (key, stamp) in [(names::CLIENT_SUBMIT_TIME, sent), (names::MESSAGE_DELIVERY_TIME, received.or(sent))] {
        if let Some(stamp) = stamp.filter(|stamp| stamp.0 > 0) {
            bag.set(key, Value::Time(stamp.filetime()));
        }
    }
}

fn addresses(value: Option<&mail_parser::Address<'_>>) -> Vec<Address> {
    let Some(value) = value else { return Vec::new() };
    let address = |one: &mail_parser::Addr<'_>| Address {
        name: one.name().map(crate::mapi::address::one_line).unwrap_or_default(),
        email: one.address().map(crate::mapi::address::one_line).unwrap_or_default(),
    };
    value.iter().map(address).filter(|address| !address.is_empty()).collect()
}

fn set_people(message: &mut Message, mail: &mail_parser::Message<'_>) {
    let from = addresses(mail.from());
    let sender = addresses(mail.sender());
    let sender = sender.first().or(from.first());
    if let (Some(from), Some(sender)) = (from.first(), sender) {
        set_author(&mut message.properties, from);
        set_sender(&mut message.properties, sender);
    }
    let mut shown = Vec::new();
    for (key, kind, value) in
        [(names::DISPLAY_TO, 1, mail.to()), (names::DISPLAY_CC, 2, mail.cc()), (names::DISPLAY_BCC, 3, mail.bcc())]
    {
        let people = addresses(value);
        let name = |person: &Address| if person.name.is_empty() { person.email.clone() } else { person.name.clone() };
        shown.push((key, people.iter().map(name).collect::<Vec<_>>().join("; ")));
        message.recipients.extend(people.iter().map(|person| person.to_recipient(kind)));
    }
    shown.into_iter().for_each(|(key, text)| message.properties.set_text(key, text));
    let reply_to = addresses(mail.reply_to());
    let text: Vec<String> = reply_to.into_iter().map(|address| address.email).collect();
    message.properties.set_text(names::REPLY_RECIPIENT_NAMES, text.join(";"));
}

/// In whose name something was sent.
pub(crate) fn set_author(bag: &mut Bag, author: &Address) {
    let keys = [
        names::SENT_REPRESENTING_NAME,
        names::SENT_REPRESENTING_ADDRESS_TYPE,
        names::SENT_REPRESENTING_EMAIL_ADDRESS,
        names::SENT_REPRESENTING_SMTP_ADDRESS,
        names::SENT_REPRESENTING_ENTRY_ID,
    ];
    set_person(bag, author, keys);
}

/// Who sent something.
pub(crate) fn set_sender(bag: &mut Bag, sender: &Address) {
    let keys = [
        names::SENDER_NAME,
        names::SENDER_ADDRESS_TYPE,
        names::SENDER_EMAIL_ADDRESS,
        names::SENDER_SMTP_ADDRESS,
        names::SENDER_ENTRY_ID,
    ];
    set_person(bag, sender, keys);
}

fn set_person(bag: &mut Bag, person: &Address, keys: [Key; 5]) {
    let [name, kind, email, smtp, entry_id] = keys;
    let shown = if person.name.is_empty() { &person.email } else { &person.name };
    bag.set_text(name, shown.clone());
    bag.set_text(kind, "SMTP");
    bag.set_text(email, person.email.clone());
    bag.set_text(smtp, person.email.clone());
    bag.set(entry_id, Value::Binary(person.to_entry_id()));
}

fn set_marks(bag: &mut Bag, mail: &mail_parser::Message<'_>) {
    let word = |name: &'static str| match mail.header(name) {
        Some(HeaderValue::Text(text)) => text.trim().to_ascii_lowercase(),
        _ => String::new(),
    };
    let priority = word("X-Priority");
    let importance = match (word("Importance").as_str(), priority.chars().next()) {
        ("high", _) | ("", Some('1' | '2')) => 2,
        ("low", _) | ("", Some('4' | '5')) => 0,
        _ => 1,
    };
    bag.set(names::IMPORTANCE, Value::I32(importance));
    let sensitivity = match word("Sensitivity").as_str() {
        "personal" => 1,
        "private" => 2,
        "company-confidential" => 3,
        _ => 0,
    };
    bag.set(names::SENSITIVITY, Value::I32(sensitivity));
}

/// The part of the raw message from its Content-Type on, where it is signed or encrypted.
fn signed_entity<'m>(mail: &'m mail_parser::Message<'_>) -> Option<&'m [u8]> {
    let root = mail.root_part();
    let is_sealed = root.is_content_type("multipart", "signed") || root.is_content_type("application", "pkcs7-mime");
    is_sealed.then(|| mail.raw_message.get(root.offset_body as usize..root.offset_end as usize)).flatten()
}

impl Message {
    fn set_signed(&mut self, mail: &mail_parser::Message<'_>, entity: &[u8]) {
        let root = mail.root_part();
        let is_signed = root.is_content_type("multipart", "signed");
        let class = if is_signed { "IPM.Note.SMIME.MultipartSigned" } else { "IPM.Note.SMIME" };
        self.properties.set_text(names::MESSAGE_CLASS, class);
        let (data, tag) = if is_signed {
            let content_type = mail.header_raw(HeaderName::ContentType).unwrap_or_default().trim();
            let data = [b"Content-Type: ", content_type.as_bytes(), b"\r\n\r\n", entity].concat();
            (data, "multipart/signed")
        } else {
            let data = match &root.body {
                PartType::Binary(bytes) | PartType::InlineBinary(bytes) => bytes.to_vec(),
                _ => entity.to_vec(),
            };
            (data, "application/pkcs7-mime")
        };
        let mut attachment = Attachment::default();
        set_data(&mut attachment.properties, data, "smime.p7m", Some(tag.to_owned()));
        self.attachments.push(attachment);
    }
}

fn set_bodies(message: &mut Message, mail: &mail_parser::Message<'_>, depth: usize) {
    let is_text = |part: &&MessagePart<'_>| matches!(part.body, PartType::Text(_));
    let is_html = |part: &&MessagePart<'_>| matches!(part.body, PartType::Html(_));
    let content = |part: &MessagePart<'_>| match &part.body {
        PartType::Text(text) | PartType::Html(text) => text.to_string(),
        _ => String::new(),
    };
    let html = mail.html_bodies().find(is_html);
    let plain = mail.text_bodies().find(is_text);
    let mut shown: Vec<*const MessagePart<'_>> = Vec::new();
    if let Some(part) = plain {
        shown.push(part);
        let text = content(part).replace("\r\n", "\n").replace('\n', "\r\n");
        message.properties.set_text(names::BODY, text);
        message.properties.set(names::NATIVE_BODY, Value::I32(1));
    }
    if let Some(part) = html {
        shown.push(part);
        let html = content(part);
        if plain.is_none() {
            let text = mail_parser::decoders::html::html_to_text(&html);
            message.properties.set_text(names::BODY, text.replace("\r\n", "\n").replace('\n', "\r\n"));
        }
        message.properties.set(names::HTML, Value::Binary(html.into_bytes()));
        message.properties.set(names::NATIVE_BODY, Value::I32(3));
    }
    // Everything that isn't the body shown above hangs on it, in the order of the parts.
    for part in &mail.parts {
        if matches!(part.body, PartType::Multipart(_)) || shown.iter().any(|known| std::ptr::eq(*known, part)) {
            continue;
        }
        if part.is_content_type("application", "rtf")
            && let PartType::Binary(bytes) | PartType::InlineBinary(bytes) = &part.body
            && part.attachment_name().is_none()
            && html.is_none()
        {
            let rtf = crate::mapi::rtf::wrap(bytes);
            message.properties.set(names::RTF_COMPRESSED, Value::Binary(rtf));
            message.properties.set(names::RTF_IN_SYNC, Value::Bool(true));
            message.properties.set(names::NATIVE_BODY, Value::I32(2));
            continue;
        }
        message.attachments.extend(attachment(part, depth));
    }
    for (at, attachment) in message.attachments.iter_mut().enumerate() {
        attachment.properties.set(names::ATTACH_NUMBER, Value::I32(i32::try_from(at).unwrap_or(i32::MAX)));
    }
}

fn attachment(part: &MessagePart<'_>, depth: usize) -> Option<Attachment> {
    let mut attachment = Attachment::default();
    let media_type = part.content_type().map(|kind| {
        let subtype = kind.c_subtype.as_deref().unwrap_or("octet-stream");
        format!("{}/{subtype}", kind.c_type)
    });
    let name = part.attachment_name().map(crate::mapi::address::one_line);
    match &part.body {
        PartType::Message(inner) => {
            if depth == DEPTH_MAX {
                return None;
            }
            let inner = read(inner, depth + 1);
            let subject = inner.properties.text(&names::SUBJECT).unwrap_or_default();
            let bag = &mut attachment.properties;
            bag.set(names::ATTACH_METHOD, Value::I32(method::MESSAGE));
            bag.set(names::RENDERING_POSITION, Value::I32(-1));
            bag.set_text(names::DISPLAY_NAME, name.unwrap_or(subject));
            attachment.message = Some(Box::new(inner));
        }
        PartType::Text(text) | PartType::Html(text) => {
            let name = name.unwrap_or_else(|| "text.txt".to_owned());
            set_data(&mut attachment.properties, text.as_bytes().to_vec(), &name, media_type);
        }
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => {
            let name = name.unwrap_or_else(|| "attachment".to_owned());
            set_data(&mut attachment.properties, bytes.to_vec(), &name, media_type);
        }
        PartType::Multipart(_) => return None,
    }
    if let Some(id) = part.content_id() {
        attachment.properties.set_text(names::ATTACH_CONTENT_ID, id);
    }
    if let Some(location) = part.content_location() {
        attachment.properties.set_text(names::ATTACH_CONTENT_LOCATION, location);
    }
    Some(attachment)
}

/// Properties of an attachment that holds bytes.
pub(crate) fn set_data(bag: &mut Bag, data: Vec<u8>, name: &str, media_type: Option<String>) {
    bag.set(names::ATTACH_METHOD, Value::I32(method::BY_VALUE));
    bag.set(names::RENDERING_POSITION, Value::I32(-1));
    bag.set(names::ATTACH_SIZE, Value::I32(i32::try_from(data.len()).unwrap_or(i32::MAX)));
    bag.set_text(names::ATTACH_LONG_FILENAME, name);
    bag.set_text(names::ATTACH_FILENAME, name);
    bag.set_text(names::DISPLAY_NAME, name);
    if let Some((_, ending)) = name.rsplit_once('.') {
        bag.set_text(names::ATTACH_EXTENSION, format!(".{ending}"));
    }
    bag.set_text(names::ATTACH_MIME_TAG, media_type.unwrap_or_default());
    bag.set(names::ATTACH_DATA, Value::Binary(data));
}

fn set_flags(bag: &mut Bag, flags: &Flags, has_attachments: bool) {
    let has = |flag: &Flag| flags.0.contains(flag);
    let bits = [
        (has(&Flag::Seen), message_flag::READ),
        (has(&Flag::Draft), message_flag::UNSENT),
        (has_attachments, message_flag::HAS_ATTACHMENTS),
    ];
    let bits = bits.iter().filter(|(is_set, _)| *is_set).fold(0, |all, (_, bit)| all | bit);
    bag.set(names::MESSAGE_FLAGS, Value::I32(i32::try_from(bits).unwrap_or_default()));
    let last = if has(&Flag::Forwarded) { Some(verb::FORWARDED) } else { None };
    // Icons of answered and forwarded messages (MS-OXOMSG 2.2.1.10).
    if let Some((verb, icon)) =
        if has(&Flag::Answered) { Some((verb::REPLIED, 0x105)) } else { last.map(|verb| (verb, 0x106)) }
    {
        bag.set(names::LAST_VERB_EXECUTED, Value::I32(i32::try_from(verb).unwrap_or_default()));
        bag.set(names::ICON_INDEX, Value::I32(icon));
    }
    if has(&Flag::Flagged) {
        bag.set(names::FLAG_STATUS, Value::I32(i32::try_from(FOLLOW_UP).unwrap_or_default()));
    }
    let categories = flags.0.iter().filter_map(|flag| match flag {
        Flag::Keyword(name) => Some(name.clone()),
        _ => None,
    });
    bag.set_texts(names::KEYWORDS, categories);
}
