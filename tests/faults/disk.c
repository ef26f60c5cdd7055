/*
 * Records what a process does to the files of one folder, and makes some of it fail.
 *
 * The library is put before libc with LD_PRELOAD. It looks up which file a descriptor belongs to by reading
 * /proc/self/fd at every call, rather than by following open, dup and close. That costs a microsecond and
 * stays right through renames, duplicated or inherited descriptors, and vfork, which shares our memory with a
 * child that closes its own descriptors.
 *
 * Environment:
 *   DISK_UNDER      the folder to watch, as a real path (no symbolic links, no final slash)
 *   DISK_LOG        where to append records, or unset for none
 *   DISK_FAULTS     the control file naming faults and their probabilities, or unset for none
 *   DISK_SEED       what the pseudo-random draws start from
 *   DISK_SKIP_SYNC  "1" records a sync without making the disk do it
 *
 * A record is a packed header (see struct header), the path relative to DISK_UNDER, then the data.
 * Records of several threads and processes are in the order in which the operations took effect.
 */
#define _GNU_SOURCE
#undef _FORTIFY_SOURCE /* its inline wrappers would clash with the functions defined here */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

_Static_assert(sizeof(off_t) == 8, "the 64-bit names below are aliases, so off_t must have 64 bits");

/* The next definition of a function, which is libc's. Looked up at first use, as other libraries'
 * constructors may call us before our own has run. */
#define REAL(name)                                                                                           \
    static __typeof__(&name) real;                                                                           \
    if (!real)                                                                                               \
        real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

enum kind {
    ACKNOWLEDGE = 'A',
    CREATE = 'C',
    LINK = 'L',
    RENAME = 'R',
    SYNC = 'S',
    TRUNCATE = 'T',
    UNLINK = 'U',
    WRITE = 'W',
};

struct __attribute__((packed)) header {
    char kind;
    uint16_t path_size;
    int64_t offset;
    uint32_t data_size;
};

enum fault { FAIL_SYNC, FAIL_WRITE, DISK_FULL, FAULTS };
static const char *const fault_names[FAULTS] = {"sync", "write", "full"};

static const char *under;
static const char *control_file;
static bool skip_sync;
static int log_fd = -1;
static pthread_mutex_t record_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t fault_mutex = PTHREAD_MUTEX_INITIALIZER;
static double probability[FAULTS];
static struct stat control_seen;
static uint64_t random_state;

/* ---- which files are watched -------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *ending)
{
    size_t size = strlen(text), ending_size = strlen(ending);
    return size >= ending_size && strcmp(text + size - ending_size, ending) == 0;
}

static bool is_ack(const char *name)
{
    return ends_with(name, ".ack");
}

/* The part of a path below the watched folder, or NULL if the path is to be left alone. */
static const char *below(const char *path)
{
    size_t size = strlen(under);
    if (strncmp(path, under, size) != 0 || path[size] != '/')
        return NULL;
    /* SQLite's -shm is shared memory it rebuilds, and an unlinked file cannot outlive a power cut. */
    if (strstr(path + size, "-shm") || ends_with(path, " (deleted)"))
        return NULL;
    return path + size + 1;
}

static const char *name_of(int fd, char path[PATH_MAX])
{
    char link[64];
    if (!under)
        return NULL;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, PATH_MAX - 1);
    if (size < 0)
        return NULL;
    path[size] = '\0';
    return below(path);
}

/* The same for a path that need not exist. Its folder must, so only that is resolved. */
static const char *name_at(int folder, const char *path, char resolved[PATH_MAX])
{
    char whole[PATH_MAX];
    bool as_given = path[0] == '/' || folder == AT_FDCWD;
    if (!under)
        return NULL;
    int size = as_given ? snprintf(whole, sizeof whole, "%s", path)
                        : snprintf(whole, sizeof whole, "/proc/self/fd/%d/%s", folder, path);
    if (size >= (int)sizeof whole)
        return NULL;
    char *slash = strrchr(whole, '/');
    const char *last = slash ? slash + 1 : whole;
    const char *parent = slash == whole ? "/" : slash ? whole : ".";
    char base[NAME_MAX + 1];
    if (strlen(last) > NAME_MAX)
        return NULL;
    strcpy(base, last);
    if (slash)
        *slash = '\0';
    if (!realpath(parent, resolved) || strlen(resolved) + strlen(base) + 2 > PATH_MAX)
        return NULL;
    strcat(resolved, "/");
    strcat(resolved, base);
    return below(resolved);
}

