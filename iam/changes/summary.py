"""What a request gives or takes, where and until when, in a few words: written when it is made, the same in lists, on its page and in mails."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Self

from iam.changes.operations import Operation
from iam.moments import moment_words
from iam.policy.sentences import in_short, sentences_of

FEW: Final = 3
"""So many changes of one kind are named each; more are counted."""
WRITES_POLICY: Final = ("policy.create", "inline_policy.put")
LINES: Final = 6
"""So many lines of a block are kept."""
NAMED: Final = 3
"""So many accounts are named in a sentence."""

OF_GROUP: Final[Mapping[str, tuple[str, str]]] = {
    "group_membership.add": ("Add", "to"),
    "group_membership.remove": ("Remove", "from"),
}
COUNTED: Final[Mapping[str, tuple[str, str]]] = {
    "access_key.activate": ("Activate", "access key"),
    "access_key.create": ("Create", "access key"),
    "access_key.deactivate": ("Deactivate", "access key"),
    "access_key.delete": ("Delete", "access key"),
    "account_alias.create": ("Set", "account alias|account aliases"),
    "account_alias.delete": ("Delete", "account alias|account aliases"),
    "attachment.attach": ("Attach a policy to", "user, group or role|users, groups or roles"),
    "attachment.detach": ("Detach a policy from", "user, group or role|users, groups or roles"),
    "group.create": ("Create", "group"),
    "group.delete": ("Delete", "group"),
    "group.update": ("Rename", "group"),
    "group_membership.add": ("Add", "group membership"),
    "group_membership.remove": ("Remove", "group membership"),
    "inline_policy.delete": ("Delete", "inline policy|inline policies"),
    "inline_policy.put": ("Set", "inline policy|inline policies"),
    "instance.associate_profile": ("Attach an instance profile to", "EC2 instance"),
    "instance.disassociate_profile": ("Detach the instance profile of", "EC2 instance"),
    "instance.replace_profile": ("Replace the instance profile of", "EC2 instance"),
    "instance_profile.add_role": ("Add a role to", "instance profile"),
    "instance_profile.create": ("Create", "instance profile"),
    "instance_profile.delete": ("Delete", "instance profile"),
    "instance_profile.remove_role": ("Remove the role from", "instance profile"),
    "instance_profile.set_tags": ("Update the tags of", "instance profile"),
    "login_profile.create": ("Create a console password for", "user"),
    "login_profile.delete": ("Delete the console password of", "user"),
    "login_profile.require_change": ("Require a new console password of", "user"),
    "login_profile.update": ("Reset the console password of", "user"),
    "mfa_device.create_virtual": ("Create", "virtual MFA device"),
    "mfa_device.deactivate": ("Deactivate", "MFA device"),
    "mfa_device.delete": ("Delete", "MFA device"),
    "mfa_device.delete_spare": ("Delete", "unassigned MFA device"),
    "mfa_device.enable": ("Assign", "MFA device"),
    "mfa_device.resync": ("Resync", "MFA device"),
    "mfa_device.set_tags": ("Update the tags of", "MFA device"),
    "oidc_provider.add_client_id": ("Add a client ID to", "OIDC provider"),
    "oidc_provider.create": ("Create", "OIDC provider"),
    "oidc_provider.delete": ("Delete", "OIDC provider"),
    "oidc_provider.remove_client_id": ("Remove a client ID from", "OIDC provider"),
    "oidc_provider.set_tags": ("Update the tags of", "OIDC provider"),
    "oidc_provider.set_thumbprints": ("Set the thumbprints of", "OIDC provider"),
    "password_policy.delete": ("Delete", "password policy|password policies"),
    "password_policy.update": ("Set", "password policy|password policies"),
    "policy.create": ("Create", "policy|policies"),
    "policy.create_version": ("Update", "policy|policies"),
    "policy.delete": ("Delete", "policy|policies"),
    "policy.delete_version": ("Delete", "policy version"),
    "policy.restore_version": ("Restore", "policy version"),
    "policy.set_default_version": ("Set the default version of", "policy|policies"),
    "policy.set_tags": ("Update the tags of", "policy|policies"),
    "policy.take_back_version": ("Undo the new version of", "policy|policies"),
    "role.create": ("Create", "role"),
    "role.delete": ("Delete", "role"),
    "role.delete_boundary": ("Remove the permissions boundary of", "role"),
    "role.put_boundary": ("Set the permissions boundary of", "role"),
    "role.set_tags": ("Update the tags of", "role"),
    "role.update": ("Update the settings of", "role"),
    "role_sessions.revoke": ("Revoke the sessions of", "role"),
    "saml_provider.create": ("Create", "SAML provider"),
    "saml_provider.delete": ("Delete", "SAML provider"),
    "saml_provider.set_tags": ("Update the tags of", "SAML provider"),
    "saml_provider.update": ("Replace the metadata of", "SAML provider"),
    "server_certificate.delete": ("Delete", "server certificate"),
    "server_certificate.set_tags": ("Update the tags of", "server certificate"),
    "server_certificate.update": ("Rename", "server certificate"),
    "server_certificate.upload": ("Upload", "server certificate"),
    "service_credential.activate": ("Activate", "service credential"),
    "service_credential.create": ("Create", "service credential"),
    "service_credential.deactivate": ("Deactivate", "service credential"),
    "service_credential.delete": ("Delete", "service credential"),
    "service_credential.reset": ("Reset the password of", "service credential"),
    "service_linked_role.create": ("Create", "service-linked role"),
    "service_linked_role.delete": ("Delete", "service-linked role"),
    "signing_certificate.activate": ("Activate", "signing certificate"),
    "signing_certificate.deactivate": ("Deactivate", "signing certificate"),
    "signing_certificate.delete": ("Delete", "signing certificate"),
    "signing_certificate.upload": ("Upload", "signing certificate"),
    "ssh_key.activate": ("Activate", "SSH key"),
    "ssh_key.deactivate": ("Deactivate", "SSH key"),
    "ssh_key.delete": ("Delete", "SSH key"),
    "ssh_key.upload": ("Upload", "SSH key"),
    "trust_policy.replace": ("Update the trust policy of", "role"),
    "user.create": ("Create", "IAM user"),
    "user.delete": ("Delete", "IAM user"),
    "user.delete_boundary": ("Remove the permissions boundary of", "IAM user"),
    "user.put_boundary": ("Set the permissions boundary of", "IAM user"),
    "user.set_tags": ("Update the tags of", "IAM user"),
    "user.update": ("Rename", "IAM user"),
}
"""What several changes of one kind do: verb, and what they are, with its plural where an s is not enough."""


@dataclass(frozen=True, slots=True)
class Block:
    """Accounts in which the same is done. `what` are short sentences, `more` how many further ones there are; `accounts` are (number, name).

    `plain` are the same sentences for people who do not know the names of AWS; empty where they are `what`.
    """

    what: tuple[str, ...]
    accounts: tuple[tuple[str, str], ...]
    more: int = 0
    until: datetime | None = None
    plain: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """From what a set holds."""
        return cls(
            what=tuple(body["what"]),
            accounts=tuple((number, name) for number, name in body["accounts"]),
            more=int(body.get("more", 0)),
            until=datetime.fromisoformat(body["until"]) if body.get("until") else None,
            plain=tuple(body.get("plain", ())),
        )

    @property
    def body(self) -> dict[str, Any]:
        """As a set holds it."""
        body: dict[str, Any] = {
            "what": list(self.what),
            "accounts": [list(account) for account in self.accounts],
            "more": self.more,
            "until": self.until.isoformat() if self.until else "",
        }
        if self.plain and self.plain != self.what:
            body["plain"] = list(self.plain)
        return body

    @property
    def where(self) -> str:
        """ "production", "data, production and 38 more accounts"."""
        return where_words([name for _, name in self.accounts])

    @property
    def sentence(self) -> str:
        """What is done where, without the end."""
        more = f" and {self.more} more" if self.more else ""
        return f"{'; '.join(self.what)}{more} ({self.where})"


def summary_of(operations: Sequence[Operation]) -> list[Block]:
    """One block for all accounts in which the operations do the same, in their order."""
    by_account: dict[str, list[Operation]] = {}
    for operation in operations:
        by_account.setdefault(operation.account.account_id, []).append(operation)
    blocks: dict[tuple[str, ...], Block] = {}
    for some in by_account.values():
        lines = tuple(_lines(some, plain=False))
        account = (some[0].account.account_id, some[0].account.name)
        block = blocks.get(lines)
        if block is None:
            plain = tuple(_lines(some, plain=True))[:LINES]
            plain = () if plain == lines[:LINES] else plain
            block = Block(lines[:LINES], (), more=len(lines[LINES:]), plain=plain)
        blocks[lines] = replace(block, accounts=(*block.accounts, account))
    return list(blocks.values())


def blocks_of(summary: Iterable[Mapping[str, Any]], *, plain: bool = False) -> list[Block]:
    """The blocks that a set holds; `plain` in the words for people who do not know the names of AWS, as the preview of a grant has them."""
    blocks = [Block.from_json(body) for body in summary]
    return [replace(block, what=block.plain or block.what) for block in blocks] if plain else blocks


def text_of(
    summary: Iterable[Mapping[str, Any]],
    *,
    until: datetime | None = None,
    lasts: str = "",
    plain: bool = False,
) -> str:
    """The same in one line, for a mail or a row of a list; `until` is when what the request gives ends, `lasts` says how long it lasts where the end is
    set by its approval."""
    sentences = []
    for block in blocks_of(summary, plain=plain):
        end = until or block.until
        words = lasts or (f"until {moment_words(end)}" if end else "")
        sentences.append(f"{block.sentence} {words}".rstrip())
    return "; ".join(sentences)


def where_words(names: Sequence[str]) -> str:
    """ "production", "data and production", "data, management, production and 38 more accounts"."""
    if len(names) > NAMED + 1:
        return f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more accounts"
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def _lines(operations: Sequence[Operation], *, plain: bool) -> list[str]:
    """A few changes of one kind are named each; where that makes more lines than are kept, they are counted as well."""
    by_slug: dict[str, list[Operation]] = {}
    for operation in operations:
        by_slug.setdefault(operation.slug, []).append(operation)
    named = [line for some in by_slug.values() for line in _of_kind(some, most=FEW, plain=plain)]
    return (
        named
        if len(named) <= LINES
        else [line for some in by_slug.values() for line in _of_kind(some, most=1, plain=plain)]
    )


def _of_kind(operations: Sequence[Operation], *, most: int, plain: bool) -> Iterable[str]:
    """The lines of changes of one kind: what each does, or how many do it and what they all allow."""
    if len(operations) <= most:
        return dict.fromkeys(f"{one.title}{_allowed(one, plain=plain)}" for one in operations)
    allowed = {_allowed(one, plain=plain) for one in operations} if most == 1 else {""}
    return [_together(operations) + (allowed.pop() if len(allowed) == 1 else "")]


def _together(operations: Sequence[Operation]) -> str:
    """What several changes of one kind do; where they are about one group, with its name."""
    slug, number = operations[0].slug, len(operations)
    groups = {operation.params["group_name"] for operation in operations} if slug in OF_GROUP else set()
    if len(groups) != 1:
        return counted(slug, number)
    verb, word = OF_GROUP[slug]
    return f"{verb} {number:,} IAM users {word} {groups.pop()}"


def _allowed(operation: Operation, *, plain: bool) -> str:
    """What a change that writes a policy allows, to go on from what it does; "" for others."""
    text = operation.params.get("document") if operation.slug in WRITES_POLICY else None
    if not text:
        return ""
    sentences = sentences_of(str(text), account_id=operation.account.account_id)
    return f": {'; '.join(in_short(sentences, most=FEW, plain=plain))}"


def counted(slug: str, number: int) -> str:
    """ "Create 5 IAM users"."""
    verb, noun = COUNTED[slug]
    singular, _, plural = noun.partition("|")
    return f"{verb} {number:,} {singular if number == 1 else plural or f'{singular}s'}"
