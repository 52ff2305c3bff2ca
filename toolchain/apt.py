"""Packages of the distribution, where there is apt and the user may install."""

import os
import shutil
from collections.abc import Sequence

from toolchain import machine, process
from toolchain.errors import SetupError
from toolchain.runner import Report

_ENV = {"DEBIAN_FRONTEND": "noninteractive"}
_INSTALL = ("apt-get", "-y", "-o", "DPkg::Lock::Timeout=300", "install", "--no-install-recommends")


def is_usable() -> bool:
    """Return whether this user can install packages of the distribution."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def by_hand(packages: Sequence[str]) -> str:
    """Return what a user does who installs packages of the distribution."""
    names = " ".join(packages)
    if shutil.which("apt-get"):
        return f"sudo apt-get install {names}"
    return f"install {names}, with {'Homebrew' if machine.is_macos() else 'the package manager of this system'}"


def install(packages: Sequence[str], why: str, report: Report) -> None:
    """Install packages, and refresh apt's lists only when they are too old. `why` completes "PACKAGE <why>".

    Raises SetupError: with the command to run when this user cannot install packages, else with apt's last lines.
    """
    names = " ".join(packages)
    if not is_usable():
        missing = "is missing" if len(packages) == 1 else "are missing"
        raise SetupError(f"{names} {missing} ({why})", "this machine", by_hand(packages))
    report(f"apt-get install {names}: {why}")
    fix = "read apt's lines above; `apt-get update` and `apt-get -f install` solve most problems"
    try:
        process.run([*_INSTALL, *packages], f"installing {names}", fix, env=_ENV, to_the_end=True)
    except SetupError:
        # The lists were never downloaded, or they name versions that the mirror no longer has.
        report("apt-get update: the package lists are missing or old")
        process.run(["apt-get", "update"], "refreshing apt's package lists", fix, env=_ENV, to_the_end=True)
        process.run([*_INSTALL, *packages], f"installing {names}", fix, env=_ENV, to_the_end=True)
