"""Parts of forms: a field with its label, hint and error tied to it, and the summary of what is wrong."""

from collections.abc import Sequence
from typing import Any, Protocol

from tornado.web import UIModule

from cms.ui.admin import readable
from cms.ui.module import Module


class FormLike(Protocol):
    """What a form must have to be shown: handlers.forms.Form has it."""

    errors: dict[str, str]

    def __getitem__(self, name: str) -> Any: ...

    def label(self, name: str) -> str: ...

    def limit(self, name: str) -> int | None: ...


class Field(Module):
    """``kind``: an input's type, ``textarea`` or ``select`` (with ``options``: value and words). ``of`` names a form that stands elsewhere,
    ``suggestions`` a ``datalist``. ``best``: about how many characters of it are shown elsewhere. ``is_checked``: while somebody types,
    ``<field-checks>`` says what there is to say of it; ``warning``: and this until then. ``with_whole``: what is wrong with the form as
    a whole (``id="wrong"``) describes this field, too. ``keys``: what a phone's keyboard offers (HTML's ``inputmode``).

    Limits are said and checked, never enforced by ``maxlength``: browsers cut off what is pasted beyond it without a word.
    """

    def render(
        self,
        form: FormLike,
        name: str,
        *,
        kind: str = "text",
        hint: str = "",
        of: str = "",
        before: str = "",
        options: Sequence[tuple[Any, str]] = (),
        rows: int = 3,
        autocomplete: str = "off",
        is_needed: bool = False,
        has_focus: bool = False,
        is_fixed: bool = False,
        lines: str = "",
        suggestions: str = "",
        placeholder: str = "",
        best: int = 0,
        is_checked: bool = False,
        warning: str = "",
        with_whole: bool = False,
        keys: str = "",
    ) -> str:
        value = "" if kind == "password" else readable(str(form[name]))
        whole = ["wrong"] if with_whole and "" in form.errors else []
        parts = {"error": name in form.errors, "count": best, "check": is_checked, "hint": hint}
        described = " ".join([*whole, *(f"{name}-{part}" for part, is_there in parts.items() if is_there)])
        return self.render_string(
            "modules/field.html",
            name=name, kind=kind, hint=hint, of=of, before=before, options=[(str(key), words) for key, words in options], rows=rows,
            autocomplete=autocomplete, is_needed=is_needed, has_focus=has_focus, is_fixed=is_fixed, lines=lines,
            label=form.label(name), limit=form.limit(name), error=form.errors.get(name, ""), value=value, described=described,
            suggestions=suggestions, placeholder=placeholder, best=best, is_checked=is_checked, warning=warning, keys=keys,
        ).decode()  # fmt: skip


class Words(Module):
    """The title or the text in the editor: a field without a frame, its label for those who cannot see that it is one.

    ``direction``: browsers find it out by themselves ("auto"), but for a megabyte they need half a minute.
    """

    def render(
        self,
        form: FormLike,
        name: str,
        *,
        placeholder: str,
        rows: int = 1,
        direction: str = "auto",
        is_fixed: bool = False,
        has_focus: bool = False,
    ) -> str:
        return self.render_string(
            "modules/words.html",
            name=name, placeholder=placeholder, rows=rows, direction=direction, is_fixed=is_fixed, has_focus=has_focus,
            label=form.label(name), error=form.errors.get(name, ""), value=readable(str(form[name])),
        ).decode()  # fmt: skip


class Choices(Module):
    """One of a few, each with a sentence. ``choices``: value, word, sentence."""

    def render(self, form: FormLike, name: str, choices: Sequence[tuple[str, str, str]]) -> str:
        return self.render_string(
            "modules/choices.html", name=name, choices=choices, chosen=form[name], label=form.label(name), error=form.errors.get(name, "")
        ).decode()


class FormErrors(Module):
    """What is wrong with a form, in one place, with a link to each field. It takes the focus, with or without scripts."""

    def render(self, form: FormLike) -> str:
        if not form.errors:
            return ""
        return self.render_string("modules/form-errors.html", form=form).decode()


class UsePasskey(Module):
    """A button that sends a passkey's answer. ``challenge``: where the browser asks what to sign; ``is_offered``: beside the name, too."""

    def render(self, action: str, challenge: str, next: str, *, is_offered: bool = False) -> str:
        return self.render_string("modules/use-passkey.html", action=action, challenge=challenge, next=next, is_offered=is_offered).decode()


MODULES: dict[str, type[UIModule]] = {
    "Choices": Choices,
    "Field": Field,
    "FormErrors": FormErrors,
    "UsePasskey": UsePasskey,
    "Words": Words,
}
