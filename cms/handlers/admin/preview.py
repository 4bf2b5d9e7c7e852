"""How a text would look to readers: the site's own page, made of what is typed, stored nowhere."""

import asyncio
from typing import Any

from cms.content.context import Rendered
from cms.errors import Conflict, InvalidInput
from cms.handlers.admin.editing import EditorHandler
from cms.models.post import Kind
from cms.policy import Capability
from cms.schemas.post import PreviewInput
from cms.services import desk
from cms.services.reading import Branch
from cms.ui.languages import Language, language
from cms.ui.words import direction, words_of
from cms.wording import say, sentences

CONTENT_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data: https:; font-src 'self'; media-src 'self' https:; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'self'; sandbox allow-same-origin"
)


class FrameHandler(EditorHandler, is_base=True):
    """Shown in a frame of the desk: no scripts, and errors as one sentence, since the frame is no place to sign in."""

    content_policy = CONTENT_POLICY

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("X-Robots-Tag", "noindex")

    def write_error_page(self, status: int, message: str) -> None:
        is_foreign = self.comes_from_elsewhere()
        words = self._sentence(status, message, is_foreign)
        if isinstance(self._error, InvalidInput):
            words = sentences(
                *(say("{label}: {words}", label=say(_label(name)), words=error) for name, error in self._error.errors.items())
            )
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.locale = EditorHandler.get_user_locale(self)  # said to whoever writes, not to readers
        self.render("admin/posts/preview-refused.html", sentence=words)

    def get_user_locale(self) -> Language:
        return language([self.parts.last_frame.language])

    def get_template_namespace(self) -> dict[str, Any]:
        """What the site's own pages know; no scripts, as the browser would complain of each that it may not run."""
        own = {"words": words_of(self.parts.last_frame), "direction": direction, "is_preview": True, "is_inside": True, "guest": None}
        return {**super().get_template_namespace(), **own}


def _label(name: str) -> str:
    return PreviewInput.model_fields[name].title or name


class PreviewHandler(FrameHandler):
    """What is typed in the editor."""

    requires = Capability.POST_EDIT

    def initialize(self, kind: str = Kind.POST) -> None:
        super().initialize(kind)

    async def prepare(self) -> None:
        if self.request.body_arguments.get("kind") == [b"page"]:
            self.kind = Kind.PAGE
        await super().prepare()

    async def post(self) -> None:
        wanted = self.form(PreviewInput).value()
        if wanted.post:
            await self.load(wanted.post)  # whoever may not edit it has nothing rendered
        rendered = await self._render_latest(wanted)
        async with self.read() as session:
            now = self.parts.database.clock()
            article = await desk.preview(session, self.actor, (self.kind, wanted.post), wanted, rendered, now)
        self.render("site/page.html" if self.kind is Kind.PAGE else "site/post.html", article=article, branch=Branch(None, (), ()))

    async def _render_latest(self, wanted: PreviewInput) -> Rendered:
        """One at a time for each person, and the newest: nobody looks at the others, and everybody shares the renderer."""
        previews, person = self.parts.previews, self.actor.user_id or 0
        if before := previews.pop(person, None):
            before.cancel()
        task = previews[person] = asyncio.ensure_future(self.rendered(wanted.post or 0, wanted.text, wanted.language or None))
        try:
            return await task
        except asyncio.CancelledError:
            raise Conflict("A newer preview has taken this one's place.") from None
        finally:
            if previews.get(person) is task:
                del previews[person]
