"""What Friday's client costs while 100 users ask at once."""

from collections.abc import Mapping, Sequence

from benchmarks.client_cost import CLIENT, PLAIN, in_own_process
from benchmarks.closed_loop_users import describe
from benchmarks.figures import Figure
from benchmarks.test_stack import TestStack
from benchmarks.upstream import simulator

UPSTREAM_MS = 300


def measure(_: TestStack) -> list[Figure]:
    """Compare invoke_llm with httpx alone, both against a simulator in another process."""
    with simulator(UPSTREAM_MS) as url:
        cost = in_own_process("processor", url)
    failed = (sum(cost.failed.values()),)
    note = "a call costs " + ", ".join(f"{name} {_spread(values)}" for name, values in cost.numbers.items())
    return [
        Figure("100 users at once: failed calls", 0, "calls", failed, describe(cost.calls, cost.failed)),
        Figure("client adds to plain httpx, processor time", 1, "ms", added(cost.numbers), note),
    ]


def added(numbers: Mapping[str, Sequence[float]]) -> tuple[float, ...]:
    """Return how much more a call of invoke_llm costs than one by httpx alone, round by round."""
    return tuple(client - plain for client, plain in zip(numbers[CLIENT], numbers[PLAIN], strict=True))


def _spread(values: Sequence[float]) -> str:
    return f"{min(values):.2f} to {max(values):.2f} ms"
