"""Tells the channels of a stack what happens, beside the command's own work: none of them delays or fails it."""

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from components.settings.notify import Kind, NotifySettings
from components.settings.source import SettingsError
from ops.errors import OperationError
from ops.notify.message import SECONDS, Message, operator
from ops.progress import Say

_ENDING_SECONDS = 3.0
"""What a delivery may take beyond its own limit: a program is killed, secrets are decrypted."""


@dataclass
class Sent:
    """A message on its way by one channel; `problem` is None while that is not known."""

    channel: str
    began: float
    problem: str | None = None
    seconds: float = 0.0
    thread: threading.Thread | None = None

    def wait(self) -> str:
        """Return what went wrong, "" if nothing; a delivery that takes too long is left to itself."""
        if self.thread:
            self.thread.join(max(0.0, self.began + SECONDS + _ENDING_SECONDS - time.monotonic()))
        return f"not delivered within {SECONDS:.0f} s" if self.problem is None else self.problem


@dataclass
class Notifier:
    """Tells a stack's channels: `settings` say which there are, `decrypted` gives the same with their secrets."""

    stack: str
    settings: NotifySettings
    decrypted: Callable[[], NotifySettings]
    folder: Path
    say: Say
    _sent: list[Sent] = field(default_factory=list)

    def message(self, event: Any, **facts: Any) -> Message:
        """Return a message of this stack, of this moment."""
        return Message(stack=self.stack, event=event, operator=operator(), at=dt.datetime.now(dt.UTC), **facts)

    def send(self, event: Kind, **facts: Any) -> None:
        """Send a message to those who want it, without waiting for them; `finish` does."""
        wanted = [name for name, channel in self.settings.channels.items() if event in channel.events]
        if wanted:
            self._sent += self.deliver(self.message(event, **facts), wanted)

    def tell(self, event: Kind, **facts: Any) -> None:
        """Send a message, and wait for what is on its way: `SECONDS` and a little more at most."""
        self.send(event, **facts)
        self.finish()

    def finish(self) -> None:
        """Wait for what is on its way, and report in one line each what did not arrive. Raises nothing."""
        sent, self._sent = self._sent, []
        for each in sent:
            if problem := each.wait():
                fix = f"fix: correct notify.{each.channel}, then ./fridayctl notify test {self.stack}"
                self.say(f"{each.channel} was not told: {problem}; {fix}")

    def deliver(self, message: Message, names: Iterable[str]) -> list[Sent]:
        """Begin to deliver a message by the channels of these names."""
        begun = []
        for name in names:
            sent = Sent(name, time.monotonic())
            sent.thread = threading.Thread(target=partial(self._deliver, sent, message), daemon=True)
            sent.thread.start()
            begun.append(sent)
        return begun

    def _deliver(self, sent: Sent, message: Message) -> None:
        from ops.notify.channels import deliver  # noqa: PLC0415 - the HTTP client loads only when somebody is told

        try:
            problem = deliver(self.decrypted(), sent.channel, self.folder, message)
        except (OperationError, SettingsError) as error:
            problem = f"its secrets cannot be read: {str(error).splitlines()[0]}"
        sent.seconds = time.monotonic() - sent.began
        sent.problem = problem
