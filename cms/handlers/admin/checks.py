"""What there is to say of a text while it is typed: of its fields, and what deserves another look before it goes out. Nothing is stored."""

from typing import Any

from cms.errors import InvalidInput
from cms.handlers.admin.editing import EditorHandler
from cms.policy import Capability
from cms.schemas.post import PostInput
from cms.services import desk


class ChecksHandler(EditorHandler):
    """Answers JSON: ``fields``, name → {words, isWrong, value}; and if the text was sent, ``flaws`` of it and its ``excerpt``."""

    requires = Capability.POST_EDIT

    async def post(self, number: str = "") -> None:
        post_id = (await self.load(self.number(number))).post.id if number else None
        form = self.form(PostInput)
        try:
            wanted = form.value()
        except InvalidInput as error:
            self.write({"fields": {name: {"words": words, "isWrong": True} for name, words in error.errors.items()}})
            return
        self.write(await self._checked(post_id, wanted))

    async def _checked(self, post_id: int | None, wanted: PostInput) -> dict[str, Any]:
        has_text = "text" in self.request.body_arguments
        rendered = await self.rendered(post_id or 0, wanted.text, wanted.language or None) if has_text else None
        subject, now = (self.kind, post_id), self.parts.database.clock()
        async with self.read() as session:
            notes = await desk.notes(session, self.actor, subject, wanted, now)
            flaws, compulsory = await desk.flaws(session, self.actor, subject, wanted, rendered) if rendered else ((), ())
        fields = {name: {"words": note.words, "isWrong": note.is_wrong, "value": note.value} for name, note in notes.items()}
        found = [{"words": each.words, "line": each.line, "offset": each.offset, "isCompulsory": each.code in compulsory} for each in flaws]
        return {"fields": fields, **({"flaws": found, "excerpt": rendered.excerpt} if rendered else {})}
