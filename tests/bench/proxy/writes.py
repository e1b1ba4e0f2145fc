"""Which writes took effect: the state of what a call is about, read before and after it behind the proxy's
back.
"""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import TextIO

READS = ("Get", "List", "Describe", "Generate", "Simulate", "AssumeRole", "Decode")
_OBSERVERS: dict[str, tuple[str, str]] = {
    "AddUserToGroup": ("ListGroupsForUser", "UserName"),
    "RemoveUserFromGroup": ("ListGroupsForUser", "UserName"),
    "CreatePolicyVersion": ("ListPolicyVersions", "PolicyArn"),
    "DeletePolicyVersion": ("ListPolicyVersions", "PolicyArn"),
    "SetDefaultPolicyVersion": ("ListPolicyVersions", "PolicyArn"),
    "AttachUserPolicy": ("ListAttachedUserPolicies", "UserName"),
    "DetachUserPolicy": ("ListAttachedUserPolicies", "UserName"),
    "PutUserPolicy": ("ListUserPolicies", "UserName"),
    "DeleteUserPolicy": ("ListUserPolicies", "UserName"),
    "UpdateAccessKey": ("ListAccessKeys", "UserName"),
    "UpdateSSHPublicKey": ("ListSSHPublicKeys", "UserName"),
    "UpdateServiceSpecificCredential": ("ListServiceSpecificCredentials", "UserName"),
}
"""Write → the reading that shows its effect, and the parameter that both have."""
_CHANGING = re.compile(rb"<(RequestId|Marker)>[^<]*</\1>")


def is_write(action: str) -> bool:
    """Whether a call alters something."""
    return bool(action) and not action.startswith(READS)


def observer_of(action: str, parameters: dict[str, str]) -> tuple[str, dict[str, str]] | None:
    """The reading that shows the effect of a write; None for one that is logged without being looked at."""
    observer = _OBSERVERS.get(action)
    if observer is None or observer[1] not in parameters:
        return None
    return observer[0], {observer[1]: parameters[observer[1]]}


def settled(body: bytes) -> bytes:
    """An answer without what differs each time."""
    return _CHANGING.sub(b"", body)


class Log:
    """A line of JSON for each write that was carried out: when, which, on what, and whether anything was
    different afterwards.
    """

    def __init__(self, path: Path | None) -> None:
        self._file: TextIO | None = path.open("a", encoding="utf-8") if path else None
        self.effective = 0
        self.carried_out = 0

    def note(self, action: str, parameters: dict[str, str], *, key: str, took_effect: bool) -> None:
        """Write one line."""
        self.carried_out += 1
        self.effective += took_effect
        if self._file is None:
            return
        shown = {
            name: value
            for name, value in parameters.items()
            if name not in ("Version", "Action", "PolicyDocument")
        }
        line = {"at": time.time(), "action": action, "key": key, "on": shown, "took_effect": took_effect}
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()
