"""Development page that shows every component with sample data."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_GET

from console.web.component_samples import ACCOUNT, AS_OF, PAGE, SAMPLES

THEMES = ("light", "dark")


@require_GET
def component_page(request: HttpRequest) -> HttpResponse:
    """Render all components; `?theme=dark` forces the dark theme."""
    if not settings.DEVELOPMENT:
        raise Http404
    theme = request.GET.get("theme", "")
    context = {
        "samples": [
            (sample, render_to_string(sample.template, sample.context, request)) for sample in SAMPLES
        ],
        "account": ACCOUNT,
        "asof": AS_OF,
        "page": PAGE._replace(title="Components"),
        "themes": THEMES,
        "theme": theme if theme in THEMES else THEMES[0],
    }
    return render(request, "development/components.html", context)
