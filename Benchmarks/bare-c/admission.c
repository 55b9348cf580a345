/*
 * What admission costs at least: its statements, locks and syncs, with nothing but the C API of SQLite, in one thread.
 *
 * Build: gcc -O2 -Wall -Wextra -Werror -o admission admission.c -lsqlite3
 * Usage: admission DATABASE MIGRATIONS_DIR CLAIMS GROUP [WITNESS]
 *
 * Makes a new DATABASE, and admits CLAIMS users to one campaign with as many seats, GROUP of them to a transaction.
 * WITNESS is a file of two pages, written in turn and synced after each commit. Prints "claims_per_second N".
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { CHAIN_BYTES = 32, WITNESS_BYTES = 4096, CHECKPOINT_PAGES = 1000, MOST_CLAIMS = 1000000000 };

struct gate {
  sqlite3 *db;
  sqlite3_stmt *begin, *campaign, *last, *own, *accept, *outbox, *counter, *commit;
  int lock, witness; /* -1: no witness */
  int64_t commits;
  int log_pages; /* of the write-ahead log after the last commit */
  char user[32]; /* what is bound stands here, since SQLite keeps the address */
  unsigned char chain[CHAIN_BYTES];
};

static _Noreturn void fail(const char *doing, const char *subject, const char *cause) {
  fprintf(stderr, "admission: %s %s: %s\n", doing, subject, cause);
  exit(1);
}

/* For the calls of the system, which give -1. */
static int sys(int result, const char *doing, const char *subject) {
  if (result == -1) fail(doing, subject, strerror(errno));
  return result;
}

/* For the calls of SQLite. */
static void expect(struct gate *gate, int got, int wanted, const char *doing, const char *subject) {
  if (got == wanted) return;
  fail(doing, subject, got == SQLITE_ROW || got == SQLITE_DONE ? sqlite3_errstr(got) : sqlite3_errmsg(gate->db));
}

static void execute(struct gate *gate, const char *sql, const char *subject) {
  expect(gate, sqlite3_exec(gate->db, sql, NULL, NULL, NULL), SQLITE_OK, "execute", subject);
}

static void bind_number(struct gate *gate, sqlite3_stmt *statement, int index, int64_t number) {
  expect(gate, sqlite3_bind_int64(statement, index, number), SQLITE_OK, "bind", sqlite3_sql(statement));
}

static void bind_text(struct gate *gate, sqlite3_stmt *statement, int index, const char *text) {
  int got = sqlite3_bind_text(statement, index, text, -1, SQLITE_STATIC);
  expect(gate, got, SQLITE_OK, "bind", sqlite3_sql(statement));
}

/* Binds the campaign at its index, once, since it is the same for all; index 0: there is none. */
static sqlite3_stmt *prepare(struct gate *gate, const char *sql, int campaign_index) {
  sqlite3_stmt *statement = NULL;
  int got = sqlite3_prepare_v3(gate->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);
  expect(gate, got, SQLITE_OK, "prepare", sql);
  if (campaign_index > 0) bind_text(gate, statement, campaign_index, "bench");
  return statement;
}

static void step(struct gate *gate, sqlite3_stmt *statement, int wanted) {
  expect(gate, sqlite3_step(statement), wanted, "step", sqlite3_sql(statement));
}

static void reset(struct gate *gate, sqlite3_stmt *statement) {
  expect(gate, sqlite3_reset(statement), SQLITE_OK, "reset", sqlite3_sql(statement));
}

static void run(struct gate *gate, sqlite3_stmt *statement) {
  step(gate, statement, SQLITE_DONE);
  reset(gate, statement);
}

static void require_pragma(struct gate *gate, const char *sql, const char *wanted) {
  sqlite3_stmt *statement = prepare(gate, sql, 0);
  step(gate, statement, SQLITE_ROW);
  const char *got = (const char *)sqlite3_column_text(statement, 0);
  if (got == NULL || strcmp(got, wanted) != 0) fail("check", sql, got == NULL ? "it gives NULL" : got);
  reset(gate, statement);
}

static int64_t count_argument(const char *name, const char *text) {
  char *end = NULL;
  long long number = strtoll(text, &end, 10);
  if (end == text || *end != '\0' || number < 1 || number > MOST_CLAIMS)
    fail("read the argument", name, "it must be 1 to 1000000000");
  return number;
}

