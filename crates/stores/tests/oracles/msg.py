"""What extract-msg reads from a .msg file, as JSON."""

import json
import sys

import extract_msg

message = extract_msg.openMsg(sys.argv[1])
body = getattr(message, "body", None) or ""
print(
    json.dumps(
        {
            "class": message.classType.rstrip("\0"),
            "subject": (getattr(message, "subject", None) or "").rstrip("\0"),
            "body": body.replace("\r\n", "\n").strip("\0 \n"),
            "properties": len(message.props),
            "recipients": sorted((one.email or "") for one in getattr(message, "recipients", [])),
            "attachments": [
                len(one.data) if isinstance(one.data, bytes) else -1 for one in message.attachments
            ],
        }
    )
)
