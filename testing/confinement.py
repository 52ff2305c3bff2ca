"""What a container's processes may do, as the kernel says it, whatever the engine was told."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

STATUS = "for p in /proc/[0-9]*; do cat $p/status; echo; done 2>/dev/null; true"
"""Prints the status of each process of a container, by `sh` in it."""

_SECCOMP_FILTER = "2"
_EFFECTIVE = ("CapInh", "CapPrm", "CapEff", "CapAmb")


@dataclass(frozen=True)
class Confined:
    """What is expected: no `bounding` set of capabilities (what a program could gain), and no new privileges."""

    bounding: bool = True
    no_new_privileges: bool = True

    def problems(self, status: str) -> list[str]:
        """Return what the processes of a container (the output of `STATUS`) may do beyond it, each by its name."""
        seen = [_fields(block) for block in status.split("\n\n") if block.strip()]
        if not seen:
            return ["no process could be seen"]
        return [f"{each.get('Name', '?')}: {words}" for each in seen for words in self._beyond(each)]

    def _beyond(self, process: Mapping[str, str]) -> Iterator[str]:
        if "0" in process["Uid"].split():
            yield "runs as root"
        none = (*_EFFECTIVE, "CapBnd") if self.bounding else _EFFECTIVE
        yield from (f"{name} is {process[name]}" for name in none if int(process[name], 16))
        if process["Seccomp"] != _SECCOMP_FILTER:
            yield "runs without a seccomp filter"
        if self.no_new_privileges and process["NoNewPrivs"] != "1":
            yield "may gain privileges"


def _fields(block: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in block.splitlines())
    return {name: value.strip() for name, _, value in pairs}
