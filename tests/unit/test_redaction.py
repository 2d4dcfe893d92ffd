"""Redaction: what goes, what stays, and that no text breaks it."""

# ruff: noqa: RUF001  full-width punctuation is meant

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.cleaning import redact

# Fragments that patterns look for, so that random texts come near to matching them.
FRAGMENTS = st.sampled_from(
    """password= secret: "api_key": token= Bearer Authorization: Cookie: curl -u ghp_ sk- eyJ AKIA
    :// @ . [email] [secret] [user] [ip] /home/ /Users/ C:\\Users\\ 10.0.0.1 2001:db8:: +49 415-555-
    aa:bb: -----BEGIN -----END PRIVATE KEY----- 0x ' " ` \\ = : [ ] ( ) < > % 1234 4111""".split()  # noqa: SIM905
)
HOSTILE = st.lists(st.one_of(FRAGMENTS, st.text(max_size=12), st.just(" ")), max_size=25).map(
    "".join
)

PERSONAL = {
    "e-mail": ("write to ana.lind+bugs@mail.example.org please", "ana.lind", "[email]"),
    "e-mail beside Chinese": ("请联系ana@mail.example.cn谢谢", "ana@", "[email]"),
    "spelled e-mail": ("ana.lind [at] mail [dot] example [dot] org", "ana.lind", "[email]"),
    "IPv4": ("server 203.0.113.77:8000 hangs", "203.0.113.77", "[ip]:8000"),
    "IPv4 beside Chinese": ("地址192.168.3.44不通", "192.168.3.44", "[ip]"),
    "IPv6": ("from 2001:db8:85a3::8a2e:370:7334 only", "8a2e", "[ip]"),
    "MAC": ("adapter 3c:22:fb:9a:10:4e drops", "9a:10", "[mac]"),
    "phone with country code": ("call +49 30 901820 now", "901820", "[phone]"),
    "phone": ("my number (415) 555-0132", "555-0132", "[phone]"),
    "Chinese phone": ("电话：13800138000", "13800138000", "[phone]"),
    "card": ("paid with 4111 1111 1111 1111 twice", "1111", "[card]"),
    "home": ("read /home/ana.lind/src/x.py", "ana", "/home/[user]/src/x.py"),
    "home on a Mac": ("see /Users/analind/x", "analind", "/Users/[user]/x"),
    "home on Windows": (r"C:\Users\Ana Lind\AppData", "Lind", r"C:\Users\[user]\AppData"),
    "home in escaped JSON": (r"C:\\Users\\analind\\x", "analind", "[user]"),
    "shell prompt": ("analind@frame:~/src$ tarn run", "analind", "[user]:~/src$"),
    "user in an address": ("ssh://analind@host.example/x", "analind", "[user]"),
}


@pytest.mark.parametrize(("text", "gone", "instead"), PERSONAL.values(), ids=PERSONAL)
def test_personal_data_is_replaced(text: str, gone: str, instead: str) -> None:
    cleaned = redact(text)
    assert gone not in cleaned
    assert instead in cleaned


