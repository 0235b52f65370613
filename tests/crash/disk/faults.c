/* A disk that fails: preloaded into the service, it stands between SQLite and the operating system for the store's files.
 *
 * TRACUU_FAULTS names a file with one line, "ID OPERATION ERROR COUNT FILE", or an empty one when all is well:
 *   ID         changes with each fault, so that COUNT begins anew
 *   OPERATION  write: write and pwrite; sync: fsync and fdatasync; change: writing, truncating, opening for writing
 *   ERROR      EIO, ENOSPC, EROFS; the first write that finds no space is a short one, as it is on a real disk
 *   COUNT      so many times; -1: for as long as the line stands
 *   FILE       the file's name; with * at its end: all that begin so
 * TRACUU_FAULTS_MET names a file that gets one line a fault.
 * TRACUU_FAULTS_DISK names a folder that gets, file by file, what is on the disk: what was written and then synced. What a
 * failed sync was to write is dropped, as the operating system drops it: it is read as if it were there, a later sync is a
 * success, and on the disk it never was.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STORE "tracuu.db"

enum operation { WRITE = 1, SYNC = 2, CHANGE = 4 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long last_id, met;

static int raw_open(const char *path, int flags, int mode) { return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode); }

/* The name of an open file when it is one of the store's. */
static int name_of(int fd, char *name, size_t room) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    char *last = strrchr(path, '/');
    if (!last || strncmp(last + 1, STORE, sizeof STORE - 1) || strlen(last + 1) >= room) return 0;
    strcpy(name, last + 1);
    return 1;
}

static int is_meant(const char *pattern, const char *name) {
    size_t length = strlen(pattern);
    if (length && pattern[length - 1] == '*') return !strncmp(pattern, name, length - 1);
    return !strcmp(pattern, name);
}

static void say(const char *what, const char *name, const char *error) {
    const char *path = getenv("TRACUU_FAULTS_MET");
    int fd = path ? raw_open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    if (fd < 0) return;
    char line[256];
    int length = snprintf(line, sizeof line, "%s %s %s\n", what, name, error);
    (void)!syscall(SYS_write, fd, line, (size_t)length);
    close(fd);
}

/* The error that this call is to end with, or 0. `first`: the fault was not met before. */
static int fault(enum operation now, const char *what, const char *name, int *first) {
    const char *path = getenv("TRACUU_FAULTS");
    int fd = path ? raw_open(path, O_RDONLY | O_CLOEXEC, 0) : -1;
    if (fd < 0) return 0;
    char text[256];
    ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    if (length <= 0) return 0;
    text[length] = 0;
    long id, count;
    char operation[16], error[16], pattern[64];
    if (sscanf(text, "%ld %15s %15s %ld %63s", &id, operation, error, &count, pattern) != 5) return 0;
    int means = !strcmp(operation, "write") ? WRITE : !strcmp(operation, "sync") ? SYNC : WRITE | CHANGE;
    if (!(means & now) || !is_meant(pattern, name)) return 0;
    pthread_mutex_lock(&lock);
    if (id != last_id) last_id = id, met = 0;
    int due = count < 0 || met < count;
    if (due) *first = met++ == 0;
    pthread_mutex_unlock(&lock);
    if (!due) return 0;
    say(what, name, error);
    return !strcmp(error, "ENOSPC") ? ENOSPC : !strcmp(error, "EROFS") ? EROFS : EIO;
}

/* What was written to a file and not synced. */
struct range { off_t at; size_t length; };
static struct file { const char *name; struct range *ranges; size_t count, room; } files[] = {
    {.name = STORE}, {.name = STORE "-wal"}};

static struct file *file_of(const char *name) {
    for (size_t at = 0; at < sizeof files / sizeof *files; at++)
        if (!strcmp(files[at].name, name)) return &files[at];
    return NULL;
}

static int disk(const char *name, char *path, size_t room) {
    const char *folder = getenv("TRACUU_FAULTS_DISK");
    return folder && snprintf(path, room, "%s/%s", folder, name) < (int)room;
}

static void written(const char *name, off_t at, size_t length) {
    pthread_mutex_lock(&lock);
    struct file *file = file_of(name);
    if (file) {
        if (file->count == file->room) {
            file->room = file->room ? 2 * file->room : 64;
            file->ranges = realloc(file->ranges, file->room * sizeof *file->ranges);
            if (!file->ranges) abort();
        }
        file->ranges[file->count++] = (struct range){at, length};
    }
    pthread_mutex_unlock(&lock);
}

