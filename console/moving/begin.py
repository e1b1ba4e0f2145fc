"""Starts a change of team: both blueprints, the resulting changes, and the reason."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from console.access.grants.preview import stages_of
from console.changes.presenters import rows_by_account
from console.changes.receipt import impact_context, what_is_done
from console.linking.machine_user import machine_page
from console.web.access import ViewerRequest, require, require_present
from console.web.address_choices import leave_out
from console.web.render import render_page
from iam.changes.errors import RefusedError, field_errors
from iam.changes.receipts import set_receipt_of
from iam.guard import Right
from iam.linking.machines import is_machine
from iam.people.blueprints.models import Blueprint, BlueprintVersion
from iam.people.blueprints.queries import current_versions
from iam.people.moving.access_difference import GAINS, KEEPS, LOSES, SETS, MovePlan, MovingPerson
from iam.people.moving.queries import blueprint_of
from iam.people.moving.services import planned, request_move
from iam.people.offboarding.leaver_lookup import LeaverUsers, leaver_of, limited_to_viewer, user_for

MARKS = {
    LOSES: ("del", "−", "loses"),
    GAINS: ("add", "+", "gains"),
    KEEPS: ("", "=", "keeps"),
    SETS: ("", "~", "changes"),
    "note": ("", "!", "note"),
}
"""(class, sign, label) of each type of line."""
NOT_CHOSEN = "Choose the blueprint that they have now, and the one that they get."


@require_http_methods(["GET", "POST"])
@require(Right.REQUEST_CHANGE)
def begin_page(request: ViewerRequest) -> HttpResponse:
    """Show the changes for `user` (an entity ID) between the blueprints `from` and `to`.

    A POST requests them, once even if the form is sent several times.
    """
    number = request.GET.get("user", "")
    user = user_for(request.viewer, int(number)) if number.isdecimal() and len(number) < 18 else None
    require_present(request)
    if not number:
        return redirect("moving:moves")
    if user is None:
        raise Http404
    if is_machine(user):
        return machine_page(request, user, refused="moved to another team", section="onboarding")
    (person,) = limited_to_viewer([leaver_of(user)], viewer=request.viewer)
    versions = current_versions(request.viewer)
    data = request.POST if request.method == "POST" else request.GET
    known = blueprint_of(person.users)
    former = _chosen(versions, data.get("from", "") or (str(known.pk) if known else ""))
    version = _chosen(versions, data.get("to", ""))
    for name, blueprint in (("from", former), ("to", version)):
        if request.GET.get(name) and blueprint is None:
            leave_out(request, name)
    key = request.POST.get("key", "")[:64] or uuid4().hex
    refused: RefusedError | None = None
    if request.method == "POST" and "show" not in request.POST:
        try:
            if former is None or version is None:
                raise RefusedError(NOT_CHOSEN)
            _check_shown(request.POST, former, version)
            move = request_move(
                request.viewer,
                mover=_mover(person),
                former=former,
                version=version,
                reason=request.POST.get("reason", ""),
                key=key,
            )
            return redirect("moving:move", pk=move.pk)
        except RefusedError as error:
            refused = error
    is_sent = request.method == "POST" or "to" in request.GET
    preview = _preview(request, person, former, version, key)
    errors = field_errors(preview["refused"]) | field_errors(refused)
    if is_sent:
        errors |= _missing(former, version)
    if refused is not None and errors and not request.POST.get("reason", "").strip():
        errors.setdefault("reason", "Enter a reason. Approvers and auditors read it.")
    context: dict[str, Any] = {
        "section": "onboarding",
        "user": user,
        "person": person,
        "versions": versions,
        "former": former,
        "version": version,
        "choices": _choices(versions),
        "chosen_from": former.blueprint_id if former else "",
        "chosen_to": version.blueprint_id if version else "",
        "known_hint": _known_hint(known),
        "key": key,
        "reason": request.POST.get("reason", "")[:1000],
        "reason_hint": "Approvers and auditors read it.",
        "refused_now": refused,
        "errors": errors,
    } | preview
    status = 422 if refused else 200
    return render_page(request, "moving/begin.html", context, status=status)


def _choices(versions: Sequence[BlueprintVersion]) -> list[tuple[object, str]]:
    """Return (value, text) of each blueprint, after an empty choice."""
    choices: list[tuple[object, str]] = [("", "Choose")]
    for version in versions:
        blueprint = version.blueprint
        choices.append((blueprint.pk, f"{blueprint.name}, {blueprint.team.name}"))
    return choices


def _known_hint(known: Blueprint | None) -> str:
    if known is None:
        return "We don’t know which blueprint they were onboarded with."
    return f"They were onboarded with {known.name} of {known.team.name}."


def _missing(former: BlueprintVersion | None, version: BlueprintVersion | None) -> dict[str, str]:
    """Return an error for each of both fields without a blueprint."""
    errors = {}
    if former is None:
        errors["from"] = "Choose the blueprint that they have now."
    if version is None:
        errors["to"] = "Choose the blueprint that they get."
    return errors


def _check_shown(data: QueryDict, former: BlueprintVersion, version: BlueprintVersion) -> None:
    """Refuse a request for other blueprints than those whose changes the page has shown."""
    shown = data.get("shown", "")
    if shown and shown != f"{former.blueprint_id} {version.blueprint_id}":
        raise RefusedError("You chose another blueprint. Check what changes, then submit again.")


def line_rows(summary: Sequence[dict[str, str]]) -> list[tuple[str, list[tuple[Any, ...]]]]:
    """Return (account, its lines with class, sign and texts), in order."""
    lines_by_kind: dict[str, list[tuple[Any, ...]]] = {}
    for fact in summary:
        lines_by_kind.setdefault(fact["account"], []).append(
            (*MARKS[fact["sign"]], fact["text"], fact["says"])
        )
    return list(lines_by_kind.items())


def _chosen(versions: Sequence[BlueprintVersion], text: str) -> BlueprintVersion | None:
    try:
        wanted = UUID(text)
    except ValueError:
        return None
    return next(
        (blueprint_version for blueprint_version in versions if blueprint_version.blueprint_id == wanted),
        None,
    )


def _mover(person: LeaverUsers) -> MovingPerson:
    return MovingPerson(person.name, person.person_id, person.users, person.email)


def _preview(
    request: ViewerRequest,
    person: LeaverUsers,
    former: BlueprintVersion | None,
    version: BlueprintVersion | None,
    key: str,
) -> dict[str, Any]:
    if former is None or version is None:
        return {"plan": None, "refused": None}
    try:
        plan = planned(request.viewer, mover=_mover(person), former=former, version=version, key=key)
    except RefusedError as error:
        return {"plan": None, "refused": error}
    receipt = set_receipt_of(plan.operations)
    calls = []
    for operation in plan.operations:
        calls.extend([(call.body, operation.account) for call in operation.calls()])
    about: Any = SimpleNamespace(operations=plan.operations, receipt=receipt, parts=_parts(plan))
    return impact_context(receipt.get("impact"), viewer=request.viewer) | {
        "plan": plan,
        "refused": None,
        "blocks": what_is_done(plan.operations, viewer=request.viewer),
        "loses": plan.count(LOSES),
        "gains": plan.count(GAINS),
        "accounts": line_rows(plan.summary),
        "calls": rows_by_account(calls),
        "stages": stages_of(request, about),
    }


def _parts(plan: MovePlan) -> list[Any]:
    accounts_by_pk = {operation.account.pk: operation.account for operation in plan.operations}
    return [SimpleNamespace(account=account) for account in accounts_by_pk.values()]
