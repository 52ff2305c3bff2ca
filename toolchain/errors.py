"""The one error of set-up."""

from pathlib import Path

EXIT_CODE = 2
"""A machine that lacks something is reported before anything is deployed, with the code for wrong usage."""


class SetupError(Exception):
    """A machine lacks something that a stack needs: `what` happened, `where`, and the `fix`."""

    exit_code = EXIT_CODE

    def __init__(self, what: str, where: str, fix: str) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.where}: {self.what}\n  fix: {self.fix}"


def unwritable(folder: Path, setting: str, error: OSError) -> SetupError:
    """Return the error for a folder that this user cannot write; the variable `setting` names another one."""
    what = f"cannot be written: {error.strerror}"
    return SetupError(what, str(error.filename or folder), f"give this user {folder}, or set {setting}")
