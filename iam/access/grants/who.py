"""Defines the recipients of a grant, with conversion to and from JSON. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

from iam.access.grants.phrases import listed
from iam.access.grants.term_errors import TermsError, TermsPart, kind_of, known_texts, texts_of

NUMBER: Final = re.compile(r"\d{12}")
ARN: Final = re.compile(
    r"arn:(aws|aws-cn|aws-us-gov):iam::(\d{12}):(user|group|role)/([\w+=,.@/-]{1,512})", re.ASCII
)
PROVIDER: Final = re.compile(
    r"arn:(aws|aws-cn|aws-us-gov):iam::(\d{12}):(saml-provider|oidc-provider)/([\w+=,.@:/-]{1,512})", re.ASCII
)
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html
EXTERNAL_ID: Final = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
UNFIT: Final = re.compile(r"\$\{|[\x00-\x1f\x7f]")
"""Policy variables and control characters, which a subject can't contain."""
SOME: Final = re.compile(r".{4}")
NAMING: Final = (
    # https://docs.github.com/en/actions/reference/security/oidc: repo:ORGANIZATION/REPOSITORY:…
    ("oidc-provider/token.actions.githubusercontent.com", re.compile(r"\w+:[^/]+/")),
    # https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html:
    # system:serviceaccount:NAMESPACE:NAME
    ("oidc-provider/oidc.eks.", re.compile(r"system:serviceaccount:[^:]+:")),
)
"""By issuer, the fixed text that a subject needs before a wildcard, so that it doesn't match everyone at the
provider.
"""
MAX_PEOPLE: Final = 200


class WhoKind(StrEnum):
    """The types of recipients."""

    USERS = "users"
    GROUP = "group"
    ROLE = "role"
    TEAM = "team"
    ACCOUNT = "account"
    PARTNER = "partner"
    FEDERATED = "federated"


HOLDERS: Final = {WhoKind.USERS: "user", WhoKind.GROUP: "group", WhoKind.ROLE: "role"}
"""Recipients that hold permissions directly, with the resource type in their ARNs."""
OUTSIDERS: Final = frozenset({WhoKind.ACCOUNT, WhoKind.PARTNER, WhoKind.FEDERATED})
"""Recipients that assume a role."""


@dataclass(frozen=True, slots=True)
class WhoTerms(TermsPart):
    """The recipients of a grant.

    `users`, `group`, `role`: `arns`, one or several. `team`: the slug `team`, meaning its people at the time
    of the request. `account`: another account, `account_id`, as a whole or one `principal` (ARN) in it.
    `partner`: the same with an `external_id` and the partner's name as `label`. `federated`: `provider_arn`
    (SAML or OIDC), the token's `subject` and `audience`.
    """

    kind: WhoKind
    arns: tuple[str, ...] = ()
    team: str = ""
    account_id: str = ""
    principal: str = ""
    external_id: str = ""
    provider_arn: str = ""
    subject: str = ""
    audience: str = ""
    label: str = ""

    @property
    def holds_permissions(self) -> bool:
        """True if they hold permissions directly rather than assume a role."""
        return self.kind not in OUTSIDERS

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """Parse the JSON form. Raises TermsError if it is invalid."""
        return cls(
            **known_texts(cls, body, part="who")
            | {"kind": kind_of(WhoKind, body, part="who"), "arns": texts_of(body, "arns", part="who")}
        )

    def check(self) -> None:
        """Check that the fields are valid. Raises TermsError for the first problem."""
        for problem in self.problems().values():
            raise TermsError(problem, part="who")

    def problems(self) -> dict[str, str]:
        """Return what is wrong, by the name of the field."""
        if self.kind in HOLDERS:
            return dict(self._arn_problems(HOLDERS[self.kind]))
        if self.kind is WhoKind.TEAM:
            return {} if self.team else {"team": "Choose the team."}
        if self.kind is WhoKind.FEDERATED:
            return dict(self._federated_problems())
        return dict(self._account_problems())

    def _arn_problems(self, kind: str) -> Iterator[tuple[str, str]]:
        wrong = [arn for arn in self.arns if not (match := ARN.fullmatch(arn)) or match[3] != kind]
        if not self.arns:
            yield "arns", "Choose who gets access."
        elif len(self.arns) > MAX_PEOPLE:
            yield (
                "arns",
                f"A grant can have up to {MAX_PEOPLE} receivers. You selected {len(self.arns)}. Split it "
                "into two grants.",
            )
        elif wrong:
            yield "arns", f"{listed(wrong)} isn’t the ARN of a {kind}."
        elif len(set(self.arns)) < len(self.arns):
            yield "arns", "Someone is listed twice."

    def _account_problems(self) -> Iterator[tuple[str, str]]:
        is_number = NUMBER.fullmatch(self.account_id)
        match = ARN.fullmatch(self.principal)
        if not is_number:
            yield "account_id", "Enter the 12-digit account ID."
        if self.principal and (not match or match[3] == "group"):
            yield (
                "principal",
                "Enter one role or user, such as role/reader, without wildcards. Leave it blank for the "
                "whole account.",
            )
        elif match and is_number and match[2] != self.account_id:
            yield "principal", f"{self.principal} isn’t in account {self.account_id}."
        if self.kind is not WhoKind.PARTNER:
            return
        if not self.label.strip():
            yield "label", "Enter the partner’s name."
        elif is_number and not EXTERNAL_ID.fullmatch(self.external_id):
            yield (
                "external_id",
                "A partner needs an external ID of 2 to 1,224 letters, digits and + = , . @ : / -",
            )

    def _federated_problems(self) -> Iterator[tuple[str, str]]:
        plain = "{} must be plain text: a variable such as ${{…}} could let everyone in."
        match = PROVIDER.fullmatch(self.provider_arn)
        if not match:
            yield "provider_arn", "Choose the identity provider."
        if not re.match(r"[^*?\s]", self.subject) or not self._names_somebody():
            yield (
                "subject",
                "Enter the subject that gets access. It has to start with fixed text that names an "
                "organization, a namespace or a person. "
                "Otherwise everyone at the provider could get access.",
            )
        elif UNFIT.search(self.subject):
            yield "subject", plain.format("The subject")
        if UNFIT.search(self.audience):
            yield "audience", plain.format("The audience")
        elif match and match[3] == "oidc-provider" and not self.audience.strip():
            yield "audience", "Enter the audience of the provider’s tokens."

    def _names_somebody(self) -> bool:
        """True if the text before the first wildcard is more specific than the prefix that all subjects of
        the provider share.
        """
        fixed = re.split(r"[*?]", self.subject, maxsplit=1)[0]
        if fixed == self.subject:
            return True
        form = next((form for issuer, form in NAMING if issuer in self.provider_arn), SOME)
        return form.match(fixed) is not None
