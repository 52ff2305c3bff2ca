"""The command that runs once before new replicas of Friday start: what it runs with, and what makes it run again."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from components import egress, friday
from components.friday_environment import VARIABLES
from components.part import Given
from components.settings.stack import StackSettings
from components.workload import Workload

JOB = "migrate"
# A step of the rollout changes some of them, and a rotated key of the stack's own others: no database is older for it.
_OF_THE_STACK = frozenset(variable.name for variable in VARIABLES if not variable.teams)


@dataclass(frozen=True)
class Migration:
    """The command as a workload that is like Friday's replicas but for it, and the seconds after which it is stopped.

    Of Friday's networks it joins those that are the host's own: the stack's need not be there yet.
    """

    workload: Workload
    seconds: int

    def digest(self, image_id: str) -> str:
        """Return 12 hex digits that change with what it does; `image_id` is what the image's name means on the host."""
        workload = self.workload
        env = {**workload.env, **workload.secret_env}
        seen = {
            "image": [workload.image, image_id],
            "command": workload.command,
            "env": {name: value for name, value in env.items() if name not in _OF_THE_STACK},
            "user": workload.user,
            "networks": workload.outer_networks,
            "folders": [dict(workload.tmpfs), dict(workload.volumes)],
        }
        return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()[:12]


def migration(stack: str, settings: StackSettings, images: Mapping[str, str]) -> Migration | None:
    """Return what `friday.migrate` asks for, None where it asks for nothing; `images` are the local builds."""
    asked = settings.friday.migrate
    if asked is None:
        return None
    given = Given(stack, settings, images)
    workload = friday.PART.workload(given)
    # It calls no model, and another proxy makes no database older.
    added = egress.environment(given).keys() - settings.friday.environment.keys()
    env = {name: value for name, value in workload.env.items() if name not in added}
    files = {path: file for path, file in workload.files.items() if path not in egress.files(given)}
    return Migration(replace(workload, command=asked.command, networks=(), env=env, files=files), asked.seconds)
