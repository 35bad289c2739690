/*
 * A disk that forgets, preloaded into a process: it keeps, beside one folder, what a power loss would leave of it.
 *
 *   FORGETFUL_ROOT    the folder
 *   FORGETFUL_SHADOW  where to keep what is durable of it:
 *       inodes/N      the durable content of inode N: what it held when fsync or fdatasync of it last began
 *       folders/N     the durable entries of folder N ("f INODE NAME" or "d INODE NAME"): those at its last fsync
 *       pins/N        a link to inode N, so that its number is not given to another file
 *   FORGETFUL_FULL    while this file exists, writes below the folder fail with ENOSPC
 *   FORGETFUL_BROKEN  while this file exists, syncs below the folder fail with EIO
 *
 * Stricter than ext4: the entry of a new or renamed file is durable only when its folder is synced, not when the file
 * is. sync_file_range makes nothing durable, nor does closing a file. Built for 64-bit systems, without
 * _FILE_OFFSET_BITS, so that both names of each call can be defined. One lock orders the calls, and a sync takes note of
 * what was written before it began. Which file a descriptor means is asked of /proc, so opening, linking
 * and renaming need not be watched; writes through a mapping would be missed, and the store makes none.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES 65536
/* A sync takes time, and that is when power is lost: most kills then find something written and not yet synced. */
#define SYNC_MICROSECONDS 2000

/* What of a file is newer than its shadow. */
struct dirty {
    ino_t inode;
    off_t from;
    off_t to;
    int shrunk;
    int copied;
};

static struct dirty files[FILES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *root, *shadow, *full, *broken;

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_writev)(int, const struct iovec *, int);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_ftruncate)(int, off_t);
static int (*real_fallocate)(int, int, off_t, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);

__attribute__((constructor)) static void begin(void) {
    real_write = dlsym(RTLD_NEXT, "write");
    real_writev = dlsym(RTLD_NEXT, "writev");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    real_fallocate = dlsym(RTLD_NEXT, "fallocate64");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    root = getenv("FORGETFUL_ROOT");
    shadow = getenv("FORGETFUL_SHADOW");
    full = getenv("FORGETFUL_FULL");
    broken = getenv("FORGETFUL_BROKEN");
}

/* A mistake of this shim must not pass for a durable write. */
static void fail(const char *what) {
    dprintf(2, "forgetful disk: %s: %s\n", what, strerror(errno));
    abort();
}

static int exists(const char *path) {
    return path && access(path, F_OK) == 0;
}

/* Whether the descriptor means something below the root. */
static int watched(int fd) {
    char link[64], path[PATH_MAX];
    if (!root || !shadow)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    size_t prefix = strlen(root);
    if (length < (ssize_t)prefix)
        return 0;
    path[length] = 0;
    return strncmp(path, root, prefix) == 0 && (path[prefix] == 0 || path[prefix] == '/');
}

static struct dirty *file(ino_t inode) {
    for (size_t probe = 0; probe < FILES; probe++) {
        struct dirty *entry = &files[(inode + probe) % FILES];
        if (entry->inode == 0)
            entry->inode = inode;
        if (entry->inode == inode)
            return entry;
    }
    errno = ENOMEM;
    fail("too many files");
    return NULL;
}

static void touch(int fd, off_t from, off_t to) {
    struct stat state;
    if (fstat(fd, &state))
        fail("fstat");
    struct dirty *entry = file(state.st_ino);
    if (entry->from == entry->to) {
        entry->from = from;
        entry->to = to;
    }
    if (from < entry->from)
        entry->from = from;
    if (to > entry->to)
        entry->to = to;
}

/* Copies what data the range holds; holes are left as they are. */
static void copy(int from, int to, off_t begin, off_t end) {
    static char buffer[1 << 16];
    while (begin < end) {
        off_t data = lseek(from, begin, SEEK_DATA);
        if (data < 0 || data >= end)
            return;
        off_t hole = lseek(from, data, SEEK_HOLE);
        off_t stop = hole < end ? hole : end;
        while (data < stop) {
            size_t wanted = stop - data < (off_t)sizeof buffer ? (size_t)(stop - data) : sizeof buffer;
            ssize_t got = pread(from, buffer, wanted, data);
            if (got <= 0 || real_pwrite(to, buffer, got, data) != got)
                fail("copy");
            data += got;
        }
        begin = stop;
    }
}

/* Links the file where its number stays taken. */
static void pin(const char *path, ino_t inode) {
    char name[PATH_MAX];
    snprintf(name, sizeof name, "%s/pins/%ju", shadow, (uintmax_t)inode);
    if (link(path, name) && errno != EEXIST && errno != ENOENT)
        fail("pin");
}

