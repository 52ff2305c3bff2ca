"""Whether a stack's migration has to run: it does once for whatever it does otherwise than what last ended well."""

from dataclasses import dataclass

from components.migration import Migration, migration
from images.tags import local_images
from ops.checks.report import Check, State
from ops.deployment import Deployment
from ops.errors import OperationError
from ops.hosts import image, one_off
from ops.hosts.one_off import OneOff, Run


@dataclass(frozen=True)
class Plan:
    """What `friday.migrate` asks for, and whether that has `ended_well` on the host already."""

    one_off: OneOff
    ended_well: bool

    @property
    def words(self) -> str:
        """Return what is run, and for how long at most."""
        planned: Migration = self.one_off.migration
        return f"{' '.join(planned.workload.command)} (up to {planned.seconds} s)"


@dataclass(frozen=True)
class Record:
    """What the host keeps of the last migration, None where it has run none.

    `is_current` says whether it ended well as the stack file asks for it now; None where that cannot be known.
    """

    run: Run | None
    is_current: bool | None

    def words(self, stack: str) -> str:
        """Return it in a sentence: when it ran, how it ended, whether the next update runs it again."""
        following = {
            True: "as the stack file asks for it",
            False: f"the next ./fridayctl up {stack} runs it",
            None: "whether the next update runs it again is not known: its secrets cannot be decrypted here",
        }[self.is_current]
        if self.run is None:
            return f"has not run on this host; {following}"
        when = f"{self.run.at:%Y-%m-%d %H:%M} UTC"
        if self.run.exit_code is None:
            return f"is going on since {when}"
        return f"ended with exit code {self.run.exit_code} at {when}; {following}"

    def document(self) -> dict[str, object]:
        """Return it for --json."""
        run = self.run
        return {
            "container": run.container if run else None,
            "at": run.at.isoformat() if run else None,
            "exit_code": run.exit_code if run else None,
            "is_current": self.is_current,
        }


def record(deployment: Deployment) -> Record | None:
    """Return what the host keeps of the last migration; None where the settings ask for none.

    Raises OperationError when the host is not reached.
    """
    if deployment.settings.friday.migrate is None:
        return None
    run = one_off.newest(one_off.found(deployment.hosts.client(deployment.settings.docker_host), deployment.name))
    try:
        planned = plan(deployment)
    except OperationError:
        return Record(run, None)
    return Record(run, planned.ended_well if planned else None)


def plan(deployment: Deployment) -> Plan | None:
    """Ask the host, in a Swarm the manager; None where the settings ask for no migration. Changes nothing.

    Raises OperationError (exit code 2) when the host is not reached or the secrets cannot be decrypted.
    """
    if deployment.settings.friday.migrate is None:
        return None
    settings, stack = deployment.decrypted_settings, deployment.name
    planned = migration(stack, settings, local_images())
    if planned is None:
        return None
    client = deployment.hosts.client(settings.docker_host)
    found = image.find(client, planned.workload.image)
    digest = planned.digest(found.id if found else "")
    ended_well = one_off.has_ended_well(one_off.found(client, stack), digest)
    return Plan(OneOff(client, stack, planned, digest), ended_well)


def checks(deployment: Deployment) -> list[Check]:
    """Return the check that says whether the next update runs it; none where no migration is asked for."""
    try:
        planned = plan(deployment)
    except OperationError as error:
        return [Check("migration", "", State.SKIPPED, f"it is not known whether it has to run: {error.message}")]
    if planned is None:
        return []
    text = "has ended well already" if planned.ended_well else "the next ./fridayctl up runs it before new replicas"
    return [Check("migration", "", State.OK, f"{planned.words}: {text}")]
