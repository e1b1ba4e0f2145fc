"""Finds pages of the console that are in the viewer's navigation or that they can open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from django.urls import reverse

from console.compliance.scope_pages import DECIDES
from console.reviews.review_list import can_start
from console.search.results import SearchResult
from console.web.navigation import NavigationReader, tabs_for
from iam.audit.frameworks.definitions import all_frameworks
from iam.guard import Right, Viewer
from iam.linking.rights import OWNER_RIGHTS
from iam.mirror.queries.accounts import whole_accounts
from iam.people.blueprints.queries import writable_teams
from iam.search_words import words_of

MAX_PAGES = 5
STOP_WORDS = frozenset(("a", "an", "the", "to", "for", "of", "in", "me", "someone", "somebody", "how"))
"""Words that are ignored, because they say nothing about the page."""


@dataclass(frozen=True, slots=True)
class SearchablePage:
    """A page outside the navigation, such as the form of a primary button; `words` are its other search
    words.
    """

    label: str
    url: str
    icon: str
    words: str
    is_for: Callable[[Viewer], bool] = lambda _: True


def _holds(*rights: Right) -> Callable[[Viewer], bool]:
    return lambda viewer: any(viewer.may(right) for right in rights)


def _manages_everyone(viewer: Viewer) -> bool:
    return viewer.may(Right.MANAGE_OPERATORS, account_id="")


def _manages_every_account(viewer: Viewer) -> bool:
    return viewer.may(Right.MANAGE_ACCOUNTS, account_id="")


def _sees_accounts(viewer: Viewer) -> bool:
    return viewer.may(Right.SEE_ACCOUNT)


def _asks_accounts(viewer: Viewer) -> bool:
    """Return whether the viewer can request changes of whole accounts, not only for their teams."""
    return viewer.sees_accounts and viewer.may(Right.REQUEST_CHANGE)


def _makes_changes(viewer: Viewer) -> bool:
    return viewer.may(Right.REQUEST_CHANGE) and whole_accounts(viewer).exists()


def _writes_blueprints(viewer: Viewer) -> bool:
    return bool(writable_teams(viewer))


REQUESTS: Final = _holds(Right.REQUEST_CHANGE)
MANAGES: Final = _holds(Right.MANAGE_ACCOUNTS)
PLACES = (
    SearchablePage(
        "Grant access", "access:grant-new", "key-round", "give share permissions allow add", REQUESTS
    ),
    SearchablePage("Request access for yourself", "access:ask", "message-square", "ask need denied own"),
    SearchablePage(
        "Offboard someone",
        "offboarding:begin",
        "log-out",
        "leaver leave leaving remove person terminate departing deprovision",  # wording: keep
        REQUESTS,
    ),
    SearchablePage(
        "Suspend someone",
        "offboarding:suspend",
        "log-out",
        "cut access now block disable lock emergency stop suspension",
        REQUESTS,
    ),
    SearchablePage(
        "Offboard a list of people", "offboarding:file", "upload", "file csv many several", REQUESTS
    ),
    SearchablePage("Connect an account", "setup:connect", "cloud", "add aws organization new", MANAGES),
    SearchablePage("Upload an account export", "setup:upload", "upload", "file json import", MANAGES),
    SearchablePage(
        "Add an operator",
        "operator-new",
        "user-plus",
        "sign-in new account colleague invite",
        _manages_everyone,
    ),
    SearchablePage(
        "Start an MFA campaign", "mfa:campaign-begin", "smartphone", "remind new reminders", REQUESTS
    ),
    SearchablePage(
        "New template", "access:template-new", "layers", "create job function", _manages_every_account
    ),
    SearchablePage(
        "New blueprint", "onboarding:blueprint-new", "layers", "create team access", _writes_blueprints
    ),
    SearchablePage("New change", "changes:acts", "plus", "make request create edit aws", _makes_changes),
    SearchablePage(
        "Start a review", "reviews:new", "list-checks", "new access certification recertify", can_start
    ),
    SearchablePage(
        "Separation-of-duties rules", "reviews:rules", "list-checks", "sod conflict toxic", _sees_accounts
    ),
    SearchablePage(
        "New separation-of-duties rule", "reviews:rule-new", "list-checks", "sod create", _asks_accounts
    ),
    SearchablePage(
        "New assertion", "findings:assertion-new", "shield-check", "create guardrail", _asks_accounts
    ),
    SearchablePage(
        "New evidence pack",
        "evidence:new",
        "shield-check",
        "create build report export audit",
        _sees_accounts,
    ),
    SearchablePage(
        "Scopes of frameworks", "compliance:scopes", "list-checks", "pci scope accounts", _sees_accounts
    ),
    SearchablePage("New scope", "compliance:scope-new", "list-checks", "create framework", _holds(*DECIDES)),
    SearchablePage("Past scores", "findings:posture", "gauge", "posture score trend history", _sees_accounts),
    SearchablePage(
        "Add a CloudTrail source",
        "activity:add-source",
        "plus",
        "new bucket trail logs connect",
        _manages_every_account,
    ),
    SearchablePage(
        "Upload CloudTrail files", "activity:upload", "upload", "trail events import", _manages_every_account
    ),
    SearchablePage(
        "Review all matches", "linking:review", "check", "link users people bulk", _holds(*OWNER_RIGHTS)
    ),
    SearchablePage("Your profile", "profile", "user-cog", "me settings theme time zone sessions password"),
    SearchablePage(
        "Your second factors", "mfa_index", "smartphone", "mfa own passkey security key recovery codes app"
    ),
    SearchablePage("Your notification settings", "notify:preferences", "bell", "mail email slack own"),
    SearchablePage("Your access keys", "keys:my-keys", "key-round", "my own"),
)
PAGE_WORDS: Final = {
    "dashboard:overview": "home dashboard start attention",
    "identities:people": "people logins accounts who",
    "linking:persons": "persons staff colleagues directory",
    "linking:links": "link unmatched linked owner of user",
    "linking:owners": "machine users service accounts owner ownership",
    "identities:groups": "membership members",
    "identities:roles": "assume trust",
    "identities:instance-profiles": "ec2 instances imdsv2",
    "identities:providers": "federation saml oidc sso github single sign-on idp",
    "identities:policies": "permissions documents json",
    "access:grants": "grant expiring ending end revoke extend temporary share shared access",
    "access:templates": "job functions template new create",
    "access:who-can": "who has access question permission effective",
    "access:compare": "difference diff comparison",
    "access:simulate": "test try what if simulator simulation",
    "access:scp-preview": "service control policy organization simulate",
    "access:escalation": "become administrator admin path attack",
    "access:services": "aws used usage",
    "onboarding:runs": "onboard joiner invite invitation newcomer new hire starter employees people someone",
    "offboarding:leavers": "offboard leaver leaving suspended restore certificate",  # wording: keep
    "moving:moves": "move mover transfer team changed",
    "onboarding:blueprints": "blueprint team standard access new create",
    "mfa:fleet": "second factor 2fa two-factor multi-factor authentication devices authenticator enroll",
    "mfa:campaigns": "campaign remind reminder start new second factor",
    "mfa:replacements": "lost phone replace replacement broken mfa device stolen",
    "mfa:enforcement": "enforce require mfa mandatory second factor",
    "mfa:hardware-demands": "security key yubikey fido token hardware second factor",
    "keys:keys": "access key secret credentials akia old unused",
    "keys:rotations": "rotate rotation rotating key renew replace access",
    "mfa:root-users": "root user account mfa",
    "keys:root-keys": "root key",
    "findings:list": "finding problems risks issues vulnerabilities misconfigured alerts",
    "findings:assertions": "assertion guardrail invariant only these",
    "compliance:frameworks": "framework compliance pci dss cis requirements controls audit",
    "reviews:list": "review access certification recertification attest user start new",
    "evidence:packs": "evidence report audit auditor pack export pdf qsa",
    "changes:approvals": "approve approval reject decide inbox pending requests waiting",
    "changes:list": "undo revert rollback change requests history",
    "changes:drift": "outside out of band undo manual unmanaged difference",
    "activity:events": "events cloudtrail calls log denied",
    "activity:coverage": "cloudtrail gaps trails known",
    "audit:journal": "audit log trail record hash chain history",
    "setup:accounts": "aws account organization sync connect add connected",
    "activity:sources": "cloudtrail source bucket trail",
    "operators": "operator users roles administrators sign-in auditors invite add new",
    "teams": "team lead departments",
    "changes:rules": "approval rule approvers policy workflow",
    "notify:outbox": "notification mail email slack webhook messages outbox",
}
"""URL name of a page in the navigation → its search words besides the label."""


@dataclass(frozen=True, slots=True)
class PageResults:
    """`meant` are pages whose words include each typed word; for the others typed words are prefixes."""

    meant: list[SearchResult]
    others: list[SearchResult]


def page_results(viewer: Viewer, text: str) -> PageResults:
    """Return the pages whose label or search words contain all words, the closest first."""
    words = _parts(text)
    if not words or len("".join(words)) < 2:
        return PageResults([], [])
    words = [word for word in words if word not in STOP_WORDS] or words
    ranked: dict[str, tuple[Distance, SearchResult]] = {}
    for place in PLACES:
        distance = _distance(words, place.label, place.words)
        if distance is not None and place.is_for(viewer):
            if place.label.startswith(OWN) and distance[0] == IN_LABEL:
                distance = OWN_PAGE
            url = reverse(place.url)
            ranked[url] = (distance, SearchResult(place.label, url, place.icon, "Page"))
    for entry, icon, label, name in tabs_for(NavigationReader.for_viewer(viewer)):
        distance = _distance(words, label, f"{PAGE_WORDS.get(name, '')} {entry}")
        if distance is not None:
            url = reverse(name)
            detail = "" if entry == label else entry
            ranked[url] = (distance, SearchResult(label, url, icon, "Page", detail))
    if viewer.sees_accounts:
        for result in framework_results(text):
            ranked[result.url] = ((IN_LABEL, 0), result)
    closest = sorted(ranked.values(), key=lambda page: page[0])[:MAX_PAGES]
    return PageResults(
        [result for distance, result in closest if distance[0] != BEGINNING],
        [result for distance, result in closest if distance[0] == BEGINNING],
    )


SAME_LABEL, IN_LABEL, IN_WORDS, BEGINNING = range(4)
OWN, OWN_PAGE = "Your ", (IN_WORDS, 99)
"""Pages about the viewer come after those about everyone, unless they match more words."""
Distance = tuple[int, int]
"""The distance of a page from the typed words: where the words match, and at which position, since common
search words come first.
"""


def _distance(words: Sequence[str], label: str, other_words: str) -> Distance | None:
    """Return the distance of a page with these words from the typed ones; None if it doesn’t match."""
    of_label = [word for word in _parts(label) if word not in STOP_WORDS]
    every = [*of_label, *_parts(other_words)]
    if not all(any(part.startswith(word.removesuffix("s")) for part in every) for word in words):
        return None
    if words == of_label:
        return SAME_LABEL, 0
    if _has_whole(of_label, words):
        return IN_LABEL, len(of_label)
    if not _has_whole(every, words):
        return BEGINNING, 0
    places = [place for place, part in enumerate(every) if _is_same(part, words[-1])]
    return IN_WORDS, places[0] - len(of_label)


def _parts(text: str) -> list[str]:
    """Split a text into words; compound words are split too."""
    return words_of(text.replace("-", " "))


def _is_same(part: str, word: str) -> bool:
    """Return whether two words are the same, in singular or plural."""
    return part.removesuffix("s") == word.removesuffix("s")


def _has_whole(parts: Sequence[str], words: Sequence[str]) -> bool:
    """Return whether each word is one of the parts."""
    return all(any(_is_same(part, word) for part in parts) for word in words)


def framework_results(text: str) -> list[SearchResult]:
    """Return frameworks by title, and their requirements by number."""
    words = words_of(text)
    results = []
    for framework in all_frameworks().values():
        if _has_all(words, framework.title):
            url = reverse("compliance:framework", args=[framework.name])
            results.append(SearchResult(framework.title, url, "list-checks", "Framework"))
        requirement = framework.requirement(words[-1])
        if requirement is not None and _has_all(words[:-1], framework.title):
            url = reverse("compliance:requirement", args=[framework.name, requirement.number])
            title = f"{requirement.number} {requirement.title}"
            results.append(SearchResult(title, url, "list-checks", "Requirement", framework.title))
    return results


def _has_all(words: list[str], text: str) -> bool:
    """Return whether each of these is the beginning of a word in the text."""
    parts = words_of(text)
    return all(any(part.startswith(word) for part in parts) for word in words)
