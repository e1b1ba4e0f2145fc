"""URLs of findings, assertions and the posture score."""

from django.urls import path

from console.changes.request_draft import request_page
from console.findings import assertion_requests, assertions, detail, finding_list, past_posture
from console.findings.fix import FindingFixDraft

app_name = "findings"
urlpatterns = [
    path("findings/", finding_list.findings_page, name="list"),
    path("findings/posture/", past_posture.posture_page, name="posture"),
    path("findings/export.<str:form>", finding_list.findings_export, name="export"),
    path("findings/assertions/", assertions.assertions_page, name="assertions"),
    path("findings/assertions/new/", assertion_requests.new, name="assertion-new"),
    path("findings/assertions/<uuid:pk>/", assertions.assertion_page, name="assertion"),
    path("findings/assertions/<uuid:pk>/edit/", assertion_requests.edit, name="assertion-edit"),
    path("findings/assertions/<uuid:pk>/retire/", assertion_requests.retire, name="assertion-retire"),
    path("findings/assertions/<uuid:pk>/decide/", assertion_requests.decide, name="assertion-decide"),
    path("findings/<int:pk>/", detail.finding_page, name="finding"),
    path("findings/<int:pk>/fix/", request_page(FindingFixDraft), name="fix"),
    path("findings/<int:pk>/accept/", detail.accept, name="accept"),
    path("findings/<int:pk>/decide/", detail.decide_page, name="decide"),
    path("findings/<int:pk>/end/", detail.end_page, name="end"),
]
