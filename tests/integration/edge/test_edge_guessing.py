"""Wrong keys at the gateway's port of the host: guessing is slowed, and whoever has the right key goes on.

The keys are made up, and twenty of them are enough: the replica refuses those with "wrong" in them.
"""

from typing import cast

import pytest

from components.edge import GATEWAY_HOST_PORT, WRONG_KEYS
from tests.integration.edge.stage import Stage

pytestmark = [pytest.mark.engine, pytest.mark.beside]

ELSEWHERE = """
import http.client
for key in ("right-elsewhere", "wrong-elsewhere"):
    connection = http.client.HTTPConnection("edge", %d, timeout=20)
    connection.request("GET", "/v1/models", headers={"authorization": f"Bearer {key}"})
    print(connection.getresponse().status)
"""


def ask(stage: Stage, key: str, path: str = "/v1/models", port: str = "host") -> str:
    head = f"GET {path} HTTP/1.1\r\nHost: edge\r\nConnection: close\r\nAuthorization: Bearer {key}\r\n\r\n"
    return stage.raw(port, head.encode())


def status(answer: str) -> int:
    return int(answer.split(" ", 2)[1])


def test_guessing_is_slowed_and_shuts_out_nobody_with_a_right_key(stage: Stage) -> None:
    assert status(ask(stage, "right")) == 200
    guesses = [status(ask(stage, f"wrong-{number}")) for number in range(WRONG_KEYS + 2)]
    assert guesses == [401] * (WRONG_KEYS + 1) + [429]

    refused = ask(stage, "wrong-again")
    assert status(refused) == 429
    assert "retry-after: 60" in refused.lower()
    assert '"code": "too_many_wrong_keys"' in refused
    # Refused without a look, else its answer would tell a right guess from a wrong one.
    assert status(ask(stage, "right-and-never-seen-here")) == 429

    assert status(ask(stage, "right")) == 200
    assert status(ask(stage, "wrong", "/health/liveliness")) == 200
    ran = stage.replicas("friday")[0].exec_run(["python3", "-c", ELSEWHERE % GATEWAY_HOST_PORT])
    assert (ran.exit_code, cast(bytes, ran.output).split()) == (0, [b"200", b"401"])


def test_fridays_own_calls_are_never_refused_for_it(stage: Stage) -> None:
    asked = [status(ask(stage, f"wrong-{number}", port="internal")) for number in range(WRONG_KEYS + 2)]
    assert set(asked) == {401}
    assert status(ask(stage, "right", port="internal")) == 200
