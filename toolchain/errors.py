"""The one error of set-up."""


class SetupError(Exception):
    """A machine lacks something that a stack needs: `what` happened, `where`, and the `fix`."""

    exit_code = 2  # the code for wrong usage: it is reported before anything is deployed

    def __init__(self, what: str, where: str, fix: str) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.where}: {self.what}\n  fix: {self.fix}"
