"""Signs URLs for Tintype, and verifies them. Needs nothing but the standard library (Python 3.9 and later).

    from tintype_sign import sign
    sign("/img/cats/tom%20cat.jpg?w=800&f=auto", kid="k1", secret=secret, expires=1800000000)
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from typing import Optional, Sequence

VERSION = "tintype-v1"
MAX_TARGET_BYTES = 16384
MAX_PAIRS = 128


@dataclass(frozen=True)
class Key:
    """A key: its id, its secret (at least 16 bytes), and whether it signs the host too (`signing.host`)."""

    kid: str
    secret: bytes = field(repr=False)
    host: bool = False


class Malformed(ValueError):
    """The URL cannot be signed, or cannot be one that was."""


class Refused(ValueError):
    """A request is not rightly signed; `reason` is the word that the server's log has for it."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


def sign(url: str, *, kid: str, secret: bytes | str, expires: Optional[int] = None, host: bool = False) -> str:
    """The path and query (or whole URL) with `kid`, `exp` and `s` added at the end of its query.

    `url` is percent-escaped as it will be sent. With `host` it is a whole URL, and holds for that host only.
    """
    origin, name, path, query = _split(url)
    own, _ = _read(path, query)
    if own:
        raise Malformed("the URL has an `s`, `kid` or `exp` already")
    if not _is_key_id(kid):
        raise Malformed("a key id is 1 to 64 of A-Z a-z 0-9 . _ -")
    sealed = query if query == "" or query.endswith("&") else query + "&"
    sealed += f"kid={kid}"
    if expires is not None:
        sealed += f"&exp={expires}"
    _, pairs = _read(path, sealed)
    digest = _hmac(secret, _message("GET", _bound_host(host, name), path, pairs))
    return f"{origin}{path}?{sealed}&s={_encode(digest)}"


def verify(
    url: str, keys: Sequence[Key], *, now: float, method: str = "GET", host_name: Optional[str] = None
) -> tuple[Key, Optional[int]]:
    """The key that signed the request, and when it expires; raises `Refused`.

    `url` is what the client sent; the first key also serves URLs without `kid`.
    """
    try:
        _, name, path, query = _split(url)
        own, pairs = _read(path, query)
        if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", method):
            raise Malformed("no method")
        if "s" not in own:
            raise Refused("missing")
        found = _decode(own["s"])
        chosen = [key for key in keys if "kid" not in own or key.kid == own["kid"]]
        if not chosen:
            raise Refused("unknown-kid")
        key = chosen[0]
        host = _bound_host(key.host, name if name is not None else host_name)
    except Malformed:
        raise Refused("malformed") from None
    if not hmac.compare_digest(_hmac(key.secret, _message(method, host, path, pairs)), found):
        raise Refused("mismatch")
    expires = int(own["exp"]) if "exp" in own else None
    if expires is not None and now >= expires:
        raise Refused("expired")
    return key, expires


def _split(url: str) -> tuple[str, Optional[str], str, str]:
    whole = re.match(r"(https?://([^/?#]*))/", url)
    origin, name = (whole.group(1), whole.group(2)) if whole else ("", None)
    path, _, query = url[len(origin) :].partition("?")
    return origin, name, path, query


def _read(path: str, query: str) -> tuple[dict[str, str], list[str]]:
    """Takes a query apart as far as a signature needs it; nothing is decoded."""
    if len(path) + len(query) > MAX_TARGET_BYTES:
        raise Malformed("the URL is too long")
    if not re.fullmatch(r'/[!-"$->@-~]*', path) or not re.fullmatch(r'[!-"$-~]*', query):
        raise Malformed("a URL is percent-escaped ASCII, and its path begins with /")
    own: dict[str, str] = {}
    pairs: list[str] = []
    for pair in filter(None, query.split("&")):
        name, _, value = pair.partition("=")
        if "%" in name or len(pairs) >= MAX_PAIRS:
            raise Malformed("names of parameters have no escapes, and there are at most 128")
        if name in ("s", "kid", "exp"):
            fine = {
                "s": value != "",
                "kid": _is_key_id(value),
                "exp": bool(re.fullmatch(r"[0-9]{1,11}", value)) and int(value) > 0,
            }[name]
            if name in own or not fine:
                raise Malformed(f"`{name}` is there twice, or has an impossible value")
            own[name] = value
        if name != "s":
            pairs.append(pair)
    return own, sorted(pairs)


def _message(method: str, host: str, path: str, pairs: list[str]) -> bytes:
    lines = [VERSION, "GET" if method == "HEAD" else method, host, path, "&".join(pairs)]
    return "\n".join(lines).encode("ascii")


def _bound_host(bound: bool, name: Optional[str]) -> str:
    if not bound:
        return ""
    if not re.fullmatch(r"[!-~]+", name or ""):
        raise Malformed("the host is signed, so the URL has to name it")
    return (name or "").lower()


def _is_key_id(text: str) -> bool:
    return bool(re.fullmatch(r"[A-Za-z0-9._-]{1,64}", text))


def _hmac(secret: bytes | str, message: bytes) -> bytes:
    key = secret.encode() if isinstance(secret, str) else secret
    if len(key) < 16:
        raise ValueError("a secret has at least 16 bytes")
    return hmac.new(key, message, hashlib.sha256).digest()


def _encode(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    """Strict: the bytes for which `_encode` gives exactly this text."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", text) or len(text) % 4 == 1:
        raise Malformed("`s` is not base64url")
    digest = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if _encode(digest) != text:
        raise Malformed("`s` is not base64url")
    return digest
