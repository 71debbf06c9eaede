"""The one address of the receiver in `django_as2`."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("", include("pyas2.urls"))]
