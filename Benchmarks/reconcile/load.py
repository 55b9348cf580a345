"""Runs a command while another process gives seats in the same database, and says how large the log became.

    load.py DATABASE COMMAND ...

The writer does what the service does: groups of 256 acceptances in one transaction, and a checkpoint when the log has
more than 1,000 pages, which moves nothing that a reader still needs.
"""

import hashlib
import os
import sqlite3
import subprocess
import sys
import time

BEGUN = 1_796_115_600_000_000


def main():
    path, command = sys.argv[1], sys.argv[2:]
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA wal_autocheckpoint = 0")
    campaign = f"load-{time.time_ns()}"
    db.execute(
        "INSERT INTO campaign (id, name, quota, counter, state, issuer, code_key, created_at)"
        " VALUES (?, '', 1000000000, 0, 'open', 'generated', zeroblob(32), ?)",
        (campaign, BEGUN),
    )
    db.execute(
        "INSERT INTO operator_act (campaign_id, act, operator, detail, counter, quota, acted_at)"
        " VALUES (?, 'create', 'benchmark', '', 0, 1000000000, ?)",
        (campaign, BEGUN),
    )
    chain, seat, largest, wal = bytes(32), 0, 0, path + "-wal"
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    while process.poll() is None:
        db.execute("BEGIN IMMEDIATE")
        rows = []
        for seat in range(seat + 1, seat + 257):
            user, at = f"user-{seat}", BEGUN + seat
            chain = hashlib.sha256(chain + f"{campaign}\n{seat}\n{user}\n{at}\n".encode()).digest()
            rows.append((campaign, seat, user, at, chain))
        db.executemany(
            "INSERT INTO accepted_user (campaign_id, seat, user_id, accepted_at, chain) VALUES (?, ?, ?, ?, ?)", rows
        )
        db.executemany(
            "INSERT INTO outbox (campaign_id, seat, user_id, created_at) VALUES (?, ?, ?, ?)", [row[:4] for row in rows]
        )
        db.execute("UPDATE campaign SET counter = ? WHERE id = ?", (seat, campaign))
        db.execute("COMMIT")
        size = os.stat(wal).st_size
        largest = max(largest, size)
        if size > 4_096_000:
            db.execute("PRAGMA wal_checkpoint(PASSIVE)")
    output = process.stdout.read()
    print(f"{output.split(chr(10))[0]}")
    print(f"log_mib {largest / 1048576:.1f} seats_meanwhile {seat} status {process.returncode}")


main()
