"""EditorHandler: what the pages of one post or page share: its kind, the form, the form shown again, and the page of a conflict."""

import json
from functools import partial
from typing import Any

from cms.content.context import RenderContext, Rendered
from cms.content.diff import Row
from cms.db.session import Work
from cms.errors import Conflict, InvalidInput, NotFound
from cms.handlers.admin.base import AdminHandler
from cms.handlers.forms import Form
from cms.models.desk import FieldType
from cms.models.post import Kind, Post
from cms.policy import Capability
from cms.schemas.desk import ListQuery
from cms.schemas.post import CUSTOM, PostFields, PostInput
from cms.services import desk, post_templates, posts, references, scheduling, working_copies
from cms.services.desk import Surroundings
from cms.services.post_templates import Start
from cms.services.posts import Draft
from cms.services.publishing import Version
from cms.ui.choices import languages
from cms.ui.custom_fields import labels_of
from cms.ui.languages import Language
from cms.ui.words import direction
from cms.ui.writing import editor_words
from cms.wording import say

VIEWS = ("write", "both", "read")
OUTSIDE = ("title", "text")  # of the panel at the side
COMPARED = [name for name in PostInput.model_fields if name not in ("text", "version", "seen", "custom")]


class EditorHandler(AdminHandler, is_base=True):
    """Posts and pages have the same desk: what a handler requires for posts, it requires for pages below ``/admin/pages``."""

    body_limit = 20 * 1024 * 1024  # the longest text, and what was seen of it, in a form that does not encode them

    def initialize(self, kind: str) -> None:  # given by the route
        self.kind = Kind(kind)

    @property
    def capability(self) -> Capability | None:
        return self.requires and self.requires.for_kind(self.kind)

    def get_template_namespace(self) -> dict[str, Any]:
        return {**super().get_template_namespace(), "kind": self.kind.value, "section": self.kind.value, "names": f"admin.{self.kind}"}

    def of_kind(self, post: Post) -> Post:
        """A page does not open below ``/admin/posts``."""
        if post.kind is not self.kind:
            raise NotFound
        return post

    def list_address(self, query: ListQuery, **changes: Any) -> str:
        """Of the list of this kind, with these changes."""
        return "?".join(filter(None, (self.reverse_url(f"admin.{self.kind}s"), query.address(**changes))))

    # --- what was typed ---

    async def load(self, post_id: int) -> Draft:
        await working_copies.catch_up(self.parts.database, post_id)
        async with self.read() as session:
            draft = await posts.get_draft(session, self.actor, post_id)
        self.of_kind(draft.post)
        return draft

    async def start(self) -> Start | None:
        """The template that the address names. Raises ``NotFound`` if there is none."""
        number = self.get_query_argument("template", "")
        if not number:
            return None
        async with self.read() as session:
            return await post_templates.start(session, self.number(number), self.kind)

    def fields_of(self, start: Start | None) -> PostFields | None:
        """Of a new text of this person's."""
        return start.fields.model_copy(update={"authors": (self.actor.user_id,)}) if start else None

    async def save_typed(self, work: Work, post_id: int, form: Form[PostInput]) -> Post:
        """Keep what stands in the editor; an act that was sent from elsewhere brings no text, and keeps what is there."""
        if "text" in self.request.body_arguments:
            on_purpose = self.get_body_argument("then", "") != "go-on"  # as the fields say that go by themselves while somebody types
            return self.of_kind(await posts.save(work, self.actor, post_id, form.value(), on_purpose=on_purpose))
        return self.of_kind(await posts.get_visible(work.session, self.actor, post_id))

    async def refuse(self, form: Form[PostInput], post_id: int, error: InvalidInput | Conflict) -> None:
        """The form again with what is wrong, or the page of a conflict. What this cannot explain goes on as an error."""
        if "text" not in self.request.body_arguments:
            form = form_of(await self.load(post_id))
        if isinstance(error, InvalidInput):
            form.refuse(error)
            await self.show_editor(form, await self.load(post_id), status=422)
            return
        theirs = await self.load(post_id)
        if theirs.post.is_trashed or str(form["version"]) == str(theirs.version):
            raise error
        await self.show_conflict(form, theirs)

    # --- pages ---

    async def show_editor(self, form: Form[PostInput], draft: Draft | None, *, status: int = 200, start: Start | None = None) -> None:
        """``start``: the template that a new text begins with."""
        self.set_status(status)
        around = await self._surroundings(draft, start)
        form.labels = labels_of(around.custom)
        async with self.read() as session:
            starts = await post_templates.list_of(session, self.kind) if draft is None and start is None and not form.errors else ()
        view, _, panel = (self.get_cookie("desk", "") or "").partition(".")
        around_it = _panel(form, draft, around, self.language)
        is_open = panel == "open" or bool(around_it["taken"] or form.errors.keys() - {*OUTSIDE, ""})
        self.render(
            "admin/posts/edit.html",
            form=form,
            draft=draft,
            post=draft.post if draft else None,
            around=around,
            start=start,
            starts=starts,
            view=view if view in VIEWS else "both",
            **around_it,
            is_panel_open=is_open,
            editor_words=editor_words(self.language),
            flash=self.take_flash(),
        )

    async def show_conflict(self, form: Form[PostInput], theirs: Draft) -> None:
        """Both texts, and one's own in a form that carries the new version: sent again, it goes over theirs, which stays a revision."""
        self.set_status(409)
        stored = form_of(theirs)
        around = await self._surroundings(theirs)
        form.labels = stored.labels = labels_of(around.custom)
        fields = [
            (form.label(name), shown(stored, name, around), shown(form, name, around))
            for name in (*COMPARED, *form.labels)
            if name in {*form.values, "featured"}
            if shown(stored, name, around) != shown(form, name, around)
        ]
        rows = await compared(self, form, str(stored["text"]), theirs.version)
        self.render(
            "admin/posts/conflict.html", form=form, draft=theirs, post=theirs.post, around=around, fields=fields, rows=rows,
            **_panel(form, theirs, around, self.language),
        )  # fmt: skip

    async def _surroundings(self, draft: Draft | None, start: Start | None = None) -> Surroundings:
        begins = self.fields_of(start)
        async with self.read() as session:
            return await desk.surroundings(session, self.actor, self.kind, draft, self.parts.database.clock(), begins=begins)

    # --- rendering ---

    async def rendered(self, post_id: int, text: str, language: str | None) -> Rendered:
        """The text as readers get it; slow, so before a transaction."""
        return await self.parts.renderer.render(text, await self.context(post_id, text, language))

    async def revision(self, post_id: int, revision_id: int) -> Version:
        async with self.read() as session:
            text, language = await scheduling.text_of(session, revision_id)
        return Version(0, await self.rendered(post_id, text, language), revision_id)

    async def context(self, post_id: int, text: str, language: str | None) -> RenderContext:
        """What the text refers to."""
        async with self.read() as session:
            return await references.context(session, post_id, text, language or self.parts.last_frame.language, self.public_url)


