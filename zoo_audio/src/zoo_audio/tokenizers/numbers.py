"""Numbers in English text spelled out, for models that read aloud."""

from __future__ import annotations

import re

SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_POWERS = (
    "", "thousand", "million", "billion", "trillion", "quadrillion", "quintillion", "sextillion",
    "septillion", "octillion", "nonillion", "decillion",
)  # fmt: skip
_CURRENCIES = {
    "$": "dollars",
    "€": "euros",
    "£": "pounds",
    "¢": "cents",
    "¥": "japanese yen",
    "﷼": "saudi riyal",
    "₹": "indian rupees",
    "₽": "russian rubles",
    "฿": "thai baht",
    "₺": "turkish liras",
    "₴": "ukrainian hryvnia",
    "₣": "swiss francs",
    "₡": "costa rican colon",
    "₱": "philippine peso",
    "₪": "israeli shekels",
    "₮": "mongolian tögrög",
    "₩": "south korean won",
    "₦": "nigerian naira",
    "₫": "vietnamese Đồng",
}
_COMMA = re.compile(r"(\d+),(\d+)")
_NUMBER = re.compile(
    rf"(?<!\w)(?P<minus>-?)(?P<currency>[{''.join(_CURRENCIES)}]?)"
    r"(?P<whole>\d+)(?:\.(?P<part>\d{1,2}))?(?P<percent>%?)(?!\w)"
)


def spelled(number: int) -> str:
    """A number below 10^36 in words; nothing for 0, as in the recorded answers."""
    words: list[str] = []
    for power in range(len(_POWERS) - 1, -1, -1):
        below_thousand = number // 1000**power % 1000
        if below_thousand:
            words.append(_hundreds(below_thousand))
            if power:
                words.append(_POWERS[power])
    return " ".join(words)


def _hundreds(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    words = f"{SMALL[hundreds]} hundred" if hundreds else ""
    if not rest:
        return words
    small = SMALL[rest] if rest < 20 else TENS[rest // 10]
    if rest > 20 and rest % 10:
        small += f" {SMALL[rest % 10]}"
    return f"{words} and {small}" if words else small


def spell_numbers(text: str) -> str:
    """`text` with its numbers in words: signs, decimals, percentages and currencies included.

    >>> spell_numbers("-5.20% of $1,000")
    'minus five point two zero percent of one thousand dollars'
    """

    def words(match: re.Match[str]) -> str:
        whole = int(match["whole"])
        if whole >= 1000 ** len(_POWERS):
            return match[0]
        found = ("minus " if match["minus"] else "") + spelled(whole)
        part = match["part"]
        if part and part != "00":
            found += " point " + " ".join(SMALL[int(digit)] for digit in part)
        if match["percent"]:
            found += " percent"
        return found + (f" {_CURRENCIES[match['currency']]}" if match["currency"] else "")

    return re.sub(" +", " ", _NUMBER.sub(words, _COMMA.sub(r"\1\2", text)))
