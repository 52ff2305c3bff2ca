"""Settings and files that many tests start from."""

from pathlib import Path
from typing import Any

import yaml

from components.settings.stack import SECRET_KEYS, StackSettings

SECRETS = {key: f"test-{key}-0123456789" for key in SECRET_KEYS}
LOCAL: dict[str, Any] = {
    "upstream": "simulator",
    "friday": {"environment": {"OWNER_OPEN_ID": "o", "DATABASE_URL": "file:x", "VITE_APP_ID": "v"}},
}


def settings(**changes: Any) -> StackSettings:
    """Return the settings of a small simulator stack, changed by top-level keys as a stack file has them."""
    return StackSettings.model_validate({**SECRETS, **LOCAL, **changes})


def stack_file(folder: Path, config: dict[str, Any] | None = None, *, text: str = "", name: str = "t") -> Path:
    """Write Pulumi.<name>.yaml with the given settings (keys without namespace), or with the given text."""
    path = folder / f"Pulumi.{name}.yaml"
    document = {"config": {f"friday-litellm:{key}": value for key, value in {**LOCAL, **(config or {})}.items()}}
    path.write_text(text or yaml.safe_dump(document), encoding="utf-8")
    return path
