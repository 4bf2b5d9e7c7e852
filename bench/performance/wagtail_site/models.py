from django.db import models
from wagtail.models import Page


class TextPage(Page):
    """Its text comes as the HTML that it is to be."""

    template = "page.html"
    body = models.TextField()