@pytest.mark.parametrize(
    "text",
    [
        "The image is 1380*1869 and uses 1024 tokens, 17179869184 bytes at 1732190400123.",
        "max_tokens=4096, temperature: 0.7, seed=1234567890123456",
        "commit 3f786850e387550fdab836ed7e6dc881de23001b broke it",
        "opencv-python==4.10.0.84, vLLM 0.10.1.1, Chrome 120.0.6099.109, section 7.4.11.2",
        "listens on 127.0.0.1:8000, 0.0.0.0 and ::1, mask 255.255.255.0",
        "std::vector<int> and Foo::Bar at 12:30:45, ratio 16:9",
        "git clone git@github.com:fennwick/loomcode.git; npm i lodash@4.17.21; logo@2x.png",
        "api_key=os.getenv('KEY'), api_key=\"EMPTY\", password: str = None, pwd=settings.pwd",
        "The secret: models forget. Forgot password: it asks. token: reserved_special_token_250",
        "https://site.example/home/dashboard and /home/user/x and /Users/runner/x",
        "sk-learn-style-estimators and task-1234567890-abcdefghij-klmnop",
        "shapes 128 256 1024, 512x512, [1, 77, 768], 0.4111111111111111",
        "Bearer tokens are missing from the docs; Basic auth works",
        "图是 1380*1869，位置 (10, 200)，第 3 行",
        "ping @maintainer, see #4821",
    ],
)
def test_what_only_looks_private_stays(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    "hidden", ["\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u202e", "\x07"]
)
def test_invisible_characters_hide_no_secret(hidden: str) -> None:
    token = "ghp" + "_" + "a1B2" * 9
    assert redact(f"key {token[:9]}{hidden}{token[9:]} end") == "key [secret] end"


@pytest.mark.parametrize(
    "value",
    [
        "hunter2",
        "a@b.example1",
        "#Pass1234",
        "$ecret.9",
        "my-dog-7",
        "Test-1234",
        "ab,cd{ef}12",
        "(x)9<y>",
    ],
)
def test_a_password_of_any_characters_goes(value: str) -> None:
    assert value not in redact(f"it says password={value} and stops")
    assert value not in redact(f'{{"password": "{value}", "n": 1}}')
    assert value[:3] not in redact(f"pwd: {value}.")


def test_joiners_between_letters_of_other_scripts_stay() -> None:
    persian = "می\u200cخواهم"
    assert redact(persian) == persian


def test_a_private_key_goes_whole_even_when_its_end_was_cut_off() -> None:
    marker = "-----{} RSA PRIVATE " + "KEY-----"
    lines = ["MIIEpAIBAAKCAQEA" + "x7Qd" * 12] * 4
    whole = "\n".join([marker.format("BEGIN"), *lines, marker.format("END")])
    assert redact(f"before\n{whole}\nafter") == "before\n[secret]\nafter"
    cut = redact(f"before\n{marker.format('BEGIN')}\n" + "\n".join(lines) + "\nafter it broke")
    assert "MIIE" not in cut
    assert "x7Qd" not in cut
    assert cut.endswith("after it broke")


def test_a_secret_that_another_one_covered_goes_too() -> None:
    bot = "123456789" + ":" + "a1B2c" * 7
    assert redact(f"{bot}{'h' + 'f_' + 'a1B2' * 8} end") == "[secret][secret] end"


@settings(max_examples=200, deadline=None)
@given(HOSTILE)
def test_redaction_never_raises_and_doing_it_twice_changes_nothing(text: str) -> None:
    once = redact(text)
    assert redact(once) == once


@settings(max_examples=150, deadline=None)
@given(st.text(st.characters(), max_size=200))
def test_no_control_character_and_no_surrogate_survives(text: str) -> None:
    cleaned = redact(text)
    assert not any(ord(c) < 32 and c not in "\n\t" for c in cleaned)
    assert not any(0xD800 <= ord(c) <= 0xDFFF for c in cleaned)
    cleaned.encode("utf-8")


@pytest.mark.parametrize(
    "unit",
    [
        *(
            "eyJ",
            "sk-",
            "://a:",
            "a@",
            "password=",
            "1-",
            "/home/",
            "2001:",
            "(((",
            "aws_key=",
            "+1 ",
        ),
        *("//a/:_authToken=", "xoxb-1-", "-----BEGIN RSA PRIVATE KEY-----\n", "token: a1"),
        *("key" + " " * 50, "é\u200d"),
    ],
)
def test_a_hostile_text_takes_time_in_proportion_to_its_length(unit: str) -> None:
    text = (unit * 100_000)[:100_000]
    started = time.process_time()
    redact(text)
    # 0.02 to 0.7 s were measured; a quadratic pattern takes minutes.
    assert time.process_time() - started < 8
