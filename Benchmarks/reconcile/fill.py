"""Fills a fresh database with a campaign of which every seat has its coupon, as the programs would have left it.

    fill.py DATABASE SEATS

Chain values and codes are those that the report recomputes. The triggers are taken away and put back: this is a
benchmark, and a million claims would take longer than what is measured.
"""

import base64
import hashlib
import hmac
import sqlite3
import sys

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
STANDARD = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
TRANSLATION = str.maketrans(STANDARD, ALPHABET)
KEY = bytes(range(32))
BEGUN = 1_796_115_600_000_000


def code(seat):
    digest = hmac.new(KEY, f"summer/{seat}".encode(), hashlib.sha256).digest()[:10]
    text = base64.b32encode(digest).decode().translate(TRANSLATION)
    return "-".join(text[i : i + 4] for i in range(0, 16, 4))


def seats(count):
    chain = bytes(32)
    for seat in range(1, count + 1):
        user, at = f"user-{seat}", BEGUN + seat * 20
        chain = hashlib.sha256(chain + f"summer\n{seat}\n{user}\n{at}\n".encode()).digest()
        yield seat, user, at, chain


def main():
    path, count = sys.argv[1], int(sys.argv[2])
    db = sqlite3.connect(path)
    db.execute("PRAGMA synchronous = OFF")
    db.execute("PRAGMA cache_size = -200000")
    triggers = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        db.execute(f"DROP TRIGGER {name}")
    db.execute(
        "INSERT INTO campaign (id, name, quota, counter, state, issuer, code_key, created_at)"
        " VALUES ('summer', '', ?, ?, 'open', 'generated', ?, ?)",
        (count, count, KEY, BEGUN),
    )
    db.execute(
        "INSERT INTO operator_act (campaign_id, act, operator, detail, counter, quota, acted_at)"
        " VALUES ('summer', 'create', 'benchmark', '', 0, ?, ?)",
        (count, BEGUN),
    )
    rows = list(seats(count))
    db.executemany(
        "INSERT INTO accepted_user (campaign_id, seat, user_id, accepted_at, chain) VALUES ('summer', ?, ?, ?, ?)", rows
    )
    db.executemany(
        "INSERT INTO outbox (campaign_id, seat, user_id, state, created_at, settled_at)"
        " VALUES ('summer', ?, ?, 'delivered', ?, ?)",
        ((seat, user, at, at + 900) for seat, user, at, _ in rows),
    )
    db.executemany(
        "INSERT INTO coupon (campaign_id, seat, user_id, code, issued_at) VALUES ('summer', ?, ?, ?, ?)",
        ((seat, user, code(seat), at + 900) for seat, user, at, _ in rows),
    )
    for _, sql in triggers:
        db.execute(sql)
    db.commit()
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


main()
