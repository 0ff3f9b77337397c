/* Writes down reads, writes and syncs of the process it is preloaded into, one line each, to the file named by ASSAY_TRACE.
   For systems that refuse ptrace; see trace.ts. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define TEXT_BYTES 4096

static int trace_file(void) {
  static int fd = -2;
  if (fd == -2) {
    const char *path = getenv("ASSAY_TRACE");
    fd = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  }
  return fd;
}

/* One system call a line, so that threads do not mix theirs. */
static void note(const char *kind, const char *text, ssize_t length) {
  char line[TEXT_BYTES + 16];
  int fd = trace_file();
  if (fd < 0 || length <= 0) return;
  size_t used = (size_t)snprintf(line, 16, "%s ", kind);
  size_t count = length > TEXT_BYTES ? TEXT_BYTES : (size_t)length;
  for (size_t i = 0; i < count; i++) {
    char byte = text[i];
    line[used++] = byte >= ' ' && byte <= '~' ? byte : '.';
  }
  line[used++] = '\n';
  syscall(SYS_write, fd, line, used);
}

static void note_path(int fd) {
  char link[64], path[1024];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path);
  note("sync", path, length);
}

#define REAL(type, name, ...) \
  static type (*real)(__VA_ARGS__); \
  if (real == NULL) *(void **)&real = dlsym(RTLD_NEXT, name)

ssize_t read(int fd, void *buffer, size_t size) {
  REAL(ssize_t, "read", int, void *, size_t);
  ssize_t length = real(fd, buffer, size);
  note("read", buffer, length);
  return length;
}

ssize_t write(int fd, const void *buffer, size_t size) {
  REAL(ssize_t, "write", int, const void *, size_t);
  note("write", buffer, (ssize_t)size);
  return real(fd, buffer, size);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  REAL(ssize_t, "writev", int, const struct iovec *, int);
  char text[TEXT_BYTES];
  size_t used = 0;
  for (int i = 0; i < count; i++) {
    size_t take = parts[i].iov_len < sizeof text - used ? parts[i].iov_len : sizeof text - used;
    memcpy(text + used, parts[i].iov_base, take);
    used += take;
  }
  note("write", text, (ssize_t)used);
  return real(fd, parts, count);
}

int fsync(int fd) {
  REAL(int, "fsync", int);
  int failed = real(fd);
  if (failed == 0) note_path(fd);
  return failed;
}

int fdatasync(int fd) {
  REAL(int, "fdatasync", int);
  int failed = real(fd);
  if (failed == 0) note_path(fd);
  return failed;
}
