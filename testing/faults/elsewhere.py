"""Faults that are played beside this suite, on a stage of their own: each with its promise and its test."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Elsewhere:
    """One fault; `test` is the file from the project's root, and a test in it where it is one of many."""

    name: str
    promise: str
    test: str


ELSEWHERE: tuple[Elsewhere, ...] = (
    Elsewhere(
        "one model, or all, fail in each way that the simulator knows",
        "the next model or the direct path answers; where none does, the error of that kind, within the deadline",
        "tests/faults/test_faults.py",
    ),
    Elsewhere(
        "the disk of the state is full, before or in an update",
        "nothing is lost, users are served, and the next `up` finishes",
        "tests/integration/test_full_disk.py",
    ),
    Elsewhere(
        "the host's ssh is cut in an update",
        "said at once; the next `up` finishes",
        "tests/remote/test_staging.py::test_ssh_cut_in_an_update_is_said_and_the_next_up_mends",
    ),
    Elsewhere(
        "a Docker daemon is killed in an update",
        "said at once; the next `up` finishes",
        "tests/remote/test_staging.py::test_a_docker_daemon_killed_in_an_update_is_said_and_the_next_up_mends",
    ),
    Elsewhere(
        "a host's housekeeping removes everything that nothing runs (`docker system prune`)",
        "0 calls fail: in an update, and in a rollback of each level, which sends what it needs and is gone",
        "tests/remote/test_prune.py",
    ),
    Elsewhere(
        "ten minutes of changed percentages, deploys, rollbacks and faults of parts, drawn from a seed that is printed "
        "(`FRIDAY_SOAK_SEED`, `FRIDAY_SOAK_MINUTES`)",
        "0 calls fail, what runs is what the settings say, and the bill is $0",
        "tests/faults/test_soak.py",
    ),
    Elsewhere(
        "four times the planned peak: 8,000 requests a minute for five minutes",
        "what the machine cannot do gets a clear error, most of it at once; all is as before within a minute",
        "tests/faults/test_peak.py",
    ),
    Elsewhere(
        "a host of a Swarm is killed",
        "at most a hundredth of a minute's requests fail",
        "tests/remote/test_swarm.py::test_a_killed_host_costs_less_than_a_hundredth_of_a_minute",
    ),
    Elsewhere(
        "a clock is set",
        "the limits that replicas share stop nobody for long",
        "tests/integration/test_shared_count.py::test_a_clock_that_was_set_stops_nobody_for_long",
    ),
    Elsewhere(
        "the certificate has ended",
        "the edge serves on, users' browsers refuse it by name, and a new one is taken without a gap",
        "tests/integration/edge/test_edge_in_place.py::test_a_certificate_that_has_ended_is_replaced_without_a_gap",
    ),
    Elsewhere(
        "redis, prometheus or a gateway replica are gone in a rollback",
        "the rollback is done, names what is down, and 0 calls fail",
        "tests/integration/test_rollback_degraded.py",
    ),
)
