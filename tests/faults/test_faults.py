"""Each fault on the way of users of both paths, plain and streamed: one model has it, all have it, it is gone."""

from dataclasses import dataclass

import pytest

from tests.faults.cases import CASES, Case
from tests.faults.stage import Stage
from tests.faults.users import CATALOGUE, DIRECT_MODEL, DIRECT_USER, GATEWAY_USER, IDS, Ask, Call, Reply, models_asked

pytestmark = pytest.mark.engine
STREAM = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
Asked = tuple[int, bool]
"""The user, and whether he asked for a stream."""

FIRST = {False: "gemma-4-31b", True: "nemotron-3-ultra"}
"""The first model of the two gateway users of a case, so far apart that they do not meet each other's fault."""
LATER = {False: "minimax-m3", True: "gemma-4-26b"}
"""The same when every model has the fault: two that have not failed a moment ago, and so are asked."""


@dataclass(frozen=True)
class Played:
    """A case from beginning to end: replies by who asked, and the simulator's calls of each part."""

    case: Case
    one_faulty: dict[Asked, Reply]
    one_faulty_calls: list[Call]
    all_faulty: dict[Asked, Reply]
    all_faulty_calls: list[Call]
    afterwards: dict[Asked, Reply]


@pytest.fixture(
    scope="module",
    params=[pytest.param(case, id=case.name, marks=() if case.of_its_kind else pytest.mark.slow) for case in CASES],
)
def played(request: pytest.FixtureRequest, stage: Stage) -> Played:
    """Play one case, once for all tests that look at what happened."""
    return play(stage, request.param)


def play(stage: Stage, case: Case) -> Played:
    """Let users ask while one model has the fault, while all have it, and when it is gone."""
    try:
        mark = stage.mark
        stage.admin("PUT", "faults", [{**case.fault, "model": IDS[name]} for name in FIRST.values()])
        one_faulty = ask(stage, [GATEWAY_USER], FIRST)
        one_faulty_calls = stage.calls_after(mark)
        mark = stage.mark
        stage.admin("PUT", "faults", [case.fault])
        all_faulty = ask(stage, [GATEWAY_USER, DIRECT_USER], LATER)
        all_faulty_calls = stage.calls_after(mark)
    finally:
        stage.rest()
    afterwards = ask(stage, [GATEWAY_USER, DIRECT_USER], FIRST)
    return Played(case, one_faulty, one_faulty_calls, all_faulty, all_faulty_calls, afterwards)


def ask(stage: Stage, users: list[int], models: dict[bool, str]) -> dict[Asked, Reply]:
    """Let each user ask plainly and for a stream, all at once."""
    asks = [Ask(user, stream, models[stream] if user == GATEWAY_USER else None) for user in users for stream in models]
    return {(reply.ask.user, reply.ask.stream): reply for reply in stage.ask(*asks)}


@STREAM
def test_a_gateway_user_whose_first_model_has_the_fault(played: Played, stream: bool) -> None:
    fate, first = played.case.fate(stream=stream), FIRST[stream]
    reply = played.one_faulty[GATEWAY_USER, stream]
    asked = models_asked(played.one_faulty_calls, "gateway", stream=stream)
    assert asked[0] == IDS[first]
    if fate.kind is None:
        assert reply.answered == (200, "litellm", IDS[first])
    elif fate.breaks_off:
        reply.check_error("stream_broken")
        assert (reply.path, reply.model, asked) == ("litellm", IDS[first], [IDS[first]])
    elif fate.next_model:
        second = IDS[CATALOGUE.fallbacks_of(first)[0]]
        assert reply.answered == (200, "litellm", second)
        assert set(asked) == {IDS[first], second}
    else:
        assert reply.answered == (200, "fallback", DIRECT_MODEL)


@STREAM
def test_a_gateway_user_when_all_models_have_the_fault(played: Played, stream: bool) -> None:
    fate = played.case.fate(stream=stream)
    reply = played.all_faulty[GATEWAY_USER, stream]
    asked = models_asked(played.all_faulty_calls, "gateway")
    assert {IDS[name] for name in LATER.values()} <= set(asked)
    if fate.kind is None:
        assert reply.answered == (200, "litellm", IDS[LATER[stream]])
        return
    reply.check_error(fate.kind)
    # The two users meet here: one may find all models resting that the other has just tried.
    assert reply.path in ({"litellm", "fallback"} if fate.breaks_off else {"fallback"})
    check_retry_after(played.case, reply)


@STREAM
def test_a_direct_user_when_all_models_have_the_fault(played: Played, stream: bool) -> None:
    fate = played.case.fate(stream=stream)
    reply = played.all_faulty[DIRECT_USER, stream]
    if fate.kind is None:
        assert reply.answered == (200, "direct", DIRECT_MODEL)
        return
    reply.check_error(fate.kind)
    assert reply.path == "direct"
    check_retry_after(played.case, reply)


@STREAM
def test_the_direct_path_asks_again_only_where_that_is_safe(played: Played, stream: bool) -> None:
    fate = played.case.fate(stream=stream)
    users = [played.all_faulty[user, stream] for user in (GATEWAY_USER, DIRECT_USER)]
    on_direct_path = [reply for reply in users if reply.path != "litellm"]
    asked = models_asked(played.all_faulty_calls, "friday-direct", stream=stream)
    assert asked == [DIRECT_MODEL] * fate.direct_calls * len(on_direct_path)


@STREAM
def test_the_next_users_are_served_as_before(played: Played, stream: bool) -> None:
    assert played.afterwards[GATEWAY_USER, stream].answered == (200, "litellm", IDS[FIRST[stream]])
    assert played.afterwards[DIRECT_USER, stream].answered == (200, "direct", DIRECT_MODEL)


def test_it_cost_nothing_and_only_free_models_were_asked(played: Played, stage: Stage) -> None:
    stage.check_free([*played.one_faulty_calls, *played.all_faulty_calls])


def check_retry_after(case: Case, reply: Reply) -> None:
    """What the model asked for in seconds is passed on; what is no time counts as absent."""
    assert reply.error is not None
    wait = case.fault.get("retry_after")
    seconds = wait if isinstance(wait, int) else None
    assert reply.error.get("retry_after") == seconds
    assert reply.headers.get("retry-after") == (str(seconds) if seconds is not None else None)
