# ruff: noqa: RUF001
"""Words as the Moses toolkit splits them (Koehn et al., 2007): what XLM, Flaubert, BioGPT and FSMT were
trained on.

Written from the published rules of its tokenizer: punctuation apart, contractions by language, a full stop
kept on abbreviations and inside numbers.
"""

from __future__ import annotations

import functools
import re
import unicodedata

_ALPHA = r"[^\W\d_]"

_ABBREVIATIONS = {
    "en": """
        Adj Adm Adv Asst Bart Bldg Brig Bros Capt Cmdr Col Comdr Con Corp Cpl DR Dr Drs Ens Gen Gov Hon Hr
        Hosp Insp Lt MM MR MRS MS Maj Messrs Mlle Mme Mr Mrs Ms Msgr Op Ord Pfc Ph Prof Pvt Rep Reps Res Rev
        Rt Sen Sens Sfc Sgt Sr St Supt Surg v vs i.e rev e.g Rs Jan Feb Mar Apr Jun Jul Aug Sep Oct Nov Dec
        """,
    "fr": """
        A.C.N A.M art ann apr av auj lib B.P boul ca c.-à-d cf ch.-l chap contr C.P.I C.Q.F.D C.N C.N.S C.S
        dir éd e.g env al etc E.V ex fasc fém fig fr hab ibid id i.e inf LL.AA L.D LL.EE LL.MM loc.cit masc
        MM ms N.B N.D.A N.D.L.R N.D.T n/réf NN.SS N.S N.D N.P.A.I p.c.c pl pp p.ex p.j P.S R.A.S R.-V R.P
        R.I.P SS S.S S.A S.A.I S.A.R S.A.S S.E sec sect sing S.M S.M.I.R sq sqq suiv sup suppl tél T.S.V.P
        vb vol vs X.O Z.I
        """,
    "de": """
        Abt bzgl bzw ca Co dergl d.h Dipl Dr etc evtl Fr geb gest ggf Hr i.d.R inkl Ing Jh Mio Mr Mrd Mrs Ms
        Msgr Nr Prof sog St Str Tel u.a usw v.a vgl vs z.B z.T zzgl
        """,
}
_SYLLABLES = (("\u3400", "\u4dbf"), ("\u4e00", "\u9fff"), ("\uac00", "\ud7a3"), ("\uf900", "\ufa6d"))
_CJK = (
    (0x1100, 0x11FF),
    (0x2E80, 0xA4CF),
    (0xA840, 0xA87F),
    (0xAC00, 0xD7AF),
    (0xF900, 0xFAFF),
    (0xFE30, 0xFE4F),
    (0xFF65, 0xFFDC),
    (0x20000, 0x2FFFF),
)
_BEFORE_NUMBERS = frozenset({"No", "Nos", "Art", "Nr", "pp"})
_ESCAPES = (
    ("&", "&amp;"),
    ("|", "&#124;"),
    ("<", "&lt;"),
    (">", "&gt;"),
    ("'", "&apos;"),
    ('"', "&quot;"),
    ("[", "&#91;"),
    ("]", "&#93;"),
)
_DOTS = "DOTMULTI"

_UNICODE_PUNCTUATION = str.maketrans(
    {
        **dict(zip("０１２３４５６７８９", "0123456789", strict=True)),
        **dict(zip("，、∶：？！（）；％～━’", ",,::?!();%~-'", strict=True)),
        **dict.fromkeys("”“《》」「", '"'),
        **dict(zip("〈〉【】", "<>[]", strict=True)),
        "１": '"',
        "…": "...",
    }
)
_NORMALISE = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\r", ""),
        (r"\(", " ("),
        (r"\)", ") "),
        (r" +", " "),
        (r"\) ([.!:?;,])", r")\1"),
        (r"\( ", "("),
        (r" \)", ")"),
        (r"(\d) %", r"\1%"),
        (r" :", ":"),
        (r" ;", ";"),
        (r"`", "'"),
        (r"''", ' " '),
        (r"[„“”]", '"'),
        (r"–", "-"),
        (r"—", " - "),
        (r" +", " "),
        (r"´", "'"),
        (r"([a-zA-Z])[‘’]([a-zA-Z])", r"\1'\2"),
        (r"[‘‚’]", "'"),
        (r"''", '"'),
        (r"´´", '"'),
        (r"…", "..."),
        ("\u00a0« ", '"'),
        ("«\u00a0", '"'),
        ("«", '"'),
        ("\u00a0» ", '"'),
        ("\u00a0»", '"'),
        ("»", '"'),
        ("\u00a0%", "%"),
        ("nº\u00a0", "nº "),
        ("\u00a0:", ":"),
        ("\u00a0ºC", " ºC"),
        ("\u00a0cm", " cm"),
        ("\u00a0([?!;])", r"\1"),
        (",\u00a0", ", "),
    )
]


