"""The stack file of docs/YOUR_FRIDAY.md is one that the settings accept, and agrees with the staging stack."""

import re
from pathlib import Path
from typing import Any

import yaml

from components.settings.source import NAMESPACE, from_stack_file
from components.settings.stack import SECRET_KEYS

ROOT = Path(__file__).resolve().parents[2]


def given() -> dict[str, Any]:
    page = (ROOT / "docs" / "YOUR_FRIDAY.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    config: dict[str, Any] = yaml.safe_load(block)["config"]
    return config


def test_it_is_accepted(tmp_path: Path) -> None:
    secrets = {f"{NAMESPACE}:{key}": {"secure": f"v1:{key}"} for key in SECRET_KEYS}
    database = {f"{NAMESPACE}:fridaySecrets": {"DATABASE_URL": {"secure": "v1:database"}}}
    path = tmp_path / "Pulumi.prod.yaml"
    path.write_text(yaml.safe_dump({"config": {**given(), **secrets, **database}}))
    settings = from_stack_file(path, {})
    assert (settings.upstream, settings.effective_percentage) == ("openrouter", 0)


def test_it_says_of_friday_what_the_file_says_that_a_stand_in_is_deployed_by() -> None:
    staging = yaml.safe_load((ROOT / "Pulumi.staging.yaml").read_text(encoding="utf-8"))["config"]
    deployed, shown = (config[f"{NAMESPACE}:friday"] for config in (staging, given()))
    same = ("command", "healthPath", "memoryMb", "probeHeaders", "replicas", "startSeconds", "writable")
    assert {key: shown[key] for key in same} == {key: deployed[key] for key in same}
    assert {key: deployed["environment"][key] for key in ("NODE_ENV", "FORCE_MODEL_ROUTING")} == {
        key: shown["environment"][key] for key in ("NODE_ENV", "FORCE_MODEL_ROUTING")
    }
