"""Packages of the distribution, where there is apt and the user may install."""

import os
import shutil
from collections.abc import Callable, Sequence

from toolchain import process
from toolchain.errors import SetupError

_ENV = {"DEBIAN_FRONTEND": "noninteractive"}
_INSTALL = ("apt-get", "-y", "-o", "DPkg::Lock::Timeout=300", "install", "--no-install-recommends")


def is_usable() -> bool:
    """Tell whether this user can install packages of the distribution."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(packages: Sequence[str], why: str, report: Callable[[str], None]) -> None:
    """Install packages, refreshing apt's lists only when they prove old; `why` completes "PACKAGE <why>".

    Raises SetupError with the command to type where this user cannot install, or with apt's last lines.
    """
    names = " ".join(packages)
    if not is_usable():
        missing = "is missing" if len(packages) == 1 else "are missing"
        raise SetupError(f"{names} {missing} ({why})", "this machine", f"sudo apt-get install {names}")
    report(f"apt-get install {names}: {why}")
    mend = "read apt's lines above; `apt-get update` and `apt-get -f install` mend most of them"
    try:
        process.run([*_INSTALL, *packages], f"installing {names}", mend, env=_ENV)
    except SetupError:
        # Lists that were never fetched, or that name versions the mirror has dropped since.
        report("apt-get update: the package lists are missing or old")
        process.run(["apt-get", "update"], "refreshing apt's package lists", mend, env=_ENV)
        process.run([*_INSTALL, *packages], f"installing {names}", mend, env=_ENV)
