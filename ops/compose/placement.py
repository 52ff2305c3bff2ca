"""What became of a compose service: settings, secrets, what the stack sets itself, and what has no place."""

from dataclasses import dataclass, field
from typing import Any

from ops.compose.project import Service
from ops.compose.secrecy import LEAST_IN_TEXT, looks_secret, shows


@dataclass(frozen=True)
class NotPlaced:
    """One thing of the compose file that has no setting: where it stands, why, and what to do instead."""

    what: str
    where: str
    why: str
    fix: str


@dataclass
class Placement:
    """What is known so far of a service: `friday` and `edge` are settings, `secrets` settings by their path."""

    service: Service
    friday: dict[str, Any] = field(default_factory=dict)
    edge: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    managed: list[str] = field(default_factory=list)
    not_placed: list[NotPlaced] = field(default_factory=list)

    def set(self, key: str, value: Any, source: str) -> None:
        """Place a setting of Friday's, unless it would put a secret into the plain file."""
        texts = _texts(value)
        if shows(" ".join(texts), self.known_secrets()) or any(map(looks_secret, texts)):
            why, fix = "it holds what looks like a secret", "let the app read it from a variable, which is encrypted"
            self.leave(source, why, fix, key=source)
        else:
            self.friday[key] = value

    def leave(self, what: str, why: str, fix: str, *, key: str = "", where: str = "") -> None:
        """Name something that has no setting; `key` is the service's key that it belongs to, if not `what` itself."""
        where = where or self.service.where(key or what.split(maxsplit=1)[0])
        self.not_placed.append(NotPlaced(self.hidden(what), where, self.hidden(why), self.hidden(fix)))

    def known_secrets(self) -> list[str]:
        """Return the values of every secret of the service, also of those that have no place."""
        return [*self.secrets.values(), *self._others]

    def keep_secret(self, value: str) -> None:
        """Remember the value of a secret that has no place, so that it is shown nowhere."""
        self._others.append(value)

    def hidden(self, text: str) -> str:
        """Return a text without the value of any secret."""
        for value in sorted(self.known_secrets(), key=len, reverse=True):
            if len(value) >= LEAST_IN_TEXT:
                text = text.replace(value, "***")
        return text

    def __post_init__(self) -> None:
        self._others: list[str] = []


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [
            text for key, item in value.items() for text in _texts(f"{key}={item}" if isinstance(item, str) else item)
        ]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [value] if isinstance(value, str) else []
