"""Under which addresses a browser lends itself to passkeys."""

from __future__ import annotations

import ipaddress


def passkeys_work_on(host: str) -> bool:
    """Browsers tie passkeys to a name: there are none for a bare address such as 127.0.0.1. `host` may carry a port.

    https://www.w3.org/TR/webauthn-2/#relying-party-identifier
    """
    name = host[1 : host.index("]")] if host.startswith("[") else host.partition(":")[0]
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return True
    return False
