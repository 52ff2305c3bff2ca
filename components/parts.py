"""The parts of a stack. A further one is a module of its own, its image's folder below images/, and its line here."""

from components import edge, friday, litellm, prometheus, redis, redis_exporter, simulator

PARTS = (
    simulator.PART,
    redis.PART,
    redis_exporter.PART,
    friday.PART,
    litellm.PART,
    edge.PART,
    prometheus.PART,
)
"""In the order in which they need each other."""

NAMES = tuple(part.name for part in PARTS)
