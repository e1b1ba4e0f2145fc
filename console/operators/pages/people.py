"""Pages of people who sign in: the list, a person, and administration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Concatenate, Final, ParamSpec
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from console.operators import locks
from console.operators.directory_forms import FactorsForm, IdentityForm, OperatorRoleForm, PersonForm
from console.operators.models import Operator
from console.operators.pages.audit_scope import audit_context, audit_form
from console.operators.queries import factors_of, people_page, sessions_of
from console.operators.recency import recently_authenticated
from console.operators.services import add_operator, invite_operator
from console.operators.single_sign_on.bindings import bindings_of
from console.operators.visibility import (
    accounts_of,
    manages_everyone,
    visible_appointments,
    visible_assignments,
    visible_people,
)
from console.web.access import ViewerRequest, require, require_everywhere
from console.web.address_choices import choice
from console.web.attempt import attempt
from console.web.files import file_links
from console.web.page_cursors import place_in, word_of
from console.web.query import QueryPairs
from console.web.render import render_page
from iam.directory.appointments import (
    DECIDING,
    appoint,
    approve_appointment,
    reject_appointment,
    withdraw_appointment,
)
from iam.directory.audit_scopes import set_audit_scope
from iam.directory.models import (
    Appointment,
    AppointmentState,
    Identity,
    Person,
    Role,
    RoleAssignment,
)
from iam.directory.rules import DirectoryRuleError, enough_approvers
from iam.directory.services import (
    assign_role,
    deactivate_person,
    link_identity,
    reactivate_person,
    remove_role,
    unlink_identity,
)
from iam.guard import Right, Viewer
from iam.mirror.queries.accounts import account_without, visible_accounts

SUGGESTED_ACCOUNTS = 200
STATES: Final = (("active", "Active"), ("inactive", "Deactivated"))
P = ParamSpec("P")


@require(Right.SEE_OPERATORS)
def listing(request: ViewerRequest) -> HttpResponse:
    """List everyone who can sign in."""
    chosen = chosen_people(request)
    rows, after = people_page(request.viewer, **chosen, after=place_in(request, "after", pk_kind=UUID))
    context = {
        "rows": rows,
        "after": word_of(after),
        "chosen": chosen,
        "filtered": any(chosen.values()),
        "roles": Role.choices,
        "states": STATES,
        "mfa_required": settings.REQUIRE_MFA,
        "may_manage": manages_everyone(request.viewer),
        "is_partial": accounts_of(request.viewer) is not None,
        "appoints": request.viewer.may(Right.MANAGE_OPERATORS),
        "files": file_links("operators-export", QueryPairs.from_pairs(chosen.items()))
        if request.viewer.may(Right.EXPORT)
        else [],
        "section": "operators",
    }
    return render_page(request, "operators/list.html", context, partial="people")


def chosen_people(request: ViewerRequest) -> dict[str, str]:
    """Return the filters of the list and of its export."""
    return {
        "q": request.GET.get("q", "").strip(),
        "role": choice(request, "role", Role.values),
        "state": choice(request, "state", dict(STATES)),
    }


@require_everywhere(Right.MANAGE_OPERATORS)
@recently_authenticated
def new(request: ViewerRequest) -> HttpResponse:
    """Add a person, and send them a link to choose a password."""
    form = PersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            operator = add_operator(**form.cleaned_data, actor=request.viewer)
        except DirectoryRuleError as error:
            form.add_error("email", str(error))
        else:
            send_invitation(request, operator)
            return redirect("operator", operator.person_id)
    status = 422 if request.method == "POST" else 200
    return render_page(request, "operators/new.html", {"form": form, "section": "operators"}, status=status)


@require(Right.SEE_OPERATORS)
def detail(request: ViewerRequest, pk: UUID) -> HttpResponseBase:
    """Show a person: roles, IAM users and sign-in. Viewers with forms there must re-authenticate first."""
    if request.viewer.may(Right.MANAGE_OPERATORS):
        return _managed(request, pk)
    return render_person(request, person_or_404(pk, seen=visible_people(request.viewer)))


@recently_authenticated
def _managed(request: ViewerRequest, pk: UUID) -> HttpResponse:
    return render_person(request, person_or_404(pk))


def person_or_404(pk: UUID, *, seen: QuerySet[Person] | None = None) -> Person:
    """Return the person if it is among those `seen`; administrators of any account can open everyone's page.
    Raises Http404.
    """
    people = Person.objects.all() if seen is None else seen
    return get_object_or_404(people.select_related("operator"), pk=pk)


def render_person(
    request: ViewerRequest, person: Person, *, status: int = 200, **forms: Form
) -> HttpResponse:
    """Render the page of a person, with invalid forms instead of blank ones."""
    operator: Operator | None = getattr(person, "operator", None)
    viewer = request.viewer
    may_manage = viewer.may(Right.MANAGE_OPERATORS)
    is_self = person.id == viewer.person_id
    context: dict[str, Any] = {
        "person": person,
        "operator": operator,
        **_roles(viewer, person),
        **_identities(request, person),
        **_sign_in(viewer, person, operator),
        "is_self": is_self,
        "may_manage": may_manage,
        "may_change": may_manage and not is_self,
        "may_change_sign_in": manages_everyone(viewer) and not is_self,
        "accounts": visible_accounts(request.viewer).order_by("name")[:SUGGESTED_ACCOUNTS],
        "role_form": forms.get("role_form") or OperatorRoleForm(),
        "identity_form": forms.get("identity_form") or IdentityForm(),
        "factors_form": forms.get("factors_form") or FactorsForm(),
        **audit_context(person, forms.get("audit_form")),
        "section": "operators",
    }
    return render_page(request, "operators/detail.html", context, status=status)


def _roles(viewer: Viewer, person: Person) -> dict[str, Any]:
    """Return the roles in the viewer's accounts, which of them the viewer can remove, and the number of
    others.
    """
    seen = visible_assignments(viewer).filter(person=person)
    assignments = list(seen.select_related("team").order_by("role", "account_id"))
    appointments = visible_appointments(viewer).filter(person=person, state=AppointmentState.WAITING)
    return {
        "assignments": assignments,
        "roles_elsewhere": person.assignments.count() - len(assignments),
        "removable": {
            assignment.pk
            for assignment in assignments
            if viewer.may(Right.MANAGE_OPERATORS, account_id=assignment.account_id)
        },
        "appointments": appointments.order_by("at"),
    }


def _sign_in(viewer: Viewer, person: Person, operator: Operator | None) -> dict[str, Any]:
    """Return how the person signs in, for viewers whose accounts they concern."""
    if not visible_people(viewer).filter(pk=person.pk).exists():
        return {"hides_sign_in": True}
    if operator is None:
        return {}
    return {
        "factors": factors_of(operator),
        "sessions": sessions_of(operator),
        "bindings": bindings_of(operator),
        "locked_until": locks.locked_until(*locks.keys_of(operator)),
    }


def _identities(request: ViewerRequest, person: Person) -> dict[str, Any]:
    """Return the IAM users in accounts that the viewer sees, and the number of others."""
    every = list(person.identities.order_by("user_arn"))
    scope = request.viewer.scope
    shown = [identity for identity in every if scope.sees_account(identity.user_arn.split(":")[4])]
    return {"identities": shown, "identities_elsewhere": len(every) - len(shown)}


def attempt_on(pk: UUID, request: ViewerRequest, act: Callable[[], object], *, done: str) -> HttpResponse:
    """Run `act` with a message, and redirect to the person's page."""
    attempt(request, act, done=done)
    return redirect("operator", pk)


