"""The addresses of the pages about access."""

from django.urls import URLPattern, path

from console.access import editor, who_can, who_can_export

app_name = "access"

urlpatterns: list[URLPattern] = [
    path("policies/<int:pk>/edit/", editor.policy_edit, name="policy-edit"),
    path("access/who-can/", who_can.who_can_page, name="who-can"),
    path("access/who-can/export.<str:form>", who_can_export.who_can_export, name="who-can-export"),
    path("access/who-can/offers/", who_can.who_can_offers, name="who-can-offers"),
    path("access/who-can/<int:pk>/", who_can.who_can_why, name="who-can-why"),
]
