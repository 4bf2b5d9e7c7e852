"""Signing in at an OpenID provider: the good way, and every forgery."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import delete, func, select
from tornado.httpclient import AsyncHTTPClient

from cms.models import AuditEntry, Identity, Session, Token, User
from cms.rendering import Renderer
from cms.schemas.account import InvitationInput
from cms.services import identities, invitations
from tests import provider as elsewhere
from tests.handlers.admin.pages import by_class
from tests.provider import Provider, running_provider
from tests.web import Answer, Browser, Site, running_site

UNTRUSTED = "gave an answer that cannot be trusted"


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with running_provider() as provider:
        yield provider


def settings_of(provider: Provider) -> dict[str, Any]:
    return {
        "oidc_issuer": provider.issuer,
        "oidc_client_id": elsewhere.CLIENT_ID,
        "oidc_client_secret": elsewhere.CLIENT_SECRET,
        "oidc_name": "Harbour ID",
    }


@pytest.fixture
async def site(database_url: str, tmp_path: Path, renderer: Renderer, provider: Provider) -> AsyncIterator[Site]:
    async with running_site(database_url, tmp_path / "data", renderer=renderer, **settings_of(provider)) as site:
        await site.person("owner")
        yield site


async def at_provider(answer: Answer) -> str:
    """Where the provider sends the browser back to, as this site's path."""
    assert answer.status == 303, answer.text
    assert answer.location.startswith("http://127.0.0.1:")
    sent = await AsyncHTTPClient().fetch(answer.location, follow_redirects=False, raise_error=False)
    back = urlsplit(sent.headers["Location"])
    assert back.path == "/login/openid/callback"
    return f"{back.path}?{back.query}"


async def sign_in(browser: Browser, wanted: str = "") -> Answer:
    return await browser.get(await at_provider(await browser.post("/login/openid", {"next": wanted})))


async def linked(site: Site, role: str = "author", subject: str = "ana-1") -> int:
    """Somebody who has linked an account there."""
    user_id = await site.person(role)
    async with site.database.transaction() as work:
        issuer = site.application.parts.settings.oidc_issuer
        await identities.link(work, await work.session.get_one(User, user_id), issuer, subject)
    return user_id


async def is_signed_in(browser: Browser) -> bool:
    return (await browser.get("/admin/posts")).status == 200


async def said_at_sign_in(browser: Browser, answer: Answer) -> str:
    """What the sign-in page says, to which a refusal leads."""
    assert (answer.status, answer.location) == (303, "/login")
    assert not await is_signed_in(browser)
    page = await browser.get("/login")
    assert [note.get("role") for note in by_class(page.page, "callout")] == ["alert"]
    return page.words


# --- the good way ----------------------------------------------------------------------------------------------------------


async def test_sign_in_page_leads_there_and_back_to_where_one_wanted_to_go(site: Site, provider: Provider) -> None:
    user_id = await linked(site)
    browser = site.browser()
    page = await browser.get("/login?next=/admin/pages")
    assert "Sign in with Harbour ID" in page.words
    assert f"form-action 'self' {provider.issuer};" in page.headers["Content-Security-Policy"]
    answer = await sign_in(browser, "/admin/posts?status=draft")
    assert (answer.status, answer.location) == (303, "/admin/posts?status=draft")
    assert await is_signed_in(browser)
    assert provider.redeemed == ["basic"]
    async with site.database.read() as session:
        identity = (await session.scalars(select(Identity))).one()
        assert (identity.user_id, identity.used_at is not None) == (user_id, True)
        assert await session.scalar(select(func.count()).select_from(Token)) == 0


async def test_way_there_says_what_the_protocol_wants(site: Site) -> None:
    answer = await site.browser().post("/login/openid")
    wanted = {name: values[0] for name, values in parse_qs(urlsplit(answer.location).query).items()}
    assert wanted.keys() == {
        "response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge", "code_challenge_method"
    }  # fmt: skip
    assert wanted["redirect_uri"] == f"{site.application.parts.settings.public_url}/login/openid/callback"
    assert all(len(wanted[name]) == 43 for name in ("state", "nonce", "code_challenge"))
    cookie = next(sent for sent in answer.headers.get_list("Set-Cookie") if sent.startswith("openid="))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert not any(wanted[name] in cookie for name in ("nonce", "code_challenge"))


