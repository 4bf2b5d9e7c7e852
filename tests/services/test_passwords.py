"""Passwords: which are refused, and that what is known of a person makes a bad one."""

import asyncio
from collections.abc import Iterator

import pytest
from argon2.exceptions import VerifyMismatchError

from cms.errors import InvalidInput, TooManyRequests
from cms.services.passwords import AT_ONCE, MOST_WAITING, Passwords


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    passwords = Passwords(memory=64, passes=1)
    yield passwords
    passwords.close()


@pytest.mark.parametrize(
    "password",
    [
        "password12",
        "qwertyuiop",
        "1234567890",
        "aaaaaaaaaaaa",
        "p@ssw0rd123",
        "x" * 500,
        "Summer2026!",
        "Monday2026!",
        "Welcome2026",
        "zaq12wsxcde3",
        "correcthorsebatterystaple",
    ],
)
async def test_what_everybody_takes_is_refused_with_advice(passwords: Passwords, password: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        await passwords.choose(password)
    assert refused.value.errors["password"].startswith("This is easy to guess. ")
    assert "Add another word or two." in refused.value.errors["password"]


@pytest.mark.parametrize(
    "password",
    ["slow tide, early boat", "correct horse battery staple", "Zk9#vR2!qLpw", "é" * 3 + " mösé pfütze wrack", "y7" + "ab kelp" * 90],
)
async def test_good_ones_are_hashed_however_long(passwords: Passwords, password: str) -> None:
    hashed = await passwords.choose(password)
    assert await passwords.verify(hashed, password)
    assert not await passwords.verify(hashed, password + "x")


def test_who_does_not_exist_costs_as_much_as_who_does(passwords: Passwords) -> None:
    """And no hash when the program starts. Whatever is no hash is refused at once, which would tell."""
    assert not passwords.needs_rehash(passwords._nobodys)
    with pytest.raises(VerifyMismatchError):
        passwords._hasher.verify(passwords._nobodys, "correct horse battery")


@pytest.mark.parametrize(
    "password", ["Oyelaran Wisniewska", "wisniewska1", "kelp.forest", "kelpforest9", "kelp.forest@tides.example", "thetidetable"]
)
async def test_own_name_address_and_site_make_a_bad_one(passwords: Passwords, password: str) -> None:
    about = ("Oyelaran Wisniewska", "kelp.forest@tides.example", "The Tide Table")
    with pytest.raises(InvalidInput):
        await passwords.choose(password, *about)


async def test_nobody_elses_name_counts(passwords: Passwords) -> None:
    """zxcvbn keeps what it was told in a place that is shared."""
    with pytest.raises(InvalidInput):
        await passwords.choose("Oyelaran Wisniewska", "Oyelaran Wisniewska")
    assert await passwords.choose("Oyelaran Wisniewska", "Ana Silva")


async def test_of_a_crowd_that_signs_in_a_few_are_let_through_at_once(passwords: Passwords) -> None:
    inside = most = 0

    async def sign_in() -> None:
        nonlocal inside, most
        async with passwords.turn():
            inside += 1
            most = max(most, inside)
            await passwords.verify(None, "correct horse battery")
            inside -= 1

    answers = await asyncio.gather(*(sign_in() for _ in range(MOST_WAITING + 1)), return_exceptions=True)
    assert most == AT_ONCE
    assert [type(answer) for answer in answers] == [type(None)] * MOST_WAITING + [TooManyRequests]
    await sign_in()
