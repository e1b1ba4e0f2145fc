"""URLs of sign-in, profile, operators and roles."""

from django.urls import include, path

from console.operators.pages import export, people, profile, resume, sign_ins, teams

urlpatterns = [
    path("sign-in/", include("console.operators.sign_in_urls")),
    path("profile/", profile.profile, name="profile"),
    path("profile/continue/", resume.resume, name="resume"),
    path("profile/sessions/", profile.end_others, name="profile-sessions"),
    path("profile/sessions/<slug:digest>/end/", profile.end_session, name="profile-session-end"),
    path("profile/preferences/", profile.preferences, name="profile-preferences"),
    path("operators/", people.listing, name="operators"),
    path("operators/export.<str:form>", export.operators_export, name="operators-export"),
    path("operators/new/", people.new, name="operator-new"),
    path("operators/set-up/", teams.set_up, name="set-up"),
    path("operators/sessions/", sign_ins.sessions_end_all, name="operator-sessions"),
    path("operators/teams/", teams.listing, name="teams"),
    path("operators/teams/<slug:slug>/", teams.detail, name="team"),
    path("operators/teams/<slug:slug>/delete/", teams.delete, name="team-delete"),
    path(
        "operators/teams/<slug:slug>/rules/<int:number>/remove/", teams.rule_remove, name="team-rule-remove"
    ),
    path("operators/appointments/<uuid:pk>/", people.appointment_decide, name="appointment"),
    path("operators/<uuid:pk>/", people.detail, name="operator"),
    path("operators/<uuid:pk>/roles/", people.role_add, name="operator-role-add"),
    path("operators/<uuid:pk>/roles/<int:number>/remove/", people.role_remove, name="operator-role-remove"),
    path("operators/<uuid:pk>/audit/", people.audit_scope_set, name="operator-audit-scope"),
    path("operators/<uuid:pk>/users/", people.identity_add, name="operator-user-add"),
    path(
        "operators/<uuid:pk>/users/<int:number>/remove/", people.identity_remove, name="operator-user-remove"
    ),
    path("operators/<uuid:pk>/invite/", sign_ins.invite, name="operator-invite"),
    path("operators/<uuid:pk>/unlock/", sign_ins.unlock, name="operator-unlock"),
    path("operators/<uuid:pk>/sessions/end/", sign_ins.sessions_end, name="operator-sessions-end"),
    path("operators/<uuid:pk>/factors/remove/", sign_ins.factors_remove, name="operator-factors-remove"),
    path(
        "operators/<uuid:pk>/company-sign-ins/<int:number>/remove/",
        sign_ins.binding_remove,
        name="operator-binding-remove",
    ),
    path("operators/<uuid:pk>/deactivate/", people.deactivate, name="operator-deactivate"),
    path("operators/<uuid:pk>/reactivate/", people.reactivate, name="operator-reactivate"),
]
