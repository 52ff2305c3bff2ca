"""How many calls to OpenRouter a day's requests cost when some of them are repeated and the cache is on."""

import random

import httpx

from benchmarks.figures import Figure
from benchmarks.test_stack import TestStack

REQUESTS, REPEATS = 1000, 200
USER_ON_GATEWAY = 0


def day() -> list[str]:
    """Return the questions of a day in the order in which they are asked: 800 once, and 200 of them once more."""
    chance = random.Random(20)  # noqa: S311 - no secret: the same day each time
    asked = [f"Question {number}?" for number in range(REQUESTS - REPEATS)]
    for again in chance.sample(asked, REPEATS):
        asked.insert(chance.randrange(asked.index(again) + 1, len(asked) + 1), again)
    return asked


def cached_day(stack: TestStack) -> list[Figure]:
    """Ask the same day without the cache and with it, one question after the other, as a user of the gateway."""
    without, plain = _asked(stack)
    cache = {**stack.project.settings.get("router", {}), "cacheTtlSeconds": 3600, "cacheFeatures": ["chat"]}
    with stack.project.configured(router=cache):
        stack.bring_up()
        cached, repeated = _asked(stack)
    stack.bring_up()
    same = sum(one == other for one, other in zip(plain, repeated, strict=True))
    note = f"{cached} calls with the cache, {without} without; {same} of {REQUESTS} answers are the same"
    return [
        Figure("calls to OpenRouter with the cache, of those without", 0.82, "", (cached / without,), note),
        Figure("answers that differ with the cache", 0, "", (REQUESTS - same,)),
    ]


def _asked(stack: TestStack) -> tuple[int, list[str]]:
    """Return the calls that the simulator got, and the answers. Raises RuntimeError for an answer of another path."""
    before = _calls(stack)
    answers = []
    for question in day():
        answer = stack.project.chat(USER_ON_GATEWAY, message=question)
        if answer.path != "litellm":
            raise RuntimeError(f"{question!r} was answered over {answer.path}")
        answers.append(answer.text)
    return _calls(stack) - before, answers


def _calls(stack: TestStack) -> int:
    found = httpx.get(f"{stack.project.simulator_url}/admin/requests", params={"limit": 1}, trust_env=False)
    return sum(found.raise_for_status().json()["by_model"].values())