async def test_each_way_there_is_another(site: Site) -> None:
    answers = [await site.browser().post("/login/openid") for _ in range(2)]
    sent = [parse_qs(urlsplit(answer.location).query) for answer in answers]
    assert [name for name in ("state", "nonce", "code_challenge") if sent[0][name] == sent[1][name]] == []


async def test_provider_that_wants_the_secret_in_the_form_gets_it_there(site: Site, provider: Provider) -> None:
    provider.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    site.application.parts.openid._known = None
    await linked(site)
    browser = site.browser()
    await sign_in(browser)
    assert await is_signed_in(browser)
    assert provider.redeemed == ["post"]


async def test_new_keys_of_the_provider_are_fetched_when_they_are_needed(site: Site, provider: Provider) -> None:
    await linked(site)
    assert await is_signed_in_after(site)
    provider.key, provider.published = elsewhere.KEYS[1], elsewhere.KEYS
    assert await is_signed_in_after(site)
    assert await is_signed_in_after(site)
    assert provider.asked.count("/jwks") == 2
    assert provider.asked.count("/.well-known/openid-configuration") == 1


async def is_signed_in_after(site: Site) -> bool:
    browser = site.browser()
    await sign_in(browser)
    return await is_signed_in(browser)


@pytest.mark.parametrize("wanted", ["https://evil.example", "//evil.example", "/\\evil.example"])
async def test_nobody_is_sent_to_another_site_afterwards(site: Site, wanted: str) -> None:
    await linked(site)
    assert (await sign_in(site.browser(), wanted)).location == "/admin"


async def test_several_audiences_are_fine_if_we_are_the_one_it_was_made_for(site: Site, provider: Provider) -> None:
    await linked(site)
    provider.claims = {"aud": ["other", elsewhere.CLIENT_ID], "azp": elsewhere.CLIENT_ID}
    assert await is_signed_in_after(site)


# --- linking ---------------------------------------------------------------------------------------------------------------


async def test_person_links_an_account_signs_in_with_it_and_unlinks_it(site: Site) -> None:
    browser = await site.signed_in("author")
    page = await browser.get("/account/identities")
    assert "None yet." in page.words
    answer = await browser.get(await at_provider(await browser.post("/account/identities")))
    assert (answer.status, answer.location) == (303, "/account/identities")
    page = await browser.get("/account/identities")
    assert "Linked." in page.words
    assert "ana-1" in page.words
    assert await is_signed_in_after(site)
    path = page.page.find(".//li//form").get("action")
    stranger = await site.signed_in("editor")
    assert (await stranger.post(path, {"_method": "delete"})).status == 404
    assert (await browser.post(path, {"_method": "delete"})).location == "/account/identities"
    assert "No longer linked." in (await browser.get("/account/identities")).words
    assert not await is_signed_in_after(site)
    async with site.database.read() as session:
        noted = set(await session.scalars(select(AuditEntry.action).where(AuditEntry.action.startswith("identity."))))
    assert noted == {"identity.link", "identity.unlink"}


async def test_only_way_in_is_not_unlinked(site: Site) -> None:
    user_id = await linked(site)
    browser = await site.signed_in("author")
    async with site.database.transaction() as work:
        (await work.session.get_one(User, user_id)).password_hash = None
    path = (await browser.get("/account/identities")).page.find(".//li//form").get("action")
    assert (await browser.post(path, {"_method": "delete"})).status == 303
    assert "This is the only way in which you can sign in" in (await browser.get("/account/identities")).words
    assert await is_signed_in_after(site)


async def test_account_of_somebody_else_is_not_taken(site: Site) -> None:
    await linked(site, "author")
    browser = await site.signed_in("editor")
    answer = await browser.get(await at_provider(await browser.post("/account/identities")))
    assert answer.location == "/account/identities"
    page = await browser.get("/account/identities")
    assert "linked with somebody else here already" in page.words
    assert "None yet." in page.words


