/* Preloaded into a whole site: notes what its processes do to the files below POWER_SITE, in one order, in the file POWER_LOG.
 * Each note, written by one call: u32 kind, u32 length of the bytes, u64 inode, u64 offset, u32 lengths of two paths, the paths, the
 * bytes. What is only written into mappings (lock.mdb) is not noted: nobody expects it to be there after a power cut. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
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

/* At once: the title of a process takes the place of its environment. */
__attribute__((constructor)) static void look(void)
{
	const char *where = getenv("POWER_SITE"), *notes = getenv("POWER_LOG");
	if (!where || !notes) return;
	site_length = (size_t) snprintf(site, sizeof site, "%s", where);
	snprintf(log_path, sizeof log_path, "%s", notes);
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
static int flags_of(int fd) { return fcntl(fd, F_GETFL); }

/* ---- names */

static void opened(int fd, int flags)
{
	char path[PATH_MAX];
	const char *name;
	if (fd < 0 || !(flags & (O_CREAT | O_TRUNC)) || (flags & O_TMPFILE) == O_TMPFILE || !(name = path_of(fd, path))) return;
	uint64_t inode = inode_of(fd);
	if (inode == 0) return;
	if (flags & O_CREAT) note(MADE, inode, 0, name, NULL, NULL, 0);
	if (flags & O_TRUNC) note(SIZE, inode, 0, NULL, NULL, NULL, 0);
}

#define OPEN(name) int name(const char *path, int flags, ...) \
{ \
	REAL(int, name, const char *, int, ...); \
	va_list more; va_start(more, flags); mode_t mode = va_arg(more, mode_t); va_end(more); \
	int fd = real(path, flags, mode); \
	opened(fd, flags); \
	return fd; \
}
OPEN(open)
OPEN(open64)
#define OPENAT(name) int name(int folder, const char *path, int flags, ...) \
{ \
	REAL(int, name, int, const char *, int, ...); \
	va_list more; va_start(more, flags); mode_t mode = va_arg(more, mode_t); va_end(more); \
	int fd = real(folder, path, flags, mode); \
	opened(fd, flags); \
	return fd; \
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
int rename(const char *from, const char *to) { REAL(int, rename, const char *, const char *); return named(real(from, to), RENAMED, AT_FDCWD, from, AT_FDCWD, to); }
int renameat(int f, const char *from, int t, const char *to) { REAL(int, renameat, int, const char *, int, const char *); return named(real(f, from, t, to), RENAMED, f, from, t, to); }
int link(const char *from, const char *to) { REAL(int, link, const char *, const char *); return named(real(from, to), LINKED, AT_FDCWD, from, AT_FDCWD, to); }
int unlink(const char *path) { REAL(int, unlink, const char *); return named(real(path), REMOVED, AT_FDCWD, path, 0, NULL); }
int unlinkat(int folder, const char *path, int flags) { REAL(int, unlinkat, int, const char *, int); return named(real(folder, path, flags), REMOVED, folder, path, 0, NULL); }
int remove(const char *path) { REAL(int, remove, const char *); return named(real(path), REMOVED, AT_FDCWD, path, 0, NULL); }
int rmdir(const char *path) { REAL(int, rmdir, const char *); return named(real(path), REMOVED, AT_FDCWD, path, 0, NULL); }
int mkdir(const char *path, mode_t mode) { REAL(int, mkdir, const char *, mode_t); return named(real(path, mode), FOLDER, AT_FDCWD, path, 0, NULL); }
int mkdirat(int folder, const char *path, mode_t mode) { REAL(int, mkdirat, int, const char *, mode_t); return named(real(folder, path, mode), FOLDER, folder, path, 0, NULL); }

/* ---- bytes */

/** Pages that are stored in a mapping of data.mdb: tools/lmdb.patch. */
void posthouse_stored(int fd, const void *bytes, size_t length, off_t offset) { wrote(fd, bytes, (ssize_t) length, offset, 0); }

ssize_t write(int fd, const void *bytes, size_t length)
{
	REAL(ssize_t, write, int, const void *, size_t);
	ssize_t n = real(fd, bytes, length);
	if (n > 0) wrote(fd, bytes, n, lseek(fd, 0, SEEK_CUR) - n, flags_of(fd));
	return n;
}
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset)
{
	REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t);
	ssize_t n = real(fd, bytes, length, offset);
	wrote(fd, bytes, n, offset, flags_of(fd));
	return n;
}
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) { return pwrite64(fd, bytes, length, offset); }

static void wrote_parts(int fd, const struct iovec *parts, int count, ssize_t n, off_t offset)
{
	for (int i = 0; i < count && n > 0; i++) {
		ssize_t part = (ssize_t) parts[i].iov_len < n ? (ssize_t) parts[i].iov_len : n;
		wrote(fd, parts[i].iov_base, part, offset, flags_of(fd));
		n -= part;
		offset += part;
	}
}
ssize_t writev(int fd, const struct iovec *parts, int count)
{
	REAL(ssize_t, writev, int, const struct iovec *, int);
	ssize_t n = real(fd, parts, count);
	if (n > 0) wrote_parts(fd, parts, count, n, lseek(fd, 0, SEEK_CUR) - n);
	return n;
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset)
{
	REAL(ssize_t, pwritev64, int, const struct iovec *, int, off64_t);
	ssize_t n = real(fd, parts, count, offset);
	wrote_parts(fd, parts, count, n, offset);
	return n;
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) { return pwritev64(fd, parts, count, offset); }

static void copied(int fd, off_t end, ssize_t n)
{
	char path[PATH_MAX];
	if (n <= 0 || !path_of(fd, path)) return;
	char file[64], *bytes = malloc((size_t) n);
	snprintf(file, sizeof file, "/proc/self/fd/%d", fd);
	int again = open(file, O_RDONLY);
	if (again >= 0 && pread(again, bytes, (size_t) n, end - n) == n) wrote(fd, bytes, n, end - n, flags_of(fd));
	if (again >= 0) close(again);
	free(bytes);
}
ssize_t sendfile64(int out, int in, off64_t *offset, size_t count)
{
	REAL(ssize_t, sendfile64, int, int, off64_t *, size_t);
	ssize_t n = real(out, in, offset, count);
	copied(out, lseek(out, 0, SEEK_CUR), n);
	return n;
}
ssize_t sendfile(int out, int in, off_t *offset, size_t count) { return sendfile64(out, in, offset, count); }
ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t length, unsigned flags)
{
	REAL(ssize_t, copy_file_range, int, off64_t *, int, off64_t *, size_t, unsigned);
	ssize_t n = real(in, from, out, to, length, flags);
	copied(out, to ? *to : lseek(out, 0, SEEK_CUR), n);
	return n;
}

static void sized(int fd, off_t size, int grows)
{
	char path[PATH_MAX];
	if (path_of(fd, path)) note(SIZE, inode_of(fd), (uint64_t) size, grows ? "grows" : NULL, NULL, NULL, 0);
}
int ftruncate64(int fd, off64_t size)
{
	REAL(int, ftruncate64, int, off64_t);
	int result = real(fd, size);
	if (result == 0) sized(fd, size, 0);
	return result;
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }
int fallocate64(int fd, int mode, off64_t offset, off64_t length)
{
	REAL(int, fallocate64, int, int, off64_t, off64_t);
	int result = real(fd, mode, offset, length);
	if (result == 0 && mode == 0) sized(fd, offset + length, 1);
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
