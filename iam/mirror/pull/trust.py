"""Classifies roles by who can assume them, for lists: one word for each role, of its most exposed kind of
principal.
"""

from __future__ import annotations

from collections.abc import Iterator

from iam.policy.statements import as_list, statements_of


def trust_category(trust: str, *, path: str, account_id: str) -> str:
    """`any`, `oidc`, `saml`, `cross-account`, `account`, `service:NAME`, `service-linked`, or "" if no one
    can assume the role.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    if path.startswith("/aws-service-role/"):
        return "service-linked"
    words = set(_words(trust, account_id))
    for word in ("any", "oidc", "saml", "cross-account", "account"):
        if word in words:
            return word
    return min(words)[:64] if words else ""


def _words(trust: str, account_id: str) -> Iterator[str]:
    for statement in statements_of(trust):
        if statement.get("Effect") != "Allow":
            continue
        if "NotPrincipal" in statement:
            yield "any"
        principal = statement.get("Principal", {})
        entries = {"AWS": principal} if isinstance(principal, str) else principal
        for sort, named in entries.items() if isinstance(entries, dict) else ():
            for name in as_list(named):
                yield _word(sort, str(name), account_id)


def _word(sort: str, name: str, account_id: str) -> str:
    if name == "*":
        return "any"
    if sort == "Service":
        return f"service:{name.split('.', 1)[0]}"
    if sort == "Federated":
        return "saml" if ":saml-provider/" in name else "oidc"
    if name.startswith("arn:"):
        owner = name.split(":")[4:5]
        return "account" if owner == [account_id] else "cross-account"
    if name.isdigit() and len(name) == 12:
        return "account" if name == account_id else "cross-account"
    # A deleted principal is listed by its unique ID, and no one can use it any more.
    return "cross-account" if sort == "CanonicalUser" else "account"