/* ---- the recording ------------------------------------------------------------------------------------ */

static void lock_log(short type)
{
    struct flock whole_file = {.l_type = type, .l_whence = SEEK_SET};
    while (fcntl(log_fd, F_SETLKW, &whole_file) < 0 && errno == EINTR)
        ;
}

/* From here to end_record no other thread or process can change a watched file, so that the order of the
 * records is the order of the effects. */
static void begin_record(void)
{
    if (log_fd < 0)
        return;
    pthread_mutex_lock(&record_mutex);
    lock_log(F_WRLCK);
}

static void end_record(void)
{
    int error = errno;
    if (log_fd < 0)
        return;
    lock_log(F_UNLCK);
    pthread_mutex_unlock(&record_mutex);
    errno = error;
}

static void record(enum kind kind, const char *name, int64_t offset, const void *data, size_t size)
{
    REAL(writev);
    if (log_fd < 0)
        return;
    struct header header = {(char)kind, (uint16_t)strlen(name), offset, (uint32_t)size};
    struct iovec parts[] = {
        {&header, sizeof header}, {(void *)name, header.path_size}, {(void *)data, size}};
    ssize_t expected = (ssize_t)(sizeof header + header.path_size + size);
    if (real(log_fd, parts, 3) != expected) {
        /* A recording with a hole would prove nothing, so it is better to have none. */
        perror("disk.so: cannot write DISK_LOG");
        abort();
    }
}

/* ---- the faults --------------------------------------------------------------------------------------- */

static void parse_control(void)
{
    char word[32];
    double value;
    FILE *control = fopen(control_file, "re");
    if (!control)
        return;
    while (fscanf(control, "%31s %lf", word, &value) == 2)
        for (int fault = 0; fault < FAULTS; fault++)
            if (strcmp(word, fault_names[fault]) == 0)
                probability[fault] = value;
    fclose(control);
}

static void refresh_control(void)
{
    struct stat now;
    if (stat(control_file, &now) < 0)
        memset(&now, 0, sizeof now);
    if (now.st_ino == control_seen.st_ino && now.st_size == control_seen.st_size &&
        now.st_mtim.tv_sec == control_seen.st_mtim.tv_sec &&
        now.st_mtim.tv_nsec == control_seen.st_mtim.tv_nsec)
        return;
    control_seen = now;
    memset(probability, 0, sizeof probability);
    parse_control();
}

/* splitmix64: good enough for coin tosses, and one word of state. */
static double draw(void)
{
    uint64_t mixed = random_state += 0x9e3779b97f4a7c15u;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    return (double)((mixed ^ (mixed >> 31)) >> 11) / 9007199254740992.0;
}

/* Whether this call is to fail. Sets errno if so. */
static bool strikes(const char *name, enum fault fault, int error)
{
    if (!control_file || is_ack(name))
        return false;
    pthread_mutex_lock(&fault_mutex);
    refresh_control();
    bool hit = probability[fault] > 0 && draw() < probability[fault];
    pthread_mutex_unlock(&fault_mutex);
    if (hit)
        errno = error;
    return hit;
}

static bool write_strikes(const char *name)
{
    return strikes(name, DISK_FULL, ENOSPC) || strikes(name, FAIL_WRITE, EIO);
}

/* ---- start and fork ----------------------------------------------------------------------------------- */

static void hold_mutexes(void)
{
    pthread_mutex_lock(&record_mutex);
    pthread_mutex_lock(&fault_mutex);
}

static void release_mutexes(void)
{
    pthread_mutex_unlock(&fault_mutex);
    pthread_mutex_unlock(&record_mutex);
}

