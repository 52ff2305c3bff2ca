"""No fault of the simulator is without a case: neither a kind nor a field nor a value that a field may have."""

from typing import Literal, get_args, get_origin

import pytest
from pydantic import BaseModel

from gateway import errors as gateway_errors
from simulator import errors as simulated_errors
from simulator.distributions import Distribution
from simulator.faults import FAULTS, Fault
from tests.faults.cases import CASES, STATUSES
from tests.faults.users import ERRORS

KINDS: tuple[type[BaseModel], ...] = get_args(get_args(Fault)[0])
DISTRIBUTIONS: tuple[type[BaseModel], ...] = get_args(get_args(Distribution)[0])
WHO_MEETS_IT = {"kind", "model", "probability", "count"}
"""Fields that say which requests meet a fault, not what they meet."""

GIVEN: list[BaseModel] = list(FAULTS.validate_python([case.fault for case in CASES]))


FIELDS = [(kind, name) for kind in KINDS for name in sorted(kind.model_fields.keys() - WHO_MEETS_IT)]


def choices(annotation: object) -> set[object]:
    if annotation is bool:
        return {False, True}
    return set(get_args(annotation)) if get_origin(annotation) is Literal else set()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_of_fault_has_a_case_in_every_run(kind: type[BaseModel]) -> None:
    played = [case.of_its_kind for case, fault in zip(CASES, GIVEN, strict=True) if type(fault) is kind]
    assert any(played)


@pytest.mark.parametrize(("kind", "name"), FIELDS, ids=lambda part: getattr(part, "__name__", part))
def test_every_field_of_a_fault_is_used(kind: type[BaseModel], name: str) -> None:
    used = [getattr(fault, name) for fault in GIVEN if type(fault) is kind]
    default = kind.model_fields[name].get_default()
    assert any(value != default for value in used)
    assert all(choice in used for choice in choices(kind.model_fields[name].annotation))


@pytest.mark.parametrize("shape", DISTRIBUTIONS, ids=lambda shape: shape.__name__)
def test_every_distribution_of_latencies_has_a_case(shape: type[BaseModel]) -> None:
    assert any(type(getattr(fault, "distribution", None)) is shape for fault in GIVEN)


def test_every_status_that_any_part_knows_has_a_case() -> None:
    known = {*simulated_errors._REASONS, *gateway_errors._SEEN}
    assert known <= STATUSES.keys()


def test_expected_kinds_are_errors_of_friday() -> None:
    assert {fate.kind for case in CASES for fate in (case.plain, case.streamed)} - {None} <= ERRORS.keys()


def test_no_case_is_there_twice() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
