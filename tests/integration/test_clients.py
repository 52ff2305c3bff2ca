"""What a team writes against the gateway, in its newest versions, gets its answers from a deployed stack."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from testing import clients
from testing.project import Project

pytestmark = [pytest.mark.engine, pytest.mark.beside]

LOCKS = {
    "openai": "openai",
    **dict.fromkeys(("langchain", "instructor", "pydantic_ai"), "frameworks"),
    **dict.fromkeys(("litellm", "llama_index"), "others"),
}


def ask(project: Project, command: Sequence[str | Path]) -> None:
    """Run a client; what it finds wrong is in its output."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(project.root),
        "OPENAI_BASE_URL": f"{project.gateway_url}/v1",
        "OPENAI_API_KEY": project.secret("gatewayKey"),
        "MODEL": "gemma-4-31b",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    }
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("name", LOCKS)
def test_a_python_client(project: Project, name: str) -> None:
    ask(project, [clients.python(LOCKS[name]), clients.CLIENTS / f"{name}_client.py"])


@pytest.mark.parametrize("name", ["openai", "ai-sdk", "fetch"])
def test_a_node_client(project: Project, name: str) -> None:
    node, folder = clients.node()
    ask(project, [node, folder / "clients.mjs", name])
