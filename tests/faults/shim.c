/* A preloaded shim between a program and its disk: makes the Nth change to files below FAULT_DIR fail, or cuts
   the power at it.

   FAULT_N: which change; 0: none, only count them. FAULT_KIND: eio, enospc, short (half of a write), cut, part (the
   process ends there and then), lie (every fsync does nothing, for a check that the checks find that).
   FAULT_STICKS: if set, every change from the Nth on fails. FAULT_DURABLE: a folder that gets what is certain to be on
   the disk: `inodes/INODE` as it was at its last fsync, `folders/NAME` with the names of a folder at its last fsync.
   The numbers of changes and of reads are written to FAULT_COUNT at the end. Not for programs that fork. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long changes, reads;

static const char *setting(const char *name) {
    const char *value = getenv(name);
    return value ? value : "";
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int is_ours(const char *path) {
    const char *folder = setting("FAULT_DIR");
    return *folder && strncmp(path, folder, strlen(folder)) == 0;
}

static int path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return is_ours(path);
}

static void write_count(void) {
    int fd = REAL(open)(setting("FAULT_COUNT"), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd >= 0) {
        dprintf(fd, "%ld %ld\n", changes, reads);
        REAL(close)(fd);
    }
}

__attribute__((destructor)) static void finish(void) { write_count(); }

/* What happens to this change: 0 it is done, 1 it fails (errno is set), 2 half of it is done. */
static int fate(int is_write) {
    pthread_mutex_lock(&mutex);
    long number = ++changes;
    pthread_mutex_unlock(&mutex);
    long n = atol(setting("FAULT_N"));
    const char *kind = setting("FAULT_KIND");
    if (n == 0 || number < n || (number > n && !*setting("FAULT_STICKS"))) return 0;
    if (strcmp(kind, "cut") == 0 || strcmp(kind, "part") == 0) {
        write_count();
        _exit(99);
    }
    if (strcmp(kind, "short") == 0) return is_write ? 2 : 0;
    if (strcmp(kind, "eio") == 0) errno = EIO;
    else if (strcmp(kind, "enospc") == 0) errno = ENOSPC;
    else return 0;
    return 1;
}

static int read_fails(int fd) {
    char path[PATH_MAX];
    if (!path_of(fd, path)) return 0;
    pthread_mutex_lock(&mutex);
    long number = ++reads;
    pthread_mutex_unlock(&mutex);
    long n = atol(setting("FAULT_N"));
    if (strcmp(setting("FAULT_KIND"), "read") != 0 || number < n) return 0;
    if (number > n && !*setting("FAULT_STICKS")) return 0;
    errno = EIO;
    return 1;
}

