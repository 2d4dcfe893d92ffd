"""Personal data in free text: addresses, numbers and names of accounts."""

# ruff: noqa: RUF001  full-width punctuation is meant

from __future__ import annotations

import ipaddress
import re

from phonenumbers import PhoneNumberMatcher

EMAIL, IP, MAC, PHONE, CARD, USER = "[email]", "[ip]", "[mac]", "[phone]", "[card]", "[user]"

_LATIN = "A-Za-z0-9\u00c0-\u024f"
_EMAIL = re.compile(
    rf"(?P<local>[{_LATIN}._%+-]{{1,64}})(?:@|＠|%40|\s?[\[(]at[\])]\s?)"
    rf"(?P<domain>[{_LATIN}][{_LATIN}-]{{0,62}}(?:(?:\.|\s?[\[(]dot[\])]\s?)[{_LATIN}-]{{1,63}}){{0,6}}"
    rf"(?:\.|\s?[\[(]dot[\])]\s?)[A-Za-z]{{2,24}})(?![A-Za-z0-9])"
)
# icon@2x.png, checkout@v4.beta
_FILE_ENDING = re.compile(
    r"(?i)(?:v?\d+(?:\.\S*)?|.*\.(?:png|jpe?g|gif|svg|webp|ico|pdf|py|js|mjs|ts|tsx|json|md|txt|css"
    r"|html?|zip|gz|tgz|whl|tar|yaml|yml|toml|lock))\Z"
)
_SHELL_PROMPT = re.compile(
    r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,40}@[A-Za-z0-9][A-Za-z0-9.-]{0,60}(?=:[~/])"
)
_URL_USER = re.compile(r"://(?!git@|\[)[^\s/@:\"'<>\[\]`]{1,200}@")

_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IPV4 = re.compile(rf"(?<![A-Za-z0-9.])(?:{_OCTET}\.){{3}}{_OCTET}(?![A-Za-z0-9]|\.\d)", re.ASCII)
# This machine and netmasks; no host is in 0/8, but engines have versions such as 0.10.1.1.
_KEPT_IPV4 = re.compile(r"127\.|0\.|255\.255\.")
# nvidia-cublas-cu12==12.1.3.1, section 7.4.11.2
_VERSION_BEFORE = re.compile(
    r"(?i)(?:[=~<>!]=|§ ?|(?:version|build|driver|release|section|clause|版本)[\s:=]{0,3})\Z"
)
_IPV6 = re.compile(
    r"(?<![A-Za-z0-9:.])(?:[23][0-9A-Fa-f]{3}|[Ff][C-Fc-f][0-9A-Fa-f]{2})(?::[0-9A-Fa-f]{0,4}){2,7}"
    r"(?![A-Za-z0-9:])"
)
_MAC = re.compile(
    r"(?<![A-Za-z0-9:-])(?:[0-9A-Fa-f]{2}([:-]))(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?![A-Za-z0-9:-])"
)

# Without seven digits nearly in a row there is no card and no phone number.
_LONG_NUMBER = re.compile(r"\d(?:[ ().-]{0,3}\d){6}")
_INTERNATIONAL = re.compile(r"[+＋][\s(]{0,2}\d")
_PHONE_NORTH_AMERICA = re.compile(
    r"(?<![\w.+-])(?:\+?1[ .-])?(?:\([2-9]\d\d\)[ -]?|[2-9]\d\d[-.])[2-9]\d\d[-.]\d{4}(?![\w-])",
    re.ASCII,
)
_PHONE_NAMED = re.compile(
    r"(?i)((?:\b(?:phone|telephone|tel|mobile|whatsapp|call me|reach me|text me)|电话|手机"
    r"|联系方式|微信|電話|携帯|전화)"
    r"(?:[ ]?(?:number|no|nr|at|on|is|号码?|是|番号|번호))?[\s.:：#]{0,4})"
    r"(\+?\(?\d[\d ().-]{5,18}\d)(?![A-Za-z0-9])"
)
_PHONE_CHINA = re.compile(r"(?<![A-Za-z0-9.])1[3-9]\d([ -])\d{4}\1\d{4}(?![A-Za-z0-9])", re.ASCII)
_CARD = re.compile(
    r"(?<![\w.])(?:\d{4}([ -])\d{4}\1\d{4}\1\d{4}|3[47]\d\d([ -])\d{6}\2\d{5}|\d{15,16})"
    r"(?![\w.]?\d)",
    re.ASCII,
)
_CARD_ISSUER = re.compile(r"4|5[1-5]|2[2-7]|3[47]|35|6011|65|62")

