"""The rule files of a stack's Prometheus: what it records, and what it alerts of; docs/ALERTS.md has a table of it."""

from collections.abc import Iterator

import yaml

from components.alerting import account, budget, replicas, sight, users
from components.alerting.rule import Alert, Group, Recording, Watched
from components.part import Given

_MODULES = (replicas, users, account, budget, sight)
FILE = "rules/friday.yml"
"""The file's path below the files' folder of Prometheus."""


def files(given: Given) -> dict[str, str]:
    """Return the rule files by their paths below /etc/friday. They hold no secret.

    Nothing in them depends on the percentage: a step of the rollout does not touch Prometheus.
    """
    document = {"groups": [group.document(given.stack) for group in groups(given)]}
    # Each look at a stack renders them, and the dumper in Python takes a tenth of a second.
    return {FILE: yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False, width=120)}


def groups(given: Given) -> tuple[Group, ...]:
    """Return the groups of rules that fit a stack: what it does not have, or does not show, has none."""
    watched = Watched(given)
    return tuple(group for module in _MODULES for group in module.groups(watched) if group.rules)


def alerts(given: Given) -> Iterator[Alert]:
    """Yield the alerts of a stack."""
    for group in groups(given):
        yield from (rule for rule in group.rules if not isinstance(rule, Recording))