static int64_t microseconds(clockid_t clock) {
  struct timespec now;
  sys(clock_gettime(clock, &now), "read", "the clock");
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void migrate_by(struct gate *gate, const char *path) {
  FILE *file = fopen(path, "r");
  if (file == NULL) fail("open", path, strerror(errno));
  char *sql = NULL;
  size_t room = 0;
  if (getdelim(&sql, &room, '\0', file) == -1) fail("read", path, ferror(file) ? strerror(errno) : "it is empty");
  execute(gate, sql, path);
  free(sql);
  if (fclose(file) != 0) fail("close", path, strerror(errno));
}

static int is_migration(const struct dirent *entry) {
  size_t length = strlen(entry->d_name);
  return length > 4 && strcmp(entry->d_name + length - 4, ".sql") == 0;
}

static void migrate(struct gate *gate, const char *directory) {
  struct dirent **entries = NULL;
  int count = sys(scandir(directory, &entries, is_migration, alphasort), "list", directory);
  if (count == 0) fail("list", directory, "there is no *.sql file");
  for (int i = 0; i < count; i++) {
    char *path = NULL;
    sys(asprintf(&path, "%s/%s", directory, entries[i]->d_name), "name", entries[i]->d_name);
    migrate_by(gate, path);
    free(path);
    free(entries[i]);
  }
  free(entries);
}

static int note_log_pages(void *context, sqlite3 *db, const char *name, int pages) {
  (void)db, (void)name;
  ((struct gate *)context)->log_pages = pages;
  return SQLITE_OK;
}

static void open_database(struct gate *gate, const char *path, const char *migrations) {
  sys(close(sys(open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600), "create", path)), "close", path);
  int got = sqlite3_open_v2(path, &gate->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
  expect(gate, got, SQLITE_OK, "open", path);
  migrate(gate, migrations);
  execute(gate, "PRAGMA journal_mode = WAL", path);
  execute(gate, "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = 0", path);
  require_pragma(gate, "PRAGMA journal_mode", "wal");
  require_pragma(gate, "PRAGMA synchronous", "2");
  require_pragma(gate, "PRAGMA foreign_keys", "1");
  sqlite3_wal_hook(gate->db, note_log_pages, gate); /* after wal_autocheckpoint, which takes the hook away */
}

static void open_beside(struct gate *gate, const char *path, const char *witness) {
  char *lock = NULL;
  sys(asprintf(&lock, "%s.write-lock", path), "name the lock of", path);
  gate->lock = sys(open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600), "open", lock);
  free(lock);
  gate->witness = -1;
  if (witness == NULL) return;
  gate->witness = sys(open(witness, O_RDWR | O_CREAT | O_CLOEXEC, 0600), "open", witness);
  /* Both pages stand before the measurement, so that no sync in it has a size to write. */
  static const char pages[2 * WITNESS_BYTES];
  if (pwrite(gate->witness, pages, sizeof pages, 0) != sizeof pages) fail("write", witness, strerror(errno));
  sys(fsync(gate->witness), "sync", witness);
}

static void create_campaign(struct gate *gate, int64_t quota) {
  sqlite3_stmt *insert = prepare(
      gate, "INSERT INTO campaign (id, name, quota, state, issuer, code_key, created_at)"
            " VALUES (?, 'bench', ?, 'open', 'generated', zeroblob(32), ?)", 1);
  bind_number(gate, insert, 2, quota);
  bind_number(gate, insert, 3, microseconds(CLOCK_REALTIME));
  run(gate, insert);
}

static void prepare_statements(struct gate *gate) {
  gate->begin = prepare(gate, "BEGIN IMMEDIATE", 0);
  gate->campaign = prepare(gate, "SELECT name, quota, counter, state, issuer, opens_at, closes_at, created_at"
                                 " FROM campaign WHERE id = ?", 1);
  gate->last = prepare(gate, "SELECT accepted_at, chain FROM accepted_user WHERE campaign_id = ? AND seat = ?", 1);
  gate->own = prepare(gate, "SELECT seat, accepted_at FROM accepted_user WHERE campaign_id = ? AND user_id = ?", 1);
  gate->accept = prepare(
      gate, "INSERT INTO accepted_user (campaign_id, seat, user_id, accepted_at, chain) VALUES (?, ?, ?, ?, ?)", 1);
  gate->outbox = prepare(gate, "INSERT INTO outbox (campaign_id, seat, user_id, created_at) VALUES (?, ?, ?, ?)", 1);
  gate->counter = prepare(gate, "UPDATE campaign SET counter = ? WHERE id = ? AND counter = ?", 2);
  gate->commit = prepare(gate, "COMMIT", 0);
}

static int64_t read_counter(struct gate *gate) {
  step(gate, gate->campaign, SQLITE_ROW);
  int64_t counter = sqlite3_column_int64(gate->campaign, 2);
  reset(gate, gate->campaign);
  return counter;
}

/* Takes over the chain of the last acceptance and returns its time; where there is none, 0. */
static int64_t read_last(struct gate *gate, int64_t seat) {
  int64_t accepted_at = 0;
  bind_number(gate, gate->last, 2, seat);
  step(gate, gate->last, seat == 0 ? SQLITE_DONE : SQLITE_ROW);
  if (seat > 0) {
    accepted_at = sqlite3_column_int64(gate->last, 0);
    const void *chain = sqlite3_column_blob(gate->last, 1);
    if (chain == NULL || sqlite3_column_bytes(gate->last, 1) != CHAIN_BYTES) fail("read", "the chain", "not 32 bytes");
    memcpy(gate->chain, chain, CHAIN_BYTES);
  }
  reset(gate, gate->last);
  return accepted_at;
}

