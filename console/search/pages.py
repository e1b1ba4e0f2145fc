"""Search results that are pages of the console, each shown to anyone who has it in their navigation or may
open it.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from console.search.results import SearchResult
from console.web.navigation import NavigationReader, tabs_for
from iam.audit.frameworks.definitions import all_frameworks
from iam.guard import Right, Viewer
from iam.search_words import words_of

MAX_PAGES = 5


@dataclass(frozen=True, slots=True)
class SearchablePage:
    """A page that is no entry of the navigation, or is looked for in other words than its label."""

    label: str
    url: str
    icon: str
    words: str
    rights: tuple[Right, ...] = ()
    everywhere: bool = False
    """The right must be held in all accounts."""


PLACES = (
    SearchablePage(
        "Grant access", "access:grant-new", "key-round", "give share permission", (Right.REQUEST_CHANGE,)
    ),
    SearchablePage("Request access for yourself", "access:ask", "message-square", "ask need denied"),
    SearchablePage(
        "Offboard someone", "offboarding:begin", "log-out", "suspend disable leave", (Right.REQUEST_CHANGE,)
    ),
    SearchablePage(
        "Change someone’s team", "moving:moves", "arrow-left-right", "move mover", (Right.REQUEST_CHANGE,)
    ),
    SearchablePage(
        "Connect an account", "setup:connect", "cloud", "add aws organization", (Right.MANAGE_ACCOUNTS,)
    ),
    SearchablePage(
        "Upload an account export", "setup:upload", "upload", "file json", (Right.MANAGE_ACCOUNTS,)
    ),
    SearchablePage(
        "Add an operator",
        "operator-new",
        "user-plus",
        "invite sign-in",
        (Right.MANAGE_OPERATORS,),
        everywhere=True,
    ),
    SearchablePage(
        "Start an MFA campaign", "mfa:campaign-begin", "smartphone", "remind", (Right.REQUEST_CHANGE,)
    ),
    SearchablePage("Your profile", "profile", "user-cog", "me settings theme time zone sessions password"),
    SearchablePage("Your notification settings", "notify:preferences", "bell", "mail slack"),
    SearchablePage("Your access keys", "keys:my-keys", "key-round", "my own"),
)


def page_results(viewer: Viewer, text: str) -> list[SearchResult]:
    """Pages of which all words are in the label or among the words by which it is looked for."""
    words = words_of(text)
    if not words or len("".join(words)) < 2:
        return []
    results = []
    for place in PLACES:
        where = "" if place.everywhere else None
        if place.rights and not any(viewer.may(right, account_id=where) for right in place.rights):
            continue
        if _has_all(words, f"{place.label} {place.words}"):
            results.append(SearchResult(place.label, reverse(place.url), place.icon, "Page"))
    if viewer.sees_accounts:
        results += framework_results(text)
    for entry, icon, label, url in tabs_for(NavigationReader.for_viewer(viewer)):
        if _has_all(words, f"{entry} {label}"):
            detail = "" if entry == label else entry
            results.append(SearchResult(label, url, icon, "Page", detail))
    return results[:MAX_PAGES]


def framework_results(text: str) -> list[SearchResult]:
    """Frameworks by title, and their requirements by number."""
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
    """Whether a word of the text begins with each of these."""
    parts = words_of(text)
    return all(any(part.startswith(word) for part in parts) for word in words)
