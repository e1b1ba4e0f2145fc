"""Builds the titles of grants from what is given and to whom."""

from __future__ import annotations

from itertools import chain

from iam.access.grants.terms import GrantContent, GrantTerms, WhatKind, WhoKind, WhoTerms
from iam.access.templates.queries import offer_of
from iam.directory.models import Team
from iam.mirror.display_names import names_by_arn
from iam.phrases import counted
from iam.policy.document import read
from iam.policy.letter_case import fold
from iam.policy.sentences.labels import service_name


def title_of(terms: GrantTerms) -> str:
    """A title such as "Read an S3 bucket for kwame.boateng", at most 200 characters."""
    return f"{what_words(terms.what)} for {who_words(terms.who)}"[:200]


def what_words(what: GrantContent) -> str:
    """The given access in a few words."""
    if what.kind is WhatKind.TEMPLATE:
        offer = offer_of(what.template, number=what.version)
        return offer.body.title if offer else what.template
    if what.kind is WhatKind.MANAGED:
        return _name(what.policy_arn)
    if what.kind is WhatKind.ROLE:
        return f"Role {_name(what.role_arn)}"
    if what.kind is WhatKind.GROUP:
        return f"Group {_name(what.group_arn)}"
    return _services(what)


def _services(what: GrantContent) -> str:
    statements = chain.from_iterable(read(text).statements for text in what.documents)
    actions = chain.from_iterable(statement.actions for statement in statements)
    services = sorted({fold(action.partition(":")[0]) for action in actions})
    if not services or "*" in services:
        return "Access"
    return (
        f"Access to {service_name(services[0])}"
        if len(services) == 1
        else f"Access to {counted(len(services), 'service')}"
    )


def who_words(who: WhoTerms) -> str:
    """The recipients in a few words."""
    if who.kind is WhoKind.TEAM:
        team_name = Team.objects.filter(slug=who.team).values_list("name", flat=True).first()
        return f"team {team_name or who.team}"
    if who.kind is WhoKind.ACCOUNT:
        return f"account {who.account_id}"
    if who.kind is WhoKind.PARTNER:
        return who.label
    if who.kind is WhoKind.FEDERATED:
        return who.label or who.subject
    if who.kind is WhoKind.USERS:
        # A person often has a user in each account.
        names = list(dict.fromkeys(names_by_arn(who.arns).values()))
        return names[0] if len(names) == 1 else counted(len(names), "person", "people")
    arns = set(who.arns)
    if len(arns) == 1:
        return _name(arns.pop())
    noun = "group" if who.kind is WhoKind.GROUP else "role"
    return counted(len(arns), noun)


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]
