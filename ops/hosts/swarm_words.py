"""Why a service is unhealthy: the state of its tasks, the daemon's own message, and the last log lines."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import docker
from docker.errors import APIError

from ops.errors import OperationError

_LOG_LINES = 15
_TASK = re.compile(r"com\.docker\.swarm\.task\.id=([a-z0-9]+)\S* ?(.*)")


class Words:
    """Reads tasks' logs at a manager, from whichever host they ran on."""

    def __init__(self, client: docker.DockerClient) -> None:
        self._client = client

    def of(self, services: Sequence[tuple[dict[str, Any], list[dict[str, Any]]]]) -> str:
        """Return the words for services, each with its tasks."""
        return "\n".join(line for service, tasks in services for line in self._lines(service, tasks))

    def _lines(self, service: dict[str, Any], tasks: Sequence[dict[str, Any]]) -> Iterator[str]:
        name = service["Spec"]["Name"]
        running = sum(task["DesiredState"] == task["Status"]["State"] == "running" for task in tasks)
        update = service.get("UpdateStatus") or {}
        state = str(update.get("State", ""))
        yield f"{name}: {running} run" + (f", {state.replace('_', ' ')}" if state not in ("", "completed") else "")
        task = task_to_report(tasks)
        if task is None:
            return
        status = task["Status"]
        yield f"  task  | {status['State']}: {status.get('Err') or status.get('Message', '')}"
        # What never started has logged nothing, and its host may be gone: then the logs would take their time.
        if (status.get("ContainerStatus") or {}).get("ContainerID") and "starting container failed" not in str(status):
            yield from (f"  log   | {line}" for line in self._log(service["ID"], task["ID"]) or ["(nothing logged)"])

    def _log(self, service: str, task: str) -> list[str]:
        try:
            lines = self._client.api.service_logs(
                service, details=True, stdout=True, stderr=True, tail=str(_LOG_LINES), is_tty=False
            )
            text = b"".join(lines).decode(errors="replace")
        except (APIError, OperationError) as error:
            return [f"(its log cannot be read: {error})"]
        found = (_TASK.search(line) for line in text.splitlines())
        return [match[2] for match in found if match and match[1] == task][-_LOG_LINES:]


def task_to_report(tasks: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the task that explains most: the last that failed, else the last that does not run yet."""
    newest_first = sorted(tasks, key=lambda task: str(task["Status"]["Timestamp"]), reverse=True)
    failed = [task for task in newest_first if task["Status"]["State"] in ("failed", "rejected")]
    waiting = [task for task in newest_first if task["Status"]["State"] not in ("running", "shutdown", "complete")]
    return next(iter(failed or waiting), None)
