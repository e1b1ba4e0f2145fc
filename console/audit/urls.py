"""URLs of the journal."""

from django.urls import path

from console.audit import journal

app_name = "audit"
urlpatterns = [
    path("journal/", journal.journal, name="journal"),
    path("journal/chain/", journal.state, name="journal-chain"),
    path("journal/check/", journal.check, name="journal-check"),
]
