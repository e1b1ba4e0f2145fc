"""The only module that changes sign-ins: create, invite, unlock, and remove lost second factors."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from allauth.account import app_settings
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse

from console.operators import locks, sessions
from console.operators.mail import hand_over
from console.operators.models import Operator
from iam.directory.appointments import appoint
from iam.directory.models import Person, Role, RoleAssignment, Team
from iam.directory.rules import DirectoryRuleError, assert_administers, assert_somebody_else
from iam.directory.services import add_person, assign_role, link_identity
from iam.journal.services import Actor, record


@transaction.atomic
def create_operator(
    *,
    username: str,
    name: str,
    email: str,
    password: str = "",
    roles: Iterable[Role] = (),
    account_id: str = "",
    team: Team | None = None,
    arns: Iterable[str] = (),
    actor: Actor,
) -> Operator:
    """Create a person with a sign-in, roles (in one account or in all; a team lead of `team`) and IAM users.

    Returns the existing operator unchanged if the user name is taken. Without a password no one can sign in
    until an invitation or single sign-on. Raises DirectoryRuleError, and Django's ValidationError for a weak
    password.
    """
    known = Operator.objects.select_related("person").filter(username__iexact=username).first()
    if known:
        return known
    person = add_person(name=name, email=email, actor=actor)
    operator = Operator(username=username, email=person.email, first_name=person.name[:150], person=person)
    if password:
        validate_password(password, operator)
        operator.set_password(password)
    else:
        operator.set_unusable_password()
    operator.save()
    EmailAddress.objects.create(user=operator, email=person.email, verified=True, primary=True)
    record(kind="operator.create", actor=actor, subject=person.email, data={"username": username})
    for role in roles:
        led = team if role == Role.TEAM_LEAD else None
        assign_role(person, role, account_id=account_id, team=led, actor=actor)
    for arn in arns:
        link_identity(person, user_arn=arn, actor=actor)
    return operator


def add_operator(*, name: str, email: str, actor: Actor) -> Operator:
    """Create a person with the email address as user name; they choose the password with the invitation."""
    return create_operator(username=email.strip().lower(), name=name, email=email, actor=actor)


@transaction.atomic
def create_member_sign_in(person: Person, *, why: str) -> Operator:
    """Create a sign-in without a password for a person in the directory, as a member; an existing one is
    kept.

    The caller must have verified the person by a one-time link, and that an approved onboarding grants it
    (`why`). Raises DirectoryRuleError for a deactivated person.
    """
    if not person.is_active:
        raise DirectoryRuleError(f"{person.name} is deactivated.")
    known = Operator.objects.filter(person=person).first()
    if known is not None:
        return known
    operator = Operator(
        username=person.email, email=person.email, first_name=person.name[:150], person=person
    )
    operator.set_unusable_password()
    operator.save()
    EmailAddress.objects.create(user=operator, email=person.email, verified=True, primary=True)
    record(
        kind="operator.create", actor=None, subject=person.email, data={"username": person.email, "why": why}
    )
    if not person.assignments.exists():
        RoleAssignment.objects.create(person=person, role=Role.MEMBER)
        record(
            kind="role.assign", actor=None, subject=person.email, data={"role": Role.MEMBER.value, "why": why}
        )
    return operator


def invitation_link(operator: Operator) -> str:
    """Return the address at which the operator chooses a password, once and within days.

    It is mailed to the operator. Only a shell on the server prints it: see `hand_out_link`.
    """
    token = app_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(operator)
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
    return settings.BASE_URL + path.replace("UID-KEY", quote(f"{user_pk_to_url_str(operator)}-{token}"))


def hand_out_link(operator: Operator, *, actor: Actor) -> str:
    """Return the link for a shell on the server, if mail isn’t configured or was lost; it also resets a lost
    password.

    Raises DirectoryRuleError for a deactivated person.
    """
    _let_in(operator)
    record(kind="operator.invite", actor=actor, subject=operator.email, data={"by": "link"})
    return invitation_link(operator)


def _let_in(operator: Operator) -> Person:
    person = _person(operator)
    if not person.is_active:
        raise DirectoryRuleError(f"{person.name} is deactivated. Reactivate them first.")
    return person


def invite_operator(operator: Operator, *, actor: Actor) -> None:
    """Send the link. Raises DirectoryRuleError if mail isn’t configured, and OSError if the mail server
    refuses it.
    """
    assert_administers(actor)
    _send_invitation(operator, actor=actor)


def has_sign_in(person: Person) -> bool:
    """Return whether the person can sign in to Gatehouse."""
    return Operator.objects.filter(person=person).exists()


def invite_member(person: Person, *, actor: Actor, why: str) -> Operator:
    """Create a sign-in as a member and mail its invitation.

    The caller must have verified that `actor` can invite this person. Raises DirectoryRuleError if mail isn’t
    configured or the person is deactivated, and OSError if the mail server refuses it.
    """
    if not settings.MAIL_IS_CONFIGURED:
        raise DirectoryRuleError("No mail server is configured, so no invitation can be sent.")
    with transaction.atomic():
        operator = create_member_sign_in(person, why=why)
        _send_invitation(operator, actor=actor)
    return operator


def _send_invitation(operator: Operator, *, actor: Actor) -> None:
    person = _let_in(operator)
    if not settings.MAIL_IS_CONFIGURED:
        raise DirectoryRuleError(
            "No mail server is configured (GATEHOUSE_EMAIL_HOST), so no invitation can be sent. On the "
            "server, "
            f"`manage.py bootstrap --link {person.email}` prints the link."
        )
    context = {
        "name": person.name,
        "link": invitation_link(operator),
        "days": settings.PASSWORD_RESET_TIMEOUT // 86_400,
        "base_url": settings.BASE_URL,
    }
    send_mail(
        render_to_string("operators/email/invitation_subject.txt", context).strip(),
        render_to_string("operators/email/invitation_message.txt", context),
        settings.DEFAULT_FROM_EMAIL,
        [person.email],
    )
    record(kind="operator.invite", actor=actor, subject=person.email)


@transaction.atomic
def lift_lock(operator: Operator, *, actor: Actor) -> None:
    """Lift the lock of an operator, so that they can try again at once."""
    assert_administers(actor)
    locks.forget(*locks.keys_of(operator))
    record(kind="sign_in.unlock", actor=actor, subject=operator.email)


@transaction.atomic
def remove_factors(operator: Operator, *, proof: str, actor: Actor) -> None:
    """Remove every second factor of someone else (such as for a lost phone), sign them out everywhere, and
    notify them by mail.

    `proof` says how the actor verified their identity; it is stored in the journal.
    """
    assert_administers(actor)
    person = _person(operator)
    assert_somebody_else(actor, person)
    removed, _ = Authenticator.objects.filter(user=operator).delete()
    locks.forget(locks.code_key(operator))
    data = {"removed": removed, "proof": proof}
    record(kind="factor.remove_all", actor=actor, subject=operator.email, data=data)
    sessions.sign_out_everywhere(person)
    transaction.on_commit(lambda: _tell_of_removal(person))


def _tell_of_removal(person: Person) -> None:
    """Notify by mail, since someone else may have reported the phone as lost."""
    if not settings.MAIL_IS_CONFIGURED:
        return
    subject = render_to_string("operators/email/factors_removed_subject.txt").strip()
    context = {"name": person.name, "base_url": settings.BASE_URL}
    text = render_to_string("operators/email/factors_removed_message.txt", context)
    hand_over(lambda: send_mail(subject, text, settings.DEFAULT_FROM_EMAIL, [person.email]))


@transaction.atomic
def end_sessions(operator: Operator, *, actor: Actor) -> None:
    """Sign someone out everywhere; they can sign in again."""
    assert_administers(actor)
    sessions.sign_out_everywhere(_person(operator), actor=actor)


@transaction.atomic
def end_every_session(*, actor: Actor) -> int:
    """Sign everyone out, including the actor; return the number of ended sessions."""
    assert_administers(actor)
    return sessions.sign_out_everyone(actor=actor)


def locked_until(operator: Operator) -> object:
    """Return the end of the operator's lock, or None."""
    return locks.locked_until(*locks.keys_of(operator))


def _person(operator: Operator) -> Person:
    if operator.person is None:
        raise DirectoryRuleError("This sign-in isn’t linked to a person.")
    return operator.person


@transaction.atomic
def appoint_approvers(people: Iterable[tuple[str, str]], *, actor: Actor) -> list[Operator]:
    """Make these people (name, address), known or new, approvers of all accounts; return their sign-ins to
    invite the new ones.

    After the first setup each appointment needs a second person (`iam.directory.appointments`).
    """
    appointed = []
    for name, email in people:
        person = Person.objects.filter(email__iexact=email.strip()).select_related("operator").first()
        operator = (
            person.operator
            if person and hasattr(person, "operator")
            else add_operator(name=name, email=email, actor=actor)
        )
        chosen = _person(operator)
        if not chosen.assignments.filter(role=Role.APPROVER, account_id="").exists():
            appoint(chosen, Role.APPROVER, actor=actor)
        appointed.append(operator)
    return appointed