def manages_operators(
    view: Callable[Concatenate[ViewerRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Decorate a form view on a person's page: it requires managing operators and recent authentication."""
    posted: Callable[Concatenate[ViewerRequest, P], HttpResponseBase] = require_POST(
        recently_authenticated(view)
    )
    return require(Right.MANAGE_OPERATORS)(posted)


def send_invitation(request: ViewerRequest, operator: Operator) -> None:
    """Send the invitation and show a message, or show why it could not be sent."""
    try:
        invite_operator(operator, actor=request.viewer)
    except DirectoryRuleError as error:
        messages.error(request, str(error))
    except OSError as error:
        messages.error(
            request,
            f"The mail server didn’t accept the invitation ({type(error).__name__}). Send it again later.",
        )
    else:
        messages.success(request, f"Invitation sent to {operator.email}, with a link to choose a password.")


@manages_operators
def role_add(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Add a role."""
    person, form = person_or_404(pk), OperatorRoleForm(request.POST)
    if not form.is_valid():
        return render_person(request, person, role_form=form, status=422)
    form_data = form.cleaned_data
    if Role(form_data["role"]) in DECIDING and form_data["team"] is None:
        if form_data["until"]:
            form.add_error("until", "Only the auditor role can end on a day.")
            return render_person(request, person, role_form=form, status=422)
        _appoint(request, person, role=Role(form_data["role"]), account_id=form_data["account_id"])
        return redirect("operator", pk)
    label = Role(form_data["role"]).label.lower()
    return attempt_on(
        pk,
        request,
        lambda: assign_role(person, **form_data, actor=request.viewer),
        done=f"{person.name} now has the {label} role.",
    )


@manages_operators
def audit_scope_set(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Limit what an auditor sees, or remove the limit."""
    person = person_or_404(pk)
    form = audit_form(person, request.POST)
    if not form.is_valid():
        return render_person(request, person, audit_form=form, status=422)
    return attempt_on(
        pk,
        request,
        lambda: set_audit_scope(person, form.terms(), actor=request.viewer),
        done=f"Saved. {person.name} was signed out, and sees this at the next sign-in.",
    )


def _appoint(request: ViewerRequest, person: Person, *, role: Role, account_id: str) -> None:
    """Request an approving role, and say whether someone else must confirm it."""
    try:
        made = appoint(person, role, account_id=account_id, actor=request.viewer)
    except DirectoryRuleError as error:
        messages.error(request, str(error))
        return
    if isinstance(made, Appointment):
        messages.success(
            request,
            f"Requested the {role.label.lower()} role for {person.name}. A second person must approve it.",
        )
        return
    alone = "" if enough_approvers() and not settings.SINGLE_OPERATOR else " No second approval was needed."
    messages.success(request, f"{person.name} now has the {role.label.lower()} role.{alone}")


@require(Right.MANAGE_OPERATORS, Right.APPROVE_CHANGE)
@require_POST
@recently_authenticated
def appointment_decide(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Confirm an appointment as the second person, reject it, or withdraw one's own."""
    appointment = get_object_or_404(Appointment.objects.select_related("person"), pk=pk)
    viewer = request.viewer
    rights = (Right.MANAGE_OPERATORS, Right.APPROVE_CHANGE)
    if not any(viewer.may(right, account_id=appointment.account_id) for right in rights):
        raise Http404
    acts = {
        "approve": (
            approve_appointment,
            f"{appointment.person.name} now has the {appointment.get_role_display().lower()} role.",
        ),
        "reject": (reject_appointment, "Rejected. The role wasn’t given."),
        "withdraw": (withdraw_appointment, "Withdrawn. The role wasn’t given."),
    }
    if request.POST.get("decision") not in acts:
        messages.error(request, "Choose Approve or Reject.")
    else:
        act, done = acts[request.POST["decision"]]
        attempt(request, lambda: act(appointment, actor=viewer), done=done)
    return redirect("changes:approvals")


@manages_operators
def role_remove(request: ViewerRequest, pk: UUID, number: int) -> HttpResponse:
    """Remove a role."""
    assignment = get_object_or_404(
        RoleAssignment.objects.select_related("person", "team"), pk=number, person_id=pk
    )
    return attempt_on(
        pk,
        request,
        lambda: remove_role(assignment, actor=request.viewer),
        done=f"Role removed. {assignment.person.name} was signed out everywhere.",
    )


@manages_operators
def identity_add(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Link an IAM user."""
    person, form = person_or_404(pk), IdentityForm(request.POST)
    if not form.is_valid():
        return render_person(request, person, identity_form=form, status=422)
    arn = form.cleaned_data["user_arn"]
    try:
        if account := account_without(arn):
            raise DirectoryRuleError(f"{account.name} has no IAM user with this ARN, as of the last sync.")
        link_identity(person, user_arn=arn, actor=request.viewer)
    except DirectoryRuleError as error:
        form.add_error("user_arn", str(error))
        return render_person(request, person, identity_form=form, status=422)
    messages.success(request, f"IAM user linked to {person.name}.")
    return redirect("operator", pk)


@manages_operators
def identity_remove(request: ViewerRequest, pk: UUID, number: int) -> HttpResponse:
    """Unlink an IAM user."""
    identity = get_object_or_404(Identity.objects.select_related("person"), pk=number, person_id=pk)
    return attempt_on(
        pk,
        request,
        lambda: unlink_identity(identity, actor=request.viewer),
        done="IAM user unlinked. Nothing was changed in AWS.",
    )


@manages_operators
def deactivate(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Deactivate the person, who can then no longer sign in."""
    person = person_or_404(pk)
    return attempt_on(
        pk,
        request,
        lambda: deactivate_person(person, actor=request.viewer),
        done=f"{person.name} can no longer sign in and was signed out everywhere.",
    )


@manages_operators
def reactivate(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Reactivate the person."""
    person = person_or_404(pk)
    return attempt_on(
        pk,
        request,
        lambda: reactivate_person(person, actor=request.viewer),
        done=f"{person.name} can sign in again.",
    )
