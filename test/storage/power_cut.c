/* Preloaded into a process that writes an environment: notes what it does to data.mdb and journal.mdb, in order, in the
 * file WRITES_LOG. For each call u16 kind (0 write, 1 flush), u16 file (0 data.mdb, 1 journal.mdb), u32 length, u64 offset, the bytes. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static int log_fd = -1;
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);

/** 0 data.mdb, 1 journal.mdb, -1 anything else. */
static int file_of(int fd)
{
	char link[64], path[4096];
	strcpy(link, "/proc/self/fd/");
	char digits[16], *d = digits + sizeof digits;
	*--d = 0;
	do *--d = '0' + fd % 10; while (fd /= 10);
	strcat(link, d);
	ssize_t n = readlink(link, path, sizeof path - 1);
	if (n < 12) return -1;
	path[n] = 0;
	return strcmp(path + n - 9, "/data.mdb") == 0 ? 0 : strcmp(path + n - 12, "/journal.mdb") == 0 ? 1 : -1;
}

static void note(int kind, int file, uint32_t length, uint64_t offset, const void *bytes)
{
	if (log_fd < 0) log_fd = open(getenv("WRITES_LOG"), O_WRONLY | O_CREAT | O_APPEND, 0600);
	struct { uint16_t kind, file; uint32_t length; uint64_t offset; } head = { (uint16_t) kind, (uint16_t) file, length, offset };
	if (write(log_fd, &head, sizeof head) < 0 || (bytes && write(log_fd, bytes, length) < 0)) abort();
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset)
{
	if (!real_pwrite) real_pwrite = (ssize_t (*)(int, const void *, size_t, off_t)) dlsym(RTLD_NEXT, "pwrite64");
	int file = file_of(fd), flags = file >= 0 ? fcntl(fd, F_GETFL) : 0;
	ssize_t written = real_pwrite(fd, bytes, length, offset);
	if (file >= 0 && written > 0) {
		note(0, file, (uint32_t) written, (uint64_t) offset, bytes);
		if (flags & O_DSYNC) note(1, file, 0, 0, NULL);
	}
	return written;
}
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) { return pwrite64(fd, bytes, length, offset); }

/* Pages that are stored in a mapping of data.mdb: tools/lmdb.patch. */
void posthouse_store(int fd, void *to, const void *bytes, size_t length, off_t offset)
{
	memcpy(to, bytes, length);
	note(0, file_of(fd), (uint32_t) length, (uint64_t) offset, bytes);
}

/* Runs of pages: at the position of the descriptor. */
ssize_t writev(int fd, const struct iovec *parts, int count)
{
	static ssize_t (*real)(int, const struct iovec *, int);
	if (!real) real = (ssize_t (*)(int, const struct iovec *, int)) dlsym(RTLD_NEXT, "writev");
	int file = fd != log_fd ? file_of(fd) : -1;
	off_t offset = file >= 0 ? lseek(fd, 0, SEEK_CUR) : 0;
	ssize_t written = real(fd, parts, count);
	if (file >= 0 && written > 0) {
		for (int i = 0; i < count; offset += (off_t) parts[i++].iov_len) note(0, file, (uint32_t) parts[i].iov_len, (uint64_t) offset, parts[i].iov_base);
	}
	return written;
}

int fdatasync(int fd)
{
	static int (*real)(int);
	if (!real) real = (int (*)(int)) dlsym(RTLD_NEXT, "fdatasync");
	int result = real(fd);
	int file = file_of(fd);
	if (file >= 0) note(1, file, 0, 0, NULL);
	return result;
}
