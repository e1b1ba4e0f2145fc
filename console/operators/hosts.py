"""Information about browsers and host names: where passkeys work, and the browser's common name."""

from __future__ import annotations

import ipaddress

# The first match counts, because Edge also names Chrome, and Chrome also names Safari.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def browser_of(user_agent: str) -> str:
    """Return 'Firefox on Windows'; an unknown header is shortened."""
    browser = next((name for word, name in _BROWSERS if word in user_agent), "")
    system = next((name for word, name in _SYSTEMS if word in user_agent), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or user_agent[:60] or "Unknown browser"


def passkeys_work_on(host: str) -> bool:
    """Return whether passkeys work at this host, which may include a port.

    Browsers tie passkeys to a domain name, so they don’t work at IP addresses such as 127.0.0.1.
    https://www.w3.org/TR/webauthn-2/#relying-party-identifier
    """
    name = host[1 : host.index("]")] if host.startswith("[") else host.partition(":")[0]
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return True
    return False
