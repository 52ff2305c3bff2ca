"""What the gateway does around LiteLLM's start."""

import sys

import pytest

from gateway.serve import _seek_once


def test_a_module_that_is_missing_is_not_sought_on_the_disk_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "not_there", sys)  # so that whatever is there in the end goes away
    del sys.modules["not_there"]
    _seek_once("not_there")
    assert sys.modules["not_there"] is None
    with pytest.raises(ImportError):
        __import__("not_there")


def test_a_module_that_is_there_stays() -> None:
    _seek_once("json.tool")
    assert sys.modules["json.tool"].__name__ == "json.tool"
