"""Data that must never be lost: the local stack's state folder, its passphrase and its generated secrets."""

import json
import secrets
from pathlib import Path
from typing import Any

from toolchain import files, paths
from toolchain.errors import SetupError
from toolchain.runner import Report, Step

_KEY_BYTES = 32
# The prefix is what LiteLLM's clients expect of a key.
SECRET_PREFIXES = {
    "gatewayKey": "sk-",
    "edgeKey": "sk-",
    "opsKey": "sk-",
    "openrouterApiKey": "",
    "fridayOpenrouterApiKey": "",
    "redisPassword": "",
    "jwtSecret": "",
}
"""The keys of secrets.json and the prefix of each value."""


def new_secret(name: str) -> str:
    """Return a new random value for one of `SECRET_PREFIXES`."""
    return SECRET_PREFIXES[name] + secrets.token_urlsafe(_KEY_BYTES)


def _is_done() -> bool:
    """Return whether all files exist, complete and private."""
    private = [paths.passphrase_file(), paths.secrets_file()]
    return (
        paths.pulumi_state().is_dir()
        and _mode(paths.state_dir()) == 0o700
        and all(path.is_file() and _mode(path) == 0o600 for path in private)
        and not _missing_secrets()
    )


def _run(report: Report) -> None:
    """Create missing files. Raises SetupError when a passphrase is missing that stacks still need."""
    folder, secrets_file = paths.state_dir(), paths.secrets_file()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        paths.pulumi_state().mkdir(mode=0o700, exist_ok=True)
        _make_passphrase()
        missing = _missing_secrets()
        if missing:
            report(f"generating {', '.join(missing)} in {secrets_file}")
            content = _read_secrets() | {name: new_secret(name) for name in missing}
            files.write_private(secrets_file, json.dumps(content, indent=2) + "\n", replace=secrets_file.exists())
        for path in (paths.passphrase_file(), secrets_file):
            path.chmod(0o600)
            if _mode(path) != 0o600:
                fix = "set FRIDAY_STATE_DIR to a folder on another one; in WSL have the checkout below your home"
                raise SetupError("its file system keeps no permissions: others could read it", str(path), fix)
    except OSError as error:
        fix = f"give this user {folder}, or set FRIDAY_STATE_DIR"
        raise SetupError(f"cannot be written: {error.strerror}", str(error.filename or folder), fix) from error


def _make_passphrase() -> None:
    path = paths.passphrase_file()
    if path.exists():
        return
    stacks = sorted((paths.pulumi_state() / ".pulumi" / "stacks").rglob("*.json"))
    if stacks:
        raise SetupError(
            f"the passphrase is gone, and {stacks[0].stem} is encrypted with it",
            str(path),
            f"restore it from a backup, or delete the stack: remove its containers and {paths.pulumi_state()}",
        )
    _forget_foreign_salt()
    files.write_private(path, secrets.token_urlsafe(_KEY_BYTES))


def _forget_foreign_salt() -> None:
    """Remove the salt of another machine's passphrase from the local stack's file.

    Pulumi writes it there at the first update. If a user commits it, Pulumi refuses every other passphrase.
    """
    path = paths.ROOT / "Pulumi.local.yaml"
    if paths.state_dir() != paths.ROOT / ".state" or not path.is_file():
        return
    text = path.read_text(encoding="utf-8")
    kept = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("encryptionsalt:"))
    # A value that was encrypted with that salt would be lost: then the user has to decide.
    if "secure:" not in text and kept != text:
        files.rewrite(path, kept)


def _missing_secrets() -> list[str]:
    present = _read_secrets()
    return [name for name in SECRET_PREFIXES if not present.get(name)]


def _read_secrets() -> dict[str, Any]:
    path = paths.secrets_file()
    fix = "restore it from a backup, or move it away: new secrets are generated, and `up` applies them"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise SetupError(f"cannot be read as JSON ({type(error).__name__})", str(path), fix) from error
    if not isinstance(content, dict):
        raise SetupError(f"should be a JSON object, is a {type(content).__name__}", str(path), fix)
    return content


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777 if path.exists() else 0


LOCAL_STATE = Step("local state", "the local stack's state, passphrase and secrets live in it", _is_done, _run)
"""Makes `.state`: backend folder, passphrase, secrets. Never changes a value."""
