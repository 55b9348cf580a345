/*
 * What the replay of failed events costs at least: its statements, lock and syncs, with nothing but the C API of SQLite,
 * in one thread.
 *
 * Build: gcc -O2 -Wall -Wextra -Werror -o replay replay.c -lsqlite3
 * Usage: replay DATABASE GROUP
 *
 * Replays every due failed event of a campaign with generated codes, GROUP of them to two transactions: one that leases
 * them, one that makes the coupons and settles them. The codes are not derived but mixed from the seat: as long as ours, and
 * as scattered over their index. Prints "events_per_second N".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { CHECKPOINT_PAGES = 1000, MOST_EVENTS = 5000 };

struct event {
  char campaign[64], user[129];
  int64_t seat, generation, due;
};

static sqlite3 *db;
static int lock, log_pages;

static _Noreturn void fail(const char *doing, const char *cause) {
  fprintf(stderr, "replay: %s: %s\n", doing, cause);
  exit(1);
}

static void expect(int got, int wanted, const char *doing) {
  if (got != wanted) fail(doing, sqlite3_errmsg(db));
}

static sqlite3_stmt *prepare(const char *sql) {
  sqlite3_stmt *statement = NULL;
  expect(sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL), SQLITE_OK, sql);
  return statement;
}

/* Binds "t" a text, "i" a number; steps once; tells whether there is a row. */
static int run(sqlite3_stmt *statement, const char *types, ...) {
  va_list values;
  va_start(values, types);
  for (int index = 1; types[index - 1] != '\0'; index++) {
    int got = types[index - 1] == 't'
                ? sqlite3_bind_text(statement, index, va_arg(values, const char *), -1, SQLITE_STATIC)
                : sqlite3_bind_int64(statement, index, va_arg(values, int64_t));
    expect(got, SQLITE_OK, sqlite3_sql(statement));
  }
  va_end(values);
  int got = sqlite3_step(statement);
  if (got != SQLITE_ROW) expect(got, SQLITE_DONE, sqlite3_sql(statement));
  expect(sqlite3_reset(statement), SQLITE_OK, sqlite3_sql(statement));
  return got == SQLITE_ROW;
}

static int64_t microseconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Sixteen letters from a seat, by the finisher of SplitMix64. */
static void mix(int64_t seat, char code[17]) {
  uint64_t bits = (uint64_t)seat * 0x9E3779B97F4A7C15u;
  bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9u;
  bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EBu;
  bits ^= bits >> 31;
  for (int place = 0; place < 16; place++) code[place] = (char)('A' + (bits >> (4 * place) & 15));
  code[16] = '\0';
}

static int committed(void *unused, sqlite3 *connection, const char *name, int pages) {
  (void)unused, (void)connection, (void)name;
  log_pages = pages;
  return SQLITE_OK;
}

static void begin(sqlite3_stmt *statement) {
  if (flock(lock, LOCK_EX) != 0) fail("lock", strerror(errno));
  run(statement, "");
}

static void commit(sqlite3_stmt *statement) {
  run(statement, "");
  if (log_pages >= CHECKPOINT_PAGES)
    expect(sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL), SQLITE_OK, "checkpoint");
  if (flock(lock, LOCK_UN) != 0) fail("unlock", strerror(errno));
}

