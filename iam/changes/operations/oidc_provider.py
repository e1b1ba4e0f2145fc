"""Create an OpenID Connect provider, change its audiences or thumbprints, or delete it.

All operations except creation are idempotent, and AWS allows one provider per URL.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, Self
from urllib.parse import urlsplit

from iam.aws.reads.lists import get_oidc_provider
from iam.aws.records import OidcProviderRecord
from iam.changes.operations.base import Image, Operation
from iam.changes.operations.lifecycle import account_quota, creation, removal
from iam.changes.operations.params import Blank
from iam.changes.operations.provider import CreateProvider, DeleteProvider, OnProvider, UpdateProvider
from iam.changes.operations.spec import HIGH, OperationSpec
from iam.changes.operations.subject import SubjectParams
from iam.mirror.models import Account, Entity, Kind
from iam.mirror.pull.facts import FoundEntity
from iam.mirror.pull.transform import inventory

MAX_CLIENTS: Final = 100
MAX_THUMBPRINTS: Final = 5
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
THUMBPRINT: Final = re.compile(r"[0-9a-f]{40}")


def lines(values: Iterable[str]) -> str:
    """Values as a parameter stores them: without duplicates, sorted, one per line."""
    return "\n".join(sorted(set(values)))


class OnOidc(OnProvider):
    get = staticmethod(get_oidc_provider)
    facts = ("clients", "thumbprints", "tags")

    @property
    def thumbprint_list(self) -> list[str]:
        return self.inputs.thumbprints.split("\n") if self.inputs.thumbprints else []  # type: ignore[attr-defined]

    def found_of(self, record: OidcProviderRecord) -> FoundEntity:
        return inventory.oidc_provider(record)


def refusal_of(*, clients: Iterable[str] = (), thumbprints: Iterable[str] = ()) -> str:
    """What is wrong with audiences and thumbprints, as a sentence; "" if nothing is."""
    clients, thumbprints = list(clients), list(thumbprints)
    if len(clients) > MAX_CLIENTS:
        return f"a provider has at most {MAX_CLIENTS} audiences, not {len(clients)}."
    if any(not 0 < len(client) <= 255 for client in clients):
        return "an audience has 1 to 255 characters."
    if len(thumbprints) > MAX_THUMBPRINTS:
        return f"a provider has at most {MAX_THUMBPRINTS} thumbprints, not {len(thumbprints)}."
    for thumbprint in thumbprints:
        if not THUMBPRINT.fullmatch(thumbprint):
            return (
                f"{thumbprint!r} isn’t a thumbprint. A thumbprint is the SHA-1 of a certificate: 40 "
                "hexadecimal digits."
            )
    return ""


class NewOidcParams(SubjectParams):
    """The URL, audiences and thumbprints (one per line) and tags of a new provider."""

    url: str
    clients: Blank
    thumbprints: Blank
    tags: dict[str, str]


class CreateOidcProvider(OnOidc, CreateProvider):
    spec = creation(
        Kind.OIDC_PROVIDER,
        state={"clients": "client_list", "thumbprints": "thumbprint_list", "tags": "tags"},
        parameters={
            "Url": "url",
            "ClientIDList": "client_list?",
            "ThumbprintList": "thumbprint_list?",
            "Tags": "tag_list?",
        },
        weight=HIGH,
        quota=account_quota("OpenID Connect providers", name="OpenIDConnectProvidersQuota", usual=100),
    )

    inputs: NewOidcParams

    @classmethod
    def of(
        cls,
        account: Account,
        *,
        url: str,
        clients: Iterable[str] = (),
        thumbprints: Iterable[str] = (),
        tags: Mapping[str, str] | None = None,
    ) -> Self:
        return super().of(
            account,
            name=url.partition("://")[2] or url,
            url=url,
            clients=lines(clients),
            thumbprints=lines(thumbprint.lower() for thumbprint in thumbprints),
            tags=tags,
        )

    @property
    def client_list(self) -> list[str]:
        return self.inputs.clients.split("\n") if self.inputs.clients else []

    def satisfied(self, image: Image) -> bool:
        """Ignore the thumbprints if none were requested, because AWS determines one then."""
        wanted = self.desired_state()
        keys = ["exists", "clients", "tags"] + (["thumbprints"] if wanted["thumbprints"] else [])
        return all(image.get(key) == wanted[key] for key in keys)

    def refusal(self) -> str:
        parts, wanted = urlsplit(self.inputs.url), self.desired_state()
        if parts.scheme != "https" or not parts.netloc or parts.query or parts.fragment or parts.port:
            return "the URL of a provider begins with https:// and has no port, query or fragment."
        refusal = refusal_of(clients=wanted["clients"], thumbprints=wanted["thumbprints"])
        return refusal or super().refusal()


class DeleteOidcProvider(OnOidc, DeleteProvider):
    spec = removal(
        CreateOidcProvider.spec,
        weight=HIGH,
        undo_caveat=(
            "It is recreated with its audiences, thumbprints and tags. A link to IAM Identity Center "
            "can’t be restored."
        ),
    )

    def restoration(self, before: Image) -> Operation | None:
        """Create a provider with the same URL, and so the same ARN, with its audiences, thumbprints
        and tags.
        """
        return CreateOidcProvider.of(
            self.account,
            url=f"https://{self.inputs.name}",
            clients=before["clients"],
            thumbprints=before["thumbprints"],
            tags=before["tags"],
        )


class ClientParams(SubjectParams):
    """The audience to add or remove: the client ID of an application."""

    client: str


ADD_CLIENT_ID: Final = OperationSpec(
    slug="oidc_provider.add_client_id",
    inverse="oidc_provider.remove_client_id",
    title="Add audience {client} to {name}",
    no_op="{name} already has the audience {client}.",
    counted=("Add a client ID to", "OIDC provider"),
    state={"client": "client", "there": "adds"},
    call="AddClientIDToOpenIDConnectProvider",
    parameters={"OpenIDConnectProviderArn": "arn", "ClientID": "client"},
    sentence="Tokens from {name} for {client} are accepted",
    weight=HIGH,
)
REMOVE_CLIENT_ID: Final = ADD_CLIENT_ID.opposite(
    slug="oidc_provider.remove_client_id",
    title="Remove audience {client} from {name}",
    no_op="{name} has no audience {client}.",
    counted=("Remove a client ID from", "OIDC provider"),
    call="RemoveClientIDFromOpenIDConnectProvider",
    sentence="Tokens from {name} for {client} are no longer accepted",
)


class Client(OnOidc):
    """Adds an audience to a provider or removes one: the client ID of an application whose tokens are
    accepted.
    """

    SPECS = (ADD_CLIENT_ID, REMOVE_CLIENT_ID)
    inputs: ClientParams

    def satisfied(self, image: Image) -> bool:
        there = self.inputs.client in image.get("clients", ())
        return bool(image.get("exists")) and there == self.spec.adds

    def can_proceed(self, image: Image, *, before: Image) -> bool:
        """True while the provider exists; other audiences don't matter."""
        return bool(image.get("exists"))

    def refusal(self) -> str:
        now = self.state_in_mirror() or {}
        others = set(now.get("clients", ())) - {self.inputs.client}
        added = [*others, self.inputs.client] if self.spec.adds else []
        return refusal_of(clients=added)

    @property
    def consequence(self) -> str:
        if self.spec.adds:
            return super().consequence
        return f"Sign-ins with a token for {self.inputs.client} no longer work."


class ThumbprintParams(SubjectParams):
    thumbprints: Blank


class SetThumbprints(OnOidc, UpdateProvider):
    spec = OperationSpec(
        slug="oidc_provider.set_thumbprints",
        title="Set thumbprints of {name}",
        no_op="{name} already has these thumbprints.",
        counted=("Set the thumbprints of", "OIDC provider"),
        state={"thumbprints": "thumbprint_list"},
        call="UpdateOpenIDConnectProviderThumbprint",
        parameters={"OpenIDConnectProviderArn": "arn", "ThumbprintList": "thumbprint_list"},
        sentence="AWS trusts {name} when it uses one of these certificates",
        weight=HIGH,
    )

    inputs: ThumbprintParams

    @classmethod
    def of(cls, subject: Entity, *, thumbprints: Iterable[str]) -> Self:
        return super().of(subject, thumbprints=lines(thumbprint.lower() for thumbprint in thumbprints))

    def refusal(self) -> str:
        return refusal_of(thumbprints=self.thumbprint_list)

    def restoration(self, before: Image) -> Operation | None:
        subject = self.subject()
        return None if subject is None else self.of(subject, thumbprints=before["thumbprints"])
