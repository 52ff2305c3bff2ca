"""Names that are remembered while the name server is away."""

import asyncio
import socket

import pytest

from serving import names
from serving.names import Addresses, Names

pytestmark = pytest.mark.anyio

FIRST: Addresses = ((socket.AF_INET, "127.0.0.2"),)
SECOND: Addresses = ((socket.AF_INET, "127.0.0.3"),)
AWAY = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
UNKNOWN = socket.gaierror(socket.EAI_NONAME, "Name or service not known")


class Server:
    """A name server that says what a test wants: addresses, an error, or nothing (None)."""

    def __init__(self, *answers: Addresses | Exception | None) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def __call__(self, _: str) -> Addresses:
        self.asked += 1
        answer = self.answers.pop(0)
        if answer is None:
            await asyncio.Event().wait()
        if isinstance(answer, Exception):
            raise answer
        assert answer is not None
        return answer


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "ANSWER_SECONDS", 0.05)


async def test_a_name_is_asked_for_each_time_and_may_lead_elsewhere() -> None:
    server = Server(FIRST, SECOND)
    remembering = Names(server)
    assert [await remembering.addresses("gateway") for _ in range(2)] == [FIRST, SECOND]


@pytest.mark.parametrize("answer", [AWAY, None], ids=["refused", "silent"])
async def test_what_a_name_led_to_is_used_while_the_server_is_away(answer: Exception | None) -> None:
    remembering = Names(Server(FIRST, answer))
    assert await remembering.addresses("gateway") == FIRST
    assert await remembering.addresses("gateway") == FIRST


async def test_one_question_is_enough_for_all_who_wait_and_those_who_come_later_wait_no_more() -> None:
    server = Server(FIRST, None)
    remembering = Names(server)
    await remembering.addresses("gateway")
    together = await asyncio.gather(*(remembering.addresses("gateway") for _ in range(5)))
    assert together == [FIRST] * 5
    async with asyncio.timeout(names.ANSWER_SECONDS / 2):
        assert await remembering.addresses("gateway") == FIRST
    assert server.asked == 2


async def test_a_late_answer_counts() -> None:
    late = asyncio.Event()

    async def ask(_: str) -> Addresses:
        nonlocal late
        if not first:
            first.append(True)
            return FIRST
        await late.wait()
        return SECOND

    first = list[bool]()
    remembering = Names(ask)
    assert await remembering.addresses("gateway") == FIRST
    assert await remembering.addresses("gateway") == FIRST
    late.set()
    await asyncio.sleep(0)
    assert await remembering.addresses("gateway") == SECOND


async def test_a_name_that_is_gone_is_forgotten() -> None:
    remembering = Names(Server(FIRST, UNKNOWN, AWAY))
    await remembering.addresses("gateway")
    with pytest.raises(socket.gaierror, match="not known"):
        await remembering.addresses("gateway")
    with pytest.raises(socket.gaierror, match="Temporary"):
        await remembering.addresses("gateway")


async def test_a_name_that_was_never_answered_fails_and_nobody_elses_address_is_used() -> None:
    remembering = Names(Server(FIRST, AWAY))
    await remembering.addresses("gateway")
    with pytest.raises(socket.gaierror, match="Temporary"):
        await remembering.addresses("openrouter.ai")


async def test_nothing_is_remembered_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "KEPT_SECONDS", 0.0)
    remembering = Names(Server(FIRST, AWAY))
    await remembering.addresses("gateway")
    with pytest.raises(socket.gaierror):
        await remembering.addresses("gateway")


async def test_the_system_knows_this_machine() -> None:
    assert (socket.AF_INET, "127.0.0.1") in await names.ask_the_system("localhost")