async def test_nothing_is_linked_with_whoever_is_signed_in_meanwhile(site: Site) -> None:
    browser = await site.signed_in("author")
    back = await at_provider(await browser.post("/account/identities"))
    browser.cookies["session"] = (await site.signed_in("editor")).cookies["session"]
    assert (await browser.get(back)).location == "/account/identities"
    assert "Meanwhile somebody else is signed in" in (await browser.get("/account/identities")).words
    async with site.database.read() as session:
        assert (await session.scalars(select(Identity))).all() == []


# --- an invitation ---------------------------------------------------------------------------------------------------------


async def invited(site: Site, role: str = "author") -> str:
    """The path of an invitation's page."""
    owner = await site.person("owner")
    async with site.database.transaction() as work:
        actor = (await work.session.get_one(User, owner)).actor
        carrier = await invitations.invite(work, actor, InvitationInput(email="ines@example.org", name="Ines", role=role))
    return f"/invitation/{carrier}"


async def test_invitation_is_accepted_without_a_password(site: Site, provider: Provider) -> None:
    path, browser = await invited(site), site.browser()
    page = await browser.get(path)
    assert "Make it with Harbour ID" in page.words
    assert provider.issuer in page.headers["Content-Security-Policy"]
    answer = await browser.get(await at_provider(await browser.post(f"{path}/openid", {"name": "Ines Falk"})))
    assert (answer.status, answer.location) == (303, "/admin")
    assert await is_signed_in(browser)
    assert await is_signed_in_after(site)
    async with site.database.read() as session:
        user = (await session.scalars(select(User).where(User.email == "ines@example.org"))).one()
    assert (user.name, user.role, user.password_hash) == ("Ines Falk", "author", None)
    assert (await browser.get(path)).status == 404
    assert (await site.browser().post(f"{path}/openid", {"name": "Ines Falk"})).status == 404


async def test_invitation_needs_a_name_first(site: Site) -> None:
    path, browser = await invited(site), site.browser()
    answer = await browser.post(f"{path}/openid", {"name": " "})
    assert (answer.status, answer.location) == (303, path)
    assert "Say first by what name" in (await browser.get(path)).words


async def test_account_that_somebody_has_linked_accepts_no_invitation(site: Site) -> None:
    await linked(site, "editor")
    path, browser = await invited(site), site.browser()
    answer = await browser.get(await at_provider(await browser.post(f"{path}/openid", {"name": "Ines"})))
    assert "linked with somebody else here already" in await said_at_sign_in(browser, answer)
    assert (await browser.get(path)).status == 200  # nothing was used up
    async with site.database.read() as session:
        assert (await session.scalars(select(User).where(User.email == "ines@example.org"))).all() == []


async def test_invitation_that_was_withdrawn_on_the_way_makes_nobody(site: Site) -> None:
    path, browser = await invited(site), site.browser()
    back = await at_provider(await browser.post(f"{path}/openid", {"name": "Ines"}))
    async with site.database.transaction() as work:
        await work.session.execute(delete(Token).where(Token.purpose == "invitation"))
    assert "used already, or has ended" in await said_at_sign_in(browser, await browser.get(back))


