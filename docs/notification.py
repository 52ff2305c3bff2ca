"""Writes notification.schema.json, the form of a notification: `python -m docs.notification`."""

import json
from pathlib import Path

from ops.notify.message import Message

if __name__ == "__main__":
    schema = json.dumps(Message.model_json_schema(mode="serialization"), indent=2)
    Path(__file__).with_name("notification.schema.json").write_text(schema + "\n", encoding="utf-8")
