"""Describes the request that proves a line of a receipt: "s3:PutObject on pay-ledger/x with MFA: denied →
allowed".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from console.web.middleware import parse_moment
from console.web.moments import moment_text

_GIVEN: Final = {
    "trust-policy": "if the role’s trust policy allows it",
    "key-policy": "if the key policy allows it",
    "resource-policy": "if the other account’s resource-based policy allows it",
}
_BUCKET: Final = ":s3:::"
_ANY_TIME: Final = "2099-"
"""A moment after all moments in policies; see `iam.policy.index.circumstances`."""


@dataclass(frozen=True, slots=True)
class WitnessShown:
    """A request: action, resource, circumstances, and the answers before and after."""

    principal: str
    action: str
    resource: str
    circumstances: str
    before: str
    after: str
    given: str

    @property
    def text(self) -> str:
        """The request as one line."""
        return witness_text(self)


def witnesses_shown(witnesses: Iterable[Mapping[str, Any]] | None) -> list[WitnessShown]:
    """Return the requests of a line; empty for receipts stored before they had any."""
    return [
        WitnessShown(
            principal=witness["principal"].rpartition("/")[2],
            action=witness["action"],
            resource=resource_words(witness["resource"]),
            circumstances=circumstances_words(witness["context"]),
            before=witness["before"],
            after=witness["after"],
            given=_GIVEN.get(witness["given"], ""),
        )
        for witness in witnesses or ()
    ]


def witness_text(witness: WitnessShown) -> str:
    """Return the request and its answers as one line."""
    asked = " ".join(
        part for part in (f"{witness.action} on {witness.resource}", witness.circumstances) if part
    )
    value_text = f" ({witness.given})" if witness.given else ""
    return f"{asked}: {witness.before} → {witness.after}{value_text}"


def resource_words(resource: str) -> str:
    """Return a resource as people write it: bucket and key for S3, else the ARN."""
    if resource == "*":
        return "all resources"
    return resource.partition(_BUCKET)[2] or resource


def circumstances_words(context: Sequence[Sequence[Any]]) -> str:
    """Return 'with MFA, from 192.0.2.10'; keys that aren’t named are absent."""
    context_words = [words for key, values in context if (words := _words(key.lower(), key, list(values)))]
    return ", ".join(context_words)


def _words(lowered: str, key: str, values: list[str]) -> str:
    value = " and ".join(values)
    if lowered == "aws:multifactorauthpresent":
        return "with MFA" if value == "true" else "without MFA"
    if lowered == "aws:sourceip":
        return f"from {value}"
    if lowered == "aws:currenttime":
        return "" if value.startswith(_ANY_TIME) else f"at {_moment(value)}"
    return f"with {key} = {value}"


def _moment(value: str) -> str:
    """Return a time of a request as pages show times; a text that isn’t one stays as it is."""
    at = parse_moment(value)
    return moment_text(at, seconds=True) if at else value
