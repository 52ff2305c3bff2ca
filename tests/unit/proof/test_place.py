"""Where a proof ran is asked of what took part, and what does not answer is unknown."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from images import docker_cli
from proof import place
from toolchain import docker_engine, paths, process, pulumi
from toolchain.docker_engine import Engine
from toolchain.engine_traits import Traits


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let each image answer with its own name, and the engine's machine with what is wanted of it."""
    images: list[str] = []

    def answer(image: str, _: Sequence[str]) -> str:
        images.append(image)
        return f"of {image.partition(':')[0]}"

    monkeypatch.setattr(docker_cli, "output_of", answer)
    monkeypatch.setattr(docker_engine, "ask", lambda: Engine("29.0.1", "1.52", "1.44"))
    monkeypatch.setattr(docker_engine, "traits", lambda: Traits(cgroup="2"))
    monkeypatch.setattr(pulumi, "version_of", lambda _: None)
    return images


def test_versions_and_machine_are_named(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "read", lambda command, **_: "4194304" if "{{.MemTotal}}" in command else "2")
    found = {fact.name: fact.value for fact in place.facts()}
    assert found["LiteLLM"] == "of friday-litellm/litellm"
    assert found["HAProxy"] == "of friday-litellm/edge"
    assert len(asked) == 5
    assert found["Docker engine"] == "29.0.1 (API 1.52), cgroup v2, classic image store"
    assert (found["Pulumi"], found["Processors"], found["Memory"]) == ("unknown", "2", "4 MiB")


@pytest.mark.usefixtures("asked")
def test_what_is_not_told_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "read", lambda *_, **__: None)
    found = {fact.name: fact.value for fact in place.facts()}
    assert (found["friday-litellm"], found["Kernel"], found["Memory"]) == ("unknown", "unknown", "unknown")


def test_a_changed_checkout_is_said_to_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com"]
    assert place.commit() == "unknown"
    for command in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "first"]):
        assert process.read([*git, *command], cwd=tmp_path) is not None
    clean = place.commit()
    assert len(clean) == 12
    (tmp_path / "new").touch()
    assert place.commit() == f"{clean} with changed files"
