"""The rollout rule against its reference, for every percentage and any user."""

from hypothesis import given
from hypothesis import strategies as st

from friday.llm import Path, decide
from friday.llm.constants import MAX_USER_ID

users = st.integers(0, MAX_USER_ID)
percentages = st.integers(0, 100)


def reference(user_id: int, enabled: bool, percentage: int) -> str:
    """The rule as Friday's documents word it."""
    if not enabled:
        return "direct"
    if percentage == 0:
        return "direct"
    if percentage == 100:
        return "litellm"
    return "litellm" if user_id % 100 < percentage else "direct"


@given(users, st.booleans(), percentages)
def test_equals_the_reference(user_id: int, enabled: bool, percentage: int) -> None:
    assert decide(user_id, enabled=enabled, percentage=percentage) == reference(user_id, enabled, percentage)


@given(users, st.booleans(), percentages, st.sets(users, max_size=3))
def test_testers_are_on_the_gateway_while_it_is_switched_on(
    user_id: int, enabled: bool, percentage: int, testers: set[int]
) -> None:
    others = decide(user_id, enabled=enabled, percentage=percentage)
    everybody = testers | {user_id}
    assert decide(user_id, enabled=enabled, percentage=percentage, testers=testers - {user_id}) == others
    assert decide(user_id, enabled=enabled, percentage=percentage, testers=everybody) == reference(
        user_id, enabled, 100
    )


@given(users, percentages, st.floats(0, 1, exclude_max=True))
def test_each_call_of_a_tester_who_compares_is_drawn(user_id: int, percentage: int, drawn: float) -> None:
    def path(*testers: int, enabled: bool = True) -> str:
        return decide(
            user_id, enabled=enabled, percentage=percentage, testers=testers, compare=True, draw=lambda: drawn
        )

    assert path(user_id) == ("litellm" if drawn < 0.5 else "direct")
    assert path(user_id, enabled=False) == "direct"
    assert path() == reference(user_id, True, percentage), "others are where they were"


def test_who_has_no_id_is_no_tester() -> None:
    assert decide(None, enabled=True, percentage=0, testers=[0, 7]) is Path.DIRECT


def test_every_bucket_at_every_percentage() -> None:
    for percentage in range(101):
        on = [u for u in range(100) if decide(u, enabled=True, percentage=percentage) is Path.LITELLM]
        assert on == list(range(percentage))


@given(users, percentages, percentages)
def test_a_higher_percentage_only_adds_users(user_id: int, one: int, other: int) -> None:
    low, high = sorted((one, other))
    if decide(user_id, enabled=True, percentage=low) is Path.LITELLM:
        assert decide(user_id, enabled=True, percentage=high) is Path.LITELLM


@given(users, percentages)
def test_a_user_stays_on_one_side(user_id: int, percentage: int) -> None:
    def never() -> float:
        raise AssertionError("a known user must not be drawn")

    decisions = {decide(user_id, enabled=True, percentage=percentage, draw=never) for _ in range(3)}
    assert len(decisions) == 1


@given(st.floats(0, 1, exclude_max=True), st.integers(1, 99))
def test_without_a_user_the_draw_decides(value: float, percentage: int) -> None:
    expected = Path.LITELLM if value * 100 < percentage else Path.DIRECT
    assert decide(None, enabled=True, percentage=percentage, draw=lambda: value) is expected


def test_the_ends_are_not_drawn() -> None:
    def never() -> float:
        raise AssertionError("nothing to draw")

    assert decide(None, enabled=True, percentage=0, draw=never) is Path.DIRECT
    assert decide(None, enabled=True, percentage=100, draw=never) is Path.LITELLM
    assert decide(None, enabled=False, percentage=100, draw=never) is Path.DIRECT
