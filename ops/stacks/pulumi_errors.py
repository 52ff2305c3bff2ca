"""What Pulumi's command line says when it fails, as far as one message with a fix can be made of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pulumi import automation as auto

from ops.errors import EXIT_USAGE, OperationError

_PASSPHRASE = ("incorrect passphrase", "passphrase must be set", "PULUMI_CONFIG_PASSPHRASE_FILE")


@contextmanager
def refused(message: str, fix: str, where: Callable[[], Path | None] = lambda: None) -> Iterator[None]:
    """Turn what Pulumi, or its library, cannot read into one OperationError with exit code 2; `where` finds the file.

    For what changes nothing. A stack that is not there and one that is held are the caller's to word.
    """
    try:
        yield
    except (auto.StackNotFoundError, auto.ConcurrentUpdateError):
        raise
    except (auto.CommandError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        # Not only Pulumi's refusals: it also passes on what its library then finds incomplete, or of another form.
        found = where()
        said = errors_of(error) if isinstance(error, auto.CommandError) else f"{type(error).__name__}: {error}"
        raise OperationError(f"{message}: {found}" if found else message, fix, EXIT_USAGE, said) from error


def errors_of(error: auto.CommandError) -> str:
    """Return the lines of Pulumi's that begin with `error:`, without what the library puts around them."""
    lines = (line.strip().removeprefix("stderr:").strip() for line in str(error).splitlines())
    return "\n".join(line for line in lines if line.startswith("error:"))


def wrong_passphrase(error: auto.CommandError) -> OperationError | None:
    """Return the error for a passphrase that is not the stack's; None when the command failed for another reason."""
    said = errors_of(error)
    if not any(words in said for words in _PASSPHRASE):
        return None
    # Exit code 2, for Pulumi asks for it before it changes anything.
    fix = (
        "set PULUMI_CONFIG_PASSPHRASE (or PULUMI_CONFIG_PASSPHRASE_FILE) to the stack's passphrase, or unset both: "
        "then the one that ./fridayctl setup made on this machine is taken"
    )
    return OperationError("the passphrase is not the one that this stack was encrypted with", fix, EXIT_USAGE, said)