__attribute__((constructor)) static void start(void)
{
    REAL(open);
    const char *log = getenv("DISK_LOG"), *seed = getenv("DISK_SEED"), *skip = getenv("DISK_SKIP_SYNC");
    random_state = seed ? strtoull(seed, NULL, 10) : 1;
    skip_sync = skip && strcmp(skip, "1") == 0;
    control_file = getenv("DISK_FAULTS");
    if (log) {
        log_fd = real(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (log_fd < 0) {
            perror("disk.so: cannot open DISK_LOG");
            abort();
        }
    }
    /* A child forked while another thread holds a mutex would wait for it for ever. */
    pthread_atfork(hold_mutexes, release_mutexes, release_mutexes);
    under = getenv("DISK_UNDER");
}

/* ---- libc's functions: opening ------------------------------------------------------------------------ */

static int open_file(int folder, const char *path, int flags, mode_t mode)
{
    REAL(openat);
    char resolved[PATH_MAX], opened[PATH_MAX];
    const char *name = flags & (O_CREAT | O_TRUNC) ? name_at(folder, path, resolved) : NULL;
    if (!name || log_fd < 0)
        return real(folder, path, flags, mode);
    begin_record();
    bool existed = faccessat(folder, path, F_OK, 0) == 0;
    int fd = real(folder, path, flags, mode);
    name = fd < 0 ? NULL : name_of(fd, opened); /* the descriptor knows where a symbolic link led */
    if (name && !is_ack(name)) {
        if (!existed)
            record(CREATE, name, 0, NULL, 0);
        else if (flags & O_TRUNC)
            record(TRUNCATE, name, 0, NULL, 0);
    }
    end_record();
    return fd;
}

#define MODE_IF_CREATING(flags)                                                                              \
    mode_t mode = 0;                                                                                         \
    if (((flags) & O_CREAT) || ((flags) & O_TMPFILE) == O_TMPFILE) {                                         \
        va_list rest;                                                                                        \
        va_start(rest, flags);                                                                               \
        mode = va_arg(rest, mode_t);                                                                         \
        va_end(rest);                                                                                        \
    }

int open(const char *path, int flags, ...)
{
    MODE_IF_CREATING(flags)
    return open_file(AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...)
{
    MODE_IF_CREATING(flags)
    return open_file(folder, path, flags, mode);
}

int creat(const char *path, mode_t mode)
{
    return open_file(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

/* ---- libc's functions: writing ------------------------------------------------------------------------ */

static void record_write(const char *name, off_t offset, const void *data, ssize_t written)
{
    record(is_ack(name) ? ACKNOWLEDGE : WRITE, name, offset, data, (size_t)written);
}

/* Linux appends through an appending descriptor whatever offset it is given. */
static off_t true_offset(int fd, off_t given, ssize_t written)
{
    struct stat now;
    bool appends = fcntl(fd, F_GETFL) & O_APPEND;
    return appends && fstat(fd, &now) == 0 ? now.st_size - written : given;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    REAL(pwrite);
    char path[PATH_MAX];
    const char *name = name_of(fd, path);
    if (!name)
        return real(fd, data, size, offset);
    if (write_strikes(name))
        return -1;
    begin_record();
    ssize_t written = real(fd, data, size, offset);
    if (written > 0)
        record_write(name, true_offset(fd, offset, written), data, written);
    end_record();
    return written;
}

ssize_t write(int fd, const void *data, size_t size)
{
    REAL(write);
    char path[PATH_MAX];
    const char *name = name_of(fd, path);
    if (!name)
        return real(fd, data, size);
    if (write_strikes(name))
        return -1;
    begin_record();
    ssize_t written = real(fd, data, size);
    /* The position afterwards tells the offset for appending and plain descriptors alike. */
    if (written > 0)
        record_write(name, lseek(fd, 0, SEEK_CUR) - written, data, written);
    end_record();
    return written;
}

static const struct iovec *first_filled(const struct iovec *parts, int count)
{
    for (int part = 0; part < count; part++)
        if (parts[part].iov_len > 0)
            return &parts[part];
    return NULL;
}

/* A gathered write may be short, so writing the first part alone is allowed and needs no second path. */
ssize_t writev(int fd, const struct iovec *parts, int count)
{
    REAL(writev);
    char path[PATH_MAX];
    if (!name_of(fd, path))
        return real(fd, parts, count);
    const struct iovec *part = first_filled(parts, count);
    return part ? write(fd, part->iov_base, part->iov_len) : 0;
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
    REAL(pwritev);
    char path[PATH_MAX];
    if (!name_of(fd, path))
        return real(fd, parts, count, offset);
    const struct iovec *part = first_filled(parts, count);
    return part ? pwrite(fd, part->iov_base, part->iov_len, offset) : 0;
}

/* What Python's os.pwritev calls. The flags ask for speed or syncing, which a recording may do without. */
ssize_t pwritev2(int fd, const struct iovec *parts, int count, off_t offset, int flags)
{
    REAL(pwritev2);
    char path[PATH_MAX];
    if (!name_of(fd, path))
        return real(fd, parts, count, offset, flags);
    return offset == -1 ? writev(fd, parts, count) : pwritev(fd, parts, count, offset);
}

int ftruncate(int fd, off_t size)
{
    REAL(ftruncate);
    char path[PATH_MAX];
    const char *name = name_of(fd, path);
    if (!name)
        return real(fd, size);
    begin_record();
    int result = real(fd, size);
    if (result == 0 && !is_ack(name))
        record(TRUNCATE, name, size, NULL, 0);
    end_record();
    return result;
}

int truncate(const char *path, off_t size)
{
    REAL(truncate);
    char resolved[PATH_MAX];
    const char *name = name_at(AT_FDCWD, path, resolved);
    if (!name)
        return real(path, size);
    begin_record();
    int result = real(path, size);
    if (result == 0 && !is_ack(name))
        record(TRUNCATE, name, size, NULL, 0);
    end_record();
    return result;
}

/* ---- libc's functions: refused, so that callers fall back to plain writes we can see ------------------- */

static bool refuses(int fd, int error)
{
    char path[PATH_MAX];
    if (!name_of(fd, path))
        return false;
    errno = error;
    return true;
}

ssize_t sendfile(int to, int from, off_t *offset, size_t size)
{
    REAL(sendfile);
    return refuses(to, EINVAL) ? -1 : real(to, from, offset, size);
}

ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at, size_t size, unsigned flags)
{
    REAL(copy_file_range);
    return refuses(to, EXDEV) ? -1 : real(from, from_at, to, to_at, size, flags);
}

int fallocate(int fd, int mode, off_t offset, off_t size)
{
    REAL(fallocate);
    return refuses(fd, EOPNOTSUPP) ? -1 : real(fd, mode, offset, size);
}

int posix_fallocate(int fd, off_t offset, off_t size)
{
    REAL(posix_fallocate);
    return refuses(fd, EOPNOTSUPP) ? EOPNOTSUPP : real(fd, offset, size);
}

/* ---- libc's functions: syncing ------------------------------------------------------------------------ */

static int sync_file(int fd, int (*real)(int))
{
    char path[PATH_MAX];
    const char *name = name_of(fd, path);
    if (!name)
        return real(fd);
    if (strikes(name, FAIL_SYNC, EIO))
        return -1;
    begin_record();
    int result = skip_sync ? 0 : real(fd);
    if (result == 0 && !is_ack(name))
        record(SYNC, name, 0, NULL, 0);
    end_record();
    return result;
}

int fsync(int fd)
{
    REAL(fsync);
    return sync_file(fd, real);
}

int fdatasync(int fd)
{
    REAL(fdatasync);
    return sync_file(fd, real);
}

/* ---- libc's functions: names -------------------------------------------------------------------------- */

static int remove_name(int folder, const char *path, int flags)
{
    REAL(unlinkat);
    char resolved[PATH_MAX];
    const char *name = flags & AT_REMOVEDIR ? NULL : name_at(folder, path, resolved);
    if (!name)
        return real(folder, path, flags);
    begin_record();
    int result = real(folder, path, flags);
    if (result == 0 && !is_ack(name))
        record(UNLINK, name, 0, NULL, 0);
    end_record();
    return result;
}

int unlink(const char *path)
{
    return remove_name(AT_FDCWD, path, 0);
}

int unlinkat(int folder, const char *path, int flags)
{
    return remove_name(folder, path, flags);
}

int remove(const char *path)
{
    struct stat found;
    bool folder = lstat(path, &found) == 0 && S_ISDIR(found.st_mode);
    return remove_name(AT_FDCWD, path, folder ? AT_REMOVEDIR : 0);
}

/* A name that leaves the folder is a name removed. One that enters it is recorded as it is, with its whole
 * path as the old name, so that whoever replays the recording finds the file missing and can say so. */
static void record_rename(const char *old, const char *old_path, const char *new)
{
    if (new && !is_ack(new))
        record(RENAME, old ? old : old_path, 0, new, strlen(new));
    else if (old && !is_ack(old))
        record(UNLINK, old, 0, NULL, 0);
}

static int rename_file(int old_folder, const char *old_path, int new_folder, const char *new_path)
{
    REAL(renameat);
    char old_resolved[PATH_MAX], new_resolved[PATH_MAX];
    const char *old = name_at(old_folder, old_path, old_resolved);
    const char *new = name_at(new_folder, new_path, new_resolved);
    if (!old && !new)
        return real(old_folder, old_path, new_folder, new_path);
    begin_record();
    int result = real(old_folder, old_path, new_folder, new_path);
    if (result == 0)
        record_rename(old, old_path, new);
    end_record();
    return result;
}

int rename(const char *old_path, const char *new_path)
{
    return rename_file(AT_FDCWD, old_path, AT_FDCWD, new_path);
}

int renameat(int old_folder, const char *old_path, int new_folder, const char *new_path)
{
    return rename_file(old_folder, old_path, new_folder, new_path);
}

static int link_file(int old_folder, const char *old_path, int new_folder, const char *new_path, int flags)
{
    REAL(linkat);
    char old_resolved[PATH_MAX], new_resolved[PATH_MAX];
    const char *old = name_at(old_folder, old_path, old_resolved);
    const char *new = name_at(new_folder, new_path, new_resolved);
    if (!new)
        return real(old_folder, old_path, new_folder, new_path, flags);
    begin_record();
    int result = real(old_folder, old_path, new_folder, new_path, flags);
    if (result == 0 && !is_ack(new))
        record(LINK, old ? old : old_path, 0, new, strlen(new));
    end_record();
    return result;
}

int link(const char *old_path, const char *new_path)
{
    return link_file(AT_FDCWD, old_path, AT_FDCWD, new_path, 0);
}

int linkat(int old_folder, const char *old_path, int new_folder, const char *new_path, int flags)
{
    return link_file(old_folder, old_path, new_folder, new_path, flags);
}

/* ---- the 64-bit names, which on a 64-bit machine are the same functions -------------------------------- */

#define ALIAS(name) __attribute__((alias(#name)))
int open64(const char *path, int flags, ...) ALIAS(open);
int openat64(int folder, const char *path, int flags, ...) ALIAS(openat);
int creat64(const char *path, mode_t mode) ALIAS(creat);
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) ALIAS(pwrite);
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset) ALIAS(pwritev);
ssize_t pwritev64v2(int fd, const struct iovec *parts, int count, off64_t offset, int flags) ALIAS(pwritev2);
int ftruncate64(int fd, off64_t size) ALIAS(ftruncate);
int truncate64(const char *path, off64_t size) ALIAS(truncate);
ssize_t sendfile64(int to, int from, off64_t *offset, size_t size) ALIAS(sendfile);
int fallocate64(int fd, int mode, off64_t offset, off64_t size) ALIAS(fallocate);
int posix_fallocate64(int fd, off64_t offset, off64_t size) ALIAS(posix_fallocate);
