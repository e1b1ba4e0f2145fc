"""Converts the step's state to the content of a grant, and to policies."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import Any

from console.access.what.state import BUILD, MANAGED, TEMPLATE, WhatState
from iam.access.builder.build import IneffectivePart
from iam.access.builder.conditions import form_conditions
from iam.access.builder.rows import ArnPlace, arn_of
from iam.access.grants.terms import GrantContent, TermsError, WhatKind
from iam.access.templates.body import TemplateError
from iam.access.templates.queries import offer_of
from iam.mirror.models import Account
from iam.policy.catalogue import catalogue


@dataclass(frozen=True, slots=True)
class BuilderProblem:
    """An error in a part of the builder; `part` counts from 0."""

    part: int
    message: str


def place_of(accounts: tuple[str, ...]) -> ArnPlace:
    """Return account and partition for ARNs; the account is `*` if there are several."""
    first = Account.objects.filter(account_id=accounts[0]).first() if accounts else None
    partition = first.partition if first else "aws"
    account_id = accounts[0] if len(accounts) == 1 else "*"
    return ArnPlace(account_id, partition)


def what_of(state: WhatState, *, accounts: tuple[str, ...]) -> GrantContent:
    """Return the content of the grant. Raises TermsError with part "what" if it is incomplete."""
    if state.tab == TEMPLATE:
        return _of_template(state, accounts)
    if state.tab == MANAGED:
        what = GrantContent(WhatKind.MANAGED, policy_arn=state.policy)
        what.check()
        return what
    problems = problems_of(state, accounts=accounts)
    if problems:
        more = f" And {len(problems) - 1} more, each at its service." if len(problems) > 1 else ""
        raise TermsError(f"{problems[0].message}{more}", part="what")
    text = state.built(place_of(accounts)).text
    if not text:
        raise TermsError("Add a service, and choose what may be done with it.", part="what")
    return GrantContent(WhatKind.STATEMENTS, documents=(text,))


def _of_template(state: WhatState, accounts: tuple[str, ...]) -> GrantContent:
    offer = offer_of(state.template, number=state.version or None) if state.template else None
    if offer is None or offer.template.retired_at is not None:
        raise TermsError("Choose a template, a managed policy, or build the permissions.", part="what")
    try:
        values = offer.body.values(_known(state, offer.body))
    except TemplateError as error:
        raise TermsError(error.message, part="what") from None
    parameters = {name: "\n".join(parameter_values) for name, parameter_values in values.items()}
    return GrantContent(
        WhatKind.TEMPLATE, template=offer.slug, version=offer.version.number, parameters=parameters
    )


def _known(state: WhatState, body: Any) -> dict[str, str]:
    names = {parameter.name for parameter in body.parameters}
    return {name: value for name, value in state.parameters.items() if name in names}


def documents_of(state: WhatState, *, accounts: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return the resulting policies in the first account, as far as they are complete; empty for a managed
    policy.
    """
    place = place_of(accounts)
    if state.tab == BUILD:
        built = state.built(place)
        return [built.document] if built.statements else []
    if state.tab != TEMPLATE or not state.template:
        return []
    offer = offer_of(state.template, number=state.version or None)
    if offer is None:
        return []
    account = accounts[0] if accounts else place.account
    try:
        texts = _known(state, offer.body)
        return [offer.body.render(texts, account_id=account, partition=place.partition)]
    except TemplateError:
        return []


def problems_of(state: WhatState, *, accounts: tuple[str, ...]) -> list[BuilderProblem]:
    """Return the errors of the builder, in the order of its parts."""
    place = place_of(accounts)
    problems = []
    for number, part in enumerate(state.chosen):
        title = catalogue().title(part.service)
        if not part.actions:
            problems.append(BuilderProblem(number, f"{title}: choose at least one action, or remove it."))
        for row in () if part.everywhere else part.rows:
            if not arn_of(row, service=part.service, place=place):
                problems.append(
                    BuilderProblem(number, f"{title}: fill in the {row.type or 'ARN'}, or remove the line.")
                )
        problems += [
            BuilderProblem(number, f"{title}: {why}") for why in form_conditions(part.form)[1].values()
        ]
    built = state.built(place)
    problems += [BuilderProblem(lack.part, _problem_text(lack, state)) for lack in built.lacks]
    problems += [
        BuilderProblem(
            number,
            f"{catalogue().title(state.chosen[number].service)}: nothing that is chosen works on {arn}.",
        )
        for number, arn in built.unused
    ]
    return sorted(problems, key=lambda trouble: trouble.part)


def _problem_text(lack: IneffectivePart, state: WhatState) -> str:
    title = catalogue().title(state.chosen[lack.part].service)
    names = [action.partition(":")[2] for action in lack.actions]
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    verb = "does" if len(names) == 1 else "do"
    if lack.key:
        return (
            f"{title}: {shown} {verb} not know {lack.key}, so with this condition nothing of it would be "
            "allowed."
        )
    types = chain.from_iterable(catalogue().resource_types(action) for action in lack.actions)
    kinds = sorted({resource_type.name for resource_type in types})
    works = "works" if len(names) == 1 else "work"
    return f"{title}: {shown} {works} on {' or '.join(kinds[:3])}, and none is named."
