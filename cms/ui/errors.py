"""What went wrong, in words that help."""

from dataclasses import dataclass

from cms.wording import phrases


@dataclass(frozen=True, slots=True)
class Explanation:
    title: str
    text: str


_EXPLANATIONS = phrases(
    {
        400: Explanation(
            "That request made no sense",
            "Something in the address or the form was garbled on its way. Going back and trying again often helps.",
        ),
        403: Explanation("This is not open to you", "You may need to sign in, or to ask somebody who runs this site."),
        404: Explanation(
            "There is no page at this address",
            "It may have been mistyped, or the page was never here. Addresses that were once public still work, "
            "so a link from elsewhere should have brought you to the right place.",
        ),
        405: Explanation("This address does not do that", "It is there to be read; nothing can be sent to it."),
        410: Explanation(
            "This has been taken back",
            "Something stood here once. The people who published it have withdrawn it, so the link that brought you here can be forgotten.",
        ),
        413: Explanation(
            "That was too large",
            "The server takes less than this in one piece. A smaller file, or fewer at a time, will pass.",
        ),
        421: Explanation(
            "There is no site of this name here",
            "The request reached this server under a name that it does not answer to.",
        ),
        422: Explanation(
            "Some of that needs another look",
            "What was sent could not be used as it was. Please go back, change it and send it again.",
        ),
        429: Explanation(
            "That was a little fast",
            "Too many requests came from your address in a short time. Please wait a moment before you try again.",
        ),
        500: Explanation(
            "Something went wrong here",
            "That is our fault and not yours. It has been noted, and trying again in a moment may help.",
        ),
        503: Explanation(
            "The site is resting for a moment",
            "Something it needs is away just now. Please try again in a few seconds.",
        ),
        507: Explanation(
            "The disk is full",
            "Nothing could be kept. What you typed is still in your browser; the people who run this site need to free some space.",
        ),
    }
)


def explain(status: int) -> Explanation:
    """By its number, or by its family."""
    return _EXPLANATIONS.get(status) or _EXPLANATIONS[400 if 400 <= status < 500 else 500]
