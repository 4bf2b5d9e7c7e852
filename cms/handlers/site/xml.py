"""Answers in XML: their templates escape with ``xml_text``, and know what feeds are made of."""

from typing import Any

from cms.content.plain_text import shorten
from cms.handlers.site.base import SiteHandler
from cms.models.site import Frame
from cms.page_cache.marks import NOTHING, Marks
from cms.ui import feeds

_WORDS = (feeds.xml_text, feeds.absolute_html, feeds.entry_id, feeds.feed_id, feeds.feed_title, feeds.feed_description, feeds.rss_date,
          feeds.iso_date, feeds.field_value, feeds.has_fields, shorten)  # fmt: skip


class XmlHandler(SiteHandler):
    def shown_of(self, frame: Frame) -> Marks:
        """There is nothing around an answer for programs; what they are told of the site, each notes."""
        return NOTHING

    def show_xml(self, template: str, content_type: str, frame: Frame, **values: Any) -> None:
        self.set_header("Content-Type", f"{content_type}; charset=utf-8")
        self.show(template, frame, **values)

    def get_template_namespace(self) -> dict[str, Any]:
        return {**super().get_template_namespace(), **{word.__name__: word for word in _WORDS}, "NAMESPACE": feeds.NAMESPACE}
