"""English text as Tortoise's models read it: ASCII, lower case, numbers and abbreviations in words."""

from __future__ import annotations

import re

from zoo_audio.tokenizers.numbers import SMALL, TENS

_POWERS = ("", " thousand", " million", " billion", " trillion", " quadrillion", " quintillion")
_ABBREVIATIONS = {
    "mrs": "misess", "mr": "mister", "dr": "doctor", "st": "saint", "co": "company", "jr": "junior",
    "maj": "major", "gen": "general", "drs": "doctors", "rev": "reverend", "lt": "lieutenant",
    "hon": "honorable", "sgt": "sergeant", "capt": "captain", "esq": "esquire", "ltd": "limited",
    "col": "colonel", "ft": "fort",
}  # fmt: skip
_SHORT = re.compile(rf"\b({'|'.join(_ABBREVIATIONS)})\.")
_COMMAS = re.compile(r"\d[\d,]+\d")
_DOLLARS = re.compile(r"\$([\d.]*\d)")
_DECIMAL = re.compile(r"(\d+)\.(\d+)")


def normalized_english(text: str) -> str:
    """`text` as it is read.

    >>> normalized_english("Dr. Smith paid $3.50 in 1999")
    'doctor smith paid three dollars, fifty cents in one thousand, nine hundred ninety-nine'
    """
    text = text.encode("ascii", "ignore").decode().lower()
    text = _COMMAS.sub(lambda match: match[0].replace(",", ""), text)
    text = _DOLLARS.sub(_money, text)
    text = _DECIMAL.sub(r"\1 point \2", text)
    text = re.sub(r"\d+", lambda match: _number(match[0]), text)
    text = _SHORT.sub(lambda match: _ABBREVIATIONS[match[1]], text)
    return re.sub(r"\s+", " ", text).replace('"', "")


def _money(match: re.Match[str]) -> str:
    parts = match[1].split(".")
    if len(parts) > 2:
        return f"{match[1]} dollars"
    counts = [int(part or 0) for part in parts]
    found = [
        f"{count} {unit}{'s' * (count != 1)}"
        for count, unit in zip(counts, ("dollar", "cent"), strict=False)
        if count
    ]
    return ", ".join(found) or "zero dollars"


def _number(digits: str) -> str:
    number = int(digits) if len(digits) <= 3 * len(_POWERS) else -1
    if number < 0:  # too long to be read as one
        return " ".join(SMALL[int(digit)] for digit in digits)
    if 2000 < number < 2010:
        return f"two thousand {SMALL[number - 2000]}"
    if 1000 < number < 3000 and number % 100 == 0 and number != 2000:
        return f"{_below_thousand(number // 100)} hundred"
    groups = []
    for power in range(len(_POWERS) - 1, -1, -1):
        part = number // 1000**power % 1000
        if part:
            groups.append(_below_thousand(part) + _POWERS[power])
    return ", ".join(groups) or SMALL[0]


def _below_thousand(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    words = [f"{SMALL[hundreds]} hundred"] if hundreds else []
    if rest:
        tens = f"{TENS[rest // 10]}-{SMALL[rest % 10]}" if rest % 10 else TENS[rest // 10]
        words.append(SMALL[rest] if rest < 20 else tens)
    return " ".join(words)
