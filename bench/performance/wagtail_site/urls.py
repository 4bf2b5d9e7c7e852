from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from wagtail import urls


def alive(_: HttpRequest) -> HttpResponse:
    return HttpResponse("alive")


urlpatterns = [path("healthz", alive), path("", include(urls))]
