"""The deployed stack with its simulator, as the place where cases are played."""

import json
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from testing.project import Project
from tests.faults.users import GATEWAY_USER, IDS, Ask, Call, Reply

RECOVERY_SECONDS = 45
"""A cooldown (1 s), a breaker's pause (2 s), and the slowness of a busy machine."""

STEADY_SECONDS = 1.5
"""Longer than a cooldown: a call that ends late may leave its model out once more."""

LOG_SECONDS = 20


class Stage:
    """Asks as users do; switches the simulator; waits until nothing of a case is left."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._users = httpx.Client(base_url=project.url, timeout=20)
        self._simulator = httpx.Client(base_url=project.simulator_url, timeout=10)

    def close(self) -> None:
        self._users.close()
        self._simulator.close()

    def ask(self, *asks: Ask) -> list[Reply]:
        """Ask all at the same time; the replies are in the order of the questions."""
        with ThreadPoolExecutor(len(asks)) as pool:
            return list(pool.map(self._ask, asks))

    def _ask(self, ask: Ask) -> Reply:
        headers = {"x-request-id": ask.request_id}
        return Reply.of(ask, self._users.post("/api/chat", json=ask.body, headers=headers))

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        """Call the simulator's operator API."""
        response = self._simulator.request(method, f"/admin/{path}", json=body)
        response.raise_for_status()
        return response.json()

    @property
    def mark(self) -> int:
        """The number of the simulator's last request."""
        return int(self.admin("GET", "requests?limit=1")["total"])

    def calls_after(self, mark: int) -> list[Call]:
        """What the simulator was asked after `mark`, oldest first."""
        return [Call.of(record) for record in self._records(mark)]

    def _records(self, mark: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.admin("GET", f"requests?after_seq={mark}")["requests"]
        return found

    def rest(self) -> None:
        """Switch all faults off, and wait until no call runs and each model goes on answering for itself."""
        self.admin("DELETE", "faults")
        begun = well_since = time.monotonic()
        # Again and again: an odd number of questions in turn reaches each of two gateways with each of five names.
        while time.monotonic() - well_since < STEADY_SECONDS:
            if self._running() or not self._well():
                well_since = time.monotonic()
            assert well_since - begun < RECOVERY_SECONDS, f"not as before in time; still running: {self._running()}"
            time.sleep(0.2)

    def _running(self) -> list[dict[str, Any]]:
        return [record for record in self._records(0) if record["outcome"] == "open"]

    def _well(self) -> bool:
        replies = self.ask(*(Ask(GATEWAY_USER, stream=False, model=name) for name in IDS))
        return all((reply.path, reply.model) == ("litellm", IDS[str(reply.ask.model)]) for reply in replies)

    def logged(self, reply: Reply) -> dict[str, Any]:
        """Friday's log line of the call that `reply` answered; the engine may take a moment to have it."""
        deadline = time.monotonic() + LOG_SECONDS
        while time.monotonic() < deadline:
            for friday in self.project.containers("friday"):
                for line in friday.logs(tail=200).decode().splitlines():
                    found: dict[str, Any] = json.loads(line)
                    if found.get("event") == "llm_call" and found["request_id"] == reply.ask.request_id:
                        return found
            time.sleep(0.1)
        raise AssertionError(f"no replica logged {reply.ask.request_id}")

    def check_free(self, calls: Iterable[Call]) -> None:
        """Fail when one of the calls, or anything at all, cost something or named another model than the free ones."""
        bill = self.admin("GET", "bill")
        assert (bill["total_usd"], bill["requests"]) == (0, [])
        assert {model for call in calls for model in call.models} <= set(IDS.values())
        assert {call.cost_usd for call in calls} <= {0}
