"""Writes what a run of scripts/check-contract needs for one identity mode.

prepare.py header|jwt CONTRACT OUTPUT-DIRECTORY

A running listener has one identity mode and the contract describes both, so contract.yaml has only the security scheme
of the mode; with jwt also no X-User-Id, which is ignored there. The files `mina` and `first` hold the header field that
says to be that user; with jwt, `secret` holds the key of their tokens.
"""

import base64
import hashlib
import hmac
import json
import pathlib
import secrets
import sys
import time

import yaml

SCHEMES = {"header": "gateway", "jwt": "bearer"}
# Those that check-contract makes, one of each state, and one that is not there.
CAMPAIGNS = ["summer", "codes", "sold-out", "paused", "over", "later", "not-there"]
METHODS = {"get", "head", "options", "post"}


def of_mode(contract, mode):
    scheme = SCHEMES[mode]
    contract["security"] = [{scheme: []}]
    contract["components"]["securitySchemes"] = {scheme: contract["components"]["securitySchemes"][scheme]}
    # So that each state is met whatever the seed.
    contract["components"]["parameters"]["CampaignID"]["examples"] = {name: {"value": name} for name in CAMPAIGNS}
    if mode == "jwt":
        user = {"$ref": "#/components/parameters/UserHeader"}
        for path in contract["paths"].values():
            for operation in (value for key, value in path.items() if key in METHODS):
                operation["parameters"] = [one for one in operation.get("parameters", []) if one != user]
    return contract


def token(secret, user, now):
    def part(content):
        return base64.urlsafe_b64encode(content).rstrip(b"=")

    claims = {"sub": user, "iss": "check-contract", "aud": "first-come", "iat": now, "nbf": now, "exp": now + 3600}
    signed = part(json.dumps({"alg": "HS256", "typ": "JWT"}).encode()) + b"." + part(json.dumps(claims).encode())
    return signed + b"." + part(hmac.new(secret, signed, hashlib.sha256).digest())


def main():
    mode, contract, output = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    # Without aliases: two operations that share a mapping must not be changed together.
    loaded = json.loads(json.dumps(yaml.safe_load(contract.read_text())))
    (output / "contract.yaml").write_text(yaml.safe_dump(of_mode(loaded, mode), sort_keys=False))
    secret = secrets.token_hex(32).encode()
    (output / "secret").touch(mode=0o600)
    (output / "secret").write_bytes(secret)
    for user in ["mina", "first"]:
        signed = token(secret, user, int(time.time())).decode()
        field = f"Authorization: Bearer {signed}" if mode == "jwt" else f"X-User-Id: {user}"
        (output / user).write_text(field)


main()
