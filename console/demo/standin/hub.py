"""The credentials of the hub's user in the management account. They are from AWS's own examples, because the
simulated AWS isn't secret.
"""

from __future__ import annotations

HUB_ACCESS_KEY_ID = "AKIAIOSFODNN7EXAMPLE"
HUB_SECRET_ACCESS_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"  # noqa: S105 - see above
