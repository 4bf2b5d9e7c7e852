"""What search engines read of a page beside its text: schema.org as JSON-LD, made in one place.

A block of this type is data and never runs; the content policy has nothing to say about it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json
from tornado.web import UIModule

from cms.models.site import Frame
from cms.services.lists import Listing
from cms.services.reading import Article
from cms.ui.pictures import shared
from cms.ui.site import SiteModule
from cms.ui.words import href, words_of

Node = dict[str, Any]

# Inside a script element only "<" can end it or begin a comment; the others are for those who copy it elsewhere.
_ESCAPED = re.compile("[<>&\u2028\u2029]")


class StructuredData(SiteModule):
    """``kind``: what the subject is of ("post", "page", "home", "author", "category"); other pages have nothing to say."""

    def render(self, kind: str, subject: Article | Listing) -> str:
        if kind not in BUILDERS:
            return ""
        nodes = BUILDERS[kind](Builder(self.frame, self.handler.settings["parts"].settings.public_url), subject)
        return script({"@context": "https://schema.org", "@graph": nodes}) if nodes else ""


def script(document: Node) -> str:
    text = _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", to_json(document).decode())
    return f'<script type="application/ld+json">{text}</script>\n'


@dataclass(frozen=True, slots=True)
class Builder:
    """Knows the site that the nodes are about."""

    frame: Frame
    public_url: str

    def home(self, _listing: Listing) -> list[Node]:
        website = {
            "@type": "WebSite",
            "@id": f"{self.public_url}/#website",
            "url": f"{self.public_url}/",
            "name": self.frame.name,
            **_said(description=self.frame.description),
            "inLanguage": self.frame.language,
            "publisher": {"@id": f"{self.public_url}/#organization"},
            "potentialAction": {
                "@type": "SearchAction",
                "target": {"@type": "EntryPoint", "urlTemplate": f"{self.public_url}/search?q={{search_term_string}}"},
                "query-input": "required name=search_term_string",
            },
        }
        return [website, self._organization()]

    def post(self, article: Article) -> list[Node]:
        """https://developers.google.com/search/docs/appearance/structured-data/article"""
        iso, url = words_of(self.frame).iso, self._url(article.path)
        posting = {
            "@type": "BlogPosting",
            "@id": f"{url}#article",
            "url": url,
            "mainEntityOfPage": {"@type": "WebPage", "@id": url},
            "headline": article.search_title,
            "datePublished": iso(article.published_at),
            "dateModified": iso(article.updated_at),
            "inLanguage": article.language,
            "wordCount": article.words,
            "author": [self._person(author["name"], author["path"]) for author in article.authors] or [self._organization()],
            "publisher": self._organization(),
            **_said(
                description=article.search_description,
                image=article.picture and self._image(shared(article.picture)),
                keywords=[tag["name"] for tag in article.tags],
                articleSection=article.category and article.category["name"],
            ),
        }
        filed = [*article.category.get("above", ()), article.category] if article.category else []
        above = [(each["name"], each["path"]) for each in filed]
        return [posting, *self._breadcrumbs([*above, (article.title, article.path)] if above else [])]

    def page(self, article: Article) -> list[Node]:
        return self._breadcrumbs([*((above["title"], above["path"]) for above in article.trail), (article.title, article.path)])

    def category(self, listing: Listing) -> list[Node]:
        return self._breadcrumbs([(listing.title, listing.path)])

    def author(self, listing: Listing) -> list[Node]:
        """https://developers.google.com/search/docs/appearance/structured-data/profile-page"""
        known = listing.person
        person = self._person(listing.title, listing.path) | _said(
            description=listing.description,
            image=known and known.picture and self._image(shared(known.picture)),
            sameAs=known and [link["path"] for link in known.links],
        )
        return [{"@type": "ProfilePage", "url": self._url(listing.path), "mainEntity": person}]

    def _organization(self) -> Node:
        return {
            "@type": "Organization",
            "@id": f"{self.public_url}/#organization",
            "name": self.frame.name,
            "url": f"{self.public_url}/",
            **_said(logo=self.frame.logo and self._image(shared({**self.frame.logo, "alt": ""}))),
        }

    def _person(self, name: str, path: str) -> Node:
        url = self._url(path)
        return {"@type": "Person", "@id": f"{url}#person", "name": name, "url": url}

    def _image(self, picture: dict[str, Any]) -> Node:
        known = _said(width=picture["width"], height=picture["height"], caption=picture["alt"])
        return {"@type": "ImageObject", "url": self.public_url + picture["address"], **known}

    def _breadcrumbs(self, steps: Sequence[tuple[str, str]]) -> list[Node]:
        """From home to here; none for a page that stands by itself."""
        items = [
            {"@type": "ListItem", "position": position, "name": name, "item": self._url(path)}
            for position, (name, path) in enumerate([(self.frame.name, "/"), *steps], 1)
        ]
        return [{"@type": "BreadcrumbList", "itemListElement": items}] if steps else []

    def _url(self, path: str) -> str:
        return self.public_url + href(path)


def _said(**values: Any) -> Node:
    return {name: value for name, value in values.items() if value}


BUILDERS: dict[str, Callable[[Builder, Any], list[Node]]] = {
    "home": Builder.home,
    "post": Builder.post,
    "page": Builder.page,
    "category": Builder.category,
    "author": Builder.author,
}

MODULES: dict[str, type[UIModule]] = {"StructuredData": StructuredData}
