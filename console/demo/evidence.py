"""Creates sample evidence: a pack that an auditor requested, and a verified journal with an anchor."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.utils import timezone

from console.demo.samples import viewer_of
from iam.audit.anchors.models import AnchorWrite
from iam.audit.anchors.services import write_anchors
from iam.audit.evidence.models import EvidencePack, PackKind
from iam.audit.evidence.packs import PackOrder, request_pack
from iam.audit.frameworks.models import FrameworkSummary
from iam.changes.models import Change, ChangeState
from iam.journal.verify import ask_for_verification, run_verification
from iam.mirror.models import Account

AUDITOR: Final = "amara.diallo"
FRAMEWORK: Final = "pci-dss-4.0.1"
ACCOUNT: Final = "production"
CHANGES: Final = 10
SEED: Final = "northline-2026"


def write_samples() -> None:
    """Create a pack to download and verify, an anchor, and a verified journal, once the framework is
    judged.
    """
    now = timezone.now()
    if not AnchorWrite.objects.exists():
        write_anchors(now=now)
        # A journal without a block can't be anchored yet.
        if AnchorWrite.objects.exists():
            run_verification(ask_for_verification().pk)
    if EvidencePack.objects.exists():
        return
    auditor = viewer_of(AUDITOR)
    account = Account.objects.filter(name=ACCOUNT, sections__isnull=False).first()
    # The sample is drawn from completed changes.
    if Change.objects.filter(state=ChangeState.APPLIED).count() < CHANGES:
        return
    is_judged = FrameworkSummary.objects.filter(framework=FRAMEWORK, updated_at__isnull=False).exists()
    if auditor is None or account is None or not is_judged:
        return
    order = PackOrder(
        kind=PackKind.FRAMEWORK,
        subject=FRAMEWORK,
        since=now - timedelta(days=90),
        until=now,
        accounts=(account.account_id,),
        seed=SEED,
    )
    request_pack(order, actor=auditor, now=now)
