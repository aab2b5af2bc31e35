/* V8's heap side by side. V8 asks for its pages (256 kB) at random addresses all over 128 TB, and marks them
 * MADV_DONTFORK. For a process that forks all day that is dear: every page is a mapping of its own with up to three pages
 * of page tables of its own, which each fork copies and each exit frees; and nothing is ever large enough for a huge page.
 *
 * The launcher preloads this library into programs that fork (LD_PRELOAD). Requests that look like V8's, private anonymous
 * memory at a wished-for address, are served from one area; everything else goes to the kernel as it is. The area is one
 * mapping, opened in steps, so that the kernel never has to split or merge it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define HUGE ((size_t) 2 << 20)
/* What is handed out, V8's page and its alignment. */
#define UNIT ((size_t) 256 << 10)
/* 16 GB of addresses; behind them the kernel serves again. */
#define UNITS ((size_t) 65536)
#define STEP ((size_t) 64 << 20)
/* More at once is no page of objects. */
#define LIMIT ((size_t) 64 << 20)
/* Reservations from this size on begin with a huge page. */
#define LARGE ((size_t) 128 << 20)

/* For port.c: no mapping is marked MADV_DONTFORK. */
EXPORT bool posthouse_heap;

static char *area;
/* Up to here the area may be read and written. */
static size_t opened;
static unsigned char used[UNITS];
/* No unit below is free. */
static size_t lowest;
static atomic_flag busy = ATOMIC_FLAG_INIT;

static void *kernel_mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
	return (void *) syscall(SYS_mmap, at, length, protection, flags, fd, offset);
}

__attribute__((constructor)) static void reserve(void)
{
	unsetenv("LD_PRELOAD");
	/* The launcher sets it: a child shall find every function of a library where its parent has looked it up, also those that
	 * only children call (ten page faults). */
	unsetenv("LD_BIND_NOW");
	/* Threads of Node are idle after the start; their stacks and arenas are mappings that each fork copies, and so is a library
	 * that is faster with strings in messages that nobody sends. */
	setenv("UV_THREADPOOL_SIZE", "1", 0);
	setenv("MSGPACKR_NATIVE_ACCELERATION_DISABLED", "true", 0);
	/* As a constant, large blocks go back to the kernel when they are freed; by itself the C library soon takes them from
	 * its own heap, which then has 100 MB of holes. packMemory (port.c) sets it higher for those who serve. */
	mallopt(M_MMAP_THRESHOLD, 128 << 10);
	/* Also what Node's idle threads ask for: a heap of their own is 150 pages that no huge page holds. */
	mallopt(M_ARENA_MAX, 1);
	/* V8's mutexes look for deadlocks, in a table of a megabyte. */
	void (*watch)(int) = (void (*)(int)) dlsym(RTLD_DEFAULT, "_ZN4absl29SetMutexDeadlockDetectionModeENS_15OnDeadlockCycleE");
	if (watch) watch(0);
	/* The C library's heap begins with a huge page. */
	sbrk((intptr_t) (-(uintptr_t) sbrk(0) & (HUGE - 1)));
	char *memory = kernel_mmap(NULL, UNITS * UNIT + HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED) return;
	area = (char *) (((uintptr_t) memory + HUGE - 1) & ~(HUGE - 1));
	posthouse_heap = true;
}

static void lock(void) { while (atomic_flag_test_and_set_explicit(&busy, memory_order_acquire)) ; }
static void unlock(void) { atomic_flag_clear_explicit(&busy, memory_order_release); }

/* The first free units that hold so much. Their bytes are zero: they were never touched, or given back to the kernel. */
static void *take(size_t length)
{
	size_t wanted = (length + UNIT - 1) / UNIT, run = 0;
	while (lowest < UNITS && used[lowest]) lowest++;
	for (size_t i = lowest; i < UNITS; i++) {
		run = used[i] ? 0 : run + 1;
		if (run < wanted) continue;
		size_t end = (i + 1) * UNIT;
		if (end > opened) {
			size_t to = (end + STEP - 1) / STEP * STEP;
			if (mprotect(area + opened, to - opened, PROT_READ | PROT_WRITE) != 0) return NULL;
			opened = to;
		}
		memset(used + i + 1 - wanted, 1, wanted);
		return area + end - wanted * UNIT;
	}
	return NULL;
}

/* V8's area for code and the like. It asks for an alignment of 256 kB; where that was not one of 2 MB as well, one start of two or three,
 * the builtins at its end did not go into huge pages (hugeText). */
