"""An HTTP client trusts the public authorities, and nobody at all where no TLS is spoken."""

import ssl

import pytest

from ops.metrics.authorities import trusted


@pytest.mark.parametrize("url", ["https://openrouter.ai/api/v1", "unknown://x", ""])
def test_the_public_authorities_are_asked_of_everything_but_plain_http(url: str) -> None:
    assert trusted(url) is True


def test_over_plain_http_nobody_is_trusted() -> None:
    context = trusted("http://127.0.0.1:3000")
    assert isinstance(context, ssl.SSLContext)
    assert context.get_ca_certs() == []
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
