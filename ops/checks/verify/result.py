"""What a verification found, as lines for people and as data for programs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One question about one part (or the host itself): it passed when there are no `problems`.

    `name` says what holds when it passed. `left_out` says why the question could not be asked.
    """

    part: str
    name: str
    problems: tuple[str, ...] = ()
    left_out: str = ""

    @property
    def ok(self) -> bool | None:
        """Return whether it passed; None when it could not be asked."""
        return None if self.left_out else not self.problems

    def lines(self) -> Iterator[str]:
        """Yield it as the screen shows it."""
        word = {True: "ok  ", False: "FAIL", None: "--  "}[self.ok]
        yield f"  {word}  {self.part}: {self.name}{f' ({self.left_out})' if self.left_out else ''}"
        yield from (f"        {problem}" for problem in self.problems)


@dataclass(frozen=True)
class Report:
    """The checks of each host, by its address."""

    stack: str
    hosts: dict[str, Sequence[Check]]

    @property
    def ok(self) -> bool:
        """Return whether no check failed."""
        return self.failed == 0

    @property
    def failed(self) -> int:
        """Return how many checks failed."""
        return sum(check.ok is False for checks in self.hosts.values() for check in checks)

    def lines(self, *, only_failed: bool = False) -> Iterator[str]:
        """Yield one line a check, grouped by host, one that sums up, and after a failure the next command; nothing
        when all that is to be shown has passed.
        """
        for address, checks in self.hosts.items():
            shown = [check for check in checks if not only_failed or check.ok is False]
            if shown:
                yield address
            for check in shown:
                yield from check.lines()
        if self.failed or not only_failed:
            total = sum(len(checks) for checks in self.hosts.values())
            yield f"{self.stack}: {total} checks, {f'{self.failed} failed' if self.failed else 'none failed'}"
        if self.failed:
            yield f"next: ./fridayctl drift {self.stack} tells what changed since the last update, and how to fix it"

    def document(self) -> dict[str, object]:
        """Return it for --json."""
        checks = [
            {
                "host": address,
                "part": check.part,
                "check": check.name,
                "ok": check.ok,
                "problems": check.problems,
                "left_out": check.left_out,
            }
            for address, found in self.hosts.items()
            for check in found
        ]
        return {"stack": self.stack, "ok": self.ok, "checks": checks}
