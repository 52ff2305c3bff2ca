"""Decides a user's path: a pure rule, so a user stays on one path while the percentage stays."""

import random
from collections.abc import Callable, Collection

from friday.llm.constants import Path

_HALF = 0.5


def decide(
    user_id: int | None,
    *,
    enabled: bool,
    percentage: int,
    testers: Collection[int] = (),
    compare: bool = False,
    draw: Callable[[], float] = random.random,
) -> Path:
    """Return Path.LITELLM or Path.DIRECT, by Friday's rollout rule.

    Flag off: direct. One of the `testers`: LiteLLM. 0: direct. 100: LiteLLM. Else `user_id % 100 < percentage`.
    Without a user id each call is drawn by `draw` (0 <= value < 1). So is each call of a tester where these `compare`
    the paths: one half takes LiteLLM, the other is direct.
    A higher percentage keeps every user who is on LiteLLM already.
    """
    if enabled and user_id in testers:
        return Path.DIRECT if compare and draw() >= _HALF else Path.LITELLM
    if not enabled or percentage <= 0:
        return Path.DIRECT
    if percentage >= 100:
        return Path.LITELLM
    bucket = draw() * 100 if user_id is None else user_id % 100
    return Path.LITELLM if bucket < percentage else Path.DIRECT
