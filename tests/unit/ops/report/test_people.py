"""What users said: counted and entered, and what nobody counted is not 0."""

from ops.metrics import feedback as asked
from ops.report.people import entered, feedback_of, quality_of
from ops.rollout.gates.complaints import Heard
from ops.rollout.gates.evidence import Calls
from tests.unit.ops.evidence import NOON, durations, entry


def test_ratings_by_path_and_nothing_when_nobody_rated() -> None:
    paths = {"litellm": Heard(up=3, down=1, complaint=1, answers=50), "direct": Heard(answers=40)}
    first, second = feedback_of(paths)
    assert (first.path, first.up, first.down, first.complaints, first.answers) == ("litellm", 3, 1, 1, 50)
    assert second.answers == 40
    assert feedback_of({"litellm": Heard(answers=50)}) == ()


def test_what_operators_entered_is_there_without_prometheus() -> None:
    entries = [entry(1, 10, "feedback: 3 down on litellm: slow"), entry(300, 10, "feedback: 1 up on direct")]
    found = {each.path: each for each in entered(entries, 7 * 86_400, NOON)}
    assert found["litellm"].down == 3
    assert found["direct"].up == 0
    assert {each.answers for each in found.values()} == {None}
    assert entered([], 7 * 86_400, NOON) == ()


def test_quality_of_answers() -> None:
    checks = {
        "schema": Calls(total=0, failed=0),
        "answered": Calls(total=10, failed=1),
        "language": Calls(total=4, failed=0),
    }
    (found,) = quality_of([asked.Quality(path="direct", lengths=durations(100, 200, each=5), checks=checks)])
    assert found.answers == 10
    assert found.p50_characters is not None
    assert (found.schema_share, found.answered_share, found.language_share) == (None, 0.9, 1.0)
