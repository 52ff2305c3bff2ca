"""What a command says when it cannot go on, and with which exit code."""

EXIT_FAILED = 1
EXIT_USAGE = 2


class OperationError(Exception):
    """An operation that ended early.

    `message` says what happened and where, `mend` the next thing to do; `exit_code` is 1 for a failure while
    working and 2 for something that was wrong before anything changed.
    """

    def __init__(self, message: str, mend: str, exit_code: int = EXIT_FAILED, details: str = "") -> None:
        self.message = message
        self.mend = mend
        self.exit_code = exit_code
        self.details = details
        super().__init__(message)

    def render(self) -> str:
        """Return the text for the screen: what happened, what was seen, how to mend it."""
        return "\n".join(part for part in (self.message, self.details, f"  mend: {self.mend}") if part)
