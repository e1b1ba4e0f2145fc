"""The request that proves a line of a receipt, in words: "s3:PutObject on pay-ledger/x with MFA: denied →
allowed".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_GIVEN: Final = {
    "trust-policy": "if the role’s trust policy allows it",
    "key-policy": "if the key policy allows it",
    "resource-policy": "if the other account’s resource-based policy allows it",
}
_BUCKET: Final = ":s3:::"
_ANY_TIME: Final = "2099-"
"""The moment after all that policies name; see `iam.policy.index.circumstances`."""


@dataclass(frozen=True, slots=True)
class WitnessShown:
    """One request: what is asked, on what, in which circumstances, and how the answer changes."""

    principal: str
    action: str
    resource: str
    circumstances: str
    before: str
    after: str
    given: str

    @property
    def text(self) -> str:
        """All of it as one line."""
        return witness_text(self)


def witnesses_shown(witnesses: Iterable[Mapping[str, Any]] | None) -> list[WitnessShown]:
    """The requests of a line; none for a receipt that was stored before receipts had them."""
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
    """The request and its answers as one line."""
    asked = " ".join(
        part for part in (f"{witness.action} on {witness.resource}", witness.circumstances) if part
    )
    value_text = f" ({witness.given})" if witness.given else ""
    return f"{asked}: {witness.before} → {witness.after}{value_text}"


def resource_words(resource: str) -> str:
    """A resource as people write it: bucket and key for S3, else the ARN."""
    if resource == "*":
        return "all resources"
    return resource.partition(_BUCKET)[2] or resource


def circumstances_words(context: Sequence[Sequence[Any]]) -> str:
    """'with MFA, from 192.0.2.10'; keys that are not named are absent."""
    context_words = [words for key, values in context if (words := _words(key.lower(), key, list(values)))]
    return ", ".join(context_words)


def _words(lowered: str, key: str, values: list[str]) -> str:
    value = " and ".join(values)
    if lowered == "aws:multifactorauthpresent":
        return "with MFA" if value == "true" else "without MFA"
    if lowered == "aws:sourceip":
        return f"from {value}"
    if lowered == "aws:currenttime":
        return "" if value.startswith(_ANY_TIME) else f"at {value.replace('T', ' ').removesuffix('Z')} UTC"
    return f"with {key} = {value}"
