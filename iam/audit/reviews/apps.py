"""The Django application of access reviews."""

from django.apps import AppConfig


class AuditReviewsConfig(AppConfig):
    """Registers the tables and three handlers: they follow the changes that reviews request, check
    separation-of-duties rules on receipts, and verify signed-off reviews with the journal.
    """

    name = "iam.audit.reviews"
    label = "audit_reviews"

    def ready(self) -> None:
        from iam.audit.reviews.duties import duties_broken_by
        from iam.audit.reviews.periodic import follow_change
        from iam.audit.reviews.verification import verify_reviews
        from iam.changes import handlers
        from iam.changes.assertion_checks import on_impact
        from iam.journal.frozen_records import on_verification

        handlers.on_end(follow_change)
        on_impact(duties_broken_by)
        on_verification("reviews", verify_reviews)