static void admit(struct gate *gate, int64_t seat, int64_t now) {
  snprintf(gate->user, sizeof gate->user, "user-%lld", (long long)seat);
  /* No hash: this measures the floor of statements and syncs, and any 32 bytes weigh the same there. */
  memcpy(gate->chain, &seat, sizeof seat);
  bind_text(gate, gate->own, 2, gate->user);
  run(gate, gate->own);
  bind_number(gate, gate->accept, 2, seat);
  bind_text(gate, gate->accept, 3, gate->user);
  bind_number(gate, gate->accept, 4, now);
  int got = sqlite3_bind_blob(gate->accept, 5, gate->chain, CHAIN_BYTES, SQLITE_STATIC);
  expect(gate, got, SQLITE_OK, "bind", "the chain");
  run(gate, gate->accept);
  bind_number(gate, gate->outbox, 2, seat);
  bind_text(gate, gate->outbox, 3, gate->user);
  bind_number(gate, gate->outbox, 4, now);
  run(gate, gate->outbox);
}

static void write_witness(struct gate *gate) {
  unsigned char page[WITNESS_BYTES] = {0};
  memcpy(page, &gate->commits, sizeof gate->commits);
  ssize_t written = pwrite(gate->witness, page, sizeof page, gate->commits % 2 * WITNESS_BYTES);
  if (written != sizeof page) fail("write", "the witness", written == -1 ? strerror(errno) : "not the whole page");
  sys(fdatasync(gate->witness), "sync", "the witness");
}

static void admit_group(struct gate *gate, int64_t count) {
  sys(flock(gate->lock, LOCK_EX), "take", "the write lock");
  run(gate, gate->begin);
  int64_t counter = read_counter(gate), last = read_last(gate, counter), now = microseconds(CLOCK_REALTIME);
  for (int64_t i = 1; i <= count; i++) admit(gate, counter + i, now < last ? last : now);
  bind_number(gate, gate->counter, 1, counter + count);
  bind_number(gate, gate->counter, 3, counter);
  run(gate, gate->counter);
  if (sqlite3_changes(gate->db) != 1) fail("raise", "the counter", "it moved under the write lock");
  run(gate, gate->commit);
  if (gate->witness != -1) write_witness(gate);
  gate->commits++;
  if (gate->log_pages >= CHECKPOINT_PAGES) {
    int got = sqlite3_wal_checkpoint_v2(gate->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    expect(gate, got, SQLITE_OK, "checkpoint", "the write-ahead log");
  }
  sys(flock(gate->lock, LOCK_UN), "give back", "the write lock");
}

static void check_books(struct gate *gate, int64_t claims) {
  sqlite3_stmt *books = prepare(
      gate, "SELECT counter, (SELECT count(*) FROM accepted_user), (SELECT count(*) FROM outbox) FROM campaign", 0);
  step(gate, books, SQLITE_ROW);
  for (int column = 0; column < 3; column++)
    if (sqlite3_column_int64(books, column) != claims)
      fail("check", sqlite3_column_name(books, column), (const char *)sqlite3_column_text(books, column));
  reset(gate, books);
}

static void close_gate(struct gate *gate) {
  for (sqlite3_stmt *statement; (statement = sqlite3_next_stmt(gate->db, NULL)) != NULL;)
    expect(gate, sqlite3_finalize(statement), SQLITE_OK, "finalize", "a statement");
  expect(gate, sqlite3_close(gate->db), SQLITE_OK, "close", "the database");
  sys(close(gate->lock), "close", "the write lock");
  if (gate->witness != -1) sys(close(gate->witness), "close", "the witness");
}

int main(int count, char **arguments) {
  if (count != 5 && count != 6)
    fail("read", "the arguments", "they must be DATABASE MIGRATIONS_DIR CLAIMS GROUP [WITNESS]");
  int64_t claims = count_argument("CLAIMS", arguments[3]), group = count_argument("GROUP", arguments[4]);
  struct gate gate = {0};
  open_database(&gate, arguments[1], arguments[2]);
  open_beside(&gate, arguments[1], count == 6 ? arguments[5] : NULL);
  create_campaign(&gate, claims);
  prepare_statements(&gate);

  int64_t start = microseconds(CLOCK_MONOTONIC);
  for (int64_t done = 0; done < claims; done += group)
    admit_group(&gate, claims - done < group ? claims - done : group);
  int64_t took = microseconds(CLOCK_MONOTONIC) - start;

  check_books(&gate, claims);
  close_gate(&gate);
  if (printf("claims_per_second %.0f\n", (double)claims * 1e6 / (double)took) < 0 || fflush(stdout) != 0)
    fail("write", "the result", strerror(errno));
  return 0;
}
