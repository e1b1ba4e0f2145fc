"""URLs of changes."""

from django.urls import path

from console.changes import (
    act,
    approval,
    approvals,
    change,
    drift,
    export,
    irreversible,
    lists,
    request,
    rules,
    secrets,
    undo,
)
from console.changes.act import ActDraft
from console.changes.credential import CredentialDraft
from console.changes.membership import MembershipDraft
from console.changes.request_draft import request_page

app_name = "changes"
urlpatterns = [
    path("", lists.changes, name="list"),
    path("export.<str:form>", export.changes_export, name="export"),
    path("approvals/", approvals.approvals, name="approvals"),
    path("rules/", rules.rules, name="rules"),
    path("rules/draft/", rules.draft, name="rules-draft"),
    path("rules/draft/arrange/", rules.arrange, name="rules-arrange"),
    path("rules/draft/propose/", rules.propose, name="rules-propose"),
    path("rules/draft/discard/", rules.discard, name="rules-discard"),
    path("rules/draft/<slug:key>/", rules.rule, name="rule"),
    path("rules/<uuid:pk>/", rules.proposal, name="proposal"),
    path("rules/<uuid:pk>/decide/", rules.proposal_decide, name="proposal-decide"),
    path("drift/", drift.listing, name="drift"),
    path("drift/adopt/", drift.adopt, name="drift-adopt"),
    path("drift/<uuid:pk>/", drift.drift_detail, name="drift-detail"),
    path("drift/<uuid:pk>/undo/", drift.undo, name="drift-undo"),
    path("irreversible/", irreversible.irreversible, name="irreversible"),
    path("credential/", request_page(CredentialDraft), name="credential"),
    path("acts/", act.acts, name="acts"),
    path("act/<slug:slug>/", request_page(ActDraft), name="act"),
    path("membership/", request_page(MembershipDraft), name="membership"),
    path("<uuid:pk>/", change.change, name="change"),
    path("<uuid:pk>/request/", request.request_page, name="request"),
    path("<uuid:pk>/approval/", request.former_address, name="approval"),
    path("<uuid:pk>/comment/", approval.comment, name="comment"),
    path("<uuid:pk>/shorten/", approval.shorten, name="shorten"),
    path("<uuid:pk>/break-glass/", approval.break_glass, name="break-glass"),
    path("<uuid:pk>/review/", approval.review, name="review"),
    path("<uuid:pk>/decide/", change.decide, name="decide"),
    path("<uuid:pk>/withdraw/", change.withdraw, name="withdraw"),
    path("<uuid:pk>/secret/", secrets.secret, name="secret"),
    path("<uuid:pk>/look-again/", change.look_again, name="refresh"),
    path("<uuid:pk>/undo/", undo.undo, name="undo"),
    path("<uuid:pk>/undo-set/", undo.undo_set, name="undo-set"),
]