/* Takes note of what is to become durable, waits as a disk does, and only then keeps it. Called with the lock held. */
static void keep_file(int fd, const struct stat *state) {
    char name[PATH_MAX], beside[PATH_MAX + 8], self[64];
    struct dirty *entry = file(state->st_ino);
    snprintf(name, sizeof name, "%s/inodes/%ju", shadow, (uintmax_t)state->st_ino);
    snprintf(beside, sizeof beside, "%s.new", name);
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    int whole = !entry->copied || entry->shrunk;
    off_t from = whole ? 0 : entry->from, to = whole ? state->st_size : entry->to;
    entry->copied = 1;
    entry->shrunk = 0;
    entry->from = entry->to = 0;
    char path[PATH_MAX];
    ssize_t length = readlink(self, path, sizeof path - 1);
    path[length < 0 ? 0 : length] = 0;
    pin(path, state->st_ino);
    pthread_mutex_unlock(&lock);
    usleep(SYNC_MICROSECONDS);
    pthread_mutex_lock(&lock);
    int source = open(self, O_RDONLY);
    int target = whole ? open(beside, O_WRONLY | O_CREAT | O_TRUNC, 0600) : open(name, O_WRONLY);
    if (source < 0 || target < 0)
        fail("open the shadow of a file");
    if (real_ftruncate(target, state->st_size))
        fail("size the shadow of a file");
    copy(source, target, from, to);
    close(source);
    close(target);
    if (whole && rename(beside, name))
        fail("rename the shadow of a file");
}

static void keep_folder(int fd, const struct stat *state) {
    char name[PATH_MAX], beside[PATH_MAX + 8], self[64], path[PATH_MAX];
    snprintf(name, sizeof name, "%s/folders/%ju", shadow, (uintmax_t)state->st_ino);
    snprintf(beside, sizeof beside, "%s.new", name);
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    DIR *entries = opendir(self);
    FILE *list = fopen(beside, "w");
    if (!entries || !list)
        fail("list a folder");
    for (struct dirent *entry; (entry = readdir(entries));) {
        struct stat inner;
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        if (fstatat(fd, entry->d_name, &inner, AT_SYMLINK_NOFOLLOW))
            continue;
        if (!S_ISDIR(inner.st_mode)) {
            snprintf(path, sizeof path, "%s/%s", self, entry->d_name);
            pin(path, inner.st_ino);
        }
        fprintf(list, "%c %ju %s\n", S_ISDIR(inner.st_mode) ? 'd' : 'f', (uintmax_t)inner.st_ino, entry->d_name);
    }
    closedir(entries);
    if (fclose(list) || rename(beside, name))
        fail("keep a folder");
}

static int synced(int fd, int (*real)(int)) {
    if (!watched(fd))
        return real(fd);
    if (exists(broken)) {
        errno = EIO;
        return -1;
    }
    struct stat state;
    pthread_mutex_lock(&lock);
    if (fstat(fd, &state))
        fail("fstat");
    if (S_ISDIR(state.st_mode))
        keep_folder(fd, &state);
    else
        keep_file(fd, &state);
    pthread_mutex_unlock(&lock);
    /* The real disk need not be waited for: no test takes its power away. */
    return 0;
}

int fsync(int fd) {
    return synced(fd, real_fsync);
}

int fdatasync(int fd) {
    return synced(fd, real_fdatasync);
}

int sync_file_range(int fd, off_t offset, off_t count, unsigned int flags) {
    (void)fd, (void)offset, (void)count, (void)flags;
    return 0;
}

static int refused(void) {
    if (!exists(full))
        return 0;
    errno = ENOSPC;
    return 1;
}

ssize_t write(int fd, const void *bytes, size_t count) {
    if (!watched(fd))
        return real_write(fd, bytes, count);
    if (refused())
        return -1;
    pthread_mutex_lock(&lock);
    ssize_t written = real_write(fd, bytes, count);
    if (written > 0) {
        off_t end = lseek(fd, 0, SEEK_CUR);
        touch(fd, end - written, end);
    }
    pthread_mutex_unlock(&lock);
    return written;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    if (!watched(fd))
        return real_writev(fd, parts, count);
    if (refused())
        return -1;
    pthread_mutex_lock(&lock);
    ssize_t written = real_writev(fd, parts, count);
    if (written > 0) {
        off_t end = lseek(fd, 0, SEEK_CUR);
        touch(fd, end - written, end);
    }
    pthread_mutex_unlock(&lock);
    return written;
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
    if (!watched(fd))
        return real_pwrite(fd, bytes, count, offset);
    if (refused())
        return -1;
    pthread_mutex_lock(&lock);
    ssize_t written = real_pwrite(fd, bytes, count, offset);
    if (written > 0)
        touch(fd, offset, offset + written);
    pthread_mutex_unlock(&lock);
    return written;
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
    return pwrite64(fd, bytes, count, offset);
}

int ftruncate64(int fd, off64_t size) {
    if (!watched(fd))
        return real_ftruncate(fd, size);
    struct stat state;
    pthread_mutex_lock(&lock);
    if (fstat(fd, &state))
        fail("fstat");
    int done = real_ftruncate(fd, size);
    if (done == 0 && size < state.st_size)
        file(state.st_ino)->shrunk = 1;
    pthread_mutex_unlock(&lock);
    return done;
}

int ftruncate(int fd, off_t size) {
    return ftruncate64(fd, size);
}

int fallocate64(int fd, int mode, off64_t offset, off64_t length) {
    if (watched(fd) && refused())
        return -1;
    return real_fallocate(fd, mode, offset, length);
}

int fallocate(int fd, int mode, off_t offset, off_t length) {
    return fallocate64(fd, mode, offset, length);
}