def replace_unicode_punctuation(text: str) -> str:
    """Full-width and typographic punctuation as ASCII."""
    return re.sub(r"(。|．)\s*", ". ", text).translate(_UNICODE_PUNCTUATION)


def normalize_punctuation(text: str, language: str = "en") -> str:
    """Quotes, dashes and blanks around punctuation made alike."""
    for pattern, replacement in _NORMALISE:
        text = pattern.sub(replacement, text)
    if language == "en":
        text = re.sub(r'"([,.]+)', r'\1"', text)
    elif language not in ("cs", "cz"):
        text = re.sub(r',"', '",', text)
        text = re.sub(r'(\.+)"(\s*[^<])', r'"\1\2', text)
    decimal = "," if language in ("de", "es", "cz", "cs", "fr") else "."
    return re.sub("(\\d)\u00a0(\\d)", rf"\1{decimal}\2", text).strip()


def remove_unprintable(text: str) -> str:
    """``text`` without control, format, private and unassigned characters."""
    return "".join(char for char in text if not unicodedata.category(char).startswith("C"))


def tokenize(
    text: str, language: str = "en", *, escape: bool = True, part_compounds: bool = False
) -> list[str]:
    """The words of ``text``.

    escape: write the signs that the toolkit reserves as XML entities. part_compounds: a hyphen between
    letters or digits is a word, ``@-@``.
    """
    text = re.sub(r"[\x00-\x1f]", "", re.sub(r"\s+", " ", text)).strip()
    text = "".join(f" {char} " if _stands_apart(char) else char for char in text)
    if part_compounds:
        text = re.sub(r"(?<=[^\W_])-(?=[^\W_])", " @-@ ", text)
    text = _mark_dots(text)
    text = re.sub(r"(\D),", r"\1 , ", text)
    text = re.sub(r",(\D)", r" , \1", text)
    text = re.sub(r"(\d),$", r"\1 , ", text)
    words = _split_full_stops(_split_contractions(text, language).split(), language)
    text = re.sub(r"\.' ?$", " . ' ", " ".join(words).strip())
    text = _unmark_dots(" ".join(text.split()))
    for sign, entity in _ESCAPES if escape else ():
        text = text.replace(sign, entity)
    return text.split()


@functools.lru_cache(1 << 14)
def _stands_apart(char: str) -> bool:
    """Whether a sign is a word of its own: punctuation, and every Chinese or Korean one."""
    if char.isspace() or char in ".'`,-":
        return False
    if any(first <= char <= last for first, last in _SYLLABLES):
        return True
    return not char.isalnum() and not unicodedata.category(char).startswith("M")


def _mark_dots(text: str) -> str:
    """Runs of full stops get a mark, so that the rules for single ones leave them alone."""
    text = re.sub(r"\.([.]+)", rf" {_DOTS}\1", text)
    while f"{_DOTS}." in text:
        text = re.sub(rf"{_DOTS}\.([^.])", rf"DOT{_DOTS} \1", text)
        text = text.replace(f"{_DOTS}.", f"DOT{_DOTS}")
    return text


def _unmark_dots(text: str) -> str:
    while f"DOT{_DOTS}" in text:
        text = text.replace(f"DOT{_DOTS}", f"{_DOTS}.")
    return text.replace(_DOTS, ".")


