"""Words of the trash: what things are called there, and what there is to say of one."""

from collections.abc import Callable, Mapping
from typing import Any

from cms.models import TrashedThing
from cms.models.desk import TrashKind
from cms.ui.custom_fields import TYPES
from cms.ui.words import Words
from cms.wording import say

KINDS: Mapping[TrashKind, tuple[str, str, str]] = {  # word for one, word for several, icon
    TrashKind.CATEGORY: (say("Category"), say("Categories"), "folder"),
    TrashKind.TAG: (say("Tag"), say("Tags"), "tag"),
    TrashKind.SERIES: (say("Series"), say("All series"), "series"),
    TrashKind.SNIPPET: (say("Snippet"), say("Snippets"), "snippet"),
    TrashKind.TEMPLATE: (say("Template"), say("Templates"), "template"),
    TrashKind.FIELD: (say("Custom field"), say("Custom fields"), "fields"),
    TrashKind.REDIRECT: (say("Redirect"), say("Redirects"), "redirect"),
    TrashKind.FOLDER: (say("Folder"), say("Folders"), "media"),
}

Said = Callable[[str], str]  # a word in the language of whoever reads it


def facts(thing: TrashedThing, texts: int, translate: Said, dates: Words) -> list[tuple[str, str]]:
    """Label and value, of what somebody may want to know before it is taken out, or deleted for good."""
    was, _ = thing.was, translate
    match thing.kind:
        case TrashKind.CATEGORY | TrashKind.TAG | TrashKind.SERIES:
            about = [(_("Description"), was["description"])] if was["description"] else []
            return [(_("Address"), f"…/{was['slug']}"), *about, (_("Posts"), dates.number(texts))]
        case TrashKind.FIELD:
            return [(_("Type"), _(TYPES[was["type"]])), (_("Key"), was["key"])]
        case TrashKind.REDIRECT:
            return [(_("To"), was["target"]), (_("Hits"), dates.number(was["hits"]))]
        case TrashKind.FOLDER:
            return [(_("Files"), dates.number(len(was["files"])))]
    return []


def text_of(thing: TrashedThing) -> str:
    """Of a snippet or template, in Markdown."""
    said: Any = thing.was.get("text") or thing.was.get("content") or ""
    return str(said)
