"""The export of who is on which path."""

import csv
import io
from pathlib import Path

import pytest

from friday.llm.experiments import main
from friday.llm.monitoring.logger import UserHasher


def rows(*arguments: str, **environ: str) -> list[dict[str, str]]:
    out = io.StringIO()
    assert main(arguments, environ, out) == 0
    return list(csv.DictReader(io.StringIO(out.getvalue())))


def test_a_percentage_as_if() -> None:
    found = rows("--users", "0-999", "--percentage", "10")
    assert len(found) == 1000
    assert [int(row["user_id"]) for row in found if row["path"] == "litellm"] == [
        user for user in range(1000) if user % 100 < 10
    ]
    assert found[-1] == {"user_id": "999", "bucket": "99", "path": "direct", "user": ""}


def test_the_environments_rollout() -> None:
    half = {"ENABLE_LITELLM": "true", "LITELLM_ROLLOUT_PERCENTAGE": "50"}
    assert [row["path"] for row in rows("--users", "49-50", **half)] == ["litellm", "direct"]
    assert rows("--users", "7", LITELLM_ROLLOUT_PERCENTAGE="50")[0]["path"] == "direct"


def test_the_pseudonym_is_that_of_the_logs() -> None:
    assert rows("--users", "7", JWT_SECRET="salt")[0]["user"] == UserHasher(b"salt")(7)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--users", "a"],
        ["--users", "9-1"],
        ["--users", "-5"],
        ["--users", "0-1000000"],
        ["--users", "9007199254740992"],
        ["--users", "1", "--percentage", "101"],
        ["--users", "1", "--percentage", "ten"],
    ],
)
def test_wrong_arguments_end_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments, {}, io.StringIO())
    assert caught.value.code == 2
    assert "experiments: error:" in capsys.readouterr().err


def test_a_wrong_environment_ends_with_2(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["--users", "1"], {"LITELLM_ROLLOUT_PERCENTAGE": "101"}, io.StringIO()) == 2
    assert "LITELLM_ROLLOUT_PERCENTAGE" in capsys.readouterr().err
    assert main(["--users", "1"], {"JWT_SECRET_FILE": str(tmp_path / "no")}, io.StringIO()) == 2
