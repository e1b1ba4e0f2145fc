"""Journal entries in words: what each kind says, and the groups by which people look for them."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from iam.journal.models import Entry

GROUPS: tuple[tuple[str, str], ...] = (
    ("sign_in", "Sign-ins"),
    ("session", "Sessions"),
    ("password", "Passwords"),
    ("factor", "Second factors"),
    ("operator", "Operators"),
    ("person", "People"),
    ("role", "Roles"),
    ("appointment", "Appointments"),
    ("approval_rules", "Rules of approval"),
    ("identity", "Linked IAM users"),
    ("linking", "Ways to know whose users are"),
    ("team", "Teams"),
    ("account", "Accounts"),
    ("organization", "Organizations"),
    ("pull", "Readings of AWS"),
    ("change", "Changes"),
    ("drift", "Drift"),
    ("grant", "Grants"),
    ("template", "Templates"),
    ("blueprint", "Blueprints"),
    ("onboarding", "Onboarding"),
    ("leaving", "Leaving"),
    ("moving", "Moves"),
    ("notice", "Notifications"),
    ("enrolment", "MFA enrolment"),
    ("hardware", "MFA by hardware"),
    ("replacement", "Lost MFA devices"),
    ("campaign", "MFA campaigns"),
    ("link", "One-time links"),
    ("sealed", "Sealed secrets"),
    ("list", "Exports of lists"),
    ("who_can", "Exports of who can"),
    ("effective_access", "Exports of effective access"),
    ("access_comparison", "Exports of comparisons"),
    ("escalation", "Exports of escalation"),
    ("services", "Exports of services"),
    ("journal", "Journal"),
)

_SENTENCES = {
    "sign_in.succeeded": "Signed in by {by}",
    "sign_in.failed": "Sign-in failed by {method}: {subject}",
    "sign_in.locked": "Sign-in locked by {method}: {subject}",
    "sign_in.unlock": "Lifted the lock of {subject}",
    "sign_in.linked": "Company sign-in tied to {subject}",
    "sign_in.ended": "Signed out",
    "session.ended": "Session of {subject} ended: {why}",
    "session.end_all": "Signed {subject} out everywhere",
    "session.end_others": "Signed out everywhere else",
    "password.change": "Changed the password",
    "password.reset": "Chose a new password by the link in a mail",
    "factor.add": "Added a second factor: {type}",
    "factor.remove": "Removed a second factor: {type}",
    "factor.reset": "Made new recovery codes",
    "factor.remove_all": "Removed every second factor of {subject}",
    "operator.create": "Made the sign-in {username} for {subject}",
    "operator.invite": "Invited {subject}",
    "person.add": "Added {name}, {subject}",
    "person.rename": "Renamed {before} to {after}",
    "person.deactivate": "Deactivated {subject}",
    "person.reactivate": "Let {subject} back in",
    "role.assign": "Gave {name} the role {role} {team}",
    "role.remove": "Took the role {role} {team} from {name}",
    "appointment.ask": "Asked that {name} becomes {role}",
    "appointment.approve": "Agreed that {name} becomes {role}, as {asked_by} asked",
    "appointment.reject": "Rejected that {name} becomes {role}",
    "appointment.withdraw": "Withdrew that {name} becomes {role}",
    "approval_rules.propose": "Proposed other rules of approval: {reason}",
    "approval_rules.approve": "Put version {version} of the rules of approval in force, as {author} proposed",
    "approval_rules.reject": "Rejected other rules of approval: {comment}",
    "approval_rules.withdraw": "Withdrew other rules of approval",
    "identity.link": "Linked {arn} to {subject}",
    "identity.unlink": "Unlinked {arn} from {subject}",
    "identity.outlive": "{subject} is not linked to {arn} any more: the user was made again",
    "identity.apart": "Said that {arn} is not {subject}'s",
    "identity.together": "Took back that {arn} is not {subject}'s",
    "linking.ways": "Changed by which tags and names users are known to be somebody's",
    "linking.rule_add": "Added the name rule {subject}",
    "linking.rule_remove": "Removed the name rule {subject}",
    "identity.follow": "Followed {subject} to {arn}, formerly {former}",
    "team.create": "Made the team {subject}",
    "team.delete": "Removed the team {subject}",
    "team.rule_add": "Team {subject}: added the {rule} {value}",
    "team.rule_remove": "Team {subject}: removed the {rule} {value}",
    "account.connect": "Connected {subject}",
    "account.update": "Changed how {subject} is reached",
    "account.disconnect": "Disconnected {subject}",
    "account.prepare": "Prepared the connection of {subject}",
    "account.discard": "Discarded the connection of {subject}",
    "account.examine": "Examined the permissions in {subject}",
    "account.upload": "Uploaded {subject}",
    "account.import": "Imported an export of {subject}",
    "organization.discover": "Looked for the accounts of the organization through {subject}",
    "pull.request": "Asked to read {subject}",
    "pull.request_all": "Asked to read {accounts} accounts",
    "pull.cancel": "Stopped the reading of {subject}",
    "journal.triggers_restored": "Put back the triggers that protect the journal",
    "enrolment.begin": "Began to enrol an MFA device: {device}",
    "enrolment.enabled": "Enrolled an MFA device: {device}",
    "enrolment.cancelled": "Gave up enrolling an MFA device: {device}",
    "enrolment.expired": "An enrolment was not finished in time: {device}",
    "enrolment.locked": "An enrolment ended after too many wrong codes: {device}",
    "enrolment.failed": "An enrolment failed: {device}",
    "campaign.begin": "Began the MFA campaign {subject} for {people} people, due {due}",
    "campaign.take_back": "Took {change} of the MFA campaign {subject} back, which is no longer for {users}",
    "campaign.remind": "Reminded {people} people of the MFA campaign {subject}",
    "campaign.excuse": "Excused {user} from the MFA campaign {subject} until {until}",
    "campaign.unexcuse": "Ended the exception of {user} in the MFA campaign {subject}",
    "campaign.close": "Closed the MFA campaign {subject}",
    "campaign.end": "The MFA campaign {subject} came to its end",
    "replacement.ask": "Said that {for} has lost an MFA device: {device}",
    "replacement.check": "Made sure that it is {for} who has lost an MFA device, {over}: {how}",
    "replacement.show": "Had the link for {for} shown, to pass it on in place of {device}",
    "replacement.refuse": "Could not make sure that it is {for} who has lost an MFA device: {reason}",
    "replacement.expire": "Nobody made sure in time that {for} has lost an MFA device",
    "hardware.demand": "Demanded MFA by hardware in {subject}",
    "hardware.release": "No longer demands MFA by hardware in {subject}",
    "link.make": "Made a one-time link for {for}: {purpose}",
    "link.send": "Sent {for} a link to add an MFA device",
    "link.show": "Had a link for {for} shown, to pass it on",
    "link.use": "Used a one-time link: {purpose}",
    "link.refused": "A one-time link was refused: {why} {for}",
    "link.locked": "An address that guessed links is locked until {until}",
    "link.revoke": "Revoked a one-time link of {for}",
    "link.finish": "A one-time link has served: {purpose}",
    "sealed.sealed": "Sealed a secret, to be read once: {subject}",
    "sealed.opened": "Read a sealed secret: {subject}",
    "sealed.taken": "A worker used a sealed secret: {subject}",
    "sealed.expired": "A sealed secret that nobody read in time was destroyed: {subject}",
    "sealed.shredded": "Destroyed a sealed secret: {subject}",
    "list.export": "Exported the list of {subject} as {form}",
    "effective_access.export": "Exported what {subject} can do, as {form}",
    "access_comparison.export": "Exported how the access of {subject} compares, as {form}",
    "escalation.export": "Exported {subject}, as {form}",
    "services.export": "Exported who can use {subject}, as {form}",
    "who_can.export": "Exported who can {subject}, as {form}",
    "template.create": "Wrote the template {subject}",
    "template.version": "Wrote version {version} of the template {subject}",
    "template.retire": "Retired the template {subject}",
    "template.restore": "Offered the template {subject} again",
    "blueprint.create": "Wrote the blueprint {subject} of {team}",
    "blueprint.version": "Wrote version {version} of the blueprint {subject}",
    "blueprint.retire": "Retired the blueprint {subject}",
    "blueprint.restore": "Used the blueprint {subject} again",
    "onboarding.asked": "Asked for {subject}: {people} people into {team}",
    "onboarding.invited": "Sent {for} an invitation of {subject}",
    "onboarding.retried": "Tried what failed of {subject} again",
    "onboarding.state": "{subject} went from {from} to {to}",
    "onboarding.export": "Exported the steps of {subject} as {format}",
    "moving.asked": "Asked that {subject} moves to {to} ({reference}): loses {loses}, gains {gains}",
    "moving.state": "{subject} moves ({reference}): from {from} to {to}",
    "leaving.asked": "Asked that {subject} leaves ({reference})",
    "leaving.stage": "{subject} leaves: from {from} to {to}",
    "leaving.certified": "Certified of {subject}: {what}",
    "leaving.retried": "Had AWS read again for {subject}, who leaves",
    "leaving.return_asked": "Asked that {subject} gets their access back",
    "leaving.deletion_asked": "Asked that the users of {subject} are deleted",
    "leaving.invited": "Sent {for} a link to come back",
    "leaving.export": "Exported the certificate of {subject}",
    "person.join": "{name} joined by {why}",
    "identity.join": "{arn} was made for {subject} by {why}",
    "grant.followed": "{reference} has a new version of its template: {subject}",
    "grant.asked": "Asked for {reference}: {subject}",
    "grant.reduced": "Reduced {reference}: {subject}",
    "grant.extended": "Asked to extend {reference}: {subject}",
    "grant.renewed": "Extended {reference}: {subject}",
    "grant.shortened": "Shortened {reference}: {subject}",
    "grant.retried": "Tried what failed of {reference} again: {subject}",
    "grant.ended": "Ended {reference} early: {subject}",
    "grant.returned": "Gave back what the end of {reference} took: {subject}",
    "grant.ran_out": "{reference} ran out: {subject}",
    "grant.cut": "Asked to end the sessions of {reference}: {subject}",
    "grant.state": "{reference} went from {from} to {to}: {subject}",
    "drift.adopted": "Adopted what became different of {name}: {reason}",
    "drift.undone": "Undid what became different of {name}",
    "drift.not_undone": "An undo of what became different of {name} did not come about",
    "notice.preferences": "Chose what to be told of",
    "notice.given_up": "A message to {subject} could not be sent: {error}",
    "notice.send_again": "Had a message sent again: {subject}",
    "journal.verify": "Asked to recompute the chain",
    "journal.export": "Exported entries as {format}",
}


def words_of(entry: Entry) -> str:
    """One sentence; a kind that has none yet is spelled out with its subject."""
    data = entry.data
    if entry.kind.startswith("change.") and data.get("title"):
        act = entry.kind.partition(".")[2].replace("_", " ").replace(".", " ")
        return f"{act.capitalize()}: {data['title']}"
    template = _SENTENCES.get(entry.kind)
    if template is None:
        spelled = entry.kind.replace(".", ": ").replace("_", " ").capitalize()
        return f"{spelled}, {entry.subject}" if entry.subject else spelled
    values: dict[str, Any] = defaultdict(str, {name: _plain(value) for name, value in data.items()})
    values["subject"] = entry.subject
    if entry.kind.startswith("role."):
        values["role"] = str(data.get("role", "")).replace("-", " ")
        values["team"] = f"of {data['team']}" if data.get("team") else ""
    return " ".join(template.format_map(values).split()).rstrip(" :,")


def details_of(entry: Entry) -> list[tuple[str, str]]:
    """What else belongs to the entry, by name; nested values as JSON."""
    return [
        (
            name.replace("_", " "),
            json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value),
        )
        for name, value in entry.data.items()
        if value not in ("", None, [], {})
    ]


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return " and ".join(_plain(item) for item in value)
    return str(value).replace("_", " ") if isinstance(value, str | int | float) else ""
