"""Pulumi's workspace of a checkout, and its command line."""

import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from pulumi import automation as auto

from ops.errors import EXIT_USAGE, OperationError
from ops.stacks.pulumi_errors import refused, wrong_passphrase
from ops.stacks.pulumi_files import local_outputs, state_file, unreadable
from program import program
from toolchain import paths

_PARALLEL = "PULUMI_PARALLEL"
_AT_ONCE_BY_SSH = "3"


def open_workspace(checkout: Path = paths.STACKS) -> auto.LocalWorkspace:
    """Return the workspace of a checkout, this one unless told otherwise; OperationError without Pulumi (exit code 2).

    This one's program runs in this process, another's as plain `pulumi` would run it: its code is not loaded here.
    """
    here = program if checkout == paths.STACKS else None
    if not (checkout / "Pulumi.yaml").is_file():
        fix = "copy Pulumi.yaml of the project's repository there: it names the project that the stacks belong to"
        raise OperationError(f"{checkout}: there is no Pulumi.yaml", fix, EXIT_USAGE)
    return _Workspace(work_dir=str(checkout), pulumi_command=_command(), program=here)


def spare_ssh(stack: auto.Stack, address: str) -> auto.Stack:
    """Let a stack whose host is reached by ssh make few changes at once, and return it; PULUMI_PARALLEL comes first.

    Each change asks through up to three sessions of the host's one connection, and sshd gives ten.
    """
    if address.startswith("ssh://") and not os.environ.get(_PARALLEL):
        stack.workspace.env_vars = {**(stack.workspace.env_vars or {}), _PARALLEL: _AT_ONCE_BY_SSH}
    return stack


@cache
def _command() -> auto.PulumiCommand:
    """Return the pinned command line. It is asked for its version, once in a process."""
    try:
        return _Command(root=str(paths.toolchain_dir()))
    except (OSError, subprocess.CalledProcessError, auto.InvalidVersionError) as error:
        message = "pulumi is not set up on this machine"
        raise OperationError(message, "./fridayctl setup", EXIT_USAGE, str(error)) from error


class _Command(auto.PulumiCommand):
    def run(self, *given: Any, **named: Any) -> auto.CommandResult:
        """Run a command; OperationError (exit code 2) when the passphrase is wrong, CommandError else."""
        try:
            return super().run(*given, **named)
        except auto.CommandError as error:
            if wrong := wrong_passphrase(error):
                raise wrong from error
            raise


class _Workspace(auto.LocalWorkspace):
    def select_stack(self, stack_name: str) -> None:
        """Leave the user's current stack as it is where the state is local: each command is given a name anyway."""
        if state_file(self, stack_name) is None:
            super().select_stack(stack_name)

    def stack_outputs(self, stack_name: str) -> auto.OutputMap:
        """Read them in a local state, where none is a secret: Pulumi's two calls take 0.7 s of every update."""
        found = local_outputs(self, stack_name)
        if found is not None:
            return found
        with refused(*unreadable(state_file(self, stack_name), stack_name)):
            return super().stack_outputs(stack_name)

    def export_stack(self, stack_name: str) -> auto.Deployment:
        """Return the state with its secrets; OperationError (exit code 2) when Pulumi cannot read it."""
        with refused(*unreadable(state_file(self, stack_name), stack_name)):
            return super().export_stack(stack_name)
