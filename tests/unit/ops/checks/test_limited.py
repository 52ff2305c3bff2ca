"""What an app says of a limit of its health path, in the forms that its libraries have for that."""

import pytest

from ops.checks.limited import warning

IN_TIME = "GET /api/health says that it is limited to 100 answers for one address in 900 s"


@pytest.mark.parametrize(
    "lines",
    [
        ["HTTP/1.1 200 OK", "RateLimit-Policy: 100;w=900", "RateLimit-Limit: 100", "RateLimit-Reset: 894"],
        ["RateLimit-Limit: 100", "RateLimit-Remaining: 7", "RateLimit-Policy: 100;w=900"],
        ["ratelimit-policy: 100;w=900", "ratelimit: limit=100, remaining=99, reset=900"],
        ['RateLimit-Policy: "100-in-15min"; q=100; w=900; pk=:abc:', 'RateLimit: "100-in-15min"; r=99; t=900'],
        ["X-RateLimit-Limit: 100", "X-RateLimit-Reset: 900"],
    ],
)
def test_a_limit_below_the_edges_checks_is_told(lines: list[str]) -> None:
    assert warning("/api/health", lines, 2000) == (
        f"{IN_TIME}, and the edge asks it 450 times: then it leaves every replica out"
    )
    assert warning("/api/health", lines, 9001) == ""


def test_a_limit_without_its_time_is_told_as_it_is() -> None:
    lines = ["X-RateLimit-Limit: 100", "X-RateLimit-Reset: 1796025600"]  # the moment of its end
    assert warning("/", lines, 300) == (
        "GET / says that it is limited to 100 answers for one address: the edge asks it every 300 ms, and leaves a "
        "replica out that refuses"
    )


@pytest.mark.parametrize("lines", [[], ["HTTP/1.1 200 OK", "Content-Type: text/html"], ["RateLimit-Limit: none"]])
def test_who_says_nothing_of_a_limit_has_none(lines: list[str]) -> None:
    assert warning("/", lines, 300) == ""
