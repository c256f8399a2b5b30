"""What libpff reads from an Outlook data file, as JSON: class, subject, body, attachments and recipients of each item."""

import json
import sys

import pypff

CLASS, SUBJECT = 0x001A, 0x0037


def entries(item):
    """The texts of an item by property."""
    found = {}
    for number in range(item.number_of_record_sets):
        records = item.get_record_set(number)
        for at in range(records.number_of_entries):
            entry = records.get_entry(at)
            if entry.entry_type in (CLASS, SUBJECT) and entry.value_type in (0x1E, 0x1F):
                found.setdefault(entry.entry_type, entry.data_as_string or "")
    return found


def told(item):
    texts = entries(item)
    subject = texts.get(SUBJECT, "")
    # The length of "Re: " and its like comes first in these files.
    subject = subject[2:] if subject.startswith("\x01") else subject
    is_message = hasattr(item, "plain_text_body")
    body = item.plain_text_body if is_message else None
    recipients = getattr(item, "recipients", None)
    return {
        "class": texts.get(CLASS, ""),
        "subject": subject,
        "body": (body or b"").decode("utf-8", "replace").replace("\r\n", "\n").strip(),
        "attachments": [item.get_attachment(at).size for at in range(item.number_of_attachments)] if is_message else [],
        "recipients": recipients.number_of_record_sets if recipients is not None else 0,
    }


def walk(folder):
    for number in range(folder.number_of_sub_messages):
        yield told(folder.get_sub_message(number))
    for number in range(folder.number_of_sub_folders):
        yield from walk(folder.get_sub_folder(number))


file = pypff.file()
file.open(sys.argv[1])
print(json.dumps(list(walk(file.get_root_folder()))))
