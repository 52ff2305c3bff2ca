"""What `bench` compares gateways with: this one is started and asked, and what it used is read off its container."""

import pytest

from benchmarks.calls import chat, spent
from benchmarks.gateways import OURS, of_checkout, running
from benchmarks.instant_upstream import instant_upstream
from benchmarks.measures.memory import MEGABYTE, used
from testing.project import ROOT

pytestmark = [pytest.mark.engine, pytest.mark.beside]


def test_chats_and_streams_of_a_gateway_are_counted() -> None:
    with instant_upstream() as upstream, running(of_checkout(ROOT, OURS), upstream) as run:
        plain = spent(run, chat(run), 6, 2)
        streams = spent(run, chat(run, stream=True, events=20), 2, 2)
        assert 0 < plain.processor < 6 * 10, "seconds of its own processes, and not nanoseconds or the machine's"
        assert streams.calls == 2
        assert used(run.memory()) > 50 * MEGABYTE
        assert run.pid > 1
