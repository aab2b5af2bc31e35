/* Preloaded into a process that writes an environment: where it maps data.mdb to store pages in, it gets memory that can't be
 * written, as on a file system without room for a copy of what is overwritten (SIGBUS). */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

void *mmap64(void *at, size_t length, int protection, int flags, int fd, off64_t offset)
{
	if (fd >= 0 && (protection & PROT_WRITE) && (flags & (MAP_SHARED | MAP_NORESERVE)) == (MAP_SHARED | MAP_NORESERVE)) {
		fd = memfd_create("empty", 0);
		if (write(2, "no store\n", 9) < 0) return MAP_FAILED;
	}
	return (void *) syscall(SYS_mmap, at, length, protection, flags, fd, offset);
}
void *mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset) { return mmap64(at, length, protection, flags, fd, offset); }
