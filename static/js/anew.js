// This page as it is now, for elements that renew a part of it.

/** A document; null if the server is away for a moment, or shows another page here by now. It takes no message that is shown once. */
export async function pageAnew(address = location.href) {
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html", "X-Renewal": "1" } });
    return answer.ok && !answer.redirected ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
  } catch {
    return null;
  }
}
