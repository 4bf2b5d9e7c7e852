"""Being somebody with a second factor, as tests of the desk go about it."""

import json
import re
from datetime import datetime

import pyotp

from tests.authenticator import Authenticator
from tests.web import Answer, Browser, Site


async def add_passkey(site: Site, browser: Browser, name: str = "Laptop") -> Authenticator:
    """A new key of whoever is signed in there."""
    key = Authenticator(site.application.parts.settings.public_url)
    answer = await send_new_key(browser, key, name)
    assert answer.status in (200, 303), answer.words
    return key


async def send_new_key(browser: Browser, key: Authenticator, name: str = "Laptop") -> Answer:
    options = json.loads((await browser.post("/account/security/passkeys/challenge")).text)
    return await browser.post("/account/security/passkeys", {"name": name, "credential": key.make(options)})


async def use_passkey(browser: Browser, key: Authenticator, at: str = "/login/passkey", **more: str) -> Answer:
    options = json.loads((await browser.post(f"{at}/challenge")).text)
    return await browser.post(at, {"credential": key.use(options), **more})


async def turn_on_app(site: Site, browser: Browser) -> tuple[str, list[str]]:
    """The secret in the person's app, and the recovery codes that were shown. The code of this moment is used up by it."""
    page = await browser.get("/account/security/authenticator")
    secret = "".join(re.search(r'id="secret">([A-Z2-7 ]+)<', page.text)[1].split())  # type: ignore[index]
    sealed = re.search(r'name="secret" value="([^"]+)"', page.text)[1]  # type: ignore[index]
    answer = await browser.post("/account/security/authenticator", {"secret": sealed, "code": code_at(secret, site.database.clock())})
    assert answer.status in (200, 303), answer.words
    return secret, re.findall(r"<li>([a-z0-9]{4}(?:-[a-z0-9]{4}){3})</li>", answer.text)


def code_at(secret: str, moment: datetime) -> str:
    return pyotp.TOTP(secret).at(moment)
