"""`fridayctl adopt`: what it prints, and its exit codes."""

import json
from pathlib import Path

import pytest

from cli.main import main
from tests.unit.ops.compose.composed import written

SECRET = "hunter2-hunter2-hunter2"
TEXT = f"""
    services:
      friday-ai:
        build: .
        ports: ["3000:3000"]
        environment: [PORT=3000, API_KEY={SECRET}]
        command: node a.js --key {SECRET}
      db: {{image: postgres}}
"""


def test_it_says_what_is_placed_and_what_is_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["adopt", str(written(tmp_path, TEXT)), "--dry-run", "--stack", "nosuch"]) == 0
    shown = capsys.readouterr().out
    for line in (
        "  friday-litellm:friday:\n",
        "service   friday-ai; in compose stay: db\n",
        "secrets   would be encrypted: fridaySecrets.API_KEY\n",
        "stack     the stack sets these itself: PORT\n",
        "  compose.yml:7: command: it holds what looks like a secret\n    fix: ",
        "  friday-litellm:jwtSecret: should be a secret",
        "FORCE_MODEL_ROUTING",
        "nothing is written (--dry-run): Pulumi.nosuch.yaml\n",
        "  pulumi config set --path edge.port 3001 -s nosuch ",
    ):
        assert line in shown
    assert SECRET not in shown


def test_json_has_names_of_secrets_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["adopt", str(written(tmp_path, TEXT)), "--dry-run", "--stack", "nosuch", "--json"]) == 0
    shown = capsys.readouterr().out
    found = json.loads(shown)
    assert (found["service"], found["secrets"], found["written"]) == ("friday-ai", ["fridaySecrets.API_KEY"], False)
    assert found["notPlaced"][0].keys() == {"what", "where", "why", "fix"}
    assert SECRET not in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nobody.yml"], "nobody.yml: cannot be read (no such file or directory)"),
        (["{file}", "nobody.env"], "nobody.env: cannot be read"),
        (["{file}", "--service", "web"], "there is no service web"),
        (["{file}", "--stack", "local"], "Pulumi.local.yaml is there already"),
        (["{file}", "--stack", "a b"], "should be 1 to 30 letters"),
    ],
)
def test_wrong_input_ends_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    file = str(written(tmp_path, TEXT))
    assert main(["adopt", *(each.format(file=file) for each in arguments)]) == 2
    assert said in capsys.readouterr().err
