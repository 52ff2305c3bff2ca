"""Looks into running containers: which processes as whom, which files with which content, which names resolve."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from components.settings.container import is_root
from components.workload import FILES_DIR, Workload
from ops.checks import way_out
from ops.checks.report import Check, compared
from ops.checks.verify.containers import InspectedContainer
from ops.hosts.testinfra_host import TestHost

# Both from the container's own tools: the host may have no `ps`, and its file systems are not ours to read.
_PROCESSES = (
    "for p in /proc/[0-9]*; do "
    'echo "$(sed -n "s/^Uid:[^0-9]*\\([0-9]*\\).*/\\1/p" $p/status) $(tr "\\000\\n" "  " < $p/cmdline)"; '
    "done 2>/dev/null"
)
_FILES = f"find {FILES_DIR} -type f -exec sha256sum {{}} +"
_BREAK = "--"
_NO_PROGRAM = (126, 127)
_ISOLATED = "finds the edge and nothing behind it"
_NONE_RUNS = "no container of it runs"


@dataclass(frozen=True)
class ContainerContents:
    """What one running container holds: (user id, arguments) of its processes, and its files' SHA-256 by path."""

    short: str
    processes: tuple[tuple[str, str], ...]
    files: Mapping[str, str]


def look(place: TestHost, container: InspectedContainer, *, files: bool) -> ContainerContents | None:
    """Look into a container; None when its image has no shell."""
    code, text = place.exec(container.name, f"{_PROCESSES}; echo {_BREAK}; {_FILES if files else 'true'}")
    if code in _NO_PROGRAM:
        return None
    processes, _, listed = text.partition(f"\n{_BREAK}")
    found = [line.partition(" ") for line in processes.splitlines() if line[:1].isdigit()]
    sums = (line.split(maxsplit=1) for line in listed.splitlines() if line)
    return ContainerContents(
        container.short,
        tuple((uid, arguments.strip()) for uid, _, arguments in found),
        {path.removeprefix(f"{FILES_DIR}/"): digest for digest, path in sums},
    )


def checks(workload: Workload, found: Sequence[ContainerContents | None], secrets: Mapping[str, str]) -> list[Check]:
    """Compare what is inside a part's containers with what the part declares."""
    seen = [each for each in found if each]
    no_shell = "" if len(seen) == len(found) else "its image has no shell to look with"

    as_declared = "its setting says root" if is_root(workload.user) else ""

    def check(name: str, problems: Callable[[ContainerContents], Iterator[str]], not_made: str = "") -> Check:
        all_problems = (f"{each.short}: {problem}" for each in seen for problem in problems(each))
        return compared(workload.part, name, all_problems, not_made or (no_shell if found else _NONE_RUNS))

    made = [
        check("no process works as root", _roots, as_declared),
        check("no secret in a process's arguments", lambda each: _arguments(each, secrets)),
    ]
    if workload.files:
        name = f"{len(workload.files)} files below {FILES_DIR} are what is declared"
        made.append(check(name, lambda each: _files(workload, each)))
    return made


def _roots(each: ContainerContents) -> Iterator[str]:
    # The program only: arguments may be somebody's secrets.
    yield from (arguments.split(" ")[0] for uid, arguments in each.processes if uid == "0")
    if not each.processes:
        yield "no process could be seen"


def _arguments(each: ContainerContents, secrets: Mapping[str, str]) -> Iterator[str]:
    for name, value in secrets.items():
        if any(value in arguments for _, arguments in each.processes):
            yield f"shows {name}"


def _files(workload: Workload, each: ContainerContents) -> Iterator[str]:
    wanted = {path: hashlib.sha256(file.content.encode()).hexdigest() for path, file in workload.files.items()}
    yield from (f"{path} is missing" for path in sorted(wanted.keys() - each.files.keys()))
    yield from (f"{path} is not declared" for path in sorted(each.files.keys() - wanted.keys()))
    for path in sorted(wanted.keys() & each.files.keys()):
        if wanted[path] != each.files[path]:
            yield f"{path} has other content"


def isolation(place: TestHost, friday: Sequence[InspectedContainer], hidden: Sequence[str], shown: str) -> Check:
    """Check that Friday can look up the edge (`shown`) and nothing behind it (`hidden`)."""
    if not friday:
        return compared("friday", _ISOLATED, skipped=_NONE_RUNS)
    script = "; ".join(f"getent hosts {name} >/dev/null && echo {name}" for name in (*hidden, shown))
    problems: list[str] = []
    for each in friday:
        code, text = place.exec(each.name, f"command -v getent >/dev/null || exit 127; {script}; true")
        if code in _NO_PROGRAM:
            return compared("friday", _ISOLATED, skipped="its image has no getent to ask with")
        resolved = text.split()
        problems += [f"{each.short}: finds {name}" for name in hidden if name in resolved]
        problems += [f"{each.short}: does not find {shown}"] if shown not in resolved else []
    return compared("friday", _ISOLATED, problems)


def way_out_of(place: TestHost, part: str, command: Sequence[str], running: Sequence[InspectedContainer]) -> Check:
    """Check that a part's containers reach OpenRouter: `command` asks inside, see `way_out`."""
    problems: list[str] = []
    for each in running:
        _, said = place.run(*place.docker_command, "exec", each.name, *command)
        problems += [f"{each.short}: {problem}" for problem in [way_out.failed_hop(said)] if problem]
    return compared(part, "reaches OpenRouter's list of models", problems, "" if running else _NONE_RUNS)