_NAME = r"[^\s\\/:*?\"'<>|`,;)\[\]{}，。；：、）】」$]{1,64}"
_HOME = re.compile(
    r"(?P<root>/(?:home|Users)/+|[\\/]{1,4}(?i:users|documents and settings)(?P<slash>\\{1,4}))"
    rf"(?P<name>(?(slash)(?:[^\n\\/:*?\"<>|\[\]]{{1,40}}(?=\\)|{_NAME})|{_NAME}))"
)
# Accounts that stand for nobody, and words that are no names.
_NOBODY = frozenset(
    """user users username yourname your name me root runner ubuntu debian vscode node app admin
    public shared default codespace coder sandbox workspace jovyan docker ec2-user foo bar .. ...
    """.split()  # noqa: SIM905
)


def redact_personal_data(text: str) -> str:
    """Replace addresses, phone and card numbers and account names by placeholders."""
    if "@" in text or "＠" in text or "%40" in text or "at]" in text or "at)" in text:
        text = _URL_USER.sub(f"://{USER}@", text)
        text = _SHELL_PROMPT.sub(_replace_prompt, text)
        text = _EMAIL.sub(_replace_email, text)
    if "/" in text or "\\" in text:
        text = _HOME.sub(_replace_home, text)
    return _redact_numbers(text)


def _redact_numbers(text: str) -> str:
    if ":" in text or "-" in text:
        text = _MAC.sub(MAC, text)
        text = _IPV6.sub(_replace_ipv6, text)
    text = _IPV4.sub(_replace_ipv4, text)
    if not _LONG_NUMBER.search(text):
        return text
    text = _CARD.sub(_replace_card, text)
    text = _PHONE_NORTH_AMERICA.sub(PHONE, text)
    text = _PHONE_CHINA.sub(PHONE, text)
    text = _PHONE_NAMED.sub(_replace_named_phone, text)
    return _redact_international_phones(text) if _INTERNATIONAL.search(text) else text


def _redact_international_phones(text: str) -> str:
    # Without a region only numbers with a country code are found: 1380*1869 stays.
    pieces, position = [], 0
    for match in PhoneNumberMatcher(text, None):
        pieces += [text[position : match.start], PHONE]
        position = match.end
    return "".join([*pieces, text[position:]])


def _replace_named_phone(match: re.Match[str]) -> str:
    digits = sum(character.isdigit() for character in match[2])
    return match[1] + PHONE if 7 <= digits <= 15 else match[0]


def _replace_email(match: re.Match[str]) -> str:
    is_address = match["local"] != "git" and not _FILE_ENDING.match(match["domain"])
    return EMAIL if is_address else match[0]


def _replace_prompt(match: re.Match[str]) -> str:
    return match[0] if match[0].startswith("git@") else USER


def _replace_ipv4(match: re.Match[str]) -> str:
    before = match.string[max(0, match.start() - 12) : match.start()]
    if _KEPT_IPV4.match(match[0]) or _VERSION_BEFORE.search(before):
        return match[0]
    return IP


def _replace_ipv6(match: re.Match[str]) -> str:
    try:
        ipaddress.IPv6Address(match[0])
    except ValueError:
        return match[0]
    return IP


def _replace_card(match: re.Match[str]) -> str:
    digits = [int(character) for character in match[0] if character.isdigit()]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    is_card = (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0 and _CARD_ISSUER.match(match[0])
    return CARD if is_card else match[0]


def _replace_home(match: re.Match[str]) -> str:
    before = match.string[max(0, match.start() - 200) : match.start()].rsplit(None, 1)
    in_web_address = (
        bool(before) and "http" in before[-1] and match.string[match.start() - 1] != " "
    )
    if in_web_address or match["name"].strip().casefold() in _NOBODY:
        return match[0]
    return match["root"] + USER
