//! Contacts (MS-OXOCNTC) and vCard 3.0 (RFC 2426), which more programs write well than 4.0.
//!
//! What vCard has no word for goes under the names Evolution uses where it has one, so that it is shown there; else under
//! `X-MICROSOFT-`.

use super::{
    Attachment, Bag, Key, Message, Stamp, Value, Zone, calendar,
    lines::{Lines, escaped},
    mail, names,
};
use pim::{Component, Property};

/// Telephone numbers with the types they are written with.
const PHONES: [(Key, &str); 19] = [
    (names::BUSINESS_PHONE, "WORK,VOICE"),
    (names::BUSINESS_PHONE_2, "WORK,VOICE"),
    (names::HOME_PHONE, "HOME,VOICE"),
    (names::HOME_PHONE_2, "HOME,VOICE"),
    (names::MOBILE_PHONE, "CELL"),
    (names::BUSINESS_FAX, "WORK,FAX"),
    (names::HOME_FAX, "HOME,FAX"),
    (names::PRIMARY_FAX, "FAX"),
    (names::PAGER, "PAGER"),
    (names::CAR_PHONE, "CAR"),
    (names::ISDN, "ISDN"),
    (names::OTHER_PHONE, "VOICE"),
    (names::PRIMARY_PHONE, "PREF"),
    (names::CALLBACK_PHONE, "X-EVOLUTION-CALLBACK"),
    (names::RADIO_PHONE, "X-EVOLUTION-RADIO"),
    (names::TELEX, "X-EVOLUTION-TELEX"),
    (names::TTY_PHONE, "X-EVOLUTION-TTYTDD"),
    (names::ASSISTANT_PHONE, "X-EVOLUTION-ASSISTANT"),
    (names::COMPANY_PHONE, "X-EVOLUTION-COMPANY"),
];
/// Where a number goes whose own place is taken.
const SPARE_PHONES: [Key; 4] = [names::OTHER_PHONE, names::PRIMARY_PHONE, names::BUSINESS_PHONE_2, names::HOME_PHONE_2];

/// Single texts.
const TEXTS: [(&str, Key); 30] = [
    ("TITLE", names::JOB_TITLE),
    ("ROLE", names::PROFESSION),
    ("NICKNAME", names::NICKNAME),
    ("X-EVOLUTION-FILE-AS", names::FILE_UNDER),
    ("X-EVOLUTION-MANAGER", names::MANAGER),
    ("X-EVOLUTION-ASSISTANT", names::ASSISTANT),
    ("X-EVOLUTION-SPOUSE", names::SPOUSE),
    ("IMPP", names::IM_ADDRESS),
    ("FBURL", names::FREE_BUSY_LOCATION),
    ("X-PHONETIC-FIRST-NAME", names::YOMI_GIVEN),
    ("X-PHONETIC-LAST-NAME", names::YOMI_SURNAME),
    ("X-PHONETIC-ORG", names::YOMI_COMPANY),
    ("X-MICROSOFT-INITIALS", names::INITIALS),
    ("X-MICROSOFT-HOBBIES", names::HOBBIES),
    ("X-MICROSOFT-REFERRED-BY", names::REFERRED_BY),
    ("X-MICROSOFT-LANGUAGE", names::LANGUAGE),
    ("X-MICROSOFT-CUSTOMER-ID", names::CUSTOMER_ID),
    ("X-MICROSOFT-GOVERNMENT-ID", names::GOVERNMENT_ID),
    ("X-MICROSOFT-ORGANIZATIONAL-ID", names::ORGANIZATIONAL_ID),
    ("X-MICROSOFT-COMPUTER-NETWORK", names::COMPUTER_NETWORK),
    ("X-MICROSOFT-FTP-SITE", names::FTP_SITE),
    ("X-MICROSOFT-MILEAGE", names::MILEAGE),
    ("X-MICROSOFT-BILLING", names::BILLING),
    ("X-MICROSOFT-USER-1", names::USER_FIELD_1),
    ("X-MICROSOFT-USER-2", names::USER_FIELD_2),
    ("X-MICROSOFT-USER-3", names::USER_FIELD_3),
    ("X-MICROSOFT-USER-4", names::USER_FIELD_4),
    ("URL;TYPE=HOME", names::PERSONAL_HOME_PAGE),
    ("URL;TYPE=WORK", names::BUSINESS_HOME_PAGE),
    ("URL", names::WEB_PAGE),
];
/// Names under which other programs write the same.
const ALIASES: [(&str, Key); 8] = [
    ("X-MS-MANAGER", names::MANAGER),
    ("X-MANAGER", names::MANAGER),
    ("X-MS-ASSISTANT", names::ASSISTANT),
    ("X-ASSISTANT", names::ASSISTANT),
    ("X-MS-SPOUSE", names::SPOUSE),
    ("X-SPOUSE", names::SPOUSE),
    ("X-MS-IMADDRESS", names::IM_ADDRESS),
    ("X-FILE-AS", names::FILE_UNDER),
];