/* What was written is on the disk now. */
static void keep(int fd, struct file *file) {
    char path[4096];
    if (!disk(file->name, path, sizeof path)) return;
    int to = raw_open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (to < 0) abort();
    for (size_t at = 0; at < file->count; at++) {
        struct range left = file->ranges[at];
        char piece[65536];
        while (left.length) {
            ssize_t got = pread(fd, piece, left.length < sizeof piece ? left.length : sizeof piece, left.at);
            if (got <= 0) break; /* truncated since */
            if (syscall(SYS_pwrite64, to, piece, (size_t)got, left.at) != got) abort();
            left.at += got, left.length -= (size_t)got;
        }
    }
    struct stat now;
    if (fstat(fd, &now) || syscall(SYS_ftruncate, to, now.st_size)) abort();
    close(to);
}

static int synced(long call, int fd) {
    char name[64];
    if (!name_of(fd, name, sizeof name)) return (int)syscall(call, fd);
    int first = 0, error = fault(SYNC, "sync", name, &first);
    pthread_mutex_lock(&lock);
    struct file *file = file_of(name);
    int done = error ? -1 : (int)syscall(call, fd);
    if (file) {
        if (!done) keep(fd, file);
        file->count = 0;
    }
    pthread_mutex_unlock(&lock);
    if (error) errno = error;
    return done;
}

int fsync(int fd) { return synced(SYS_fsync, fd); }
int fdatasync(int fd) { return synced(SYS_fdatasync, fd); }

/* How much of a write is to be done; less than nothing: none, errno is set. */
static ssize_t allowed(const char *name, size_t length) {
    int first = 0, error = fault(WRITE, "write", name, &first);
    if (!error) return (ssize_t)length;
    if (error == ENOSPC && first && length > 1) return (ssize_t)(length / 2);
    errno = error;
    return -1;
}

ssize_t write(int fd, const void *octets, size_t length) {
    char name[64];
    if (!name_of(fd, name, sizeof name)) return syscall(SYS_write, fd, octets, length);
    ssize_t some = allowed(name, length);
    if (some < 0) return some;
    off_t at = lseek(fd, 0, SEEK_CUR);
    ssize_t done = syscall(SYS_write, fd, octets, (size_t)some);
    if (done > 0) written(name, at, (size_t)done);
    return done;
}

ssize_t pwrite64(int fd, const void *octets, size_t length, off64_t at) {
    char name[64];
    if (!name_of(fd, name, sizeof name)) return syscall(SYS_pwrite64, fd, octets, length, at);
    ssize_t some = allowed(name, length);
    if (some < 0) return some;
    ssize_t done = syscall(SYS_pwrite64, fd, octets, (size_t)some, at);
    if (done > 0) written(name, at, (size_t)done);
    return done;
}
ssize_t pwrite(int fd, const void *octets, size_t length, off_t at) { return pwrite64(fd, octets, length, at); }

int ftruncate64(int fd, off64_t length) {
    char name[64];
    int first = 0, error = name_of(fd, name, sizeof name) ? fault(CHANGE, "truncate", name, &first) : 0;
    if (error) return errno = error, -1;
    return (int)syscall(SYS_ftruncate, fd, length);
}
int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

int open64(const char *path, int flags, ...) {
    int mode = 0;
    if (flags & (O_CREAT | O_TMPFILE)) {
        va_list rest;
        va_start(rest, flags);
        mode = va_arg(rest, int);
        va_end(rest);
    }
    const char *last = strrchr(path, '/');
    last = last ? last + 1 : path;
    if ((flags & O_ACCMODE) != O_RDONLY && !strncmp(last, STORE, sizeof STORE - 1)) {
        int first = 0, error = fault(CHANGE, "open", last, &first);
        if (error) return errno = error, -1;
    }
    return raw_open(path, flags, mode);
}
int open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    int mode = va_arg(rest, int);
    va_end(rest);
    return open64(path, flags, mode);
}

int unlink(const char *path) {
    int done = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    const char *last = strrchr(path, '/');
    char image[4096];
    pthread_mutex_lock(&lock);
    struct file *file = file_of(last ? last + 1 : path);
    if (file && !done && disk(file->name, image, sizeof image)) {
        file->count = 0;
        syscall(SYS_unlinkat, AT_FDCWD, image, 0);
    }
    pthread_mutex_unlock(&lock);
    return done;
}
