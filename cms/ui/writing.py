"""The words of the editor's bundle: ``static/js/editor-words.json`` has the English ones, and the page those of whoever sits there."""

import json
from functools import cache

from cms.settings import data_folder
from cms.ui.languages import Language


@cache
def english() -> dict[str, str]:
    words: dict[str, str] = json.loads((data_folder("static") / "js" / "editor-words.json").read_text(encoding="utf-8"))
    return words


def editor_words(language: Language) -> str:
    return json.dumps({name: language.translate(text) for name, text in english().items()}, ensure_ascii=False)
