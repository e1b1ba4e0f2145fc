"""Addresses of the pages of findings."""

from django.urls import path

from console.findings import detail, finding_list

app_name = "findings"
urlpatterns = [
    path("findings/", finding_list.findings_page, name="list"),
    path("findings/export.<str:form>", finding_list.findings_export, name="export"),
    path("findings/<int:pk>/", detail.finding_page, name="finding"),
    path("findings/<int:pk>/accept/", detail.accept, name="accept"),
    path("findings/<int:pk>/decide/", detail.decide_page, name="decide"),
    path("findings/<int:pk>/end/", detail.end_page, name="end"),
]