/// An address: where its parts are, and the whole of it in one text.
struct Place {
    kind: &'static str,
    /// As `PidLidPostalAddressId` counts.
    number: i32,
    /// PO box, street, city, region, postal code, country.
    parts: [Key; 6],
    whole: Key,
}

const PLACES: [Place; 3] = [
    Place {
        kind: "HOME",
        number: 1,
        parts: [
            names::HOME_PO_BOX,
            names::HOME_STREET,
            names::HOME_CITY,
            names::HOME_STATE,
            names::HOME_POSTAL_CODE,
            names::HOME_COUNTRY,
        ],
        whole: names::HOME_ADDRESS,
    },
    Place {
        kind: "WORK",
        number: 2,
        parts: [
            names::WORK_PO_BOX,
            names::WORK_STREET,
            names::WORK_CITY,
            names::WORK_STATE,
            names::WORK_POSTAL_CODE,
            names::WORK_COUNTRY,
        ],
        whole: names::WORK_ADDRESS,
    },
    Place {
        kind: "",
        number: 3,
        parts: [
            names::OTHER_PO_BOX,
            names::OTHER_STREET,
            names::OTHER_CITY,
            names::OTHER_STATE,
            names::OTHER_POSTAL_CODE,
            names::OTHER_COUNTRY,
        ],
        whole: names::OTHER_ADDRESS,
    },
];

/// Names of days: `BDAY` and the wedding, each in UTC and as a day anywhere.
const DAYS: [(&str, Key, Key); 2] = [
    ("BDAY", names::BIRTHDAY, names::BIRTHDAY_LOCAL),
    ("X-EVOLUTION-ANNIVERSARY", names::WEDDING_ANNIVERSARY, names::ANNIVERSARY_LOCAL),
];
const CHILDREN: &str = "X-MICROSOFT-CHILDREN";

pub(crate) fn to_card(message: &Message, uid: &str) -> Vec<u8> {
    let bag = &message.properties;
    let text = |key: &Key| bag.text(key).unwrap_or_default();
    let mut lines = Lines::default();
    lines.raw("BEGIN", "VCARD");
    lines.raw("VERSION", "3.0");
    lines.raw("UID", uid);
    let name: Vec<String> =
        [names::SURNAME, names::GIVEN_NAME, names::MIDDLE_NAME, names::NAME_PREFIX, names::GENERATION]
            .iter()
            .map(text)
            .collect();
    let emails: Vec<String> = names::EMAILS.iter().filter_map(|keys| email(bag, keys)).collect();
    let full = [names::DISPLAY_NAME, names::SUBJECT, names::FILE_UNDER, names::COMPANY_NAME];
    let full = full.iter().find_map(|key| bag.text(key)).or_else(|| emails.first().cloned());
    // Both are required (RFC 2426 3.1), and programs refuse cards without.
    lines.raw("FN", &escaped(&super::address::one_line(&full.unwrap_or_else(|| "-".to_owned()))));
    lines.raw("N", &name.iter().map(|part| escaped(part)).collect::<Vec<_>>().join(";"));
    let mut organization: Vec<String> =
        [names::COMPANY_NAME, names::DEPARTMENT, names::OFFICE].iter().map(text).collect();
    while organization.pop_if(|part| part.is_empty()).is_some() {}
    lines.structured("ORG", &organization);
    for (at, address) in emails.iter().enumerate() {
        lines.text(if at == 0 { "EMAIL;TYPE=INTERNET,PREF" } else { "EMAIL;TYPE=INTERNET" }, address);
    }
    for (key, types) in &PHONES {
        lines.text(&format!("TEL;TYPE={types}"), &text(key));
    }
    let preferred = bag.number(&names::POSTAL_ADDRESS_ID);
    for place in &PLACES {
        write_place(&mut lines, bag, place, preferred == Some(place.number.into()));
    }
    for (name, key) in &TEXTS {
        // The web page and the business home page are the same field in Outlook's window.
        let is_repeated = *key == names::BUSINESS_HOME_PAGE && bag.text(key) == bag.text(&names::WEB_PAGE);
        // An address as the name in the list says nothing new.
        if !is_repeated {
            lines.text(name, &text(key));
        }
    }
    for (name, utc, local) in &DAYS {
        let day = bag.time(local).map(Stamp::midnight).or_else(|| Some(nearest_midnight(bag.time(utc)?)));
        if let Some((year, month, day)) = day.and_then(Stamp::ymd) {
            lines.raw(name, &format!("{year:04}-{month:02}-{day:02}"));
        }
    }
    match bag.number(&names::GENDER) {
        Some(1) => lines.raw("X-GENDER", "Female"),
        Some(2) => lines.raw("X-GENDER", "Male"),
        _ => {}
    }
    lines.list(CHILDREN, &bag.texts(&names::CHILDREN));
    lines.list("CATEGORIES", &bag.texts(&names::KEYWORDS));
    let note = mail::Bodies::of(bag).text.unwrap_or_default();
    lines.text("NOTE", note.replace("\r\n", "\n").trim_end());
    if bag.is(&names::IS_PRIVATE) || bag.number(&names::SENSITIVITY) == Some(2) {
        lines.raw("CLASS", "PRIVATE");
    }
    write_files(&mut lines, message);
    if let Some(modified) = bag.time(&names::LAST_MODIFICATION_TIME) {
        lines.raw("REV", &modified.utc_text());
    }
    lines.raw("END", "VCARD");
    lines.finish()
}

