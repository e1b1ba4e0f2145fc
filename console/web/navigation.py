"""The navigation: entries grouped by task, and the tabs of entries that have several pages.

An entry is shown to viewers who can see one of its tabs, and links to the first of these. Tabs appear on the
pages they link to, not on subpages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from django.urls import reverse

from iam.guard import Right, Viewer

OTHERS = (Right.SEE_ACCOUNT, Right.SEE_TEAM)
EVERYBODY = (*OTHERS, Right.SEE_SELF, Right.SEE_EVIDENCE)
DECIDES = (Right.APPROVE_CHANGE, Right.MANAGE_OPERATORS, Right.SEE_TEAM)
"""Rights of people who may have decisions to make: approvers, and administrators and team leads if a rule
requires them.
"""


@dataclass(frozen=True, slots=True)
class NavigationReader:
    """What the navigation depends on; equal readers share one cached navigation."""

    rights: frozenset[Right]
    asks_accounts: bool
    leads: bool
    manages_everyone: bool = False
    sees_frameworks: bool = True

    @classmethod
    def for_viewer(cls, viewer: Viewer) -> NavigationReader:
        """Build from the viewer's rights, the people they can request changes for, and the limits of their
        audit.
        """
        limits = None if viewer.may(Right.SEE_ACCOUNT) else viewer.limits
        return cls(
            rights=frozenset(right for right, _ in viewer.grants),
            asks_accounts=viewer.asks.sees_everything or bool(viewer.asks.accounts),
            leads=bool(viewer.leads),
            manages_everyone=viewer.may(Right.MANAGE_OPERATORS, account_id=""),
            sees_frameworks=limits is None or limits.sees_frameworks,
        )


@dataclass(frozen=True, slots=True)
class NavigationTab:
    """A page of an entry, shown to viewers who hold one of the rights and meet `when`."""

    label: str
    url: str
    rights: tuple[Right, ...]
    when: Callable[[NavigationReader], bool] = lambda _: True

    def is_for(self, reader: NavigationReader) -> bool:
        """Return whether this reader sees the page."""
        return bool(reader.rights.intersection(self.rights)) and self.when(reader)


@dataclass(frozen=True, slots=True)
class NavigationEntry:
    """A link of the navigation; `sections` are the names by which pages mark it as current."""

    label: str
    icon: str
    sections: tuple[str, ...]
    tabs: tuple[NavigationTab, ...]


@dataclass(frozen=True, slots=True)
class NavigationGroup:
    """Entries under a common title; "" means none."""

    title: str
    entries: tuple[NavigationEntry, ...]


def _entry(label: str, icon: str, section: str, url: str, rights: tuple[Right, ...]) -> NavigationEntry:
    return NavigationEntry(label, icon, (section,), (NavigationTab(label, url, rights),))


def _asks_accounts(reader: NavigationReader) -> bool:
    return reader.asks_accounts


def _asks_anybody(reader: NavigationReader) -> bool:
    return reader.asks_accounts or reader.leads


def _sees_frameworks(reader: NavigationReader) -> bool:
    return reader.sees_frameworks


def _manages_everyone(reader: NavigationReader) -> bool:
    return reader.manages_everyone


ACCOUNT = (Right.SEE_ACCOUNT,)
EVIDENCE = (Right.SEE_ACCOUNT, Right.SEE_EVIDENCE)
OPERATORS = (Right.MANAGE_OPERATORS,)
SEES_OPERATORS = (Right.SEE_OPERATORS,)
PEOPLE = NavigationEntry(
    "People",
    "user-round",
    ("people", "links"),
    (
        NavigationTab("IAM users", "identities:people", OTHERS),
        NavigationTab("People", "linking:persons", OTHERS),
        NavigationTab("Match users to people", "linking:links", (Right.MANAGE_OPERATORS, Right.SEE_TEAM)),
        NavigationTab("Owning teams", "linking:owners", (Right.MANAGE_OPERATORS, Right.SEE_TEAM)),
    ),
)
ROLES = NavigationEntry(
    "Roles",
    "bot",
    ("roles", "instance-profiles", "providers"),
    (
        NavigationTab("Roles", "identities:roles", ACCOUNT),
        NavigationTab("Instance profiles", "identities:instance-profiles", ACCOUNT),
        NavigationTab("Identity providers", "identities:providers", ACCOUNT),
    ),
)
ANALYZE = NavigationEntry(
    "Analyze",
    "waypoints",
    ("who-can", "compare-access", "compare", "simulate", "scp-preview", "escalation", "services"),
    (
        NavigationTab("Who can", "access:who-can", ACCOUNT),
        NavigationTab("Compare", "access:compare", ACCOUNT),
        NavigationTab("Simulate", "access:simulate", ACCOUNT),
        NavigationTab("SCP preview", "access:scp-preview", ACCOUNT),
        NavigationTab("Privilege escalation", "access:escalation", ACCOUNT),
        NavigationTab("Services", "access:services", ACCOUNT),
    ),
)
LIFECYCLE = NavigationEntry(
    "Lifecycle",
    "user-plus",
    ("onboarding", "leaving", "moving"),
    (
        NavigationTab("Onboarding", "onboarding:runs", OTHERS),
        NavigationTab("Offboarding", "offboarding:leavers", OTHERS),
        NavigationTab("Change team", "moving:moves", OTHERS),
        NavigationTab("Blueprints", "onboarding:blueprints", OTHERS),
    ),
)
CREDENTIALS = NavigationEntry(
    "Credentials",
    "smartphone",
    ("fleet", "keys"),
    (
        NavigationTab("MFA", "mfa:fleet", OTHERS),
        NavigationTab("MFA campaigns", "mfa:campaigns", OTHERS),
        NavigationTab("Lost devices", "mfa:replacements", OTHERS, _asks_anybody),
        NavigationTab("MFA policy", "mfa:enforcement", OTHERS, _asks_accounts),
        NavigationTab("Hardware MFA", "mfa:hardware-demands", ACCOUNT),
        NavigationTab("Access keys", "keys:keys", OTHERS),
        NavigationTab("Key rotations", "keys:rotations", OTHERS),
        NavigationTab("Root users", "mfa:root-users", ACCOUNT),
        NavigationTab("Root access keys", "keys:root-keys", ACCOUNT),
    ),
)
FINDINGS = NavigationEntry(
    "Findings",
    "triangle-alert",
    ("findings",),
    (
        NavigationTab("Findings", "findings:list", OTHERS),
        NavigationTab("Assertions", "findings:assertions", ACCOUNT),
    ),
)
COMPLIANCE = NavigationEntry(
    "Compliance",
    "shield-check",
    ("compliance", "reviews", "evidence"),
    (
        NavigationTab("Frameworks", "compliance:frameworks", EVIDENCE, _sees_frameworks),
        NavigationTab("Access reviews", "reviews:list", OTHERS),
        NavigationTab("Evidence packs", "evidence:packs", EVIDENCE),
    ),
)
CHANGES = NavigationEntry(
    "Changes",
    "history",
    ("changes", "drift"),
    (
        NavigationTab(
            "Changes", "changes:list", (Right.REQUEST_CHANGE, Right.APPROVE_CHANGE, Right.SEE_ACCOUNT)
        ),
        NavigationTab("Drift", "changes:drift", OTHERS),
    ),
)
ACTIVITY = NavigationEntry(
    "Activity",
    "list-checks",
    ("activity", "coverage", "journal"),
    (
        NavigationTab("AWS activity", "activity:events", ACCOUNT),
        NavigationTab("Coverage", "activity:coverage", ACCOUNT),
        NavigationTab("Journal", "audit:journal", (Right.SEE_JOURNAL,)),
    ),
)
SETTINGS = NavigationEntry(
    "Settings",
    "settings",
    ("accounts", "trail-sources", "operators", "rules", "notifications"),
    (
        NavigationTab("Accounts", "setup:accounts", ACCOUNT),
        NavigationTab("CloudTrail sources", "activity:sources", ACCOUNT),
        NavigationTab("Operators", "operators", SEES_OPERATORS),
        NavigationTab("Teams", "teams", SEES_OPERATORS),
        NavigationTab("Approval rules", "changes:rules", ACCOUNT),
        NavigationTab("Notifications", "notify:outbox", OPERATORS, _manages_everyone),
    ),
)
NAVIGATION = (
    NavigationGroup(
        "",
        (
            _entry(
                "Overview",
                "gauge",
                "overview",
                "dashboard:overview",
                (*OTHERS, Right.SEE_SELF, Right.SEE_EVIDENCE),
            ),
        ),
    ),
    NavigationGroup(
        "Identities",
        (
            PEOPLE,
            _entry("Groups", "users", "groups", "identities:groups", OTHERS),
            ROLES,
            _entry("Policies", "scroll-text", "policies", "identities:policies", ACCOUNT),
        ),
    ),
    NavigationGroup(
        "Access",
        (
            NavigationEntry(
                "Grants", "key-round", ("grants", "ask"), (NavigationTab("Grants", "access:grants", OTHERS),)
            ),
            _entry("Templates", "layers", "templates", "access:templates", OTHERS),
            ANALYZE,
        ),
    ),
    NavigationGroup(
        "Operations",
        (
            LIFECYCLE,
            CREDENTIALS,
            FINDINGS,
            COMPLIANCE,
            _entry("Approvals", "git-pull-request", "approvals", "changes:approvals", DECIDES),
            CHANGES,
            ACTIVITY,
        ),
    ),
    NavigationGroup("", (SETTINGS,)),
)

Links = tuple[tuple[str, tuple[tuple[str, str, str, tuple[str, ...]], ...]], ...]
"""Groups of links: (title, ((address, icon, label, sections), …))."""


@lru_cache(maxsize=256)
def links_for(reader: NavigationReader) -> Links:
    """Return the groups of links that this reader sees."""
    groups = []
    for group in NAVIGATION:
        links = []
        for entry in group.entries:
            tabs = [tab for tab in entry.tabs if tab.is_for(reader)]
            if tabs:
                links.append((reverse(tabs[0].url), entry.icon, entry.label, entry.sections))
        if links:
            groups.append((group.title, tuple(links)))
    return tuple(groups)


Tabs = tuple[str, tuple[tuple[str, str], ...]]
"""The label of an entry, and (address, label) of each of its tabs."""


@lru_cache(maxsize=256)
def _tabs_by_path(reader: NavigationReader) -> dict[str, Tabs]:
    tabs_by_path: dict[str, Tabs] = {}
    for group in NAVIGATION:
        for entry in group.entries:
            tabs = tuple((reverse(tab.url), tab.label) for tab in entry.tabs if tab.is_for(reader))
            if len(tabs) > 1:
                tabs_by_path |= {address: (entry.label, tabs) for address, _ in tabs}
    return tabs_by_path


def tabs_at(path: str, reader: NavigationReader) -> Tabs | None:
    """Return the tabs to show on the page at this path.

    Returns None if the page isn’t a tab, or if it is the only tab of its entry that the reader sees.
    """
    return _tabs_by_path(reader).get(path)


@lru_cache(maxsize=256)
def tabs_for(reader: NavigationReader) -> tuple[tuple[str, str, str, str], ...]:
    """Return every page of the navigation that this reader sees: (entry label, icon, label, URL name)."""
    shown_tabs: list[tuple[str, str, str, str]] = []
    for entry in chain.from_iterable(group.entries for group in NAVIGATION):
        for tab in entry.tabs:
            if tab.is_for(reader):
                shown_tabs.append((entry.label, entry.icon, tab.label, tab.url))
    return tuple(shown_tabs)
