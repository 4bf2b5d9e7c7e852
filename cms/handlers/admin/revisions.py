"""The history of a post or page: the list of its revisions, one of them, any two compared, played back, and who wrote what."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from cms.content.diff import count_words
from cms.errors import InvalidInput, NotFound
from cms.handlers.admin.editing import EditorHandler
from cms.handlers.admin.preview import FrameHandler
from cms.handlers.forms import Form
from cms.models.post import Kind, Post
from cms.policy import Capability
from cms.schemas.desk import ComparisonQuery, PlaybackQuery, RevisionInput, RevisionsQuery
from cms.schemas.post import CUSTOM, PostFields, PostInput
from cms.services import desk, revisions, working_copies
from cms.services.reading import Branch
from cms.services.revisions import NOW, Difference, Version
from cms.ui.revisions import by_day, in_short, sentence
from cms.wording import listed, say, sentences


class HistoryHandler(EditorHandler, is_base=True):
    def get_template_namespace(self) -> dict[str, Any]:
        own = {"sentence": sentence, "by_day": by_day, "in_short": in_short, "field_label": field_label}
        return {**super().get_template_namespace(), **own}

    async def versions(self, number: str, *keys: str) -> tuple[Post, list[Version]]:
        """The post and these versions of it, the working copy as it is at this moment."""
        if NOW in keys:
            await working_copies.catch_up(self.parts.database, self.number(number))
        async with self.read() as session:
            post, found = await revisions.get(session, self.actor, self.number(number), *keys)
        return self.of_kind(post), list(found)


def query_of(handler: EditorHandler, schema: type[BaseModel]) -> Any:
    """What is asked in the address. Raises ``NotFound`` for what no link says."""
    try:
        return Form.of_request(schema, handler.request.query_arguments).value()
    except InvalidInput:
        raise NotFound from None


def field_label(name: str) -> str:
    known, name = PostInput.model_fields.get(name), name.removeprefix(CUSTOM)
    return known.title if known and known.title else name.replace("_", " ").capitalize()


def in_words(differences: Sequence[Difference]) -> list[tuple[str, str, str]]:
    return [(field_label(each.field), each.old, each.new) for each in differences]


class RevisionsHandler(HistoryHandler):
    requires = Capability.POST_EDIT

    async def get(self, number: str) -> None:
        page = query_of(self, RevisionsQuery).page
        async with self.read() as session:
            found = await revisions.list_revisions(session, self.actor, self.number(number), page)
        self.of_kind(found.post)
        if page > found.pages:
            raise NotFound
        now = self.parts.database.clock()
        self.render("admin/posts/revisions.html", found=found, post=found.post, now=now, flash=self.take_flash())


class RevisionHandler(HistoryHandler):
    requires = Capability.POST_EDIT

    async def get(self, number: str, revision: str) -> None:
        await self._show(number, revision)

    async def post(self, number: str, revision: str) -> None:
        """Its name, and whether it is pinned."""
        form = self.form(RevisionInput)
        try:
            wanted = form.value()
        except InvalidInput:
            await self._show(number, revision, form, status=422)
            return
        post_id, revision_id = self.number(number), self.number(revision)
        async with self.transaction() as work:
            self.of_kind(await revisions.describe(work, self.actor, post_id, revision_id, name=wanted.name, is_pinned=wanted.is_pinned))
        self.flash("Saved.")
        self.redirect_to(f"admin.{self.kind}.revision", post_id, revision_id)

    async def _show(self, number: str, revision: str, form: Form[RevisionInput] | None = None, *, status: int = 200) -> None:
        post, (version,) = await self.versions(number, revision)
        async with self.read() as session:
            fields = await revisions.described(session, version.fields)
        entry = version.entry
        form = form or Form(RevisionInput, {"name": entry.name, "is_pinned": "on" if entry.is_pinned else ""} if entry else {})
        self.set_status(status)
        self.render("admin/posts/revision.html", post=post, version=version, entry=entry, fields=fields, form=form, flash=self.take_flash())


class RevisionRestorationHandler(HistoryHandler):
    requires = Capability.POST_EDIT

    async def post(self, number: str, revision: str) -> None:
        post_id = self.number(number)
        async with self.transaction() as work:
            post, gone = await revisions.restore(work, self.actor, post_id, self.number(revision))
            self.of_kind(post)
        left = [say("Left out, because it is not there any more: {names}.", names=listed(*gone))] if gone else []
        self.flash(sentences(say("The text is as it was then; what stood here before is the revision below it in the history."), *left))
        self.redirect_to(f"admin.{self.kind}", post_id)


class ComparisonHandler(HistoryHandler):
    requires = Capability.POST_EDIT

    async def get(self, number: str) -> None:
        query: ComparisonQuery = query_of(self, ComparisonQuery)
        post, (old, new) = await self.versions(number, query.old, query.new)
        async with self.read() as session:
            fields = in_words(await revisions.differences(session, old.fields, new.fields))
        rows = await self.parts.renderer.compare(old.content, new.content)
        self.render(
            "admin/posts/comparison.html", post=post, old=old, new=new, fields=fields, rows=rows, query=query, counted=count_words(rows)
        )


class PlaybackHandler(HistoryHandler):
    requires = Capability.POST_EDIT

    async def get(self, number: str) -> None:
        query: PlaybackQuery = query_of(self, PlaybackQuery)
        async with self.read() as session:
            post, entries = await revisions.list_all(session, self.actor, self.number(number))
        at = next((place for place, entry in enumerate(entries) if entry.id == query.at), None if query.at else 0)
        if at is None or not entries:
            raise NotFound
        post, (old, new) = await self.versions(number, str(entries[max(at - 1, 0)].id), str(entries[at].id))
        rows = await self.parts.renderer.compare(old.content if at else "", new.content)
        async with self.read() as session:
            fields = in_words(await revisions.differences(session, old.fields if at else PostFields(), new.fields))
        self.render("admin/posts/playback.html", post=post, entries=entries, at=at, entry=entries[at], rows=rows, fields=fields)


# --- as readers would see it, in a frame -----------------------------------------------------------------------------------


class RevisionPageHandler(FrameHandler, HistoryHandler):
    requires = Capability.POST_EDIT

    async def get(self, number: str, revision: str) -> None:
        post, (version,) = await self.versions(number, revision)
        rendered = await self.rendered(post.id, version.content, version.fields.language)
        await show_version(self, post, version, rendered)


class ComparisonPageHandler(FrameHandler, HistoryHandler):
    requires = Capability.POST_EDIT

    async def get(self, number: str) -> None:
        query: ComparisonQuery = query_of(self, ComparisonQuery)
        post, (old, new) = await self.versions(number, query.old, query.new)
        context = await self.context(post.id, f"{old.content}\n{new.content}", new.fields.language)
        rendered = await self.parts.renderer.render_marked(old.content, new.content, query.show, context)
        await show_version(self, post, old if query.show == "old" else new, rendered)


async def show_version(handler: FrameHandler, post: Post, version: Version, rendered: Any) -> None:
    async with handler.read() as session:
        article = await desk.looked_at(session, post, version.fields, rendered, handler.parts.database.clock())
    handler.render("site/page.html" if post.kind is Kind.PAGE else "site/post.html", article=article, branch=Branch(None, (), ()))
