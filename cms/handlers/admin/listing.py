"""ListingHandler: the page of a list of posts or pages, drawn for its address, and again when what was to be done in it was refused."""

from collections.abc import Mapping
from typing import Any

from cms.handlers.admin.asking import AskingHandler
from cms.handlers.admin.editing import EditorHandler
from cms.handlers.forms import Form
from cms.schemas.desk import BulkInput, ListQuery, ViewInput
from cms.services import desk_lists, saved_views
from cms.services.bulk import Report
from cms.services.desk_lists import Choices
from cms.ui.choices import languages
from cms.ui.lists import VISIBLE_TO

COLUMNS = "columns"  # the cookie; a preference, like light and dark
COLUMNS_KEPT = 400 * 24 * 3600  # seconds


class ListingHandler(AskingHandler[ListQuery], EditorHandler, is_base=True):
    query_schema = ListQuery

    async def show_list(
        self, form: Form[ListQuery], query: ListQuery, *, acts: Form[BulkInput] | None = None, view: Form[ViewInput] | None = None
    ) -> None:
        """``acts``, ``view``: forms of the list that were refused, shown again."""
        async with self.read() as session:
            found = await desk_lists.list_posts(session, self.actor, self.kind, query)
            choices = await desk_lists.choices(session)
            views = await saved_views.list_views(session, self.actor, self.kind)
        if query.page > found.page:  # it has become shorter while somebody looked
            self.redirect(self.list_address(query, page=found.page), status=303)
            return
        acts, view = acts or Form(BulkInput), view or Form(ViewInput)
        errors = form.errors | acts.errors | view.errors
        self.set_status(422 if errors else 200)
        self.render(
            "admin/posts/list.html", form=form, query=query, found=found, choices=choices, views=views, acts=acts, view=view,
            errors=errors, chips=self._chips(query, choices), columns=query.columns or self._columns(), flash=self.take_flash(),
            languages=languages(self.parts.last_frame.language, self.language.usage),
            visible_to=VISIBLE_TO, sorts=desk_lists.SORTS, present=query.address(),
            address=lambda **changes: self.list_address(query, **changes),
        )  # fmt: skip

    async def tell_of_refused(self, said: str, report: Report, back: str, undo: tuple[str, Mapping[str, str]] | None = None) -> None:
        """What was done to several, and to which of them it was not, and why."""
        async with self.read() as session:
            titles = {row.post.id: row.title for row in await desk_lists.rows_of(session, self.actor, self.kind, list(report.refused))}
        self.render("admin/posts/report.html", said=said, report=report, titles=titles, back=back, undo=undo)

    def _columns(self) -> tuple[str, ...]:
        """Those that the person chose before in this browser."""
        chosen = (self.get_cookie(COLUMNS, "") or "").split(".")
        return tuple(name for name in desk_lists.COLUMNS if name in chosen) or desk_lists.USUAL_COLUMNS

    def _chips(self, query: ListQuery, choices: Choices) -> list[tuple[str, str]]:
        """Each filter in words, and the address of the list without it."""
        _ = self.locale.translate
        named: dict[str, dict[Any, str]] = {
            "author": dict(choices.authors),
            "category": dict(choices.categories),
            "series": dict(choices.series),
            "language": dict(languages(query.language or "en", self.language.usage)),
            "visibility": {key: _(words) for key, words in VISIBLE_TO},
        }

        def words(name: str, value: Any) -> str:
            label = _(ListQuery.model_fields[name].title or name)
            if value is True:
                return label
            return f"{label}: {named[name].get(value, _('something that is gone')) if name in named else value}"

        usual = ListQuery.model_validate({})
        return [(words(name, value), self.list_address(query, **{name: getattr(usual, name)})) for name, value in query.filters.items()]
