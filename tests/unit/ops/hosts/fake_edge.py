"""An edge as its runtime API shows it: slots with addresses and sessions, and the commands that change them."""

import re
from dataclasses import dataclass, field

STAT = "# pxname,svname,qcur,scur,smax,"
STATE = "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_check_status srv_check_result"


@dataclass
class FakeSlot:
    """A server of HAProxy's; `sessions` are the ids of what runs there."""

    backend: str
    name: str
    address: str
    sessions: list[str] = field(default_factory=list)
    held: bool = False
    passed: bool = True


class FakeEdge:
    """Answers commands as HAProxy 2.6 does, as far as they are asked here."""

    def __init__(self, *slots: FakeSlot) -> None:
        self.slots = list(slots)
        self.told: list[str] = []
        self.half_closed: set[str] = set()
        """Sessions whose client has gone and whose replica has not noticed: a command does not end them."""
        self.before: list[dict[str, int]] = []
        """Running requests by address, in each process that a reload has left behind."""

    def at(self, address: str) -> list[FakeSlot]:
        """Return the slots with an address."""
        return [slot for slot in self.slots if slot.address == address]

    def run(self, commands: str) -> str:
        """Do what the commands say, and answer."""
        if not self.slots:
            return ""  # just coming or going
        return "".join(self._one(command.strip()) + "\n" for command in commands.split(";"))

    def older(self) -> str:
        """Return what those processes say of their servers, one after the other; each finishes one request then."""
        said = [
            "\n".join(
                [f"{STAT}addr,", *(f"friday,friday1,0,{count},9,{address}:3000," for address, count in each.items())]
            )
            for each in self.before
        ]
        self.before = [{address: count - 1 for address, count in each.items() if count > 1} for each in self.before]
        return "\n\n".join([*said, ""])

    def _one(self, command: str) -> str:
        if command == "show stat -1 4 -1":
            rows = [f"{slot.backend},{slot.name},0,{len(slot.sessions)},9," for slot in self.slots]
            return "\n".join([STAT, *rows, "gateway_switch,open,0,0,0,", ""])
        if command == "show servers state":
            return "\n".join(
                ["1", STATE, *map(self._state, self.slots), "8 gateway_switch 1 open 127.0.0.1 2 1 1 0", ""]
            )
        if command == "show sess":
            lines = [
                f"{each}: proto=tcpv4 src=1.2.3.4:5 fe=users be={slot.backend} srv={slot.name} ts=00"
                for slot in self.slots
                for each in slot.sessions
            ]
            return "\n".join([*lines, "0x1: proto=unix_stream fe=GLOBAL be=<NONE> srv=<none> ts=00", ""])
        self.told.append(command)
        if found := re.fullmatch(r"set server (\w+)/(\w+) state (maint|ready)", command):
            for slot in self.slots:
                if (slot.backend, slot.name) == found.groups()[:2]:
                    slot.held = found[3] == "maint"
        elif (found := re.fullmatch(r"shutdown session (0x\w+)", command)) and found[1] not in self.half_closed:
            for slot in self.slots:
                slot.sessions = [each for each in slot.sessions if each != found[1]]
        return ""

    def _state(self, slot: FakeSlot) -> str:
        admin = (0x01 if slot.held else 0) | (0 if slot.address else 0x20)
        operation = 0 if admin or not slot.passed else 2
        return f"4 {slot.backend} 1 {slot.name} {slot.address or '-'} {operation} {admin} 6 {3 if slot.passed else 2}"
