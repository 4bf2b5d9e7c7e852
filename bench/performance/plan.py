"""How long and how often is measured."""

from dataclasses import dataclass

USUAL = 1_000


@dataclass(frozen=True)
class Plan:
    rounds: int = 5  # of everything that is compared, in turn
    seconds: int = 2  # of one sample
    warm_up: int = 1  # seconds, before the first round
    pause: int = 0  # milliseconds before each request, where figures mean nothing, and nobody else should have to wait for them
    posts: tuple[int, ...] = (100, 1_000, 10_000, 100_000)
    connections: tuple[int, ...] = (1, 8, 32, 128, 512)
    growth_rounds: int = 3
    growth_seconds: int = 1
    publishing_seconds: int = 90
    idle: int = 10_000
    people: int = 50  # who sign in at once
    sign_in_rounds: int = 3
    slow: int = 2_000  # clients
    patience: float = 75.0  # seconds in which they should be gone

    @property
    def usual(self) -> int:
        """How many posts a site has where their number is not what is looked at."""
        return USUAL if USUAL in self.posts else min(self.posts)


QUICK = Plan(
    rounds=1, seconds=1, warm_up=0, pause=50, posts=(10,), connections=(1,), growth_rounds=1, publishing_seconds=1, idle=50,
    people=2, sign_in_rounds=1, slow=100, patience=2.0,
)  # fmt: skip
