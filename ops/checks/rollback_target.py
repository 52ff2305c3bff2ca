"""Whether an update of the history can be gone back to: its settings still mean something, its images are to be had."""

from collections.abc import Sequence

from components.settings.source import SettingsError, from_pulumi
from components.settings.stack import SECRET_KEYS
from images.tags import local_images
from ops.deployment import Deployment
from ops.errors import EXIT_USAGE, OperationError
from ops.hosts import images
from ops.hosts.images import ImageHost, Need
from ops.progress import Say
from ops.rollout.history import NAMESPACE, Entry, good_targets, shown
from ops.rollout.rollback_plan import Level
from ops.stacks.stack_file import NOT_GENERATED


class Shelf:
    """The images that a stack's hosts hold, or are given: by a registry, or by this machine. Each is asked for once."""

    def __init__(self, stack: str, hosts: Sequence[ImageHost], here: ImageHost | None = None) -> None:
        """Take the hosts, and the engine of this machine where there is one that may have built images."""
        self._stack = stack
        self.hosts = hosts
        self._here = here
        self._lost: dict[tuple[str, str], OperationError | None] = {}

    def problem(self, entry: Entry, *, built_here: bool = True) -> OperationError | None:
        """Return why an update of the history cannot be made again, None when it can.

        Without `built_here` only the images that its settings name are looked for.
        """
        try:
            needs = self._needs(entry, built_here=built_here)
        except SettingsError as error:
            if not built_here:
                return None  # the code that is gone back to understood them, and looks for its images itself
            fix = "./fridayctl rollback --level 4 goes back to the code that understood them"
            return OperationError(f"its settings are none today: {error.problems[0]}", fix, EXIT_USAGE)
        found = (self._problem(need, host) for need in needs for host in self.hosts)
        return next((problem for problem in found if problem), None)

    def to_send(self, entry: Entry) -> list[Need]:
        """Return the images of an update that are built here, and that a host lacks."""
        return self.lacked(self._needs(entry, built_here=True))

    def lacked(self, needs: Sequence[Need]) -> list[Need]:
        """Return those of some images that are built here, and that a host lacks."""
        built = [need for need in needs if need.built_here]
        return [need for need in built if any(host.find(need.reference) is None for host in self.hosts)]

    def fetch(self, entry: Entry, say: Say) -> None:
        """Let each host pull what it lacks of an update's images; OperationError (exit code 2) when one cannot."""
        for need in self._needs(entry, built_here=False):
            for host in self.hosts:
                if host.find(need.reference) is None:
                    say(f"{host.address}: pulling {need.reference}")
                    images.pull(need, host)

    def _needs(self, entry: Entry, *, built_here: bool) -> list[Need]:
        # The history holds no secrets, so stand-ins take their places.
        stand_ins = {f"{NAMESPACE}:{key}": f"{NOT_GENERATED}{key}" for key in SECRET_KEYS}
        settings = from_pulumi({**stand_ins, **entry.config}, self._stack, {})
        needs = images.needs(self._stack, settings, local_images())
        return [need for need in needs if built_here or not need.built_here]

    def _problem(self, need: Need, host: ImageHost) -> OperationError | None:
        which = (host.address, need.reference)
        if which not in self._lost:
            self._lost[which] = images.lost(need, host, self._here)
        return self._lost[which]


def shelf_of(deployment: Deployment) -> Shelf:
    """Return the images of a stack's hosts. One that is not reached is reported: it hinders nobody from going back."""
    hosts, say = deployment.hosts, deployment.say("host")
    reached = hosts.answering(lambda text: say(f"{text}; its images are not looked at"))
    found = [images.image_host(address, hosts.client(address)) for address in reached]
    return Shelf(deployment.name, found, images.builder_here())


def require(shelf: Shelf, target: Entry, entries: Sequence[Entry], stack: str, level: Level) -> None:
    """Refuse an update that cannot be gone back to: OperationError (exit code 2) that names the newest that can.

    What is built here is looked for only where it is not the code that is gone back to that builds it.
    """
    built_here = not level.by_its_code
    problem = shelf.problem(target, built_here=built_here)
    if problem is None:
        return
    targets = good_targets(entries)
    number = next((at for at, each in enumerate(targets, 1) if not shelf.problem(each, built_here=built_here)), None)
    way = f"--level {level.number} --to {number} goes to the newest that can be" if number else "--level 1 needs none"
    fix = f"{problem.fix}; or ./fridayctl rollback {stack} {way}"
    raise OperationError(
        f"the update of {shown(target.at)} cannot be restored: {problem.message}", fix, EXIT_USAGE, problem.details
    )
