"""All indicators by name, in groups: the order in which pages and dashboards show them.

A further one is an entry in the module of its group; docs/INDICATORS.md is made of them.
"""

from collections.abc import Mapping

from indicators import feedback, gateway, latency, parts, users
from indicators.indicator import Indicator

GROUPS: Mapping[str, tuple[Indicator, ...]] = {
    "Traffic": users.TRAFFIC,
    "Errors": users.ERRORS,
    "Fallbacks": users.FALLBACKS,
    "Latency": latency.LATENCY,
    "Cost": gateway.COST,
    "Quota": gateway.QUOTA,
    "Models": gateway.MODELS,
    "Cache": gateway.CACHING,
    "Feedback": feedback.FEEDBACK,
    "Health": parts.HEALTH,
}

INDICATORS: Mapping[str, Indicator] = {each.name: each for group in GROUPS.values() for each in group}
