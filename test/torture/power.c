/* Preloaded into a whole site: notes what its processes do to the files below POWER_SITE, in one order, in the file POWER_LOG.
 * A process that is to die dies by the signal POWER_KILL, and never between what it does and the note of it: what is done and not
 * noted would be missing in what the next process goes on from.
 * Each note, written by one call: u32 kind, u32 length of the bytes, u64 inode, u64 offset, u32 lengths of two paths, the paths, the
 * bytes. What is only written into mappings (lock.mdb) is not noted: nobody expects it to be there after a power cut. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WRITE, FLUSH_BEGINS, FLUSHED, MADE, SIZE, RENAMED, REMOVED, FOLDER, LINKED };

static char site[PATH_MAX], log_path[PATH_MAX];
static size_t site_length;

/** How many threads are between an act and its note. */
static atomic_int acting;
static atomic_bool dying;
static _Thread_local int depth;
static void die(int signal)
{
	(void) signal;
	dying = true;
	if (acting == 0) kill(getpid(), SIGKILL);
}
static void acted(void)
{
	if (--depth == 0 && --acting == 0 && dying) kill(getpid(), SIGKILL);
}
static void act(void)
{
	if (depth++ > 0) return;
	acting++;
	if (!dying) return;
	acted();
	for (;;) pause();	/* the others come to their notes, and the last of them ends it */
}
static void forked(void) { acting = depth > 0; }
#define ACT(type, call) ({ act(); type result = (call); acted(); result; })

/* At once: the title of a process takes the place of its environment. */
__attribute__((constructor)) static void look(void)
{
	const char *where = getenv("POWER_SITE"), *notes = getenv("POWER_LOG");
	if (!where || !notes) return;
	site_length = (size_t) snprintf(site, sizeof site, "%s", where);
	snprintf(log_path, sizeof log_path, "%s", notes);
	signal(atoi(getenv("POWER_KILL")), die);
	pthread_atfork(NULL, NULL, forked);
}

#define REAL(type, name, ...) static type (*real)(__VA_ARGS__); if (!real) real = (type (*)(__VA_ARGS__)) dlsym(RTLD_NEXT, #name)

static int ours(const char *path)
{
	return site_length > 0 && strncmp(path, site, site_length) == 0 && path[site_length] == '/';
}

/** The path of a descriptor below the site, without the site; NULL: it is elsewhere. */
static const char *path_of(int fd, char *path)
{
	char link[64];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, PATH_MAX - 1);
	if (n <= 0) return NULL;
	path[n] = 0;
	return ours(path) ? path + site_length + 1 : NULL;
}

static const char *absolute(int folder, const char *name, char *path)
{
	if (name[0] == '/') snprintf(path, PATH_MAX, "%s", name);
	else {
		char base[PATH_MAX], link[64];
		ssize_t n;
		if (folder == AT_FDCWD) n = getcwd(base, sizeof base) ? (ssize_t) strlen(base) : -1;
		else {
			snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
			n = readlink(link, base, sizeof base - 1);
		}
		if (n <= 0) return NULL;
		base[n] = 0;
		while (name[0] == '.' && name[1] == '/') name += 2;
		snprintf(path, PATH_MAX, "%.2000s/%.2000s", base, name);
	}
	size_t length = strlen(path);
	while (length > 1 && (path[length - 1] == '/' || (path[length - 1] == '.' && path[length - 2] == '/'))) path[--length] = 0;
	return ours(path) ? path + site_length + 1 : NULL;
}

static void note(uint32_t kind, uint64_t inode, uint64_t offset, const char *from, const char *to, const void *bytes, size_t length)
{
	int saved = errno;
	/* Each time: a child closes what it does not know. */
	int log_fd = (int) syscall(SYS_openat, AT_FDCWD, log_path, O_WRONLY | O_APPEND | O_CLOEXEC, 0);
	struct { uint32_t kind, length; uint64_t inode, offset; uint32_t from, to; } head = {
		kind, (uint32_t) length, inode, offset, from ? (uint32_t) strlen(from) : 0, to ? (uint32_t) strlen(to) : 0 };
	struct iovec parts[] = { { &head, sizeof head }, { (void *) from, head.from }, { (void *) to, head.to }, { (void *) bytes, length } };
	if (syscall(SYS_writev, log_fd, parts, 4) != (long) (sizeof head + head.from + head.to + length)) abort();
	syscall(SYS_close, log_fd);
	errno = saved;
}

static uint64_t inode_of(int fd)
{
	struct stat st;
	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? st.st_ino : 0;
}