def form_of(draft: Draft) -> Form[PostInput]:
    """The editor's form as it is stored."""
    return Form(PostInput, {**draft.values, "seen": json.dumps(draft.values, ensure_ascii=False)})


def begun_with(start: Start) -> dict[str, Any]:
    """What stands in a form that begins with a template."""
    fields, tags = start.fields, ", ".join(start.tags)
    return {"text": start.template.content, "category": fields.category, "language": fields.language, "tags": tags, **fields.sent_custom}


def _panel(form: Form[PostInput], draft: Draft | None, around: Surroundings, language: Language) -> dict[str, Any]:
    """What the settings at the side are drawn with. ``told``: what is set, of some of them, in few words; ``taken``: what is wrong with
    the address, if it is the one that is stored."""
    picture = next((each for each in around.pictures if str(each.id) == str(form["picture"])), None)
    offered = languages(str(form["language"]) or around.frame.language, language.usage)
    taken = around.taken if draft and form["slug"] == draft.fields.slug else ""
    tell = partial(told, form, around=around, language=language)
    return {"languages": offered, "picture": picture, "direction": direction, "told": tell, "taken": taken}


def told(form: Form[PostInput], *names: str, around: Surroundings, language: Language) -> str:
    said = {name: shown(form, name, around) for name in names}
    counted = len([tag for tag in said.get("tags", "").split(",") if tag.strip()])
    in_words = {
        "slug": f"/{said.get('slug')}",
        "tags": language.translate(say("{number} tag", "{number} tags", counted)),
        **{name: said.get(name, "") for name in ("authors", "category", "new_category", "series", "parent")},
        "language": dict(languages(said.get("language") or "en", language.usage)).get(said.get("language", ""), ""),
    }
    return ", ".join(in_words.get(name, language.translate(form.label(name))) for name in names if said[name])


def shown(form: Form[PostInput], name: str, around: Surroundings) -> str:
    """A field's value in words."""
    value = str(form[name]).strip()
    pictures = [(picture.id, picture.alt or picture.name) for picture in around.pictures]
    of_pictures = {f"{CUSTOM}{field.key}": pictures for field in around.custom if field.type is FieldType.PICTURE}
    offered = {"category": around.categories, "parent": around.parents, "authors": around.writers, "picture": pictures, **of_pictures}
    choices = offered.get(name, ())
    words = {str(key): words for key, words in choices}
    return ", ".join(words.get(each, each) for each in value.split(",") if each) if name == "authors" else words.get(value, value)


async def compared(handler: AdminHandler, form: Form[Any], text: str, version: int) -> list[Row]:
    """Where what was typed differs from a text that somebody else changed meanwhile; sent again, the form goes over it."""
    form.values["version"] = version
    return await handler.parts.renderer.compare(text, with_newlines(str(form["text"])))


def with_newlines(text: str) -> str:
    """Browsers send other line ends than are stored."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
