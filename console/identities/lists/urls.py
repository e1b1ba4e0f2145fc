"""URLs of lists and their exports."""

from django.urls import URLPattern, path

from console.identities.lists import groups, instance_profiles, people, policies, providers, roles

urlpatterns: list[URLPattern] = [
    path("people/", people.people, name="people"),
    path("people/export.<str:form>", people.people_export, name="people-export"),
    path("groups/", groups.groups, name="groups"),
    path("groups/export.<str:form>", groups.groups_export, name="groups-export"),
    path("roles/", roles.roles, name="roles"),
    path("roles/export.<str:form>", roles.roles_export, name="roles-export"),
    path("policies/", policies.policies, name="policies"),
    path("policies/export.<str:form>", policies.policies_export, name="policies-export"),
    path("instance-profiles/", instance_profiles.instance_profiles, name="instance-profiles"),
    path(
        "instance-profiles/export.<str:form>",
        instance_profiles.instance_profiles_export,
        name="instance-profiles-export",
    ),
    path("providers/", providers.providers, name="providers"),
    path("providers/export.<str:form>", providers.providers_export, name="providers-export"),
]
