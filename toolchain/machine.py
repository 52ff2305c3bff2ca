"""The kinds of machines that commands run on, as far as a path, a limit or the words of a fix depend on it."""

import platform


def is_macos() -> bool:
    """Return whether this is macOS: no /proc, no apt, and an engine only in a virtual machine."""
    return platform.system() == "Darwin"


def is_wsl() -> bool:
    """Return whether this Linux runs in the Windows Subsystem for Linux, whose kernels have a name of their own."""
    return "microsoft" in platform.release().lower()
