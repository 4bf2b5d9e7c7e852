"""Words that are nearly the same. Two words at most one letter apart share a form with one letter left out (the idea of SymSpell), so that
a database finds them by equality alone."""

SHORTEST = 4  # letters; shorter words have too many neighbours
LONG = 8  # letters; from here on two wrong ones are forgiven


def variants(word: str) -> set[str]:
    """The word and its forms with one letter left out; nothing for what is too short or no word."""
    if len(word) < SHORTEST or not word.isalpha():
        return set()
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}


def guesses(word: str) -> set[str]:
    """The forms under which a well-spelt word may be found for this one."""
    once = variants(word)
    return once if len(word) < LONG else once.union(*(variants(form) for form in once))


def is_near(word: str, other: str) -> bool:
    return distance(word, other) <= (1 if len(word) < LONG else 2)


def distance(word: str, other: str) -> int:
    """Letters to insert, leave out, change, or swap with the next one."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(word, 1):
        older, before, row = before, row, [i]
        for j, its in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != its))
            if i > 1 and j > 1 and letter == other[j - 2] and word[i - 2] == its:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1]
