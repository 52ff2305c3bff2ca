"""The gate on the percentage itself: does anybody use the gateway, when users ask and some of them should?"""

from collections.abc import Iterable
from datetime import timedelta

from pydantic import Field

from indicators.selectors import DIRECT_PATH, FRIDAY_BACKENDS, GATEWAY_BACKEND, GATEWAY_PATHS, INTERNAL, USERS
from ops.rollout.gates.evidence import Measured
from ops.rollout.gates.gate import Case, Gate, Verdict, count
from ops.rollout.gates.look import Figure, Look
from ops.rollout.steps import in_words

NAME = "effect"
_EXPECTED = 20
"""Gateway calls. With fewer to be expected none may be chance: users are assigned by their ids, not call by call."""

_CAUSE = "does the app obey LITELLM_ROLLOUT_PERCENTAGE?"
_FIX = "see docs/SETTINGS.md, What the app has to obey"


class Usage(Measured):
    """Friday's calls at the edge's port of the gateway, and the requests of users; `only_chats` are no pages."""

    gateway: int = Field(ge=0)
    users: int = Field(ge=0)
    only_chats: bool


def _look(look: Look) -> Usage | None:
    scope = look.scope
    gateway = look.edge_calls(INTERNAL, GATEWAY_BACKEND, failed=())
    if scope.has_friday:
        users = [look.friday_calls(*DIRECT_PATH), look.friday_calls(*GATEWAY_PATHS)]
    else:
        users = [look.edge_calls(scope.users, FRIDAY_BACKENDS, failed=())]
    if gateway is None or None in users:
        return None
    only_chats = scope.has_friday or scope.users != USERS
    return Usage(gateway=gateway.total, users=sum(each.total for each in users if each), only_chats=only_chats)


_USAGE = Figure("usage", _look)


def _judge(case: Case) -> Verdict:
    """Judge whether Friday has called the gateway at all, and show how often beside the declared share.

    How often it should have is for a reader: a chat may be several calls or none, and some users ask more than others.
    """
    case = case.about("calls of Friday at the gateway", "some, where users ask")
    usage = _USAGE.of(case.evidence)
    if usage is None:
        return case.unanswered("edge")
    asked = count(usage.users, "chat" if usage.only_chats else "request")
    said = f"{case.given.current} % declared, {count(usage.gateway, 'gateway call')}"
    if usage.gateway:
        # A call for each page says nothing; one for each chat can be held against what is declared.
        share = f", that is {100 * usage.gateway / usage.users:.0f} %" if usage.only_chats and usage.users else ""
        return case.passes(f"{said}, users sent {asked}{share}", usage.gateway)
    if usage.users * case.given.current / 100 < _EXPECTED:
        cause = f"users sent {asked}, too few to expect one"
        return case.inconclusive(said, usage.users, cause=cause, fix="wait for more traffic")
    past = in_words(timedelta(seconds=case.evidence.windows.get(NAME, 0)))
    value = f"{said} in {past} although users sent {asked}"
    if usage.only_chats and not case.given.watching:
        return case.fails(value, usage.users, cause=_CAUSE, fix=_FIX)
    # Pages alone call no model; and a step that changes nothing is no reason to go back.
    return case.inconclusive(value, usage.users, cause=_CAUSE, fix=f"{_FIX}; friday.chatPaths says what is a chat")


def unused(verdicts: Iterable[Verdict]) -> str:
    """Return in a sentence that nobody uses the gateway although users ask, "" when that cannot be said."""
    found = (each for each in verdicts if each.gate == NAME and each.cause == _CAUSE)
    return next((f"{each.value}: {each.cause} {each.fix}" for each in found), "")


GATE = Gate(NAME, _judge, (_USAGE,), watched=True, needs_gateway_traffic=True)
