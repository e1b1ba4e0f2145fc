"""URLs of the pages about access."""

from django.urls import URLPattern, path

from console.access import (
    calculation,
    compare,
    editor,
    effective,
    effective_export,
    effective_why,
    escalation,
    escalation_openings,
    least_privilege,
    people_levels,
    scp,
    services,
    simulate,
    who_can,
    who_can_export,
    who_can_reach,
)
from console.access.grants.urls import urlpatterns as grants
from console.access.templates.urls import urlpatterns as templates

app_name = "access"

urlpatterns: list[URLPattern] = [
    path("access/compare/", compare.compare_page, name="compare"),
    path("access/compare/export.<str:form>", compare.compare_export, name="compare-export"),
    path("access/simulate/", simulate.simulate_page, name="simulate"),
    path("access/simulate/offers/", simulate.simulate_offers, name="simulate-offers"),
    path("access/simulate/scp/", scp.scp_page, name="scp-preview"),
    path("services/", services.services_page, name="services"),
    path("services/<slug:prefix>/", services.service_page, name="service"),
    path("services/<slug:prefix>/export.<str:form>", services.service_export, name="service-export"),
    path("people/access-levels/", people_levels.people_levels, name="people-levels"),
    path("people/<int:pk>/access/", effective.person_access, name="person"),
    path("people/<int:pk>/access/why/", effective_why.person_why, name="person-why"),
    path("people/<int:pk>/access/export.<str:form>", effective_export.person_export, name="person-export"),
    path("people/<int:pk>/access/<slug:prefix>/", effective.person_service, name="person-service"),
    path("roles/<int:pk>/access/", effective.role_access, name="role"),
    path("roles/<int:pk>/access/why/", effective_why.role_why, name="role-why"),
    path("roles/<int:pk>/access/export.<str:form>", effective_export.role_export, name="role-export"),
    path("roles/<int:pk>/access/<slug:prefix>/", effective.role_service, name="role-service"),
    path("policies/<int:pk>/edit/", editor.policy_edit, name="policy-edit"),
    path("access/least-privilege/<int:pk>/", least_privilege.least_privilege, name="least-privilege"),
    path("escalation/", escalation.escalation_page, name="escalation"),
    path("escalation/ready/", calculation.escalation_ready, name="escalation-ready"),
    path("escalation/export.<str:form>", escalation.escalation_export, name="escalation-export"),
    path("escalation/opening/<slug:key>/", escalation_openings.escalation_opening, name="escalation-opening"),
    path("escalation/<int:pk>/", escalation.escalation_path, name="escalation-path"),
    path("escalation/<int:pk>/closing/", escalation.escalation_closing, name="escalation-closing"),
    path("access/who-can/", who_can.who_can_page, name="who-can"),
    path("access/who-can/export.<str:form>", who_can_export.who_can_export, name="who-can-export"),
    path("access/who-can/reach/", who_can_reach.who_can_reach, name="who-can-reach"),
    path("access/who-can/offers/", who_can.who_can_offers, name="who-can-offers"),
    path("access/who-can/<int:pk>/", who_can.who_can_why, name="who-can-why"),
    *grants,
    *templates,
]