def _split_contractions(text: str, language: str) -> str:
    if language not in ("en", "fr", "it", "ca"):
        return text.replace("'", " ' ")
    other = rf"(?:(?!{_ALPHA}).)"
    text = re.sub(rf"({other})'({other})", r"\1 ' \2", text)
    if language == "en":
        text = re.sub(rf"((?:(?!{_ALPHA}|\d).))'({_ALPHA})", r"\1 ' \2", text)
    else:
        text = re.sub(rf"({other})'({_ALPHA})", r"\1 ' \2", text)
    text = re.sub(rf"({_ALPHA})'({other})", r"\1 ' \2", text)
    if language == "en":
        text = re.sub(rf"({_ALPHA})'({_ALPHA})", r"\1 '\2", text)
        return re.sub(r"(\d)'s", r"\1 's", text)
    return re.sub(rf"({_ALPHA})'({_ALPHA})", r"\1' \2", text)


def _split_full_stops(words: list[str], language: str) -> list[str]:
    """A full stop at a word's end stands apart, but after abbreviations and before a lower-case word."""
    known = _ABBREVIATIONS.get(language, _ABBREVIATIONS["en"]).split()
    split = []
    for index, word in enumerate(words):
        following = words[index + 1] if index + 1 < len(words) else ""
        stem = word[:-1]
        if (
            not word.endswith(".")
            or not stem
            or stem.endswith(".")
            or (
                ("." in stem and re.search(_ALPHA, stem))
                or stem in known
                or (len(stem) == 1 and (stem.isupper() or language in ("fr", "de")))
                or following[:1].islower()
                or (language != "fr" and stem in _BEFORE_NUMBERS and following[:1].isdigit())
            )
        ):
            split.append(word)
        else:
            split += [stem, "."]
    return split


def detokenize(words: list[str], language: str = "en") -> str:
    """Words joined as written text: entities read back, punctuation and contractions attached."""
    text = " ".join(words)
    for sign, entity in reversed(_ESCAPES):
        text = text.replace(entity, sign)
    text = re.sub(r" @-@ ", "-", f" {text} ")
    pieces: list[str] = []
    blank = ""
    quotes = {"'": 0, '"': 0}
    tokens = text.split()
    english, elides = language == "en", language in ("fr", "it", "ga", "ca")
    for index, token in enumerate(tokens):
        closes = re.fullmatch(r"[,.}\])]+" if language == "fr" else r"[,.?!:;\\%}\])]+", token)
        contracted = english and index and re.match(rf"'{_ALPHA}", token)
        elided = elides and index + 1 < len(tokens) and re.fullmatch(rf".*{_ALPHA}'", token)
        if all(unicodedata.category(char) == "Sc" or char in "([{¿¡" for char in token) or elided:
            pieces.append(blank + token)
            blank = ""
        elif closes or contracted or (index and _is_cjk(token[0]) and _is_cjk(tokens[index - 1][-1])):
            pieces.append(token)
            blank = " "
        elif re.fullmatch(r"['\"„“`]+", token):
            blank = _quote(token, pieces, blank, quotes, language)
        else:
            pieces.append(blank + token)
            blank = " "
    return re.sub(r" +", " ", "".join(pieces)).strip()


def _is_cjk(char: str) -> bool:
    """Whether a sign is written without blanks around it."""
    return any(first <= ord(char) <= last for first, last in _CJK)


def _quote(token: str, pieces: list[str], blank: str, quotes: dict[str, int], language: str) -> str:
    """Add a quote, opening and closing in turn; returns what stands before the next word."""
    kind = "'" if token in ("'", "`") else '"'
    opening = quotes[kind] % 2 == 0
    if opening and language == "en" and token == "'" and pieces and pieces[-1].endswith("s"):
        pieces.append(token)  # the plural's possessive
        return " "
    quotes[kind] += 1
    pieces.append(blank + token if opening else token)
    return "" if opening else " "
