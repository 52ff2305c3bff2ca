"""What tests say they tried comes back as it was said; nothing is written where nobody asked."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from testing.record import Record, Recorder, Tally, read

ONE = Record(group="faults", name="a replica is killed", tried=120, seconds=9.5, figures={"back after, seconds": 2.1})


def test_records_come_back_in_their_order(tmp_path: Path) -> None:
    record = Recorder(tmp_path / "records")
    other = ONE.model_copy(update={"group": "locks", "failed": 1})
    record(ONE)
    record(other)
    assert list(read(tmp_path / "records")) == [ONE, other]


def test_without_a_file_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Recorder(None)(ONE)
    assert not list(tmp_path.iterdir())


def test_a_line_that_is_no_record_is_refused(tmp_path: Path) -> None:
    (tmp_path / "records").write_text('{"group": "faults"}\n')
    with pytest.raises(ValidationError, match="name"):
        list(read(tmp_path / "records"))


def test_inputs_that_are_tried_one_by_one_are_recorded_by_their_kind(tmp_path: Path) -> None:
    tally = Tally("locks")
    for _ in range(2):
        with tally.trying("a paid model", refused=True):
            pass
    with pytest.raises(AssertionError), tally.trying("a paid model", refused=True):
        raise AssertionError("it was answered")
    with tally.trying("a free model"):
        pass
    tally.say(Recorder(tmp_path / "records"))
    found = [(each.name, each.tried, each.failed, each.refused) for each in read(tmp_path / "records")]
    assert found == [("a paid model", 3, 1, 2), ("a free model", 1, 0, 0)]
