"""The record of acts in words: every name that the program notes has some, and details are told as people would."""

import ast
import functools
import importlib
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from babel import Locale

from cms.models.desk import ReviewAct, TransferKind, TrashKind
from cms.models.document import Outcome, ThreadKind
from cms.models.post import Kind
from cms.schemas.audit import SUBJECTS
from cms.services.audit import Line
from cms.services.passing_on import SHELVES
from cms.ui.acts import ACTS, KINDS, Details

ROOT = Path(__file__).resolve().parents[2]
# What stands between braces in the names that are noted, and as the kind of a subject.
MEANT = {
    "kind": Kind, "post.kind": Kind, "text.kind": Kind, "thread.kind": ThreadKind, "outcome": Outcome, "act": ReviewAct,
    "shelf.kind": SHELVES, "row.kind": TransferKind, "thing.kind": TrashKind,
}  # fmt: skip
NEVER = {"series.merge", "comment.accepted", "comment.refused", "suggestion.resolved"}  # a suggestion ends in other ways than a comment


@functools.cache
def trees() -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text()) for path in sorted((ROOT / "cms").rglob("*.py"))}


def calls(tree: ast.AST, name: str) -> Iterator[list[ast.expr]]:
    """The arguments of each call of it."""
    last = name.rpartition(".")[2]
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and last in (getattr(node.func, "attr", ""), getattr(node.func, "id", ""))
            and ast.unparse(node.func) == name
        ):
            yield node.args


def handed_on(path: Path) -> Iterator[ast.expr]:
    """What functions of this file are given as their ``action``."""
    for function in ast.walk(trees()[path]):
        is_one = isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        if is_one and "action" in (names := [each.arg for each in function.args.args]):
            yield from (arguments[names.index("action")] for arguments in calls(trees()[path], function.name))


def meanings(path: Path, argument: ast.expr) -> set[str]:
    """All values that it can have. One that is written in another way than those here raises: teach it."""
    match argument:
        case ast.Constant(value=str(text)):
            return {text}
        case ast.JoinedStr(values=parts):
            return {"".join(texts) for texts in itertools.product(*(meanings(path, part) for part in parts))}
        case ast.FormattedValue(value=value):
            return meanings(path, value)
        case ast.Name(id="action"):
            return {text for each in handed_on(path) for text in meanings(path, each)}
        case ast.Name(id=name) if name.isupper():
            return {getattr(importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts)), name)}
    return set(MEANT[ast.unparse(argument)])


def noted(place: int) -> set[str]:
    """What ``audit.note`` is given at this place, anywhere."""
    return {text for path, tree in trees().items() for arguments in calls(tree, "audit.note") for text in meanings(path, arguments[place])}


def test_every_act_that_is_noted_has_words_and_no_other() -> None:
    assert [path.name for path, tree in trees().items() if list(calls(tree, "AuditEntry"))] == ["audit.py"]
    assert noted(2) - NEVER == ACTS.keys()
    assert {name.partition(".")[0] for name in ACTS} == KINDS.keys()


def test_every_kind_of_subject_that_is_noted_can_be_asked_for() -> None:
    assert noted(3) == set(SUBJECTS)


def line(action: str, subject_kind: str, **details: Any) -> Line:
    return Line(1, datetime.now(UTC), 1, "Olga Owner", action, subject_kind, 2, "", details, "", "", False)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (line("user.role", "user", before="author", after="editor"), ["author → editor"]),
        (line("user.enable", "user", before="disabled", after="active"), ["disabled → can sign in"]),
        (line("user.delete", "user", heir=5), ["texts given to Nia Bell"]),
        (line("invitation.accept", "user", by=7), ["invited by somebody who is gone (no. 7)"]),
        (line("user.create", "user", role="author", disabled=True), ["role: author", "cannot sign in"]),
        (line("user.notices", "user", refuses=["new_device", "role"]), ["not wanted: new browsers, role"]),
        (line("user.notices", "user", refuses=[]), ["not wanted: nothing"]),
        (line("user.profile", "user", changed=["name", "bio"]), ["the name, the words about oneself"]),
        (line("post.publish", "post", changed=["body", "length"], path="never", revision=3), ["the text", "at /never", "version no. 3"]),
        (line("post.trash", "post", before="never", after="trashed"), ["not public → in the trash"]),
        (line("preview_link.create", "post", link=4, lifetime="24h", revision=None), ["link no. 4", "open for 24 hours"]),
        (
            line("site.configure", "site", before={"posts_per_page": 10, "footer": ""}, after={"posts_per_page": 5, "footer": "never"}),
            ["Posts on a page: 10 → 5", "Footer: nothing → never"],
        ),
        (line("site.configure", "site", before={"links": []}, after={"links": [{"label": "Us", "path": "https://us.example"}]}),
         ["Elsewhere: nothing → Us (https://us.example)"]),
        (
            line("post.publish", "post", changed=["title", "body", "date"], path="tide", before={"status": "never"},
                 after={"status": "published", "title": "Tide", "path": "tide", "published_at": "2026-07-01T09:30+00:00"}),
            ["State: not public → public", "Title: Tide", "Address: tide", "Published: 1 Jul 2026, 10:30", "the text, the date"],
        ),
        (line("post.save", "post", changed=["title"], before={"title": "Low"}, after={"title": "High"}), ["Title: Low → High"]),
        (line("post.schedule", "post", act="publish", before=None, after="2026-07-01T09:30+00:00"),
         ["nothing → 1 Jul 2026, 10:30", "goes out"]),
        (line("post.unschedule", "post", act="withdraw", due="2026-07-01T09:30+00:00"), ["ends", "for 1 Jul 2026, 10:30"]),
        (line("menu.edit", "menu", name="main", before=[], after=["About (/about)"]), ["nothing → About (/about)"]),
        (line("kite.fly", "kite", new_colour="red", is_up=False, changed=["long_tail"]), ["new colour: red", "is up: no", "long tail"]),
    ],
)  # fmt: skip
def test_details_are_told_in_words(told: Line, words: list[str]) -> None:
    assert Details({5: "Nia Bell"}, ZoneInfo("Europe/Lisbon"), str, Locale("en", "001")).of(told) == words
