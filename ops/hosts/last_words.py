"""What a container that is not healthy has said last: its state, its probe and its log."""

from docker.errors import APIError
from docker.models.containers import Container

_LOG_LINES = 25  # Node's trace of one error has 20


def complaint_of(container: Container) -> str:
    """Return name, state, last probe output and last log lines of a container."""
    state = container.attrs["State"]
    health = state.get("Health", {})
    probes = [entry["Output"].strip() for entry in health.get("Log", ())[-1:]]
    try:
        lines = container.logs(tail=_LOG_LINES).decode(errors="replace").splitlines()
    except APIError as error:  # it is being removed just now
        lines = [f"({error.explanation})"]
    said = f"exit code {state['ExitCode']}" if state["Status"] == "exited" else health.get("Status", "no probe yet")
    found = [f"{container.name}: {state['Status']}, {said}"]
    found += [f"  probe | {line}" for probe in probes for line in probe.splitlines() or ["(no output)"]]
    return "\n".join([*found, *(f"  log   | {line}" for line in lines or ["(nothing logged)"])])
