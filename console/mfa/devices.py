"""Other MFA devices of the viewer: a hardware token, a label, and how to add a security key or passkey."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from console.changes.secrets import sign_in_page
from console.mfa.enrollment import refused_context
from console.operators.recency import recently_authenticated
from console.web.access import ViewerRequest, layout_for, require
from console.web.render import render_page
from iam.changes.errors import RefusedError
from iam.directory.models import Person
from iam.guard import Right
from iam.mirror.models import Entity, Kind
from iam.people.enrolment.devices import add_hardware, label_of, set_label
from iam.people.enrolment.queries import devices_of

SERIAL_HINT = (
    "Such as GAHT12345678. Press the button of the token to see a code, wait 30 seconds, "
    "and press it again for the next one."
)


@require_http_methods(["GET", "POST"])
@require(Right.SEE_SELF)
@recently_authenticated
def hardware(request: ViewerRequest, pk: int) -> HttpResponse:
    """Enter the serial number and two codes of a hardware token, and create the change for them."""
    user = _own_user(request, pk)
    context = _context(request, user) | {"serial": request.POST.get("serial", "")[:80]}
    if request.method == "GET":
        return render_page(request, "mfa/hardware.html", context)
    try:
        change = add_hardware(
            user,
            person=Person.objects.get(pk=request.viewer.person_id),
            serial=request.POST.get("serial", "")[:80],
            codes=(request.POST.get("first", "")[:12], request.POST.get("second", "")[:12]),
            key=request.POST.get("key", "")[:64],
        )
    except RefusedError as refused:
        return render_page(request, "mfa/hardware.html", context | refused_context(refused), status=422)
    return redirect("changes:change", pk=change.pk)


@require_http_methods(["GET", "POST"])
@require(Right.SEE_SELF)
@recently_authenticated
def label(request: ViewerRequest, pk: int) -> HttpResponse:
    """Set a device's label, and create the change that tags it in AWS."""
    device = _own_device(request, pk)
    assert device.owner is not None
    context = _context(request, device.owner) | {"device": device, "label": label_of(device)}
    if request.method == "GET":
        return render_page(request, "mfa/label.html", context)
    label_text = request.POST.get("label", "")[:200]
    try:
        change = set_label(
            device,
            person=Person.objects.get(pk=request.viewer.person_id),
            label=label_text,
            key=request.POST.get("key", "")[:64],
        )
    except RefusedError as refused:
        context |= refused_context(refused) | {"label": label_text}
        return render_page(request, "mfa/label.html", context, status=422)
    return redirect("changes:change", pk=change.pk)


@require_safe
@require(Right.SEE_SELF)
def security_key(request: ViewerRequest, pk: int) -> HttpResponse:
    """Explain how to register a security key or passkey, which is only possible on AWS's own page."""
    return render_page(request, "mfa/security_key.html", _context(request, _own_user(request, pk)))


def _context(request: ViewerRequest, user: Entity) -> dict[str, Any]:
    return {
        "user": user,
        "account": user.account,
        "devices": devices_of(user),
        "layout": layout_for(request.viewer),
        "section": "overview",
        "key": str(uuid.uuid4()),
        "address": request.path,
        "sign_in": sign_in_page(user.account),
        "refused": "",
        "serial_hint": SERIAL_HINT,
        "label_hint": "Such as: Pixel 9 - private. It is stored as the device’s tag “Label”.",
    }


def _own_user(request: ViewerRequest, pk: int) -> Entity:
    arns = request.viewer.scope.user_arns
    users = Entity.objects.filter(pk=pk, kind=Kind.USER, arn__in=arns, gone_at__isnull=True)
    user = users.select_related("account").first()
    if user is None or request.at is not None:
        raise Http404
    return user


def _own_device(request: ViewerRequest, pk: int) -> Entity:
    arns = request.viewer.scope.user_arns
    devices = Entity.objects.filter(pk=pk, kind=Kind.MFA_DEVICE, owner__arn__in=arns, gone_at__isnull=True)
    device = devices.select_related("owner__account", "account").first()
    if device is None or request.at is not None:
        raise Http404
    return device
