"""The rules by which Prometheus finds what is wrong: rendered from a stack's settings into rules/*.yml."""

import yaml

from components.part import Given


def files(given: Given) -> dict[str, str]:
    """Return the rules of a stack as YAML, by their paths below /etc/friday."""
    down = {
        "alert": "TargetMissing",
        "expr": "up == 0",
        "for": "30s",
        "labels": {"severity": "warning", "part": "{{ $labels.job }}"},
        "annotations": {
            "summary": "{{ $labels.instance }} of {{ $labels.job }} does not answer Prometheus",
            "command": f"./fridayctl status {given.stack}",
            "runbook": "docs/TROUBLESHOOTING.md",
        },
    }
    return {"rules/parts.yml": yaml.safe_dump({"groups": [{"name": "parts", "rules": [down]}]}, sort_keys=False)}
