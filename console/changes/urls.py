"""The addresses of the changes area."""

from django.urls import path

from console.changes import (
    act,
    approval,
    approvals,
    change,
    credential,
    drift,
    irreversible,
    lists,
    membership,
    rules,
    secrets,
    undoing,
)

app_name = "changes"
urlpatterns = [
    path("", lists.changes, name="list"),
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
    path("drift/<uuid:pk>/", drift.one, name="drift-one"),
    path("drift/<uuid:pk>/undo/", drift.undo, name="drift-undo"),
    path("irreversible/", irreversible.irreversible, name="irreversible"),
    path("credential/", credential.credential, name="credential"),
    path("acts/", act.acts, name="acts"),
    path("act/<slug:slug>/", act.act, name="act"),
    path("membership/", membership.membership, name="membership"),
    path("<uuid:pk>/", change.change, name="change"),
    path("<uuid:pk>/approval/", approval.approval, name="approval"),
    path("<uuid:pk>/comment/", approval.comment, name="comment"),
    path("<uuid:pk>/shorten/", approval.shorten, name="shorten"),
    path("<uuid:pk>/break-glass/", approval.break_glass, name="break-glass"),
    path("<uuid:pk>/review/", approval.review, name="review"),
    path("<uuid:pk>/decide/", change.decide, name="decide"),
    path("<uuid:pk>/withdraw/", change.withdraw, name="withdraw"),
    path("<uuid:pk>/secret/", secrets.secret, name="secret"),
    path("<uuid:pk>/look-again/", change.look_again, name="look-again"),
    path("<uuid:pk>/undo/", undoing.undo, name="undo"),
    path("<uuid:pk>/undo-set/", undoing.undo_set, name="undo-set"),
]