static void wrote(int fd, const void *bytes, ssize_t length, off_t offset, int flags)
{
	char path[PATH_MAX];
	if (length <= 0 || !path_of(fd, path)) return;
	uint64_t inode = inode_of(fd);
	if (inode == 0) return;
	note(WRITE, inode, (uint64_t) offset, NULL, NULL, bytes, (size_t) length);
	if (flags & O_DSYNC) { note(FLUSH_BEGINS, inode, 0, NULL, NULL, NULL, 0); note(FLUSHED, inode, 0, NULL, NULL, NULL, 0); }
}

/* ---- names */

static int opened(int fd, int flags)
{
	char path[PATH_MAX];
	const char *name;
	if (fd < 0 || !(flags & (O_CREAT | O_TRUNC)) || (flags & O_TMPFILE) == O_TMPFILE || !(name = path_of(fd, path))) return fd;
	uint64_t inode = inode_of(fd);
	if (inode == 0) return fd;
	if (flags & O_CREAT) note(MADE, inode, 0, name, NULL, NULL, 0);
	if (flags & O_TRUNC) note(SIZE, inode, 0, NULL, NULL, NULL, 0);
	return fd;
}

#define OPEN(name) int name(const char *path, int flags, ...) \
{ \
	REAL(int, name, const char *, int, ...); \
	va_list more; va_start(more, flags); mode_t mode = va_arg(more, mode_t); va_end(more); \
	return ACT(int, opened(real(path, flags, mode), flags)); \
}
OPEN(open)
OPEN(open64)
#define OPENAT(name) int name(int folder, const char *path, int flags, ...) \
{ \
	REAL(int, name, int, const char *, int, ...); \
	va_list more; va_start(more, flags); mode_t mode = va_arg(more, mode_t); va_end(more); \
	return ACT(int, opened(real(folder, path, flags, mode), flags)); \
}
OPENAT(openat)
OPENAT(openat64)

static int named(int result, uint32_t kind, int from_folder, const char *from, int to_folder, const char *to)
{
	char a[PATH_MAX], b[PATH_MAX];
	if (result != 0) return result;
	const char *first = absolute(from_folder, from, a), *second = to ? absolute(to_folder, to, b) : NULL;
	if (first) note(kind, 0, 0, first, second, NULL, 0);
	return result;
}
int rename(const char *from, const char *to) { REAL(int, rename, const char *, const char *); return ACT(int, named(real(from, to), RENAMED, AT_FDCWD, from, AT_FDCWD, to)); }
int renameat(int f, const char *from, int t, const char *to) { REAL(int, renameat, int, const char *, int, const char *); return ACT(int, named(real(f, from, t, to), RENAMED, f, from, t, to)); }
int link(const char *from, const char *to) { REAL(int, link, const char *, const char *); return ACT(int, named(real(from, to), LINKED, AT_FDCWD, from, AT_FDCWD, to)); }
int unlink(const char *path) { REAL(int, unlink, const char *); return ACT(int, named(real(path), REMOVED, AT_FDCWD, path, 0, NULL)); }
int unlinkat(int folder, const char *path, int flags) { REAL(int, unlinkat, int, const char *, int); return ACT(int, named(real(folder, path, flags), REMOVED, folder, path, 0, NULL)); }
int remove(const char *path) { REAL(int, remove, const char *); return ACT(int, named(real(path), REMOVED, AT_FDCWD, path, 0, NULL)); }
int rmdir(const char *path) { REAL(int, rmdir, const char *); return ACT(int, named(real(path), REMOVED, AT_FDCWD, path, 0, NULL)); }
int mkdir(const char *path, mode_t mode) { REAL(int, mkdir, const char *, mode_t); return ACT(int, named(real(path, mode), FOLDER, AT_FDCWD, path, 0, NULL)); }
int mkdirat(int folder, const char *path, mode_t mode) { REAL(int, mkdirat, int, const char *, mode_t); return ACT(int, named(real(folder, path, mode), FOLDER, folder, path, 0, NULL)); }

/* ---- bytes */

static int is_ours(int fd)
{
	char path[PATH_MAX];
	return path_of(fd, path) != NULL;
}

/** Pages that are stored in a mapping of data.mdb: tools/lmdb.patch. */
void posthouse_store(int fd, void *to, const void *bytes, size_t length, off_t offset)
{
	act();
	memcpy(to, bytes, length);
	wrote(fd, bytes, (ssize_t) length, offset, 0);
	acted();
}

