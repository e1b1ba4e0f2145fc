"""URLs of accounts and their setup."""

from django.urls import path, re_path

from console.setup import (
    account,
    account_list,
    change,
    connect,
    doctor,
    environment,
    missing_permissions,
    organization,
    upload,
)

app_name = "setup"
NUMBER = r"^(?P<number>[0-9]{12})/"

urlpatterns = [
    path("", account_list.accounts, name="accounts"),
    path("live/", account_list.live_rows, name="accounts-progress"),
    path("read-all/", account_list.read_all_now, name="read-all"),
    path("connect/", connect.connect, name="connect"),
    path("connect/role/<uuid:draft>/", connect.connect_role, name="connect-role"),
    path("connect/role/<uuid:draft>/hub/", connect.connect_hub, name="connect-hub"),
    path("connect/role/<uuid:draft>/change/", connect.change_draft, name="change-draft"),
    path("connect/role/<uuid:draft>/discard/", connect.discard, name="discard-draft"),
    path("connect/role/<uuid:draft>/<slug:purpose>/<slug:what>/", connect.download, name="download"),
    path("connect/organization/", organization.connect_organization, name="connect-organization"),
    path("connect/organization/<uuid:job>/", organization.discovered, name="discovered"),
    path("connect/organization/<uuid:job>/connect/", organization.connect_found, name="connect-discovered"),
    path("connect/environment/", environment.connect_environment, name="connect-environment"),
    path("connect/environment/look/", environment.look_up_environment, name="look-up-environment"),
    path("connect/environment/connect/", environment.connect_own, name="connect-own-account"),
    path("upload/", upload.upload, name="upload"),
    path("upload/<uuid:job>/", upload.import_progress, name="import"),
    re_path(NUMBER + "$", account.account, name="account"),
    re_path(NUMBER + "live/$", account.live_progress, name="pull-progress"),
    re_path(NUMBER + "pulls/$", account.pulls, name="pulls"),
    re_path(NUMBER + "pull/$", account.pull, name="pull"),
    re_path(NUMBER + "stop/$", account.stop, name="stop-pull"),
    re_path(NUMBER + "apply-loss/$", account.apply_loss, name="apply-loss"),
    re_path(NUMBER + "fix/$", missing_permissions.missing_permissions_page, name="fix-permissions"),
    re_path(NUMBER + "doctor/$", doctor.doctor, name="doctor"),
    re_path(NUMBER + "settings/$", change.change_settings, name="settings"),
    re_path(NUMBER + "disconnect/$", change.disconnect, name="disconnect"),
]