int main(int count, char **arguments) {
  if (count != 3) fail("usage", "replay DATABASE GROUP");
  int64_t group = strtoll(arguments[2], NULL, 10);
  if (group < 1 || group > MOST_EVENTS) fail("read GROUP", "it must be 1 to 5000");
  char path[4096];
  snprintf(path, sizeof path, "%s.write-lock", arguments[1]);
  lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) fail(path, strerror(errno));
  expect(sqlite3_open_v2(arguments[1], &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL), SQLITE_OK, "open");
  expect(sqlite3_exec(db, "PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON", NULL,
                      NULL, NULL), SQLITE_OK, "set pragmas");
  sqlite3_wal_hook(db, committed, NULL);
  sqlite3_stmt *start = prepare("BEGIN IMMEDIATE"), *end = prepare("COMMIT"),
    *due = prepare("SELECT campaign_id, seat, user_id, generation, next_attempt_at FROM failed_event"
                   " WHERE state = 'waiting' AND campaign_id = 'bench' AND next_attempt_at <= ?1"
                   " AND (leased_until IS NULL OR leased_until <= ?1) ORDER BY next_attempt_at, seat LIMIT ?2"),
    *lease = prepare("UPDATE failed_event SET leased_by = ?, leased_until = ?, generation = ?"
                     " WHERE campaign_id = ? AND seat = ?"),
    *fence = prepare("SELECT attempts, max_attempts FROM failed_event WHERE campaign_id = ? AND seat = ?"
                     " AND leased_by = ? AND generation = ? AND leased_until > ?"),
    *holder = prepare("SELECT user_id FROM accepted_user WHERE campaign_id = ? AND seat = ?"),
    *by_seat = prepare("SELECT 1 FROM coupon WHERE campaign_id = ? AND seat = ?"),
    *by_user = prepare("SELECT 1 FROM coupon WHERE campaign_id = ? AND user_id = ?"),
    *campaign = prepare("SELECT issuer, code_key FROM campaign WHERE id = ?"),
    *by_code = prepare("SELECT 1 FROM coupon WHERE campaign_id = ? AND code = ?"),
    *coupon = prepare("INSERT INTO coupon (campaign_id, seat, user_id, code, issued_at) VALUES (?, ?, ?, ?, ?)"),
    *settle = prepare("UPDATE failed_event SET state = 'resolved', attempts = attempts + 1, settled_at = ?,"
                      " next_attempt_at = NULL, leased_by = NULL, leased_until = NULL"
                      " WHERE campaign_id = ? AND seat = ? AND generation = ?"),
    *attempt = prepare("INSERT INTO attempt (campaign_id, seat, generation, run_id, outcome, started_at, ended_at)"
                       " VALUES (?, ?, ?, ?, 'resolved', ?, ?) ON CONFLICT DO NOTHING");
  static struct event events[MOST_EVENTS];
  const char *run_id = "00000000-0000-0000-0000-000000000000";
  int64_t replayed = 0, begun = microseconds(CLOCK_MONOTONIC);
  for (;;) {
    int64_t now = microseconds(CLOCK_REALTIME), found = 0;
    begin(start);
    sqlite3_bind_int64(due, 1, now);
    sqlite3_bind_int64(due, 2, group);
    while (sqlite3_step(due) == SQLITE_ROW) {
      struct event *event = &events[found++];
      snprintf(event->campaign, sizeof event->campaign, "%s", sqlite3_column_text(due, 0));
      event->seat = sqlite3_column_int64(due, 1);
      snprintf(event->user, sizeof event->user, "%s", sqlite3_column_text(due, 2));
      event->generation = sqlite3_column_int64(due, 3) + 1;
    }
    sqlite3_reset(due);
    for (struct event *event = events; event < events + found; event++)
      run(lease, "tiiti", run_id, now + 60000000, event->generation, event->campaign, event->seat);
    commit(end);
    if (found == 0) break;
    begin(start);
    for (struct event *event = events; event < events + found; event++) {
      char code[17];
      mix(event->seat, code);
      if (!run(fence, "titii", event->campaign, event->seat, run_id, event->generation, now)) fail("fence", "lost");
      if (!run(holder, "ti", event->campaign, event->seat)) fail("find the holder", "nobody");
      if (run(by_seat, "ti", event->campaign, event->seat)) fail("find a coupon", "of the seat");
      if (run(by_user, "tt", event->campaign, event->user)) fail("find a coupon", "of the user");
      if (event == events && !run(campaign, "t", event->campaign)) fail("find the campaign", event->campaign);
      if (run(by_code, "tt", event->campaign, code)) fail("find a coupon", "of the code");
      run(coupon, "titti", event->campaign, event->seat, event->user, code, now);
      run(settle, "itii", now, event->campaign, event->seat, event->generation);
      run(attempt, "tiitii", event->campaign, event->seat, event->generation, run_id, now, now);
    }
    commit(end);
    replayed += found;
  }
  double seconds = (double)(microseconds(CLOCK_MONOTONIC) - begun) / 1e6;
  printf("events_per_second %.0f\n", (double)replayed / seconds);
  return 0;
}
