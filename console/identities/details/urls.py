"""URLs of detail pages."""

from django.urls import URLPattern, path

from console.identities.details import compare, groups, people, policies, profiles, providers, roles

urlpatterns: list[URLPattern] = [
    path("people/<int:pk>/", people.person, name="person"),
    path("people/<int:pk>/credentials/", people.person_credentials, name="person-credentials"),
    path("people/<int:pk>/history/", people.person_history, name="person-history"),
    path("groups/<int:pk>/", groups.group, name="group"),
    path("groups/<int:pk>/history/", groups.group_history, name="group-history"),
    path("roles/<int:pk>/", roles.role, name="role"),
    path("roles/<int:pk>/history/", roles.role_history, name="role-history"),
    path("policies/<int:pk>/", policies.policy, name="policy"),
    path("policies/<int:pk>/versions/", policies.policy_versions, name="policy-versions"),
    path("policies/<int:pk>/holders/", policies.policy_holders, name="policy-holders"),
    path("policies/<int:pk>/history/", policies.policy_history, name="policy-history"),
    path("instance-profiles/<int:pk>/", profiles.instance_profile, name="instance-profile"),
    path(
        "instance-profiles/<int:pk>/history/",
        profiles.instance_profile_history,
        name="instance-profile-history",
    ),
    path("providers/<int:pk>/", providers.provider, name="provider"),
    path("providers/<int:pk>/history/", providers.provider_history, name="provider-history"),
    path("compare/", compare.compare, name="compare"),
]
