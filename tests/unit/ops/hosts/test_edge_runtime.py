"""What HAProxy's runtime API says of the slots behind the edge."""

import pytest

from ops.hosts import edge_runtime
from ops.hosts.edge_runtime import SHOW_SLOTS, Slot
from tests.unit.ops.hosts.fake_edge import FakeEdge, FakeSlot

EDGE = FakeEdge(
    FakeSlot("friday", "friday1", "172.18.0.2", ["0xa", "0xb"]),
    FakeSlot("friday", "friday2", "172.18.0.3", held=True),
    FakeSlot("friday", "friday3", "172.18.0.4", passed=False),
    FakeSlot("friday", "friday4", ""),
    FakeSlot("friday_ws", "friday1", "172.18.0.3", ["0xc"]),
)


def test_a_slot_is_read_from_both_tables() -> None:
    friday = [slot for slot in edge_runtime.slots(EDGE.run(SHOW_SLOTS)) if slot.backend != "gateway_switch"]
    assert friday == [
        Slot("friday", "friday1", "172.18.0.2", held=False, up=True, running=2),
        Slot("friday", "friday2", "172.18.0.3", held=True, up=False, running=0),
        Slot("friday", "friday3", "172.18.0.4", held=False, up=False, running=0),
        Slot("friday", "friday4", "", held=False, up=False, running=0),
        Slot("friday_ws", "friday1", "172.18.0.3", held=False, up=True, running=1),
    ]


def test_an_address_that_the_name_has_lost_is_none() -> None:
    state = "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_check_result\n"
    said = f"# pxname,svname,scur,\nfriday,friday1,0,\n\n{state}4 friday 1 friday1 172.18.0.9 0 33 3\n\n"
    assert edge_runtime.slots(said) == [Slot("friday", "friday1", "", held=True, up=False, running=0)]


@pytest.mark.parametrize("said", ["", "Unknown command", "# pxname,svname,scur,\nfriday,friday1,0,\n"])
def test_what_is_no_answer_is_named(said: str) -> None:
    with pytest.raises(ValueError, match="expected the state of its servers, got: "):
        edge_runtime.slots(said)


def test_sessions_are_those_of_one_backend() -> None:
    assert edge_runtime.slot_sessions(EDGE.run("show sess"), "friday") == [("0xa", "friday1"), ("0xb", "friday1")]
    assert edge_runtime.slot_sessions(EDGE.run("show sess"), "friday_ws") == [("0xc", "friday1")]
