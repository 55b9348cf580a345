/*
 * Makes one write or sync of a program fail. Preloaded (LD_PRELOAD) by the io-sweep harness.
 *
 * Build: cc -shared -fPIC -O2 -Wall -Wextra -Werror -o io_faults.so io_faults.c -ldl
 *
 *   IO_FAULTS_BELOW    only calls on files below this directory count; others are left alone
 *   IO_FAULTS_COUNTER  a file of 8 bytes that holds how many have been made, by all processes that share it
 *   IO_FAULTS_AT       which of them fails, from 1; 0 or unset: none
 *   IO_FAULTS_MODE     eio, enospc, short (half of a write is made), kill-before, kill-after
 *
 * Counted are what changes a file or promises that it stays: write, pwrite, writev, pwritev, fsync, fdatasync,
 * ftruncate, fallocate, rename, renameat2, unlink, and open where it creates.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum mode { NONE, EIO_MODE, ENOSPC_MODE, SHORT_MODE, KILL_BEFORE, KILL_AFTER };

static const char *below;
static size_t below_length;
static _Atomic uint64_t *counter;
static uint64_t at;
static enum mode mode;

#define REAL(type, name, ...)                                                                                          \
  static type (*real_##name)(__VA_ARGS__);                                                                             \
  if (real_##name == NULL) *(void **)&real_##name = dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void begin(void) {
  REAL(int, open, const char *, int, ...);
  const char *path = getenv("IO_FAULTS_COUNTER"), *which = getenv("IO_FAULTS_AT"), *how = getenv("IO_FAULTS_MODE");
  below = getenv("IO_FAULTS_BELOW");
  if (below == NULL || path == NULL || how == NULL) return;
  int file = real_open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) return;
  void *page = mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (page == MAP_FAILED) return;
  counter = page;
  below_length = strlen(below);
  at = which == NULL ? 0 : strtoull(which, NULL, 10);
  mode = strcmp(how, "eio") == 0           ? EIO_MODE
         : strcmp(how, "enospc") == 0      ? ENOSPC_MODE
         : strcmp(how, "short") == 0       ? SHORT_MODE
         : strcmp(how, "kill-before") == 0 ? KILL_BEFORE
         : strcmp(how, "kill-after") == 0  ? KILL_AFTER
                                           : NONE;
}

static int is_below(const char *path) { return counter != NULL && strncmp(path, below, below_length) == 0; }

static int is_file_below(int file) {
  if (counter == NULL) return 0;
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = '\0';
  return is_below(path);
}

/* Counts a call; tells what is to become of it. */
static enum mode count(int counts) {
  if (!counts || atomic_fetch_add(counter, 1) + 1 != at) return NONE;
  if (mode == KILL_BEFORE) kill(getpid(), SIGKILL);
  return mode;
}

static void after(enum mode what) {
  if (what == KILL_AFTER) kill(getpid(), SIGKILL);
}

/* Whether the call fails as a whole; sets errno. */
static int fails(enum mode what, int is_write) {
  if (what == EIO_MODE || (what == SHORT_MODE && !is_write)) return errno = EIO, 1;
  if (what == ENOSPC_MODE) return errno = ENOSPC, 1;
  return 0;
}

#define WRITE_LIKE(name, parameters, arguments, short_arguments, ...)                                                  \
  ssize_t name parameters {                                                                                            \
    REAL(ssize_t, name, __VA_ARGS__);                                                                                  \
    enum mode what = count(is_file_below(file));                                                                       \
    if (fails(what, 1)) return -1;                                                                                     \
    ssize_t done = what == SHORT_MODE && size > 1 ? real_##name short_arguments : real_##name arguments;               \
    after(what);                                                                                                       \
    return done;                                                                                                       \
  }

WRITE_LIKE(write, (int file, const void *bytes, size_t size), (file, bytes, size), (file, bytes, size / 2), int,
           const void *, size_t)
WRITE_LIKE(pwrite, (int file, const void *bytes, size_t size, off_t offset), (file, bytes, size, offset),
           (file, bytes, size / 2, offset), int, const void *, size_t, off_t)
WRITE_LIKE(pwrite64, (int file, const void *bytes, size_t size, off64_t offset), (file, bytes, size, offset),
           (file, bytes, size / 2, offset), int, const void *, size_t, off64_t)
WRITE_LIKE(writev, (int file, const struct iovec *parts, int size), (file, parts, size), (file, parts, size / 2), int,
           const struct iovec *, int)
WRITE_LIKE(pwritev, (int file, const struct iovec *parts, int size, off_t offset), (file, parts, size, offset),
           (file, parts, size / 2, offset), int, const struct iovec *, int, off_t)

#define OTHER(name, parameters, arguments, counts, ...)                                                                \
  int name parameters {                                                                                                \
    REAL(int, name, __VA_ARGS__);                                                                                      \
    enum mode what = count(counts);                                                                                    \
    if (fails(what, 0)) return -1;                                                                                     \
    int done = real_##name arguments;                                                                                  \
    int error = errno;                                                                                                 \
    after(what);                                                                                                       \
    errno = error;                                                                                                     \
    return done;                                                                                                       \
  }

OTHER(fsync, (int file), (file), is_file_below(file), int)
OTHER(fdatasync, (int file), (file), is_file_below(file), int)
OTHER(ftruncate, (int file, off_t size), (file, size), is_file_below(file), int, off_t)
OTHER(ftruncate64, (int file, off64_t size), (file, size), is_file_below(file), int, off64_t)
OTHER(fallocate, (int file, int how, off_t from, off_t size), (file, how, from, size), is_file_below(file), int, int,
      off_t, off_t)
OTHER(rename, (const char *from, const char *to), (from, to), is_below(to), const char *, const char *)
OTHER(renameat2, (int from_in, const char *from, int to_in, const char *to, unsigned int how),
      (from_in, from, to_in, to, how), is_below(to), int, const char *, int, const char *, unsigned int)
OTHER(unlink, (const char *path), (path), is_below(path), const char *)

/* It returns its error. */
int posix_fallocate(int file, off_t from, off_t size) {
  REAL(int, posix_fallocate, int, off_t, off_t);
  enum mode what = count(is_file_below(file));
  if (fails(what, 0)) return errno;
  int done = real_posix_fallocate(file, from, size);
  after(what);
  return done;
}

#define OPEN_LIKE(name)                                                                                                \
  int name(const char *path, int flags, ...) {                                                                         \
    REAL(int, name, const char *, int, ...);                                                                           \
    mode_t permissions = 0;                                                                                            \
    if (flags & (O_CREAT | O_TMPFILE)) {                                                                               \
      va_list rest;                                                                                                    \
      va_start(rest, flags);                                                                                           \
      permissions = va_arg(rest, mode_t);                                                                              \
      va_end(rest);                                                                                                    \
    }                                                                                                                  \
    enum mode what = count((flags & O_CREAT) && is_below(path) && access(path, F_OK) != 0);                            \
    if (fails(what, 0)) return -1;                                                                                     \
    int file = real_##name(path, flags, permissions);                                                                  \
    int error = errno;                                                                                                 \
    after(what);                                                                                                       \
    errno = error;                                                                                                     \
    return file;                                                                                                       \
  }

OPEN_LIKE(open)
OPEN_LIKE(open64)
