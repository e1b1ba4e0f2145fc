"""Users who are judged again only when something changed or another day has passed have the same findings as
if they were judged anew.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from iam.audit.findings import account_reader, identity
from iam.audit.findings.account_reader import facts_of
from iam.audit.findings.credential_rule import DAY, CredentialRule, judged_until
from iam.audit.findings.facts import AccountFacts, CredentialFact, EntityFact, KeyFact
from iam.audit.findings.identity import ComputedFindings, compute
from iam.audit.findings.rules import all_rules
from iam.mirror.models import NEVER, Account, Entity, EntityState, Kind, Usage, UserCredentials
from iam.mirror.pull.sections import CREDENTIAL_REPORT
from tests import factories
from tests.iam.audit.findings.rules.site import NOW, Site, days

pytestmark = pytest.mark.on_both
RULES = [rule for rule in all_rules().values() if isinstance(rule, CredentialRule)]
KEY = KeyFact(1, days(400), days(100), "AKIA1", 7)
SECOND = KeyFact(2, days(30), None, "AKIA2", 8)


@pytest.fixture(autouse=True)
def nothing_cached() -> Iterator[None]:
    identity.forget()
    account_reader.forget()
    yield
    identity.forget()
    account_reader.forget()


def site() -> Site:
    """An account of two users."""
    account = Site()
    keys = (KEY, SECOND)
    account.user("maya", mfa="virtual", keys=keys, changed=days(200), used=days(95), created_at=days(400.5))
    account.user("kofi", password=False)
    return account


def current(account: Site) -> AccountFacts:
    """Its facts at a time when no whole day since anything has just passed."""
    return replace(account.facts(), now=NOW + timedelta(hours=1), moments={})


def results(facts: AccountFacts, *, is_past: bool = False) -> tuple[Any, ...]:
    """Everything that the credential rules say, comparable."""
    return comparable(compute(RULES, facts, is_past=is_past))


def comparable(computed: ComputedFindings) -> tuple[Any, ...]:
    values = {key: (finding.stamp, finding.values) for key, finding in computed.findings.items()}
    return values, computed.unread, computed.unread_subjects, computed.unread_keys


def anew(facts: AccountFacts, *, is_past: bool = False) -> tuple[Any, ...]:
    """The same without anything that was kept."""
    identity.forget()
    return results(facts, is_past=is_past)


def with_credential(change: Callable[[CredentialFact], CredentialFact]) -> Callable[[Site], None]:
    def apply(account: Site) -> None:
        account.credentials[1] = change(account.credentials[1])

    return apply


def with_entity(**fields: Any) -> Callable[[Site], None]:
    def apply(account: Site) -> None:
        account.entities[1] = account.entities[1]._replace(**fields)

    return apply


def with_key(**fields: Any) -> Callable[[Site], None]:
    return with_credential(lambda credential: credential._replace(keys=(KEY._replace(**fields), SECOND)))


CHANGES: dict[str, Callable[[Site], None]] = {
    "password gone": with_credential(lambda each: each._replace(has_password=False)),
    "password unknown": with_credential(lambda each: each._replace(has_password=None)),
    "password changed": with_credential(lambda each: each._replace(password_used_at=None)),
    "password used": with_credential(lambda each: each._replace(password_used_at=days(50))),
    "MFA": with_credential(lambda each: each._replace(mfa="security-key")),
    "one key": with_credential(lambda each: each._replace(active_keys=1, keys=(KEY,))),
    "no key": with_credential(lambda each: each._replace(active_keys=0, keys=(), has_password=None)),
    "oldest key": with_credential(lambda each: each._replace(oldest_key_at=days(10))),
    "key used": with_key(used_at=days(50)),
    "key never used": with_key(used_at=None),
    "key of unknown age": with_key(created_at=None),
    "key of unknown id": with_key(key_id="", entity=0),
    "key in the other place": with_key(slot=2, key_id=""),
    "renamed": with_entity(name="maya.chen", arn="arn:aws:iam::111111111111:user/maya.chen"),
    "made anew": with_entity(aws_id="ID000000000000000009"),
    "made with the key": with_entity(created_at=days(400)),
    "made at an unknown time": with_entity(created_at=None),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_user_is_judged_again(change: Callable[[Site], None]) -> None:
    account = site()
    before = results(current(account))
    assert before[0]
    change(account)
    after = results(current(account))
    assert after == anew(current(account))
    assert after != before


def test_an_unchanged_user_is_not_judged_again(monkeypatch: pytest.MonkeyPatch) -> None:
    account = site()
    before = results(current(account))
    judged: list[int] = []
    judge = identity._judge

    def counting(rules: Any, user: EntityFact, *rest: Any) -> Any:
        judged.append(user.id)
        return judge(rules, user, *rest)

    monkeypatch.setattr(identity, "_judge", counting)
    assert results(current(account)) == before
    assert judged == []
    CHANGES["key used"](account)
    results(current(account))
    assert judged == [1]


def test_findings_are_those_of_the_time_when_it_passes() -> None:
    account = site()
    with_credential(lambda each: each._replace(password_used_at=days(88.3)))(account)
    facts = current(account)
    seen = set[str]()
    moments = [NOW + timedelta(minutes=minutes) for minutes in range(-180, 60 * 24 * 6, 30)]
    turned_back = random.Random(7).sample(moments, len(moments))
    for now in [*moments, *turned_back]:
        later = replace(facts, now=now, moments={})
        answer = results(later)
        kept = dict(identity._judged)
        assert answer == anew(later), now
        identity._judged.update(kept)
        seen.add(repr(answer[0]))
    assert len(seen) > 6


def test_a_past_moment_neither_uses_nor_changes_what_is_kept() -> None:
    facts = current(site())
    results(facts)
    kept = dict(identity._judged)
    past = replace(facts, now=days(320), moments={}, usage=None)
    before = results(past, is_past=True)
    assert identity._judged == kept
    assert before == anew(past, is_past=True)


def test_a_rule_that_lacks_its_data_is_left_out() -> None:
    account = site()
    results(current(account))
    account.unsynced = {CREDENTIAL_REPORT}
    unsynced = results(current(account))
    assert unsynced == anew(current(account))
    assert unsynced[1]
    account.unsynced = set()
    assert results(current(account)) == anew(current(account))


def test_accounts_do_not_share_results() -> None:
    facts = current(site())
    own = results(facts)
    other = results(replace(facts, number="222222222222", moments={}))
    assert other[0].keys().isdisjoint(own[0])
    assert results(facts) == own


def test_no_more_users_are_kept_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "USERS_KEPT", 1)
    facts = current(site())
    first = results(facts)
    assert len(identity._judged) == 1
    assert results(facts) == first


def test_results_stay_the_same_until_another_day_has_passed() -> None:
    chance = random.Random(7)

    def moment() -> datetime | None:
        whole = NOW - timedelta(days=chance.choice([0, 6, 7, 8, 44, 45, 46, 89, 90, 91, 200]))
        exact = whole + timedelta(microseconds=chance.choice([-1, 0, 1]))
        return chance.choice([None, exact, whole - DAY * chance.random(), NEVER])

    for _ in range(400):
        keys = [KeyFact(slot, moment(), moment(), f"AKIA{slot}") for slot in (1, 2)][: chance.randrange(3)]
        has_password, mfa = chance.choice([True, False, None]), chance.choice(["none", "virtual"])
        oldest = moment() or NEVER
        credential = CredentialFact(has_password, moment(), moment(), mfa, len(keys), oldest, tuple(keys))
        user = EntityFact(1, "ID1", Kind.USER.value, "maya", "arn", created_at=moment())
        until = judged_until(user, credential, NOW)
        assert NOW <= until <= NOW + DAY
        for rule in RULES:
            first = list(rule.judge(user, credential, NOW))
            for now in (NOW + (until - NOW) * chance.random(), until - timedelta(microseconds=1)):
                if NOW <= now < until:
                    assert list(rule.judge(user, credential, now)) == first, (rule.kind, credential, now)


REPORT = {"access_key_1_active": True, "access_key_1_last_rotated": "2026-01-05T09:00:00Z"}


def stored_user() -> Account:
    account = factories.account()
    factories.synced(account)
    credentials = {"mfa": "none", "has_password": True, "active_keys": 1, "report": REPORT}
    factories.user(account, "maya", credentials=credentials)
    return account


def credentials_of(account: Account) -> dict[int, CredentialFact]:
    with facts_of(account, now=NOW) as facts:
        return facts.credentials


def read_at(**fields: Any) -> Callable[[], object]:
    return lambda: UserCredentials.objects.update(**fields)


def sync_key() -> None:
    user = EntityState.objects.get(kind=Kind.USER).entity
    made_at = datetime.fromisoformat("2026-01-05T09:00:00Z")
    key = factories.entity(user.account, Kind.ACCESS_KEY, "AKIA1", category="Active", created_at=made_at)
    Entity.objects.filter(pk=key.pk).update(owner=user)


STORED: dict[str, Callable[[], object]] = {
    "password": read_at(has_password=False),
    "password date": read_at(password_changed_at=days(3)),
    "MFA": read_at(mfa="virtual"),
    "number of keys": read_at(active_keys=2),
    "oldest key": read_at(oldest_key_at=days(3)),
    "key rotated": read_at(report={**REPORT, "access_key_1_last_rotated": "2026-02-05T09:00:00Z"}),
    "key ended": read_at(report={**REPORT, "access_key_1_active": False}),
    "last use": lambda: Usage.objects.filter(kind=Kind.USER).update(
        details={"password_last_used": "2026-11-01T09:00:00Z", "key_1_last_used": "2026-11-02T09:00:00Z"}
    ),
    "key synced": sync_key,
}


@pytest.mark.django_db
@pytest.mark.parametrize("change", STORED.values(), ids=STORED)
def test_changed_rows_give_other_credentials(change: Callable[[], object]) -> None:
    account = stored_user()
    before = credentials_of(account)
    (fact,) = before.values()
    assert credentials_of(account)[next(iter(before))] is fact
    change()
    after = credentials_of(account)
    account_reader.forget()
    assert after == credentials_of(account)
    assert after != before
