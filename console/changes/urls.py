"""The addresses of the changes area."""

from django.urls import path

from console.changes import change, drift, lists, membership, undoing

app_name = "changes"
urlpatterns = [
    path("", lists.changes, name="list"),
    path("approvals/", lists.approvals, name="approvals"),
    path("drift/", drift.listing, name="drift"),
    path("drift/adopt/", drift.adopt, name="drift-adopt"),
    path("drift/<uuid:pk>/", drift.one, name="drift-one"),
    path("drift/<uuid:pk>/undo/", drift.undo, name="drift-undo"),
    path("membership/", membership.membership, name="membership"),
    path("<uuid:pk>/", change.change, name="change"),
    path("<uuid:pk>/decide/", change.decide, name="decide"),
    path("<uuid:pk>/withdraw/", change.withdraw, name="withdraw"),
    path("<uuid:pk>/look-again/", change.look_again, name="look-again"),
    path("<uuid:pk>/undo/", undoing.undo, name="undo"),
    path("<uuid:pk>/undo-set/", undoing.undo_set, name="undo-set"),
]
