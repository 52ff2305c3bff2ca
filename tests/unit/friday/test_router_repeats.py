"""What the direct path asks twice, and what it does not, against real servers."""

import time

import pytest

from friday.llm import LlmRouter, constants, errors
from friday.llm.errors import LlmError
from tests.unit.friday.given import HI, config
from tests.unit.friday.upstream import Script, Upstream, close, good_answer, plain

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("fault", [plain(b"busy", 429, retry_after="0"), plain(b"x", 503), plain(b"x", 502), close])
async def test_the_direct_path_repeats_what_is_safe(
    fault: Script, gateway: Upstream, direct: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "PAUSE_SECONDS", 0.01)
    router = LlmRouter(config(gateway, direct))
    direct.scripts = [fault]
    assert (await router.invoke(HI)).text == "Hello"
    assert len(direct.requests) == 2
    await router.aclose()


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (plain({"error": {"message": "Rate limit exceeded: free-models-per-min"}}, 429), errors.QuotaSpent),
        (plain(b"busy", 429, retry_after="60"), errors.RateLimited),
        (plain(b"x", 500), errors.Unavailable),
        (plain(b"x", 402), errors.PaymentRequired),
        (plain(good_answer("m", " ")), errors.EmptyAnswer),
        (plain(b"no"), errors.BadResponse),
    ],
)
async def test_the_direct_path_does_not_repeat_the_rest(
    fault: Script, error: type[LlmError], gateway: Upstream, direct: Upstream
) -> None:
    router = LlmRouter(config(gateway, direct))
    direct.scripts = [fault]
    started = time.monotonic()
    with pytest.raises(LlmError) as caught:
        await router.invoke(HI)
    assert type(caught.value) is error
    assert caught.value.path == "direct"
    assert len(direct.requests) == 1
    assert time.monotonic() - started < 4, "it does not wait for the deadline of 5 s"
    await router.aclose()


async def test_retry_after_is_honoured_within_the_deadline(gateway: Upstream, direct: Upstream) -> None:
    router = LlmRouter(config(gateway, direct))
    direct.scripts = [plain(b"busy", 429, retry_after="0.6")]
    started = time.monotonic()
    await router.invoke(HI)
    assert time.monotonic() - started >= 0.6
    await router.aclose()


async def test_tries_are_few(gateway: Upstream, direct: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "PAUSE_SECONDS", 0.01)
    router = LlmRouter(config(gateway, direct))
    direct.always = plain(b"x", 503)
    with pytest.raises(errors.Unavailable):
        await router.invoke(HI)
    assert len(direct.requests) == 2
    await router.aclose()