async def test_second_factor_is_asked_for_after_the_provider(site: Site) -> None:
    user_id = await linked(site)
    async with site.database.transaction() as work:
        user = await work.session.get_one(User, user_id)
        user.totp_secret = site.application.parts.sealer.seal("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    browser = site.browser()
    answer = await sign_in(browser, "/admin/posts?status=draft")
    assert answer.location == "/login/second-factor?next=%2Fadmin%2Fposts%3Fstatus%3Ddraft"
    assert not await is_signed_in(browser)


# --- who is not let in -----------------------------------------------------------------------------------------------------


async def test_account_that_is_not_linked_is_told_so_even_with_a_known_address(site: Site, provider: Provider) -> None:
    await site.person("author")
    provider.claims = {"email": "author@example.org", "email_verified": True}
    browser = site.browser()
    assert "Nobody here is linked with this account." in await said_at_sign_in(browser, await sign_in(browser))


async def test_disabled_person_stays_out(site: Site) -> None:
    user_id = await linked(site)
    async with site.database.transaction() as work:
        (await work.session.get_one(User, user_id)).disabled_at = work.now
    browser = site.browser()
    assert "Nobody here is linked" in await said_at_sign_in(browser, await sign_in(browser))


def forge(**changes: Any) -> Callable[[Provider], None]:
    def act(provider: Provider) -> None:
        for name, value in changes.items():
            setattr(provider, name, value)

    return act


FORGERIES: dict[str, Callable[[Provider], None]] = {
    "a nonce of another journey": forge(claims={"nonce": "n" * 43}),
    "no nonce": forge(claims={"nonce": None}),
    "a nonce that is a list": forge(claims={"nonce": ["n" * 43]}),
    "for another site": forge(claims={"aud": "somebody-else"}),
    "for nobody": forge(claims={"aud": None}),
    "for several, made for another": forge(claims={"aud": ["squall", "other"], "azp": "other"}),
    "for several, made for nobody": forge(claims={"aud": ["squall", "other"]}),
    "made for another": forge(claims={"azp": "other"}),
    "by another issuer": forge(claims={"iss": "https://evil.example"}),
    "by no issuer": forge(claims={"iss": None}),
    "expired": forge(claims={"exp": 1_000_000_000}),
    "without an end": forge(claims={"exp": None}),
    "with an end that never comes": forge(claims={"exp": float("nan")}),
    "from the future": forge(claims={"iat": 9_000_000_000}),
    "about nobody": forge(claims={"sub": None}),
    "about the empty name": forge(claims={"sub": ""}),
    "about a number": forge(claims={"sub": 1}),
    "about a name that is too long": forge(claims={"sub": "s" * 256}),
    "not signed": forge(algorithm="none"),
    "signed with the public key": forge(algorithm="HS256"),
    "signed with an unknown key": forge(key=elsewhere.KEYS[1]),
    "answer of another issuer": forge(answers_as="https://evil.example"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_forged_answer_lets_nobody_in(site: Site, provider: Provider, forgery: str) -> None:
    await linked(site)
    FORGERIES[forgery](provider)
    browser = site.browser()
    assert UNTRUSTED in await said_at_sign_in(browser, await sign_in(browser))
    async with site.database.read() as session:
        assert (await session.scalars(select(Session))).all() == []


async def test_key_of_the_right_name_and_another_content_lets_nobody_in(site: Site, provider: Provider) -> None:
    await linked(site)
    stolen = elsewhere.RSAKey.generate_key(2048, {"kid": "first"})
    provider.key = stolen
    browser = site.browser()
    assert UNTRUSTED in await said_at_sign_in(browser, await sign_in(browser))


async def test_answer_that_another_browser_asked_for_lets_nobody_in(site: Site) -> None:
    """Else somebody could be signed in as another without knowing it, and type into that one's account."""
    await linked(site)
    mine, other = site.browser(), site.browser()
    back = await at_provider(await mine.post("/login/openid"))
    assert "was not opened in this browser" in await said_at_sign_in(other, await other.get(back))
    await other.post("/login/openid")
    assert "was not opened in this browser" in await said_at_sign_in(other, await other.get(back))
    assert (await mine.get(back)).location == "/admin"


async def test_answer_is_good_once(site: Site, provider: Provider) -> None:
    await linked(site)
    browser = site.browser()
    back = await at_provider(await browser.post("/login/openid"))
    kept = browser.cookies["openid"]
    assert (await browser.get(back)).location == "/admin"
    assert "openid" not in browser.cookies
    again = site.browser()
    again.cookies["openid"] = kept
    assert "was not opened in this browser" in await said_at_sign_in(again, await again.get(back))
    assert len(provider.redeemed) == 1


async def test_code_of_another_journey_is_of_no_use(site: Site) -> None:
    """PKCE: whoever caught somebody's code on the way cannot bring it along on a journey of his own."""
    await linked(site)
    victim, thief = site.browser(), site.browser()
    caught = parse_qs(urlsplit(await at_provider(await victim.post("/login/openid"))).query)["code"][0]
    own = parse_qs(urlsplit(await at_provider(await thief.post("/login/openid"))).query)
    answer = await thief.get(f"/login/openid/callback?state={own['state'][0]}&code={caught}")
    assert UNTRUSTED in await said_at_sign_in(thief, answer)


@pytest.mark.parametrize("cookie", ["", "forged", "2|1:0|10:1790000000|6:openid|4:e30=|" + "0" * 64])
async def test_forged_cookie_of_the_journey_is_none(site: Site, cookie: str) -> None:
    browser = site.browser()
    back = await at_provider(await browser.post("/login/openid"))
    browser.cookies["openid"] = cookie
    assert "was not opened in this browser" in await said_at_sign_in(browser, await browser.get(back))


async def test_whoever_said_no_there_is_told_so_here(site: Site, provider: Provider) -> None:
    provider.error = "access_denied"
    browser = site.browser()
    assert "Harbour ID let nobody in." in await said_at_sign_in(browser, await sign_in(browser))
    assert provider.redeemed == []


async def test_way_there_is_not_opened_for_other_sites(site: Site) -> None:
    browser = site.browser()
    await browser.get("/login")
    answer = await browser.send("POST", "/login/openid", {}, {"Origin": "https://evil.example"})
    assert answer.status == 403
    assert (await browser.get("/login/openid")).status == 405


async def test_many_ways_there_are_too_many(site: Site) -> None:
    browser = site.browser()
    answers = [(await browser.post("/login/openid")).status for _ in range(32)]
    assert answers.count(303) == 30
    assert answers[-1] == 429


# --- the provider itself ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://10.0.0.1/token"},
        {"jwks_uri": "http://evil.example/jwks"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint": None},
    ],
)
async def test_provider_that_says_strange_things_of_itself_is_not_used(site: Site, provider: Provider, metadata: dict[str, Any]) -> None:
    provider.metadata = metadata
    site.application.parts.openid._known = None
    browser = site.browser()
    assert UNTRUSTED in await said_at_sign_in(browser, await browser.post("/login/openid"))


async def test_provider_that_leads_into_our_network_is_not_followed(site: Site, provider: Provider) -> None:
    provider.metadata = {"token_endpoint": "https://localhost:1/token"}  # not the name that the operator gave
    site.application.parts.openid._known = None
    browser = site.browser()
    assert "Harbour ID does not answer" in await said_at_sign_in(browser, await sign_in(browser))


async def test_provider_with_its_door_elsewhere_is_allowed_on_the_sign_in_page(site: Site, provider: Provider) -> None:
    provider.metadata = {"authorization_endpoint": "https://door.example/authorize?tenant=1"}
    site.application.parts.openid._known = None
    answer = await site.browser().post("/login/openid")
    assert answer.location.startswith("https://door.example/authorize?tenant=1&response_type=code")
    policy = (await site.browser().get("/login")).headers["Content-Security-Policy"]
    assert f"form-action 'self' {provider.issuer} https://door.example;" in policy


async def test_site_works_while_the_provider_is_away(database_url: str, tmp_path: Path, renderer: Renderer) -> None:
    async with running_provider() as provider:
        settings = settings_of(provider)
    async with running_site(database_url, tmp_path / "data", renderer=renderer, **settings) as site:
        await site.person("owner")
        browser = site.browser()
        answer = await browser.post("/login/openid")
        assert "Harbour ID does not answer at the moment." in await said_at_sign_in(browser, answer)
        person = await site.signed_in("author")
        assert (await person.post("/account/identities")).location == "/account/identities"
        assert "does not answer" in (await person.get("/account/identities")).words


async def test_without_a_provider_there_is_nothing_here(database_url: str, tmp_path: Path, renderer: Renderer) -> None:
    async with running_site(database_url, tmp_path / "data", renderer=renderer) as site:
        await site.person("owner")
        browser = site.browser()
        assert "Sign in with" not in (await browser.get("/login")).words
        assert (await browser.post("/login/openid")).status == 404
        assert (await browser.get("/login/openid/callback?state=x&code=y")).status == 404
        assert (await (await site.signed_in("author")).get("/account/identities")).status == 404
