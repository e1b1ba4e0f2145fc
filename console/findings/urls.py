"""Addresses of the pages of findings."""

from django.urls import path

from console.findings import detail, listing

app_name = "findings"
urlpatterns = [
    path("findings/", listing.findings_page, name="list"),
    path("findings/export.<str:form>", listing.findings_export, name="export"),
    path("findings/<int:pk>/", detail.finding_page, name="finding"),
    path("findings/<int:pk>/accept/", detail.accept, name="accept"),
    path("findings/<int:pk>/decide/", detail.decide_page, name="decide"),
    path("findings/<int:pk>/end/", detail.end_page, name="end"),
]
