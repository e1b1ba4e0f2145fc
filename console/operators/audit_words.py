"""Describes the limits of an auditor in words."""

from __future__ import annotations

from datetime import timedelta

from iam.audit.frameworks.definitions import all_frameworks
from iam.guard import AuditLimits
from iam.mirror.models import Account


def audit_words(limits: AuditLimits | None) -> str:
    """Return, for example, “PCI DSS v4.0.1, production, 1 Jul 2026 – 30 Sep 2026”; "" without limits."""
    if limits is None:
        return ""
    parts = [each.title for name, each in all_frameworks().items() if name in limits.frameworks]
    if len(limits.packs) == 1:
        parts.append("1 evidence pack")
    elif limits.packs:
        parts.append(f"{len(limits.packs)} evidence packs")
    if not parts:
        parts.append("Frameworks, evidence packs and journal")
    if limits.accounts is None:
        parts.append("all accounts")
    else:
        rows = Account.objects.filter(account_id__in=limits.accounts)
        names = dict(rows.values_list("account_id", "name"))
        parts += sorted(names.get(number, number) for number in limits.accounts)
    parts.append(period_words(limits))
    return ", ".join(part for part in parts if part)


def period_words(limits: AuditLimits) -> str:
    """Return the period, including both days; "" without one."""
    since = limits.since
    last = limits.until - timedelta(seconds=1) if limits.until else None
    first_words = f"{since.day} {since:%b %Y}" if since else ""
    last_words = f"{last.day} {last:%b %Y}" if last else ""
    if first_words and last_words:
        return f"{first_words} – {last_words}"
    if first_words:
        return f"from {first_words}"
    return f"until {last_words}" if last_words else ""
