"""A review of so many rows in the database of a running console: `python -m tests.journeys.review_seed ROWS`
prints its key. One person reviews all of it, and another looks after it and can decide as well; no row is
about either.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from console.demo.supervisor import base_environment

OWNER, REVIEWER, SECOND = "ines.duarte", "hana.sato", "jonas.berg"


def seed(var: Path, rows: int) -> str:
    """The key of a new review over the data folder of a console."""
    command = [sys.executable, "-m", "tests.journeys.review_seed", str(rows)]
    environment = {k: v for k, v in base_environment(var).items() if k not in ("DATABASE_URL", "REDIS_URL")}
    environment["REDIS_URL"] = "redis://127.0.0.1:1/0"
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.split()[-1]


def make(number: int) -> str:
    """Open it, and leave out rows."""
    import django

    django.setup()
    from datetime import UTC, datetime, timedelta

    from console.operators.models import Operator
    from iam.access.own_principals import concerned_by_arn
    from iam.audit.reviews.campaigns import CampaignDraft, open_campaign, start
    from iam.audit.reviews.models import ReviewCampaign, ReviewItem
    from iam.audit.reviews.terms import ReviewTerms
    from iam.guard import viewer_for

    people = [Operator.objects.get(username=name).person for name in (OWNER, REVIEWER, SECOND)]
    owner, reviewer, second = people
    now = datetime.now(tz=UTC)
    name, actor = f"{number:,} rows by keyboard", viewer_for(owner)
    terms = ReviewTerms(reviewers="named")
    draft = CampaignDraft(name, "Measured", terms, now + timedelta(days=9), reviewer.pk, second.pk)
    campaign = open_campaign(start(draft, actor=actor, now=now), actor=actor, by_worker=False)
    rows = list(campaign.rows.select_related("entity").order_by("subject", "pk"))
    concerned = concerned_by_arn([row.entity for row in rows])
    ours = {owner.pk, reviewer.pk}
    others = [row for row in rows if not ours & {row.person_id, *concerned.get(row.entity.arn, ())}]
    kept = [row.pk for row in others[:number]]
    campaign.rows.exclude(pk__in=kept).delete()
    campaign.rows.update(reviewer_id=reviewer.pk, reviewer_name=reviewer.name)
    # The sample has some 900 rows: what is missing is there twice.
    copies = list(campaign.rows.order_by("pk")[: number - len(kept)])
    for copy in copies:
        copy.pk, copy.target, copy.target_name = None, f"{copy.target}-2", f"{copy.target_name}-2"
    ReviewItem.objects.bulk_create(copies)
    ReviewCampaign.objects.filter(pk=campaign.pk).update(facts={**campaign.facts, "rows": number})
    return str(campaign.pk)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
    print(make(int(sys.argv[1])))