static void copy_inode(int fd) {
    struct stat facts;
    char name[PATH_MAX], part[PATH_MAX];
    static char bytes[1 << 16];
    if (fstat(fd, &facts) != 0) return;
    snprintf(name, sizeof name, "%s/inodes/%lu", setting("FAULT_DURABLE"), (unsigned long)facts.st_ino);
    snprintf(part, sizeof part, "%s.part", name);
    int out = REAL(open)(part, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int in = REAL(open)(path, O_RDONLY);
    ssize_t got;
    while ((got = REAL(read)(in, bytes, sizeof bytes)) > 0) REAL(write)(out, bytes, (size_t)got);
    REAL(close)(in);
    REAL(close)(out);
    REAL(rename)(part, name);
}

static void copy_folder(int fd, const char *path) {
    char name[PATH_MAX + 32], part[PATH_MAX + 64];
    const char *base = strcmp(path, setting("FAULT_DIR")) == 0 ? "top" : path + strlen(setting("FAULT_DIR")) + 1;
    snprintf(name, sizeof name, "%s/folders/%s", setting("FAULT_DURABLE"), base);
    snprintf(part, sizeof part, "%s.part", name);
    FILE *out = fopen(part, "w");
    DIR *folder = opendir(path);
    for (struct dirent *entry; out && folder && (entry = readdir(folder));)
        if (entry->d_type == DT_REG) fprintf(out, "%s %lu\n", entry->d_name, (unsigned long)entry->d_ino);
        else if (entry->d_type == DT_DIR && entry->d_name[0] != '.') fprintf(out, "%s/ 0\n", entry->d_name);
    if (folder) closedir(folder);
    if (out) fclose(out);
    REAL(rename)(part, name);
    (void)fd;
}

static int sync_fd(int fd, int (*real)(int)) {
    char path[PATH_MAX];
    struct stat facts;
    if (!path_of(fd, path)) return real(fd);
    if (fate(0) == 1) return -1;
    if (strcmp(setting("FAULT_KIND"), "lie") == 0) return 0;
    int result = real(fd);
    if (result != 0 || !*setting("FAULT_DURABLE") || fstat(fd, &facts) != 0) return result;
    pthread_mutex_lock(&mutex);
    if (S_ISDIR(facts.st_mode)) copy_folder(fd, path);
    else copy_inode(fd);
    pthread_mutex_unlock(&mutex);
    return result;
}

int fsync(int fd) { return sync_fd(fd, REAL(fsync)); }
int fdatasync(int fd) { return sync_fd(fd, REAL(fdatasync)); }

#define WRITE(name, offset_type)                                                              \
    ssize_t name(int fd, const void *bytes, size_t count, offset_type offset) {               \
        char path[PATH_MAX];                                                                  \
        int what = path_of(fd, path) ? fate(1) : 0;                                           \
        if (what == 1) return -1;                                                             \
        return REAL(name)(fd, bytes, what == 2 && count > 1 ? count / 2 : count, offset);     \
    }
WRITE(pwrite, off_t)
WRITE(pwrite64, off64_t)

ssize_t write(int fd, const void *bytes, size_t count) {
    char path[PATH_MAX];
    int what = path_of(fd, path) ? fate(1) : 0;
    if (what == 1) return -1;
    return REAL(write)(fd, bytes, what == 2 && count > 1 ? count / 2 : count);
}

#define READ(name, offset_type)                                                   \
    ssize_t name(int fd, void *bytes, size_t count, offset_type offset) {         \
        return read_fails(fd) ? -1 : REAL(name)(fd, bytes, count, offset);        \
    }
READ(pread, off_t)
READ(pread64, off64_t)

ssize_t read(int fd, void *bytes, size_t count) {
    return read_fails(fd) ? -1 : REAL(read)(fd, bytes, count);
}

#define OPEN(name)                                            \
    int name(const char *path, int flags, ...) {              \
        va_list more;                                         \
        va_start(more, flags);                                \
        int mode = flags & O_CREAT ? va_arg(more, int) : 0;   \
        va_end(more);                                         \
        if ((flags & O_CREAT) && is_ours(path) && fate(0) == 1) return -1; \
        return REAL(name)(path, flags, mode);                 \
    }
OPEN(open)
OPEN(open64)

int ftruncate(int fd, off_t size) {
    char path[PATH_MAX];
    if (path_of(fd, path) && fate(0) == 1) return -1;
    return REAL(ftruncate)(fd, size);
}
int ftruncate64(int fd, off64_t size) {
    char path[PATH_MAX];
    if (path_of(fd, path) && fate(0) == 1) return -1;
    return REAL(ftruncate64)(fd, size);
}
/* What stays because of that is nobody's fault: `FAULT_COUNT.unlink` says so. */
int unlink(const char *path) {
    if (is_ours(path) && fate(0) == 1) {
        int error = errno;
        char name[PATH_MAX];
        snprintf(name, sizeof name, "%s.unlink", setting("FAULT_COUNT"));
        REAL(close)(REAL(open)(name, O_WRONLY | O_CREAT, 0600));
        errno = error;
        return -1;
    }
    return REAL(unlink)(path);
}
int link(const char *from, const char *to) {
    if (is_ours(to) && fate(0) == 1) return -1;
    return REAL(link)(from, to);
}
int rename(const char *from, const char *to) {
    if (is_ours(to) && fate(0) == 1) return -1;
    return REAL(rename)(from, to);
}
