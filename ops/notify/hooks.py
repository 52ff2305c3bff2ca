"""The operator's own programs around a command: hooks/<name> beside the stack files. docs/NOTIFICATIONS.md has them."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from ops.errors import EXIT_USAGE, OperationError
from ops.notify import programs
from ops.notify.message import Hook
from ops.notify.notifier import Notifier
from ops.progress import Report

BEFORE_SECONDS = 300.0
"""How long a hook may take that runs before a command's work: it may ask somebody, or run tests."""

AFTER_SECONDS = 60.0
"""How long one may take that runs after it."""

_UNTOUCHED = "nothing of the stack was changed"


@dataclass(frozen=True)
class Hooks:
    """The hooks beside a stack's file; `notifier` makes the messages that they get."""

    notifier: Notifier
    report: Report

    @property
    def folder(self) -> Path:
        """Return where they are."""
        return self.notifier.folder / "hooks"

    def has(self, *names: Hook) -> bool:
        """Return whether there is one of these, executable or not."""
        return any(os.path.lexists(self.folder / name) for name in names)

    def before(self, name: Hook, **facts: Any) -> None:
        """Run a hook that may refuse what is about to be done.

        Raises OperationError: with exit code 1 and its last words when it fails or does not end in time, with 2 when
        it cannot be run. A file there that is called nearly like a hook is reported: it would never run.
        """
        self._warn_of_others()
        if not self.has(name):
            return
        shown, stack = f"hooks/{name}", self.notifier.stack
        message = self.notifier.message(name, result="begins", **facts)
        try:
            ended = self._run(name, message, BEFORE_SECONDS)
        except programs.NotRunError as error:
            fix = f"correct or remove it; {_UNTOUCHED}"
            raise OperationError(f"{stack}: {shown} cannot be run: {error}", fix, EXIT_USAGE) from error
        if ended.exit_code != 0:
            said = "\n".join(f"  {name} | {line}" for line in ended.last or ("(nothing printed)",))
            fix = f"correct what its lines say, or remove {shown}; {_UNTOUCHED}"
            raise OperationError(f"{stack}: {shown} {_how(ended, BEFORE_SECONDS)}", fix, details=said)

    def after(self, name: Hook, **facts: Any) -> None:
        """Run a hook when all is over: whatever becomes of it is reported in a line, and changes nothing."""
        if not self.has(name):
            return
        try:
            ended = self._run(name, self.notifier.message(name, **facts), AFTER_SECONDS)
        except programs.NotRunError as error:
            self.report("hook", f"hooks/{name} could not be run: {error}; what was done stays as it is")
            return
        if ended.exit_code != 0:
            self.report("hook", f"hooks/{name} {_how(ended, AFTER_SECONDS)}; what was done stays as it is")

    def _run(self, name: Hook, message: Any, seconds: float) -> programs.Ended:
        self.report("hook", f"running hooks/{name}")
        program = self.folder / name
        return programs.run(
            [str(program)], message, self.notifier.folder, seconds, lambda line: self.report(name, line)
        )

    def _warn_of_others(self) -> None:
        """Report what looks like a hook and is none, as `pre-up.sh` does."""
        known = get_args(Hook)
        for path in sorted(self.folder.glob("p*-*")):
            if path.name.startswith(("pre-", "post-")) and path.name not in known:
                self.report("warning", f"hooks/{path.name} is no hook and is not run (known: {', '.join(known)})")


def _how(ended: programs.Ended, seconds: float) -> str:
    if ended.exit_code is None:
        return f"did not end within {seconds:.0f} s and was killed with its children"
    if ended.exit_code < 0:
        return f"was ended by signal {-ended.exit_code}"
    return f"failed with exit code {ended.exit_code}"
