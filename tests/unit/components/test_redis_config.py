"""Redis as a cache: bounded, without disk, behind a password."""

import pytest

from components.redis_config import render

PASSWORD = "unit-test-password"


def directives(text: str) -> dict[str, str]:
    lines = [line.split(" ", 1) for line in text.splitlines() if not line.startswith("rename-command")]
    return {name: value for name, value in lines}


def test_it_is_a_bounded_cache_without_disk() -> None:
    found = directives(render(PASSWORD, 64))
    assert found["requirepass"] == PASSWORD
    assert found["maxmemory"] == "64mb"
    assert found["maxmemory-policy"] == "allkeys-lru"
    assert found["save"] == '""'
    assert found["appendonly"] == "no"


@pytest.mark.parametrize(
    "password", ["", "short", "with space in the middle", 'quote"quote"quote"', "line\nappendonly yes1"]
)
def test_a_password_that_changes_the_file_is_refused(password: str) -> None:
    with pytest.raises(ValueError, match="password"):
        render(password, 64)


@pytest.mark.parametrize("megabytes", [0, -1, 7])
def test_too_little_memory_is_refused(megabytes: int) -> None:
    with pytest.raises(ValueError, match="at least 8"):
        render(PASSWORD, megabytes)