/// The day a time is nearest to the beginning of: midnight somewhere, told in UTC.
fn nearest_midnight(stamp: Stamp) -> Stamp {
    Stamp(stamp.0 + 43_200).midnight()
}

fn email(bag: &Bag, [_, _, address, original, entry_id]: &[Key; 5]) -> Option<String> {
    let text = bag.text(address).filter(|text| text.contains('@'));
    let text = text.or_else(|| bag.text(original).filter(|text| text.contains('@') && !text.contains(' ')));
    let text = text.or_else(|| super::Address::from_entry_id(bag.binary(entry_id)?).map(|address| address.email));
    text.or_else(|| bag.text(address)).map(|text| super::address::one_line(&text)).filter(|text| !text.is_empty())
}

fn write_place(lines: &mut Lines, bag: &Bag, place: &Place, is_preferred: bool) {
    let [po_box, street, city, region, code, country] =
        place.parts.each_ref().map(|key| bag.text(key).unwrap_or_default());
    let mut parts = [po_box, String::new(), street, city, region, code, country];
    if parts.iter().all(String::is_empty) {
        // Only the whole text: better in one part than not at all.
        parts[2] = bag.text(&place.whole).unwrap_or_default();
    }
    let types: Vec<&str> =
        [place.kind, if is_preferred { "PREF" } else { "" }].into_iter().filter(|kind| !kind.is_empty()).collect();
    let types = if types.is_empty() { String::new() } else { format!(";TYPE={}", types.join(",")) };
    lines.structured(&format!("ADR{types}"), &parts);
}

fn write_files(lines: &mut Lines, message: &Message) {
    let base64 = |bytes: &[u8]| {
        let encoded = mail_builder::encoders::base64::base64_encode(bytes).unwrap_or_default();
        String::from_utf8(encoded).unwrap_or_default()
    };
    for attachment in &message.attachments {
        let bag = &attachment.properties;
        let Some(bytes) = bag.binary(&names::ATTACH_DATA) else { continue };
        let name = mail::file_name(bag).unwrap_or_default();
        let is_photo = bag.is(&names::ATTACHMENT_CONTACT_PHOTO) || name.eq_ignore_ascii_case("ContactPicture.jpg");
        if is_photo {
            let kind = if bytes.starts_with(b"\x89PNG") { "PNG" } else { "JPEG" };
            lines.raw(&format!("PHOTO;ENCODING=b;TYPE={kind}"), &base64(bytes));
        } else {
            let name = super::lines::parameter("X-FILENAME", &name);
            lines.raw(&format!("X-MICROSOFT-ATTACHMENT;ENCODING=b{name}"), &base64(bytes));
        }
    }
}

