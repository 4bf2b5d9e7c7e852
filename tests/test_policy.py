"""Who may do what: the whole table of docs, written out again by hand."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from cms import policy
from cms.errors import Forbidden, NotAuthenticated
from cms.policy import ANONYMOUS, SYSTEM, Actor, Capability, Role, Scope

ROLES = ("owner", "administrator", "editor", "author", "contributor", "reader")

# "any", "own", "new" (own and never public) or "-", in the order of ROLES.
TABLE = """
post.create      any any any any any -
post.edit        any any any own new -
post.trash       any any any own new -
post.publish     any any any own -   -
page.create      any any any -   -   -
page.edit        any any any -   -   -
page.trash       any any any -   -   -
page.publish     any any any -   -   -
draft.see        any any any own own -
media.upload     any any any own -   -
media.see        any any any any -   -
media.edit       any any any own -   -
media.delete     any any any own -   -
taxonomy.manage  any any any -   -   -
snippet.manage   any any any -   -   -
account.keep     any any any any any -
user.manage      any any -   -   -   -
ownership.give   any -   -   -   -   -
audit.see        any any -   -   -   -
content.transfer any any -   -   -   -
site.configure   any any -   -   -   -
site.operate     any any -   -   -   -
backup.take      any -   -   -   -   -
"""
EXPECTED = {name: dict(zip(ROLES, cells, strict=True)) for name, *cells in map(str.split, TABLE.strip().splitlines())}
WORDS = {"any": Scope.ANY, "own": Scope.OWN, "new": Scope.OWN_UNPUBLISHED, "-": None}
ME, SOMEBODY = 1, 2


@dataclass(frozen=True)
class Thing:
    owner_ids: frozenset[int]
    was_ever_public: bool


SUBJECTS = {
    "own, new": Thing(frozenset({ME, SOMEBODY}), False),
    "own, public": Thing(frozenset({ME}), True),
    "another's, new": Thing(frozenset({SOMEBODY}), False),
    "another's, public": Thing(frozenset({SOMEBODY}), True),
    "nobody's": Thing(frozenset(), False),
}
REACHES = {"any": set(SUBJECTS), "own": {"own, new", "own, public"}, "new": {"own, new"}, "-": set()}


def test_table_here_names_every_capability_and_role() -> None:
    assert set(EXPECTED) == {capability.value for capability in Capability}
    assert set(ROLES) == {role.value for role in Role}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("capability", EXPECTED)
def test_role_has_capability_as_far_as_the_table_says(capability: str, role: str) -> None:
    word = EXPECTED[capability][role]
    actor, asked = Actor(ME, Role(role)), Capability(capability)
    assert policy.scope(actor, asked) is WORDS[word]
    assert policy.allows(actor, asked) is (word != "-")
    assert {name for name, thing in SUBJECTS.items() if policy.allows(actor, asked, thing)} == REACHES[word]


def test_refusal_says_sign_in_to_strangers_and_no_to_members() -> None:
    with pytest.raises(NotAuthenticated):
        policy.require(ANONYMOUS, Capability.POST_CREATE)
    with pytest.raises(Forbidden):
        policy.require(Actor(ME, Role.CONTRIBUTOR), Capability.POST_PUBLISH)
    policy.require(Actor(ME, Role.AUTHOR), Capability.POST_PUBLISH, SUBJECTS["own, public"])


def test_somebody_without_an_id_owns_nothing() -> None:
    assert not policy.allows(Actor(None, Role.AUTHOR), Capability.POST_EDIT, SUBJECTS["nobody's"])


def test_program_itself_may_everything() -> None:
    assert all(policy.allows(SYSTEM, capability, SUBJECTS["another's, public"]) for capability in Capability)
    assert not SYSTEM.is_signed_in


def test_capability_is_found_by_kind_and_verb() -> None:
    assert Capability.of("page", "publish") is Capability.PAGE_PUBLISH


def test_the_table_of_the_documentation_is_this_one() -> None:
    """To print it anew: python -c "from cms import policy; print(policy.markdown())"."""
    page = (Path(__file__).parents[1] / "docs" / "capabilities.md").read_text(encoding="utf-8")
    assert policy.markdown() in page


def test_every_capability_has_a_sentence_of_its_own() -> None:
    assert len(set(policy.SENTENCES.values())) == len(policy.SENTENCES) == len(Capability)
