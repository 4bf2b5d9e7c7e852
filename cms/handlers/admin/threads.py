"""What is said about a text, and proposed for it: read and written without scripts; the editor shows the same at its side."""

from cms.errors import Conflict, InvalidInput
from cms.handlers.admin.editing import EditorHandler
from cms.handlers.forms import Form
from cms.models.document import Thread
from cms.policy import Capability
from cms.schemas.threads import RemarkInput, ThreadInput
from cms.services import posts, threads
from cms.wording import say


class DiscussionHandler(EditorHandler, is_base=True):
    async def show_threads(
        self, post_id: int, form: Form[ThreadInput], *, error: str = "", unsaid: tuple[int, str] = (0, ""), status: int = 200
    ) -> None:
        """``unsaid``: an answer that did not come to its thread."""
        async with self.read() as session:
            post = self.of_kind(await posts.get_visible(session, self.actor, post_id))
            shown = await threads.list_of(session, self.actor, post_id)
        self.set_status(status)
        self.render("admin/posts/threads.html", post=post, form=form, shown=shown, error=error, unsaid=unsaid, flash=self.take_flash())

    def go_to(self, post_id: int, thread: Thread) -> None:
        self.redirect(f"{self.reverse_url(f'admin.{self.kind}.threads', post_id)}#thread-{thread.id}", status=303)


class ThreadsHandler(DiscussionHandler):
    requires = Capability.DRAFT_SEE

    async def get(self, number: str) -> None:
        await self.show_threads(self.number(number), Form(ThreadInput, {"kind": "comment"}))

    async def post(self, number: str) -> None:
        form, post_id = self.form(ThreadInput), self.number(number)
        try:
            wanted = form.value()
            async with self.transaction() as work:
                self.of_kind(await posts.get_visible(work.session, self.actor, post_id))
                thread = await threads.begin(work, self.actor, post_id, wanted)
        except InvalidInput as error:
            form.refuse(error)
            await self.show_threads(post_id, form, status=422)
            return
        self.go_to(post_id, thread)


class ThreadHandler(DiscussionHandler):
    """POST answers, DELETE resolves or refuses, PATCH opens again, PUT takes a suggestion up; each says what was written below it."""

    requires = Capability.DRAFT_SEE

    async def post(self, number: str, thread: str) -> None:
        await self._do(number, thread, "answer")

    async def delete(self, number: str, thread: str) -> None:
        await self._do(number, thread, "resolve")

    async def patch(self, number: str, thread: str) -> None:
        await self._do(number, thread, "reopen")

    async def put(self, number: str, thread: str) -> None:
        await self._do(number, thread, "accept")

    async def _do(self, number: str, thread: str, act: str) -> None:
        post_id, thread_id = self.number(number), self.number(thread)
        words = self.get_body_argument("text", "")
        acts = {"resolve": threads.resolve, "reopen": threads.reopen, "accept": threads.accept}
        try:
            async with self.transaction() as work:
                self.of_kind(await posts.get_visible(work.session, self.actor, post_id))
                if act == "answer" or words:
                    found = await threads.answer(work, self.actor, post_id, thread_id, self.form(RemarkInput).value())
                if act != "answer":
                    found = await acts[act](work, self.actor, post_id, thread_id)
        except Conflict as error:
            await self.show_threads(
                post_id, Form(ThreadInput, {"kind": "comment"}), error=error.message, unsaid=(thread_id, words), status=409
            )
            return
        except InvalidInput:
            sentence = say("An answer needs a word or more, and has 5,000 characters at most.")
            await self.show_threads(post_id, Form(ThreadInput, {"kind": "comment"}), error=sentence, unsaid=(thread_id, words), status=422)
            return
        self.go_to(post_id, found)