pub(crate) fn from_card(card: &Component, here: &Zone) -> Message {
    let mut message = Message::default();
    calendar::read_common(&mut message, card, "IPM.Contact");
    let bag = &mut message.properties;
    bag.set(names::ICON_INDEX, Value::I32(0x200));
    set_names(bag, card);
    set_emails(bag, card);
    set_phones(bag, card);
    set_places(bag, card);
    set_texts(bag, card);
    for (name, utc, local) in DAYS {
        let others = if name == "BDAY" { "BDAY" } else { "ANNIVERSARY" };
        let line = [name, others, "X-MS-ANNIVERSARY", "X-ANNIVERSARY"]
            .iter()
            .filter(|alias| name != "BDAY" || **alias == "BDAY")
            .find_map(|alias| card.first(alias));
        if let Some(day) = line.and_then(|line| Stamp::parse(&line.value)).map(Stamp::midnight) {
            calendar::set_time(bag, utc, here.to_utc(day));
            calendar::set_time(bag, local, day);
        }
    }
    match card.text("X-GENDER").or_else(|| card.text("GENDER")).and_then(|text| text.trim().chars().next()) {
        Some('F' | 'f') => bag.set(names::GENDER, Value::I16(1)),
        Some('M' | 'm') => bag.set(names::GENDER, Value::I16(2)),
        _ => {}
    }
    bag.set_texts(names::CHILDREN, card.all(CHILDREN).flat_map(Property::list));
    bag.set_text(names::BODY, card.text("NOTE").unwrap_or_default().replace('\n', "\r\n"));
    set_files(&mut message, card);
    message
}

fn set_names(bag: &mut Bag, card: &Component) {
    let parts = card.first("N").map(Property::structured).unwrap_or_default();
    let keys = [names::SURNAME, names::GIVEN_NAME, names::MIDDLE_NAME, names::NAME_PREFIX, names::GENERATION];
    for (key, part) in keys.into_iter().zip(&parts) {
        bag.set_text(key, part.clone());
    }
    let organization = card.first("ORG").map(Property::structured).unwrap_or_default();
    for (key, part) in [names::COMPANY_NAME, names::DEPARTMENT, names::OFFICE].into_iter().zip(&organization) {
        bag.set_text(key, part.clone());
    }
    let in_order = [3, 1, 2, 0, 4].iter().filter_map(|at: &usize| parts.get(*at)).filter(|part| !part.is_empty());
    let made = in_order.cloned().collect::<Vec<_>>().join(" ");
    let full = card.text("FN").filter(|name| name.trim() != "-").unwrap_or(made);
    let full = if full.is_empty() { organization.first().cloned().unwrap_or_default() } else { full };
    mail::set_subject(bag, &full);
    bag.set_text(names::DISPLAY_NAME, super::address::one_line(&full));
    // What Outlook sorts by, where nobody said otherwise: "Surname, Given".
    let given = [1, 2].iter().filter_map(|at: &usize| parts.get(*at)).filter(|part| !part.is_empty());
    let given = given.cloned().collect::<Vec<_>>().join(" ");
    let surname = parts.first().filter(|part| !part.is_empty());
    let file_as = match (surname, given.is_empty()) {
        (Some(surname), false) => format!("{surname}, {given}"),
        (Some(surname), true) => surname.clone(),
        (None, _) => full,
    };
    bag.set_text(names::FILE_UNDER, file_as);
}

fn set_emails(bag: &mut Bag, card: &Component) {
    let mut lines: Vec<&Property> = card.all("EMAIL").filter(|line| !line.value.trim().is_empty()).collect();
    // The preferred one is the first.
    lines.sort_by_key(|line| !line.types.contains("pref"));
    let name = bag.text(&names::DISPLAY_NAME).unwrap_or_default();
    for ([shown, kind, address, original, entry_id], line) in names::EMAILS.into_iter().zip(lines) {
        let email = super::address::one_line(&line.text());
        bag.set_text(shown, if name.is_empty() { email.clone() } else { format!("{name} ({email})") });
        bag.set_text(kind, "SMTP");
        bag.set_text(address, email.clone());
        bag.set_text(original, email.clone());
        bag.set(entry_id, Value::Binary(super::Address::new(name.clone(), email).to_entry_id()));
    }
}

fn set_phones(bag: &mut Bag, card: &Component) {
    for line in card.all("TEL") {
        let number = line.text().trim().trim_start_matches("tel:").to_owned();
        let places = phone_places(&line.types);
        let free = places.into_iter().chain(SPARE_PHONES).find(|key| bag.get(key).is_none());
        if let Some(key) = free {
            bag.set_text(key, number);
        }
    }
}

