/* Makes writes and syncs of the process that it is preloaded into fail, as the file named by ASSAY_FAULT says:

     OPERATION ERRNO SKIP MODE PATH

   OPERATION is write, sync, truncate or rename; the first SKIP calls on files whose path holds PATH, or ends in it where a $ follows, pass;
   the next one fails with ERRNO, and with MODE always every one after it too. ERRNO 0 is a short write: half of it is written. What failed, and what was called on such a
   file after the first failure, is written to the file ASSAY_FAULT with ".log" behind it. See fault.ts. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(type, name, ...) \
  static type (*real)(__VA_ARGS__); \
  if (real == NULL) *(void **)&real = dlsym(RTLD_NEXT, name)

enum { PASS = -1 };

static int seen, failed;

static void note(const char *what, const char *operation, const char *path) {
  char name[1024], line[1200];
  snprintf(name, sizeof name, "%s.log", getenv("ASSAY_FAULT"));
  int length = snprintf(line, sizeof line, "%s %s %s\n", what, operation, path);
  long fd = syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return;
  syscall(SYS_write, fd, line, length);
  syscall(SYS_close, fd);
}

static int concerns(const char *path, char *where) {
  size_t length = strlen(where);
  if (length == 0 || where[length - 1] != '$') return strstr(path, where) != NULL;
  where[--length] = 0;
  return strlen(path) >= length && strcmp(path + strlen(path) - length, where) == 0;
}

/* The error to fail with, 0 for a short write, or PASS. */
static int fate(const char *operation, const char *path) {
  char schedule[256] = "", wanted[32], mode[32], where[128];
  int error, skip;
  const char *file = getenv("ASSAY_FAULT");
  if (file == NULL) return PASS;
  long fd = syscall(SYS_openat, AT_FDCWD, file, O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) return PASS;
  long length = syscall(SYS_read, fd, schedule, sizeof schedule - 1);
  syscall(SYS_close, fd);
  if (length <= 0) return PASS;
  if (sscanf(schedule, "%31s %d %d %31s %127s", wanted, &error, &skip, mode, where) != 5)
    return PASS;
  if (!concerns(path, where)) return PASS;
  int again = failed > 0 && strcmp(mode, "always") != 0;
  if (strcmp(wanted, operation) != 0 || again) {
    if (failed > 0) note("later", operation, path);
    return PASS;
  }
  if (__atomic_fetch_add(&seen, 1, __ATOMIC_SEQ_CST) < skip) return PASS;
  __atomic_fetch_add(&failed, 1, __ATOMIC_SEQ_CST);
  note("failed", operation, path);
  return error;
}

static int fate_of(const char *operation, int fd) {
  char link[64], path[1024];
  if (getenv("ASSAY_FAULT") == NULL) return PASS;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return PASS;
  path[length] = 0;
  return fate(operation, path);
}

#define FAIL_OR(call) \
  if (fault > 0) { errno = fault; return -1; } \
  return call

ssize_t write(int fd, const void *buffer, size_t size) {
  REAL(ssize_t, "write", int, const void *, size_t);
  int fault = fate_of("write", fd);
  FAIL_OR(real(fd, buffer, fault == 0 && size > 1 ? size / 2 : size));
}

ssize_t pwrite(int fd, const void *buffer, size_t size, off_t at) {
  REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);
  int fault = fate_of("write", fd);
  FAIL_OR(real(fd, buffer, fault == 0 && size > 1 ? size / 2 : size, at));
}

ssize_t pwrite64(int fd, const void *buffer, size_t size, off64_t at) {
  REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
  int fault = fate_of("write", fd);
  FAIL_OR(real(fd, buffer, fault == 0 && size > 1 ? size / 2 : size, at));
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  REAL(ssize_t, "writev", int, const struct iovec *, int);
  int fault = fate_of("write", fd);
  FAIL_OR(real(fd, parts, fault == 0 && count > 1 ? 1 : count));
}

int fsync(int fd) {
  REAL(int, "fsync", int);
  int fault = fate_of("sync", fd);
  FAIL_OR(real(fd));
}

int fdatasync(int fd) {
  REAL(int, "fdatasync", int);
  int fault = fate_of("sync", fd);
  FAIL_OR(real(fd));
}

int ftruncate(int fd, off_t size) {
  REAL(int, "ftruncate", int, off_t);
  int fault = fate_of("truncate", fd);
  FAIL_OR(real(fd, size));
}

int ftruncate64(int fd, off64_t size) {
  REAL(int, "ftruncate64", int, off64_t);
  int fault = fate_of("truncate", fd);
  FAIL_OR(real(fd, size));
}

int rename(const char *from, const char *to) {
  REAL(int, "rename", const char *, const char *);
  int fault = fate("rename", to);
  FAIL_OR(real(from, to));
}
