"""An access key of a user is used on an EC2 instance."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any, Final, NamedTuple

from iam.activity.key_addresses import is_outside_private_networks
from iam.audit.findings.credential_fixes import deactivate_keys
from iam.audit.findings.facts import PUBLIC_ADDRESS, AccountFacts, EntityFact, KeyPlace
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import MAX_RELATED, FindingRule, NotRead, RuleProblem
from iam.audit.findings.user_keys import deactivate, key_evidence, keys_are_unread
from iam.mirror.models import Kind
from iam.mirror.pull.sections import INSTANCE_PROFILES, INSTANCES, USERS

SHOWN: Final = 3
"""The maximum number of instances that are named for an address."""
ELASTIC: Final = "the address is an Elastic IP address, which can be moved from one instance to another"
PRIVATE: Final = "the address is a private one, which machines in other networks can have too"
GATEWAY: Final = "other machines can call from the same address, as behind a NAT gateway"


class JudgedPlace(NamedTuple):
    """A place from which a key was used, with the instances that have or used its address. `doubt` says why
    it could be another machine; "" if it is certain.
    """

    place: KeyPlace
    instances: tuple[str, ...]
    doubt: str


class KeyUsedFromInstance(FindingRule):
    """Based on the source addresses that CloudTrail recorded in the last 90 days. Confirmed if AWS assigned
    the address to one instance of the account and no other instance called from it. Conditional if only
    sessions of instance roles point to the address, because a NAT gateway hides the caller.
    """

    kind = "key-used-from-instance"
    severity = FindingSeverity.MEDIUM
    title = "Long-lived access key used on an EC2 instance"
    sentence = "An active access key of an IAM user was used from the address of an EC2 instance."
    risk = "A key that lies on an instance never expires, and works for anyone who copies it from there."
    remedy = (
        "Let the application use the role of the instance, whose credentials AWS renews: give the instance a"
        " profile if it has none, and the role the permissions that the key is used for. Then deactivate the"
        " key, and delete it when nothing has failed for some days."
    )
    fix_request = FixRequest("Deactivate keys", deactivate_keys, is_plain=True)
    sections = (USERS, INSTANCES, INSTANCE_PROFILES)
    uses_last_use = True

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        own = _own_addresses(facts)
        by_user: dict[str, list[JudgedPlace]] = {}
        for place in facts.key_places:
            judged = _judged(place, own.get(place.address), facts)
            if judged is not None:
                by_user.setdefault(place.user, []).append(judged)
        for user, credential in facts.users:
            if keys_are_unread(credential):
                yield NotRead(user)
                continue
            judged_places = by_user.get(user.aws_id)
            if not judged_places:
                if credential.keys and facts.last_calls is None:
                    yield NotRead(user)
                continue
            active = {key.key_id: key for key in credential.keys}
            places = [judged for judged in judged_places if judged.place.key in active]
            if places:
                # Certain places are enough; the others would only make the finding conditional.
                places = [judged for judged in places if not judged.doubt] or places
                keys = [active[key] for key in sorted({judged.place.key for judged in places})]
                yield RuleProblem(
                    user,
                    {
                        "keys": [key_evidence(key) for key in keys],
                        "used_from": [_evidence(judged) for judged in places],
                        "role": _roles(places, facts),
                    },
                    related=_arns(places, facts)[:MAX_RELATED],
                    affected=len(_names(places)),
                    reasons=tuple(sorted({judged.doubt for judged in places if judged.doubt})),
                    fix=deactivate(user, keys),
                )
            elif active and (facts.last_calls is None or "" in active):
                yield NotRead(user)


def _own_addresses(facts: AccountFacts) -> dict[str, EntityFact]:
    """Return the instances of the account by public address."""
    own: dict[str, EntityFact] = {}
    for instance in facts.of_kind(Kind.INSTANCE):
        if address := instance.attrs.get(PUBLIC_ADDRESS):
            own[address] = instance
    return own


def _judged(place: KeyPlace, holder: EntityFact | None, facts: AccountFacts) -> JudgedPlace | None:
    """Return the place with the instances that its address points to; None if it points to none. `holder` is
    the instance of the account that has the address now. It has had it since its start, unless it is an
    Elastic IP address.
    """
    if holder is not None and holder.created_at is not None and place.last_at < holder.created_at:
        holder = None
    callers = place.callers
    is_private = not is_outside_private_networks(place.address)
    if is_private:
        callers = frozenset(caller for caller in callers if caller.account_id == facts.number)
    own = "" if holder is None else holder.aws_id
    others = sorted(caller.instance for caller in callers if caller.instance != own)
    if holder is None:
        doubt = PRIVATE if is_private else GATEWAY
        return JudgedPlace(place, tuple(others), doubt) if others else None
    doubt = ""
    if others:
        doubt = GATEWAY
    elif not holder.attrs.get("HasOwnAddress"):
        doubt = ELASTIC
    return JudgedPlace(place, (holder.aws_id, *others), doubt)


def _evidence(judged: JudgedPlace) -> dict[str, Any]:
    place = judged.place
    return {
        "key": place.key,
        "address": place.address,
        "instances": list(judged.instances[:SHOWN]),
        "more_instances": max(0, len(judged.instances) - SHOWN),
        "calls": place.calls,
        "first": place.first_at.isoformat(),
        "last": place.last_at.isoformat(),
    }


def _names(places: list[JudgedPlace]) -> set[str]:
    """Return the IDs of the instances that the places point to."""
    return set(chain.from_iterable(judged.instances for judged in places))


def _instances(places: list[JudgedPlace], facts: AccountFacts) -> list[EntityFact]:
    """Return those of the instances that are in the account."""
    names = _names(places)
    return [instance for instance in facts.of_kind(Kind.INSTANCE) if instance.aws_id in names]


def _arns(places: list[JudgedPlace], facts: AccountFacts) -> tuple[str, ...]:
    return tuple(sorted(instance.arn for instance in _instances(places, facts)))


def _roles(places: list[JudgedPlace], facts: AccountFacts) -> str:
    """Return the names of the roles of these instances, or a sentence that there is none."""
    roles = set[str]()
    for instance in _instances(places, facts):
        for profile in facts.running.get(instance.id, ()):
            names = [facts.entities[role].name for role in facts.profiles.get(profile, ())]
            roles.update(names)
    return ", ".join(sorted(roles)) or "None yet: the instance has no instance profile with a role"