/// The fields a number with these types may be in, best first.
fn phone_places(types: &std::collections::BTreeSet<String>) -> Vec<Key> {
    let has = |kind: &str| types.contains(kind);
    let special = [
        ("x-evolution-callback", names::CALLBACK_PHONE),
        ("x-evolution-radio", names::RADIO_PHONE),
        ("x-evolution-telex", names::TELEX),
        ("x-evolution-ttytdd", names::TTY_PHONE),
        ("x-evolution-assistant", names::ASSISTANT_PHONE),
        ("x-evolution-company", names::COMPANY_PHONE),
        ("pager", names::PAGER),
        ("car", names::CAR_PHONE),
        ("isdn", names::ISDN),
        ("textphone", names::TTY_PHONE),
    ];
    if let Some((_, key)) = special.iter().find(|(kind, _)| has(kind)) {
        return vec![key.clone()];
    }
    if has("fax") {
        return match () {
            () if has("home") => vec![names::HOME_FAX, names::PRIMARY_FAX],
            () if has("work") => vec![names::BUSINESS_FAX, names::PRIMARY_FAX],
            () => vec![names::PRIMARY_FAX, names::BUSINESS_FAX, names::HOME_FAX],
        };
    }
    match () {
        () if has("cell") || has("iphone") || has("mobile") => vec![names::MOBILE_PHONE],
        () if has("work") => vec![names::BUSINESS_PHONE, names::BUSINESS_PHONE_2, names::COMPANY_PHONE],
        () if has("home") => vec![names::HOME_PHONE, names::HOME_PHONE_2],
        () if has("pref") => vec![names::PRIMARY_PHONE],
        () => vec![names::OTHER_PHONE],
    }
}

fn set_places(bag: &mut Bag, card: &Component) {
    for line in card.all("ADR") {
        let kind = ["home", "work"].into_iter().find(|kind| line.types.contains(*kind)).unwrap_or_default();
        let fits = |place: &&Place| place.kind.eq_ignore_ascii_case(kind) && bag.get(&place.whole).is_none();
        let free = PLACES.iter().find(fits).or_else(|| PLACES.iter().find(|place| bag.get(&place.whole).is_none()));
        let Some(place) = free else { continue };
        let mut parts = line.structured();
        parts.resize(7, String::new());
        // "Extended address" is a floor or suite: a line of the street in Outlook.
        let street: Vec<&str> = [&*parts[1], &*parts[2]].into_iter().filter(|part| !part.is_empty()).collect();
        let street = street.join("\n");
        let values = [&parts[0], &street, &parts[3], &parts[4], &parts[5], &parts[6]];
        for (key, value) in place.parts.iter().zip(values) {
            bag.set_text(key.clone(), value.replace('\n', "\r\n"));
        }
        let town = [&*parts[5], &*parts[3], &*parts[4]].into_iter().filter(|part| !part.is_empty());
        let town = town.collect::<Vec<_>>().join(" ");
        let whole = [&*street, &*parts[0], &*town, &*parts[6]].into_iter().filter(|part| !part.is_empty());
        bag.set_text(place.whole.clone(), whole.collect::<Vec<_>>().join("\n").replace('\n', "\r\n"));
        if line.types.contains("pref") {
            bag.set(names::POSTAL_ADDRESS_ID, Value::I32(place.number));
        }
    }
}

fn set_texts(bag: &mut Bag, card: &Component) {
    let texts = TEXTS.iter().chain(&ALIASES);
    for (name, key) in texts {
        let (name, kind) = name.split_once(";TYPE=").unwrap_or((name, ""));
        let kind = kind.to_ascii_lowercase();
        let fits = |line: &&Property| match (name, kind.as_str()) {
            ("URL", "") => !line.types.contains("home"),
            (_, "") => true,
            (_, kind) => line.types.contains(kind),
        };
        let text = card.all(name).filter(fits).map(Property::text).find(|text| !text.trim().is_empty());
        // A guess of ours may be replaced, what another line said may not.
        if let Some(text) = text.filter(|_| *key == names::FILE_UNDER || bag.get(key).is_none()) {
            bag.set_text(key.clone(), text.replace('\n', "\r\n"));
        }
    }
}

fn set_files(message: &mut Message, card: &Component) {
    if let Some(bytes) = card.first("PHOTO").and_then(|line| line.binary.clone()).filter(|bytes| !bytes.is_empty()) {
        let mut photo = Attachment::default();
        mail::set_data(&mut photo.properties, bytes, "ContactPicture.jpg", Some("image/jpeg".to_owned()));
        photo.properties.set(names::ATTACHMENT_CONTACT_PHOTO, Value::Bool(true));
        message.properties.set(names::HAS_PICTURE, Value::Bool(true));
        message.attachments.push(photo);
    }
    for line in card.all("X-MICROSOFT-ATTACHMENT") {
        if let Some(bytes) = &line.binary {
            let mut attachment = Attachment::default();
            let name = line.parameter("X-FILENAME").unwrap_or("attachment");
            mail::set_data(&mut attachment.properties, bytes.clone(), name, None);
            message.attachments.push(attachment);
        }
    }
}
