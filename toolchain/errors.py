"""The one error of set-up."""

EXIT_CODE = 2
"""A machine that lacks something is reported before anything is deployed: same code as wrong usage."""


class SetupError(Exception):
    """Something that a stack needs cannot be had: `what` happened, `where`, and how to `mend` it."""

    exit_code = EXIT_CODE

    def __init__(self, what: str, where: str, mend: str) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.where}: {self.what}\n  mend: {self.mend}"
