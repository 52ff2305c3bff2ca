"""The one way to wait for what a host is about to show."""

import time
from collections.abc import Callable
from typing import TypeVar

_Seen = TypeVar("_Seen")


def look_until(look: Callable[[], _Seen], good: Callable[[_Seen], bool], seconds: float, every: float) -> _Seen:
    """Look once `every` seconds until what is seen is good, and no longer than `seconds`; return what was seen last."""
    deadline = time.monotonic() + seconds
    while not good(found := look()) and time.monotonic() < deadline:
        time.sleep(every)
    return found
