"""The signer against ../vectors.json: python3 clients/python/test_tintype_sign.py"""

import json
import pathlib
import sys

sys.dont_write_bytecode = True
from tintype_sign import Key, Malformed, Refused, sign, verify  # noqa: E402


def main() -> None:
    text = (pathlib.Path(__file__).parent.parent / "vectors.json").read_text()
    vectors = json.loads(text)
    keys = [Key(key["kid"], key["secret"].encode(), key["host"]) for key in vectors["keys"]]
    by_kid = {key.kid: key for key in keys}
    for case in vectors["sign"]:
        key = by_kid[case["kid"]]
        found = sign(case["url"], kid=key.kid, secret=key.secret, expires=case["expires"], host=key.host)
        assert found == case["signed"], (case["name"], found)
    for case in vectors["not_signed"]:
        key = by_kid[case["kid"]]
        try:
            sign(case["url"], kid=key.kid, secret=key.secret, host=key.host)
        except Malformed:
            continue
        raise AssertionError(case["name"])
    for case in vectors["verify"]:
        try:
            verify(case["url"], keys, now=case["now"], method=case["method"])
            found = "ok"
        except Refused as refused:
            found = refused.reason
        assert found == case["expect"], (case["name"], found)
    print(len(vectors["sign"]) + len(vectors["not_signed"]) + len(vectors["verify"]), "vectors hold")


main()
