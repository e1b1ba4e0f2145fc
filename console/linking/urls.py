"""URLs of links between users and people."""

from django.urls import URLPattern, path

from console.linking import acts, links, named_owner, owners, person, review

app_name = "linking"
urlpatterns: list[URLPattern] = [
    path("people/persons/", links.persons, name="persons"),
    path("people/links/", links.links, name="links"),
    path("people/links/ways/", links.match_rules, name="match-rules"),
    path("people/links/review/", review.review_page, name="review"),
    path("people/links/confirm/", acts.confirm, name="confirm"),
    path("people/links/marks/<int:number>/forget/", acts.forget, name="forget-mark"),
    path("people/owners/", owners.owners_page, name="owners"),
    path("people/owners/<int:pk>/", named_owner.identity_owner, name="named-owner"),
    path("people/keys/<int:pk>/owner/", named_owner.key_owner, name="key-owner"),
    path("people/<int:pk>/owner/", owners.owner, name="owner"),
    path("people/<int:pk>/users/", person.person_users, name="person"),
    path("people/<int:pk>/users/link/", acts.link, name="link"),
    path("people/<int:pk>/users/add/", acts.add, name="add"),
    path("people/<int:pk>/users/undo/", acts.undo, name="undo"),
    path("people/<int:pk>/users/apart/", acts.mark_as_not_theirs, name="mark-not-theirs"),
]
