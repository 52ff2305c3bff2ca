"""One stack as every command works with it: settings, Pulumi's stack, hosts and history, each opened once."""

from collections.abc import Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from components.settings.stack import StackSettings
from ops.hosts.edge_switch import Switch
from ops.hosts.hosts import Hosts
from ops.progress import Report, Say
from ops.rollout.history import Entry
from ops.stacks import restoring
from ops.stacks.stack_file import read_settings
from toolchain import environment
from toolchain.paths import STACKS

if TYPE_CHECKING:
    from pulumi import automation as auto

    from ops.hosts.other_state import Made
    from ops.notify.hooks import Hooks
    from ops.notify.notifier import Notifier
    from ops.stacks.pulumi_files import Resource

# Pulumi's libraries take a while to load, and a rollback closes the gateway at the edge before: they load when the
# stack is first asked for.


class Deployment:
    """A stack by its name, with its file's settings and where progress is shown; the rest is opened when needed."""

    def __init__(self, name: str, settings: StackSettings, report: Report) -> None:
        self.name = name
        self.settings = settings
        self.report = report
        self._is_open_to_change = False

    @classmethod
    def open(cls, name: str, report: Report) -> "Deployment":
        """Read and check a stack file; SettingsError or OperationError (exit code 2) says what is wrong with it.

        What a killed restore of a backup had begun is finished first.
        """
        restoring.finish(partial(report, "restore"))
        return cls(name, read_settings(name), report)

    def say(self, label: str) -> Say:
        """Return what reports lines about one thing."""
        return partial(self.report, label)

    def reload(self) -> StackSettings:
        """Read the stack file again: set-up may have made secrets, or a command has changed a setting."""
        self.settings = read_settings(self.name)
        self.__dict__.pop("decrypted_settings", None)
        return self.settings

    def begin_again(self) -> None:
        """Forget what was read of the stack: somebody else has updated it meanwhile."""
        for name in ("stack", "history", "notifier", "hooks"):
            self.__dict__.pop(name, None)
        self._is_open_to_change = False
        self.reload()

    @cached_property
    def stack(self) -> "auto.Stack":
        """Pulumi's stack, made in the backend where it is new; OperationError (exit code 2) when that fails."""
        from ops.stacks.stacks import open_stack  # noqa: PLC0415 - see above
        from ops.stacks.workspace import spare_ssh  # noqa: PLC0415

        return spare_ssh(open_stack(self.name), self.settings.docker_host)

    def open_to_change(self, *, to_remove: bool = False) -> "auto.Stack":
        """Open the stack for an update, freed and repaired (`stacks.open_to_change`, once in a command).

        OperationError (exit code 2) also where it is on another machine, and, unless it is `to_remove`, where another
        state has made it.
        """
        from ops.stacks.stacks import open_to_change  # noqa: PLC0415 - see above
        from ops.stacks.workspace import spare_ssh  # noqa: PLC0415

        if not self._is_open_to_change:

            def check(found: Sequence["Resource"], is_whole: bool) -> None:
                self.require_same_machine(found)
                if is_whole and not to_remove:
                    self.require_own_state(found)

            opened = open_to_change(self.name, self.say("state"), check)
            self.stack = spare_ssh(opened, self.settings.docker_host)
            self._is_open_to_change = True
        return self.stack

    def require_same_machine(self, found: Sequence["Resource"]) -> None:
        """Raise OperationError (exit code 2) where what a state records is on another machine than `dockerHost`."""
        from ops.hosts import same_machine  # noqa: PLC0415 - see above
        from ops.stacks import recorded_connection  # noqa: PLC0415

        named, address = self.settings.docker_host, recorded_connection.address(found)
        if address not in ("", named):
            client = self.hosts.client(named)
            same_machine.require(self.name, self.settings, client, address, recorded_connection.ids(found))

    def made_by_another_state(self, found: Sequence["Resource"]) -> "Made | None":
        """Return what of the stack is on its host, and was made by another state than the one with `found` in it."""
        from ops.hosts import other_state  # noqa: PLC0415 - see above
        from ops.hosts.docker_host import PART_LABEL  # noqa: PLC0415
        from ops.stacks import recorded_connection  # noqa: PLC0415

        replicas = recorded_connection.replicas(found, PART_LABEL)
        recorded = other_state.Recorded(recorded_connection.ids(found), replicas)
        client = self.hosts.client(self.settings.docker_host)
        return other_state.find(self.name, client, recorded, swarm=self.settings.engine == "swarm")

    def require_own_state(self, found: Sequence["Resource"]) -> None:
        """Raise OperationError (exit code 2) where another state than the one with `found` in it has made the stack.

        Two states would undo each other: what one does not know it takes for left over, and removes it.
        """
        from ops.hosts import other_state  # noqa: PLC0415 - see above

        if made := self.made_by_another_state(found):
            raise other_state.refusal(self.name, self.settings.docker_host, made, environment.state_address())

    @cached_property
    def history(self) -> list[Entry]:
        """The stack's history, newest first, as it was when it was first asked for (`read_history_again`)."""
        from ops.stacks.stacks import read_history  # noqa: PLC0415 - see above

        return read_history(self.stack)

    def outputs(self) -> dict[str, Any]:
        """Return what the deployed stack says of itself, as it is now; nothing when none is deployed."""
        return {key: output.value for key, output in self.stack.outputs().items()}

    def read_history_again(self) -> list[Entry]:
        """Return the history as it is now."""
        self.__dict__.pop("history", None)
        return self.history

    @cached_property
    def decrypted_settings(self) -> StackSettings:
        """The settings with their secrets in plain text; OperationError (exit code 2) when they cannot be decrypted."""
        from ops.stacks.stack_secrets import reveal  # noqa: PLC0415 - see above

        return reveal(self.name, self.settings)

    @cached_property
    def notifier(self) -> "Notifier":
        """What tells those whom the settings name."""
        from ops.notify.notifier import Notifier  # noqa: PLC0415 - see above

        settings = self.settings.notify
        return Notifier(self.name, settings, lambda: self.decrypted_settings.notify, STACKS, self.say("notify"))

    @cached_property
    def hooks(self) -> "Hooks":
        """The operator's own programs beside the stack files."""
        from ops.notify.hooks import Hooks  # noqa: PLC0415 - see above

        return Hooks(self.notifier, self.report)

    @cached_property
    def hosts(self) -> Hosts:
        """The hosts of the stack."""
        return Hosts(self.settings)

    @cached_property
    def switch(self) -> Switch:
        """The gateway's switch at the edge of every host that answers; one that is down sends nobody anywhere."""
        return Switch(list(self.hosts.answering(self.say("host")).values()), self.name)
