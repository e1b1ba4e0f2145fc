"""What is read from the browser's own words."""

from __future__ import annotations

import pytest

from console.operators.hosts import browser_of, passkeys_work_on

CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (CHROME, "Chrome on Linux"),
        (CHROME.replace("X11; Linux x86_64", "Windows NT 10.0") + " Edg/140.0", "Edge on Windows"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 15.1; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox on Mac",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1",
            "Safari on iPhone",
        ),
        ("curl/8.5", "curl/8.5"),
        ("", "Unknown browser"),
        ("x" * 200, "x" * 60),
    ],
)
def test_a_browser_is_called_what_people_call_it(header: str, name: str) -> None:
    assert browser_of(header) == name


@pytest.mark.parametrize(
    ("host", "works"),
    [
        ("gatehouse.example.com", True),
        ("localhost:8000", True),
        ("127.0.0.1:8000", False),
        ("10.0.0.1", False),
        ("[::1]:8000", False),
    ],
)
def test_passkeys_need_a_name(host: str, works: bool) -> None:
    assert passkeys_work_on(host) is works
