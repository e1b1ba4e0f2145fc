"""URLs of access reviews."""

from django.urls import path

from console.reviews import begin, campaign, decisions, outcomes, review_list, row_page, rules

app_name = "reviews"
urlpatterns = [
    path("reviews/", review_list.reviews_page, name="list"),
    path("reviews/new/", begin.begin, name="new"),
    path("reviews/rules/", rules.rules_page, name="rules"),
    path("reviews/rules/new/", rules.new, name="rule-new"),
    path("reviews/rules/<uuid:pk>/", rules.rule_page, name="rule"),
    path("reviews/rules/<uuid:pk>/retire/", rules.retire, name="rule-retire"),
    path("reviews/rules/<uuid:pk>/decide/", rules.decide, name="rule-decide"),
    path("reviews/<uuid:pk>/", campaign.campaign_page, name="campaign"),
    path("reviews/<uuid:pk>/export.<str:form>", campaign.campaign_export, name="export"),
    path("reviews/<uuid:pk>/open/", begin.open_page, name="open"),
    path("reviews/<uuid:pk>/discard/", begin.discard_page, name="discard"),
    path("reviews/<uuid:pk>/cancel/", outcomes.cancel_page, name="cancel"),
    path("reviews/<uuid:pk>/assign/", outcomes.assign_page, name="assign"),
    path("reviews/<uuid:pk>/request/", outcomes.request_page, name="request"),
    path("reviews/<uuid:pk>/sign/", outcomes.sign_page, name="sign"),
    path("reviews/<uuid:pk>/acknowledge/", outcomes.acknowledge_page, name="acknowledge"),
    path("reviews/<uuid:pk>/decide/", decisions.decide_many, name="decide"),
    path("reviews/<uuid:pk>/rows/<int:number>/", row_page.row_page, name="row"),
    path("reviews/<uuid:pk>/rows/<int:number>/decide/", decisions.decide_one, name="decide-row"),
    path("reviews/<uuid:pk>/rows/<int:number>/give-back/", outcomes.give_back_page, name="give-back"),
]