static void *reserve_aligned(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
	char *from = kernel_mmap(at, length + HUGE, protection, flags, fd, offset);
	if (from == MAP_FAILED) return kernel_mmap(at, length, protection, flags, fd, offset);
	char *aligned = (char *) (((uintptr_t) from + HUGE - 1) & ~(HUGE - 1));
	if (aligned > from) syscall(SYS_munmap, from, (size_t) (aligned - from));
	if (from + HUGE > aligned) syscall(SYS_munmap, aligned + length, (size_t) (from + HUGE - aligned));
	return aligned;
}

EXPORT void *mmap64(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
	if (area && at && length > 0 && length <= LIMIT && flags == (MAP_PRIVATE | MAP_ANONYMOUS) && protection == (PROT_READ | PROT_WRITE)) {
		lock();
		void *taken = take(length);
		unlock();
		if (taken) return taken;
	}
	if (length >= LARGE && protection == PROT_NONE && (flags & (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_FIXED_NOREPLACE)) == (MAP_PRIVATE | MAP_ANONYMOUS))
		return reserve_aligned(at, length, protection, flags, fd, offset);
	return kernel_mmap(at, length, protection, flags, fd, offset);
}

EXPORT void *mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
	return mmap64(at, length, protection, flags, fd, offset);
}

/* A unit is free when its beginning is: V8 cuts off ends (it asks for more, to align it, and shrinks large objects). */
EXPORT int munmap(void *at, size_t length)
{
	char *from = at;
	if (!area || from < area || from >= area + UNITS * UNIT) return (int) syscall(SYS_munmap, at, length);
	size_t offset = (size_t) (from - area), first = (offset + UNIT - 1) / UNIT, end = (offset + length + UNIT - 1) / UNIT;
	mprotect(at, length, PROT_READ | PROT_WRITE);
	if (syscall(SYS_madvise, at, length, MADV_DONTNEED) != 0) return -1;
	lock();
	if (end > first) memset(used + first, 0, end - first);
	if (first < lowest) lowest = first;
	unlock();
	return 0;
}

EXPORT int madvise(void *at, size_t length, int advice)
{
	return advice == MADV_DONTFORK ? 0 : (int) syscall(SYS_madvise, at, length, advice);
}

/* ---- signals over an exec (port.c, Exec)
 * Node unblocks all signals when it starts, long before anybody can answer them: one that came just then would end a
 * postmaster that starts itself anew, where it only had to be told. So those that were blocked stay so until they are released. */
static uint64_t held;

static int kernel_sigmask(int how, const uint64_t *set, uint64_t *old)
{
	return (int) syscall(SYS_rt_sigprocmask, how, set, old, sizeof *set);
}

__attribute__((constructor)) static void hold_signals(void)
{
	if (getenv("POSTHOUSE_ANEW")) kernel_sigmask(SIG_BLOCK, NULL, &held);
}

EXPORT void posthouse_release_signals(void)
{
	uint64_t released = held;
	held = 0;
	if (released) kernel_sigmask(SIG_UNBLOCK, &released, NULL);
}

EXPORT int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	uint64_t wanted = 0, before = 0;
	if (set) {
		memcpy(&wanted, set, sizeof wanted);
		wanted &= ~((uint64_t) 3 << 31);	/* 32 and 33 are the C library's own */
		wanted = how == SIG_UNBLOCK ? wanted & ~held : how == SIG_SETMASK ? wanted | held : wanted;
	}
	if (kernel_sigmask(how, set ? &wanted : NULL, &before) != 0) return errno;
	if (old) {
		sigemptyset(old);
		memcpy(old, &before, sizeof before);
	}
	return 0;
}

/* Threads of Node's (libuv's worker comes with the first work) handle no signals: one that such a thread took between the main
 * thread's last look and the exec was lost with the old program: a site that had just started anew did not stop. */
EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument)
{
	static int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
	static const int for_main[] = { SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGTERM, SIGCHLD };
	uint64_t blocked = 0, before = 0;
	if (!create) create = (int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *)) dlsym(RTLD_NEXT, "pthread_create");
	for (size_t i = 0; i < sizeof for_main / sizeof *for_main; i++) blocked |= (uint64_t) 1 << (for_main[i] - 1);
	kernel_sigmask(SIG_BLOCK, &blocked, &before);
	int error = create(thread, attributes, start, argument);
	kernel_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}
