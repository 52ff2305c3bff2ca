"""The gates, in the order in which they are shown. A further one is a module beside this one, and its line here.

Its thresholds, if it has any, are a class and a field in the settings of the gates.
"""

from ops.rollout.gates import (
    complaints,
    cost,
    errors,
    fallbacks,
    gateway,
    latency,
    metrics,
    overhead,
    providers,
    quota,
)

GATES = (
    metrics.GATE,
    gateway.GATE,
    errors.GATE,
    fallbacks.GATE,
    latency.GATE,
    overhead.GATE,
    providers.GATE,
    cost.GATE,
    quota.GATE,
    complaints.GATE,
)
