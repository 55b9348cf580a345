/*
 * Shows ThreadSanitizer what the standard library's Mutex does where it has to wait. Preloaded by scripts/sanitize.
 *
 * Build: clang -shared -fPIC -O2 -Wall -Wextra -Werror -o mutex_slow_paths.so mutex_slow_paths.c -ldl
 *
 * Taking a free mutex and giving back one that nobody waits for are atomics in the code of who uses it, which the
 * sanitizer sees. The rest is in libswiftSynchronization, which is not built for it: without this, whoever has waited
 * for a mutex seems to race with whom it waited for. The sanitizer's own functions are there in programs that are built
 * with it, and are left out in others.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *mutex

__attribute__((weak)) void __tsan_acquire(void *address);
__attribute__((weak)) void __tsan_release(void *address);

static void *real(const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  if (found == NULL) abort();
  return found;
}

#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY_LOCK "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

SWIFT void lock_slow(uint32_t thread, SELF) __asm__(LOCK);
SWIFT bool try_lock_slow(SELF) __asm__(TRY_LOCK);
SWIFT void unlock_slow(SELF) __asm__(UNLOCK);

SWIFT void lock_slow(uint32_t thread, SELF) {
  ((SWIFT void (*)(uint32_t, SELF))real(LOCK))(thread, mutex);
  if (__tsan_acquire != NULL) __tsan_acquire(mutex);
}

SWIFT bool try_lock_slow(SELF) {
  bool taken = ((SWIFT bool (*)(SELF))real(TRY_LOCK))(mutex);
  if (taken && __tsan_acquire != NULL) __tsan_acquire(mutex);
  return taken;
}

SWIFT void unlock_slow(SELF) {
  if (__tsan_release != NULL) __tsan_release(mutex);
  ((SWIFT void (*)(SELF))real(UNLOCK))(mutex);
}
