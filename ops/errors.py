"""What a command says when it cannot go on, and with which exit code."""

from pathlib import Path

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INCONCLUSIVE = 3
EXIT_INTERRUPTED = 130


class OperationError(Exception):
    """An operation that ended early.

    `message` says what happened and where, `fix` the next thing to do; `exit_code` is 1 for a failure while
    working and 2 for something that was wrong before anything changed.
    """

    def __init__(self, message: str, fix: str, exit_code: int = EXIT_FAILED, details: str = "") -> None:
        self.message = message
        self.fix = fix
        self.exit_code = exit_code
        self.details = details
        super().__init__(message)

    def render(self) -> str:
        """Return the text for the screen: what happened, what was seen, how to fix it."""
        return "\n".join(part for part in (self.message, self.details, f"  fix: {self.fix}") if part)


class CheckError(OperationError):
    """The update is made, and what it brought is not well."""


def unwritable(folder: Path, error: OSError) -> OperationError:
    """Return the error for a folder that cannot be written, met before an update began."""
    said = (error.strerror or str(error)).lower()
    there = next(place for place in (folder, *folder.parents) if place.exists())
    fix = f"make room there, and see that it can be written: df -h {there}; then the same command again"
    return OperationError(f"{folder} cannot be written ({said})", fix, EXIT_USAGE)


def root_cause(error: BaseException) -> BaseException:
    """Return the error that others were raised from: what the system itself said."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    return error
