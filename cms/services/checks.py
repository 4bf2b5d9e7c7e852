"""What deserves another look before a text goes out: what its own words tell (content/checks.py), and what only the database knows."""

import re
from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from sqlalchemy import case, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms.content.context import Flaw, Rendered, Target
from cms.content.folding import fold
from cms.errors import InvalidInput
from cms.models import Address, Asset, Post, Published
from cms.models.address import AddressState, TargetKind, is_reserved, normalise_path
from cms.models.post import Kind, Live
from cms.policy import Actor
from cms.schemas.post import PostFields
from cms.services import posts
from cms.wording import say, sentences

NAMED = 3  # of the flaws for which a text is refused

_LISTS = ("tag", "category", "author", "series")
_WITHIN_LIST = re.compile(r"/page/\d+$|/(?:feed|atom)\.xml$|/feed\.json$")
_MEDIA = re.compile(r"media/(\d{1,18})/")


@dataclass(frozen=True, slots=True)
class Text:
    """What is to go out: the post, and what it would be."""

    post: Post
    fields: PostFields
    rendered: Rendered


async def find(session: AsyncSession, actor: Actor, text: Text) -> list[Flaw]:
    """All flaws: of the fields first, then in the order of the text. Of drafts it names those that the actor may know of."""
    return [*_missing(text), *sorted([*text.rendered.flaws, *await _dead_links(session, actor, text)], key=lambda flaw: flaw.offset)]


async def require(session: AsyncSession, actor: Actor, text: Text, codes: Collection[str]) -> None:
    """Raises ``InvalidInput`` if the text has a flaw of one of these kinds."""
    wrong = [flaw.words for flaw in await find(session, actor, text) if flaw.code in codes]
    if wrong:
        more = [say("And {number} more.", number=len(wrong) - NAMED)] if len(wrong) > NAMED else []
        raise InvalidInput({"": sentences(say("This site asks for more before a text goes out."), *wrong[:NAMED], *more)})


def _missing(text: Text) -> list[Flaw]:
    flaws = []
    if not text.fields.excerpt:
        flaws.append(Flaw("excerpt", say("There is no excerpt: lists and search engines show the beginning of the text.")))
    if text.fields.picture is None and text.post.kind is Kind.POST:
        flaws.append(Flaw("picture", say("There is no picture: what others share of it has words only.")))
    return flaws


# --- links within the site -------------------------------------------------------------------------------------------------


async def _dead_links(session: AsyncSession, actor: Actor, text: Text) -> list[Flaw]:
    titles = [target for target in text.rendered.targets if target.address.startswith("[[")]
    paths = {target: _path_of(target) for target in text.rendered.targets if target not in titles}
    there = await _addresses(session, set(paths.values()))
    public = await _public(session, there, {path for target, path in paths.items() if "#" in target.address})
    files = await _files(session, paths.values())
    found = [(target, _wrong_with(path, there, public, files)) for target, path in paths.items()]
    found += [(target, _wrong_with_part(target, there.get(path), public, text)) for target, path in paths.items()]
    drafts = await _drafts(session, actor, [target.address[2:] for target in titles])
    found += [(target, _wrong_with_title(target.address[2:], drafts)) for target in titles]
    return [Flaw("links", words, target.line, target.offset) for target, words in found if words]


def _path_of(target: Target) -> str:
    """As addresses are kept; of a list's pages and feeds that of the list, of a text's source that of the text."""
    path = normalise_path(unquote(re.split("[?#]", target.address, maxsplit=1)[0]))
    kind, _, rest = path.partition("/")
    if kind not in _LISTS:
        return path.removesuffix(".md")
    return f"{kind}/{_WITHIN_LIST.sub('', rest).rpartition('/')[2]}"  # a category stands below others


async def _addresses(session: AsyncSession, paths: Collection[str]) -> dict[str, Address]:
    return {address.path: address for address in await session.scalars(select(Address).where(Address.path.in_(sorted(paths))))}


async def _public(session: AsyncSession, there: Mapping[str, Address], with_parts: AbstractSet[str]) -> dict[int, str]:
    """Which of the posts there readers can see; their HTML, if it is asked for a part of them."""
    ids = {path: address.target_id for path, address in there.items() if address.target_kind is TargetKind.POST}
    html = case((Published.post_id.in_([ids[path] for path in with_parts & ids.keys()]), Published.html), else_="")
    rows = await session.execute(select(Published.post_id, html).where(Published.post_id.in_(ids.values())))
    return {row[0]: row[1] for row in rows}


async def _files(session: AsyncSession, paths: Collection[str]) -> set[int]:
    wanted = {int(found[1]) for path in paths if (found := _MEDIA.match(path))}
    return set(await session.scalars(select(Asset.id).where(Asset.id.in_(wanted)))) if wanted else set()


def _wrong_with(path: str, there: Mapping[str, Address], public: Mapping[int, str], files: Collection[int]) -> str:
    """One sentence, or ""."""
    first, address = path.split("/", 1)[0], there.get(path)
    if not path or (address and address.target_kind is not TargetKind.POST):
        return ""
    if address:
        is_gone = address.state is AddressState.GONE or address.target_id not in public
        return say("The link to /{path} leads to something that was withdrawn.", path=path) if is_gone else ""
    if first == "admin":
        return say("The link to /{path} leads to the desk, where readers cannot go.", path=path)
    if is_file := _MEDIA.match(path):
        return "" if int(is_file[1]) in files else say("The link to /{path} leads to a file that is not there.", path=path)
    if first not in _LISTS and is_reserved(path):
        return ""
    return say("The link to /{path} leads to nothing that readers can see.", path=path)


def _wrong_with_part(target: Target, address: Address | None, public: Mapping[int, str], text: Text) -> str:
    """Of a link to a part of a post."""
    part = unquote(urlsplit(target.address).fragment)
    if not part or part.startswith(":~:") or not address or address.target_kind is not TargetKind.POST:
        return ""
    html = text.rendered.html if address.target_id == text.post.id else public.get(address.target_id)
    return (
        ""
        if html is None or f'id="{part}"' in html
        else say("The link to {address} leads to a part that is not there.", address=target.address)
    )


async def _drafts(session: AsyncSession, actor: Actor, titles: Collection[str]) -> set[str]:
    """Which of these are titles of drafts that the actor may know of, folded."""
    folded = {fold(title) for title in titles}
    is_draft = Post.live.in_((Live.NEVER, Live.WITHDRAWN)) & posts.visible_to(actor)
    wanted = select(Post.folded_title).where(Post.folded_title.in_(sorted(folded)), is_draft)
    return set(await session.scalars(wanted)) if folded else set()


def _wrong_with_title(title: str, drafts: Collection[str]) -> str:
    if fold(title) in drafts:
        return say("[[{title}]] leads to a draft that readers cannot see yet.", title=title)
    return say("[[{title}]] leads nowhere: nothing public has this title.", title=title)
