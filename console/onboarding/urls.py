"""URLs of onboarding."""

from django.urls import URLPattern, path

from console.onboarding import blueprint_editor, blueprints, lists, people, remind, run

app_name = "onboarding"

urlpatterns: list[URLPattern] = [
    path("", lists.runs_page, name="runs"),
    path("blueprints/", lists.blueprints_page, name="blueprints"),
    path("blueprints/new/", blueprint_editor.blueprint_new, name="blueprint-new"),
    path("blueprints/<uuid:pk>/", blueprints.blueprint_page, name="blueprint"),
    path(
        "blueprints/<uuid:pk>/versions/<int:number>/", blueprints.blueprint_version, name="blueprint-version"
    ),
    path("blueprints/<uuid:pk>/edit/", blueprint_editor.blueprint_edit, name="blueprint-edit"),
    path("blueprints/<uuid:pk>/retire/", blueprints.blueprint_retire, name="blueprint-retire"),
    path("blueprints/<uuid:pk>/people/", people.people_page, name="people"),
    path(
        "blueprints/<uuid:pk>/own-password/", blueprints.blueprint_own_password, name="blueprint-own-password"
    ),
    path("remind/", remind.remind_page, name="remind"),
    path("sample.csv", people.sample_file, name="sample-file"),
    path("<uuid:pk>/", run.run_page, name="run"),
    path("<uuid:pk>/rows/", run.run_rows, name="run-rows"),
    path("<uuid:pk>/ask/", run.run_ask, name="run-request"),
    path("<uuid:pk>/retry/", run.run_retry, name="run-retry"),
    path("<uuid:pk>/people/<int:number>/invite/", run.run_invite, name="run-invite"),
    path("<uuid:pk>/discard/", run.run_discard, name="run-discard"),
    path("<uuid:pk>/export.<str:form>", run.run_export, name="run-export"),
]
