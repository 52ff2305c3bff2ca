"""Where a gateway's processor time goes: py-spy reads its stacks from outside while it answers."""

import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from benchmarks.calls import chat, make_calls, spent
from benchmarks.figures import Figure
from benchmarks.gateways import Running, running
from benchmarks.http_client import Request
from benchmarks.instant_upstream import instant_upstream
from benchmarks.measures.beside_stock import CALLERS, EVENTS, EVERY_MS, STREAM_CALLERS, WARM_UP_CALLS, gateways
from benchmarks.test_stack import TestStack
from testing import clients
from testing.project import ROOT

SECONDS = 12
SAMPLES_A_SECOND = 200
SHOWN = 8
"""How many of the most expensive functions a note names."""

# The first that fits a frame's file; frames of the standard library belong to whoever called them.
PARTS = {
    "the gateway's own code": r"/etc/friday/(gateway|serving)/",
    "LiteLLM's proxy": r"/site-packages/litellm/proxy/",
    "LiteLLM's metrics": r"/site-packages/litellm/integrations/prometheus|/site-packages/prometheus_client/",
    "LiteLLM's logging": r"/litellm_core_utils/(litellm_logging|logging_)",
    "LiteLLM": r"/site-packages/litellm/",
    "HTTP to the upstream": r"/site-packages/(httpx2?|httpcore2?|h11|anyio|aiohttp)/",
    "HTTP server": r"/site-packages/(uvicorn|starlette|fastapi|uvloop|httptools)/",
    "pydantic": r"/site-packages/pydantic/",
    "imports": r"importlib\._bootstrap",
}
_FILE = re.compile(r" \((.*):\d+\)$")


def profile(stack: TestStack) -> list[Figure]:
    """Sample each gateway under plain chats and under streams; the shares are of the samples that hold the GIL."""
    program = clients.environment(ROOT / "benchmarks/py_spy/requirements.txt", "py-spy") / "bin/py-spy"
    figures = []
    with instant_upstream() as upstream:
        for gateway in gateways(stack):
            with running(gateway, upstream) as run:
                spent(run, chat(run), WARM_UP_CALLS, CALLERS)
                streams = chat(run, stream=True, events=EVENTS, every=EVERY_MS)
                for kind, request, callers in (("chats", chat(run), CALLERS), ("streams", streams, STREAM_CALLERS)):
                    figures += _figures(f"{gateway.name}, {kind}", _stacks(program, run, request, callers))
    return figures


def _stacks(program: Path, run: Running, request: Request, callers: int) -> list[str]:
    """Return the stacks that were seen, one a line: its frames, outermost first, and how often."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "stacks")
        options = ["--duration", str(SECONDS), "--rate", str(SAMPLES_A_SECOND), "--gil", "--full-filenames"]
        command: list[str | Path] = [
            program,
            "record",
            *options,
            "--format",
            "raw",
            "--output",
            file,
            "--pid",
            str(run.pid),
        ]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as sampling:
            while sampling.poll() is None:
                make_calls([run], callers * 4, callers, request)
            if sampling.returncode:
                raise RuntimeError(f"py-spy failed: {sampling.stderr.read() if sampling.stderr else ''}")
        return file.read_text(encoding="utf-8").splitlines()


def _figures(what: str, stacks: Iterable[str]) -> list[Figure]:
    parts, functions = shares(stacks)
    total = parts.total()
    top = ", ".join(f"{name} {100 * count / total:.1f} %" for name, count in functions.most_common(SHOWN))
    return [
        Figure(f"{what}: {part}", None, "%", (100 * count / total,), f"most in {top}" if number == 0 else "")
        for number, (part, count) in enumerate(parts.most_common())
    ]


def shares(stacks: Iterable[str]) -> tuple[Counter[str], Counter[str]]:
    """Return how many samples were in each part, and in each function itself. ValueError when there is none."""
    parts: Counter[str] = Counter()
    functions: Counter[str] = Counter()
    for line in stacks:
        frames, _, count = line.rpartition(" ")
        stack = frames.split(";")
        parts[next(filter(None, map(_part, reversed(stack))), "the rest")] += int(count)
        functions[_FILE.sub(lambda found: f" ({Path(found[1]).name})", stack[-1])] += int(count)
    if not parts:
        raise ValueError("py-spy saw no stack")
    return parts, functions


def _part(frame: str) -> str:
    return next((part for part, pattern in PARTS.items() if re.search(pattern, frame)), "")
