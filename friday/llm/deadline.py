"""One total time limit per call, shared by every try and every read."""

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True)
class Deadline:
    """A point on the event loop's clock, in seconds."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """Return a deadline `seconds` from now."""
        return cls(asyncio.get_running_loop().time() + seconds)

    @property
    def remaining(self) -> float:
        """Seconds left; negative once it has passed."""
        return self.at - asyncio.get_running_loop().time()

    def share(self, part: float) -> "Deadline":
        """Return an earlier deadline, after `part` (0 to 1) of the remaining time."""
        return Deadline.after(self.remaining * part)