static ssize_t wrote_parts(int fd, const struct iovec *parts, int count, ssize_t n, off_t offset)
{
	ssize_t left = n;
	for (int i = 0; i < count && left > 0; i++) {
		ssize_t part = (ssize_t) parts[i].iov_len < left ? (ssize_t) parts[i].iov_len : left;
		wrote(fd, parts[i].iov_base, part, offset, fcntl(fd, F_GETFL));
		left -= part;
		offset += part;
	}
	return n;
}
/** At the position of the descriptor. */
static ssize_t wrote_there(int fd, const struct iovec *parts, int count, ssize_t n)
{
	return n > 0 ? wrote_parts(fd, parts, count, n, lseek(fd, 0, SEEK_CUR) - n) : n;
}

ssize_t write(int fd, const void *bytes, size_t length)
{
	REAL(ssize_t, write, int, const void *, size_t);
	struct iovec part = { (void *) bytes, length };
	return is_ours(fd) ? ACT(ssize_t, wrote_there(fd, &part, 1, real(fd, bytes, length))) : real(fd, bytes, length);
}
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset)
{
	REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t);
	struct iovec part = { (void *) bytes, length };
	return ACT(ssize_t, wrote_parts(fd, &part, 1, real(fd, bytes, length, offset), offset));
}
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) { return pwrite64(fd, bytes, length, offset); }
ssize_t writev(int fd, const struct iovec *parts, int count)
{
	REAL(ssize_t, writev, int, const struct iovec *, int);
	return is_ours(fd) ? ACT(ssize_t, wrote_there(fd, parts, count, real(fd, parts, count))) : real(fd, parts, count);
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset)
{
	REAL(ssize_t, pwritev64, int, const struct iovec *, int, off64_t);
	return ACT(ssize_t, wrote_parts(fd, parts, count, real(fd, parts, count, offset), offset));
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) { return pwritev64(fd, parts, count, offset); }

/** What another file gave: end is the place behind it, -1 the position of the descriptor. */
static ssize_t copied(int fd, ssize_t n, off_t end)
{
	if (n <= 0 || !is_ours(fd)) return n;
	if (end < 0) end = lseek(fd, 0, SEEK_CUR);
	char file[64], *bytes = malloc((size_t) n);
	snprintf(file, sizeof file, "/proc/self/fd/%d", fd);
	int again = open(file, O_RDONLY);
	if (again >= 0 && pread(again, bytes, (size_t) n, end - n) == n) wrote(fd, bytes, n, end - n, fcntl(fd, F_GETFL));
	if (again >= 0) close(again);
	free(bytes);
	return n;
}
ssize_t sendfile64(int out, int in, off64_t *offset, size_t count)
{
	REAL(ssize_t, sendfile64, int, int, off64_t *, size_t);
	return is_ours(out) ? ACT(ssize_t, copied(out, real(out, in, offset, count), -1)) : real(out, in, offset, count);
}
ssize_t sendfile(int out, int in, off_t *offset, size_t count) { return sendfile64(out, in, offset, count); }
ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t length, unsigned flags)
{
	REAL(ssize_t, copy_file_range, int, off64_t *, int, off64_t *, size_t, unsigned);
	act();
	ssize_t n = real(in, from, out, to, length, flags);
	copied(out, n, to ? *to : -1);
	acted();
	return n;
}

/** A size that is given, or (grows) one that is there at least. */
static int sized(int result, int fd, off_t size, int grows)
{
	char path[PATH_MAX];
	if (result == 0 && path_of(fd, path)) note(SIZE, inode_of(fd), (uint64_t) size, grows ? "grows" : NULL, NULL, NULL, 0);
	return result;
}
int ftruncate64(int fd, off64_t size)
{
	REAL(int, ftruncate64, int, off64_t);
	return ACT(int, sized(real(fd, size), fd, size, 0));
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }
int fallocate64(int fd, int mode, off64_t offset, off64_t length)
{
	REAL(int, fallocate64, int, int, off64_t, off64_t);
	act();
	int result = real(fd, mode, offset, length);
	if (mode == 0) sized(result, fd, offset + length, 1);
	acted();
	return result;
}
int fallocate(int fd, int mode, off_t offset, off_t length) { return fallocate64(fd, mode, offset, length); }

static int flush(int (*real)(int), int fd)
{
	char path[PATH_MAX];
	const char *name = path_of(fd, path);
	struct stat st;
	if (!name && !(fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) && site_length > 0 && strcmp(path, site) == 0)) return real(fd);
	int folder = fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
	if (!name) name = ".";
	uint64_t inode = folder ? 0 : st.st_ino;
	note(FLUSH_BEGINS, inode, 0, folder ? name : NULL, NULL, NULL, 0);
	int result = real(fd);
	if (result == 0) note(FLUSHED, inode, 0, folder ? name : NULL, NULL, NULL, 0);
	return result;
}
int fdatasync(int fd) { REAL(int, fdatasync, int); return flush(real, fd); }
int fsync(int fd) { REAL(int, fsync, int); return flush(real, fd); }
