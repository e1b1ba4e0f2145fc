"""An AWS stand-in: moto over HTTP with an overlay, serving the accounts of the sample organisation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

# The hub's user in the management account. It is the key of AWS's own examples: the stand-in is no secret.
HUB_ACCESS_KEY_ID = "AKIAIOSFODNN7EXAMPLE"
HUB_SECRET_ACCESS_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"  # noqa: S105 - see above

if TYPE_CHECKING:
    from console.demo.standin.server import Handle


def start(port: int = 0, *, host: str = "127.0.0.1", state: Path | None = None) -> Handle:
    """Serve the sample organisation from a thread of this process; port 0 takes a free one.

    With `state`, writes are kept in that folder and replayed. moto's state is global: a second start in
    the same process begins anew, and whatever the first one serves is gone.
    """
    from console.demo.standin.startup import start_in_thread

    return start_in_thread(host=host, port=port, state=state)
