"""The Markdown of which a post or page was made, one ``.md`` behind its address."""

from cms.handlers.site.posts import PlaceHandler
from cms.services import reading, shown
from cms.services.reading import Article
from cms.ui.programs import SOURCE, markdown
from cms.ui.words import href


class SourceHandler(PlaceHandler):
    """A path that was itself given out wins: an old site's "notes.md" was a page, and leads readers to one."""

    async def get(self, *_: str) -> None:
        asked = path = self.asked_path
        here = place = await reading.find_place(self.parts.database, path)
        if place.state is None:
            self.shows(shown.at(path))
            path = path.removesuffix(SOURCE)
            place = await reading.find_place(self.parts.database, path)
            if place.article:
                self.shows(shown.place(path, place))
                await self.ask_for(place.article)
                if self.is_locked:
                    self.show_lock(place.frame, place.article.post_id)
                    return
                self.keep_from_crawlers(place.article)
                await self.show_source(place.article)
                return
        if here.path or not await self.is_led_elsewhere(asked, here):
            self.show_place(path, place)

    async def show_source(self, article: Article) -> None:
        if not self.is_at(article.path + SOURCE):
            self.move_to(article.path + SOURCE)
            return
        async with self.read() as session:
            source = await reading.find_source(session, article.post_id)
        self.shows(shown.source(article))
        url = self.public_url + href(article.path)
        self.set_header("Content-Type", "text/markdown; charset=utf-8")
        self.set_header("Link", f'<{url}>; rel="canonical"')
        self.finish(markdown(article, source, url))
