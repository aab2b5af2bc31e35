/* What Node has no word for: fork, signals that only set a flag, blocking socket calls, shared memory, the process
 * title. One small N-API addon that decides nothing; src/port/port.ts is its interface and says what each call does.
 *
 * Conventions: every argument's type is checked (a TypeError names the call); system calls that fail return a
 * negative errno; every descriptor made here is close-on-exec. Nothing is asynchronous, and there is one thread. */
#define _GNU_SOURCE
#include <node_api.h>
#include <uv.h>
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <malloc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SIGNAL_COUNT 65
#define TIMER_COUNT 8
#define POLL_LIMIT 1024
#define LISTEN_LIMIT 64
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#define CLOSE_RANGE 436
#define CLOSE_RANGE_ON_EXEC 4

/* ---- arguments and results ---------------------------------------------------------------------------------- */

#define ARGUMENTS(n) \
	size_t argc = (n); \
	napi_value args[(n)]; \
	if (napi_get_cb_info(env, info, &argc, args, NULL, NULL) != napi_ok) return NULL; \
	if (argc < (n)) return bad_argument(env, __func__)

#define INT(i, name) \
	int32_t name; \
	if (napi_get_value_int32(env, args[i], &name) != napi_ok) return bad_argument(env, __func__)

#define FLAG(i, name) \
	bool name; \
	if (napi_get_value_bool(env, args[i], &name) != napi_ok) return bad_argument(env, __func__)

#define TEXT(i, name, limit) \
	char name[limit]; \
	size_t name##_length; \
	if (napi_get_value_string_utf8(env, args[i], name, sizeof name, &name##_length) != napi_ok) \
		return bad_argument(env, __func__)

/* A typed array of elements of `size` bytes: `name` points at them, `name_count` counts them. */
#define ARRAY(i, name, expected) \
	void *name; \
	size_t name##_count; \
	napi_typedarray_type name##_type; \
	if (napi_get_typedarray_info(env, args[i], &name##_type, &name##_count, &name, NULL, NULL) != napi_ok || \
		name##_type != (expected)) return bad_argument(env, __func__)

static napi_value bad_argument(napi_env env, const char *call)
{
	char text[100];
	snprintf(text, sizeof text, "port.%s: bad argument", call);
	napi_throw_type_error(env, NULL, text);
	return NULL;
}

static napi_value int_value(napi_env env, int64_t i)
{
	napi_value v;
	return napi_create_int64(env, i, &v) == napi_ok ? v : NULL;
}

/* The result of a system call: itself, or -errno. */
static napi_value outcome(napi_env env, int64_t result)
{
	return int_value(env, result < 0 ? -errno : result);
}

static napi_value pair(napi_env env, int a, int b)
{
	napi_value v;
	if (napi_create_array_with_length(env, 2, &v) != napi_ok) return NULL;
	napi_set_element(env, v, 0, int_value(env, a));
	napi_set_element(env, v, 1, int_value(env, b));
	return v;
}

static void set_int(napi_env env, napi_value object, const char *name, int64_t i)
{
	napi_set_named_property(env, object, name, int_value(env, i));
}

static void set_text(napi_env env, napi_value object, const char *name, const char *text)
{
	napi_value v;
	if (napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &v) == napi_ok)
		napi_set_named_property(env, object, name, v);
}

/* ---- signals and timers --------------------------------------------------------------------------------------- */

static volatile int32_t signal_counts[SIGNAL_COUNT];
static volatile int32_t timers_fired[TIMER_COUNT];
static timer_t timer_ids[TIMER_COUNT];
static bool timer_made[TIMER_COUNT];

/* A signal came and no blocking call has returned -EINTR for it yet. A signal can slip in between the caller's look
 * at the counts and the system call that would then sleep through it. So a blocking call looks here first, and as long
 * as nobody has seen it, an interval timer keeps nudging: the hot path pays for no signal mask. */
static volatile sig_atomic_t unseen;

static void nudge_later(void)
{
	static const struct itimerval soon = { .it_interval = { 0, 50000 }, .it_value = { 0, 2000 } };
	setitimer(ITIMER_REAL, &soon, NULL);
}

static void stop_nudging(void)
{
	static const struct itimerval never;
	setitimer(ITIMER_REAL, &never, NULL);
}

/* V8's own calls, which N-API has no word for: a signal ends a call of JavaScript that looks at no counts, such as a regular
 * expression. V8 says that any thread may ask for that. */
extern void *v8_current_isolate(void) __asm__("_ZN2v87Isolate10GetCurrentEv");
extern void v8_terminate(void *isolate) __asm__("_ZN2v87Isolate18TerminateExecutionEv");
extern void v8_cancel_terminate(void *isolate) __asm__("_ZN2v87Isolate24CancelTerminateExecutionEv");

/* The isolate whose running call a signal ends; and whether one has. */
static void *volatile terminable;
static volatile sig_atomic_t terminated;

static void on_signal(int signal, siginfo_t *info, void *context)
{
	int saved_errno = errno;
	(void) context;
	if (signal == SIGALRM && info->si_code == SI_KERNEL) {		/* the nudge */
		if (!unseen) stop_nudging();
	} else {
		if (signal == SIGALRM && info->si_code == SI_TIMER) {
			int n = info->si_value.sival_int;
			if (n >= 0 && n < TIMER_COUNT) timers_fired[n] = 1;
		}
		signal_counts[signal]++;
		signal_counts[0]++;
		unseen = 1;
		if (terminable) {
			terminated = 1;
			v8_terminate(terminable);
		}
		nudge_later();
	}
	errno = saved_errno;
}

/* True once after a signal: the blocking call that asks returns -EINTR without starting. */
static inline bool interrupted(void)
{
	if (!unseen) return false;
	unseen = 0;
	return true;
}

static int interruption(void)
{
	int error = errno;
	if (error == EINTR && unseen) {
		unseen = 0;
		stop_nudging();
	}
	return -error;
}

/* What has our handler already; children inherit both. */
static bool caught[SIGNAL_COUNT];

static int catch_signal(int signal)
{
	if (caught[signal]) return 0;
	caught[signal] = true;
	struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
	sigfillset(&action.sa_mask);
	return sigaction(signal, &action, NULL);
}

static napi_value setSignal(napi_env env, napi_callback_info info)
{
	ARGUMENTS(2);
	INT(0, signal);
	TEXT(1, action, 16);
	int result;
	if (signal <= 0 || signal >= SIGNAL_COUNT) return bad_argument(env, __func__);
	if (!strcmp(action, "flag")) {
		/* Without a handler the nudge would kill; it may come with any signal. */
		catch_signal(SIGALRM);
		result = catch_signal(signal);
	} else if (!strcmp(action, "ignore") || !strcmp(action, "default")) {
		caught[signal] = false;
		struct sigaction plain = { .sa_handler = action[0] == 'i' ? SIG_IGN : SIG_DFL };
		result = sigaction(signal, &plain, NULL);
	} else return bad_argument(env, __func__);
	return outcome(env, result);
}

/* receiver.method(argument), unless there are or come more signals than were seen: undefined then. */
static napi_value interruptible(napi_env env, napi_callback_info info)
{
	ARGUMENTS(4);
	INT(3, seen);
	napi_value result = NULL, exception;
	void *isolate = v8_current_isolate();
	terminated = 0;
	terminable = isolate;
	if (seen == signal_counts[0]) napi_call_function(env, args[0], args[1], 1, &args[2], &result);
	terminable = NULL;
	if (!terminated) return result;
	v8_cancel_terminate(isolate);
	bool pending;
	if (napi_is_exception_pending(env, &pending) == napi_ok && pending) napi_get_and_clear_last_exception(env, &exception);
	return NULL;
}

static napi_value setParentDeathSignal(napi_env env, napi_callback_info info)
{
	ARGUMENTS(1);
	INT(0, signal);
	return outcome(env, prctl(PR_SET_PDEATHSIG, (unsigned long) signal, 0, 0, 0));
}

static napi_value setTimer(napi_env env, napi_callback_info info)
{
	ARGUMENTS(2);
	INT(0, n);
	double ms;
	if (napi_get_value_double(env, args[1], &ms) != napi_ok || n < 0 || n >= TIMER_COUNT || !(ms >= 0 && ms < 1e13))
		return bad_argument(env, __func__);
	if (!timer_made[n]) {
		struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM, .sigev_value = { .sival_int = n } };
		if (ms == 0) { timers_fired[n] = 0; return int_value(env, 0); }
		if (catch_signal(SIGALRM) < 0 || timer_create(CLOCK_MONOTONIC, &event, &timer_ids[n]) < 0) return outcome(env, -1);
		timer_made[n] = true;
	}
	struct itimerspec when = { .it_value = { (time_t) (ms / 1000), (long) ((ms - (double) (time_t) (ms / 1000) * 1000) * 1e6) } };
	if (ms > 0 && when.it_value.tv_sec == 0 && when.it_value.tv_nsec == 0) when.it_value.tv_nsec = 1;
	int result = timer_settime(timer_ids[n], 0, &when, NULL);
	timers_fired[n] = 0;
	return outcome(env, result);
}

static napi_value Kill(napi_env env, napi_callback_info info)
{
	ARGUMENTS(2);
	INT(0, pid);
	INT(1, signal);
	return outcome(env, kill(pid, signal));
}

/* ---- processes ------------------------------------------------------------------------------------------------ */

/* heap.c is loaded: it lets no mapping be marked MADV_DONTFORK. */
extern bool posthouse_heap __attribute__((weak));

/* V8 marks its pages MADV_DONTFORK, new ones as they come. One call over the whole address space below the stack
 * undoes it: the kernel skips the holes (and says ENOMEM in the end). Should a mapping in between refuse, we walk. */
static void make_everything_forkable(void)
{
	if (&posthouse_heap && posthouse_heap) return;
	char here;
	long page = sysconf(_SC_PAGESIZE);
	uintptr_t end = (uintptr_t) &here & ~(uintptr_t) (page - 1);
	if (madvise((void *) 65536, end - 65536, MADV_DOFORK) == 0 || errno == ENOMEM) return;

	FILE *maps = fopen("/proc/self/maps", "re");
	char line[PATH_MAX + 200], permissions[8];
	unsigned long from, to;
	if (!maps) return;
	while (fgets(line, sizeof line, maps))
		if (sscanf(line, "%lx-%lx %4s", &from, &to, permissions) == 3 && permissions[3] == 'p')
			madvise((void *) from, to - from, MADV_DOFORK);
	fclose(maps);
}

/* Puts a copy in huge pages in the place of what is mapped there; whole huge pages. */
static bool move_into_huge_pages(uintptr_t from, size_t size, int protection)
{
	const uintptr_t huge = 2 << 20;
	char *area = mmap(NULL, size + huge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED) return false;
	char *copy = (char *) (((uintptr_t) area + huge - 1) & ~(huge - 1));
	madvise(copy, size, MADV_HUGEPAGE);
	memcpy(copy, (void *) from, size);
	if (mprotect(copy, size, protection) != 0 || mremap(copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, (void *) from) == MAP_FAILED) {
		munmap(area, size + huge);
		return false;
	}
	if (copy > area) munmap(area, (size_t) (copy - area));
	if (area + huge > copy) munmap(copy + size, (size_t) (area + huge - copy));
	return true;
}

/* V8's constants stand in a dozen pages of 64 kB with as much of nothing between them, each a mapping of its own that every fork copies and
 * every exit takes down. As one they cost no more than any other; what was nothing is zeros that can be read. */
static void join_constants(void)
{
	char line[PATH_MAX + 200], permissions[8];
	unsigned long from, to, start = 0, end = 0, parts[256][2];
	size_t count = 0;
	bool last = false;
	FILE *maps = fopen("/proc/self/maps", "re");
	while (maps && !last) {
		last = !fgets(line, sizeof line, maps);
		bool fits = !last && sscanf(line, "%lx-%lx %4s", &from, &to, permissions) == 3 && !strchr(line, '/') && !strchr(line, '[') && to - from <= 256 << 10;
		bool constants = fits && !strcmp(permissions, "r--p");
		if (constants || (fits && count > 0 && from == end && !strcmp(permissions, "---p"))) {
			if (count > 0 && from != end) count = 0;
			if (count == 0) start = from;
			if (constants && count < 256) parts[count][0] = from, parts[count++][1] = to;
			end = to;
			continue;
		}
		if (count >= 8) {
			unsigned long size = parts[count - 1][1] - start;
			char *copy = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			for (size_t i = 0; copy != MAP_FAILED && i < count; i++) memcpy(copy + (parts[i][0] - start), (void *) parts[i][0], parts[i][1] - parts[i][0]);
			if (copy != MAP_FAILED && (mprotect(copy, size, PROT_READ) != 0 || mremap(copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, (void *) start) == MAP_FAILED)) munmap(copy, size);
		}
		count = 0;
	}
	if (maps) fclose(maps);
}

/* Moves the program's text from its file into huge anonymous pages. A fork copies no page tables of a file's mapping, so
 * each child would fault its way through the text again; of huge pages it inherits the few entries there are.
 * V8 maps the part with its builtins once more, into its area for code, so that calls are short: the hottest of all. It does
 * not fill whole huge pages there, but what is beside it is memory for code as well. */
static napi_value hugeText(napi_env env, napi_callback_info info)
{
	(void) info;
	const uintptr_t huge = 2 << 20;
	char line[PATH_MAX + 200], permissions[8], program[PATH_MAX] = "", modes[100] = "";
	unsigned long from, to, areas[64][3];
	int count = 0;
	int64_t moved = 0;
	FILE *file = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "re");
	if (file && !fgets(modes, sizeof modes, file)) modes[0] = 0;
	if (file) fclose(file);
	if (!strstr(modes, "[always]") && !strstr(modes, "[madvise]")) return int_value(env, 0);
	join_constants();
	ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
	if (length <= 0 || !(file = fopen("/proc/self/maps", "re"))) return int_value(env, 0);
	/* What may be executed, and whether memory for code (2) or the program (1). */
	while (count < 64 && fgets(line, sizeof line, file)) {
		char *path = strchr(line, '/');
		if (sscanf(line, "%lx-%lx %4s", &from, &to, permissions) != 3) continue;
		bool text = !strcmp(permissions, "r-xp") && path && !strncmp(path, program, (size_t) length) && path[length] == '\n';
		if (!text && (path || strcmp(permissions, "rwxp"))) continue;
		areas[count][0] = from, areas[count][1] = to, areas[count++][2] = text ? 1 : 2;
	}
	fclose(file);
	for (int i = 0; i < count; i++) {
		if (areas[i][2] != 1) continue;
		bool before = i > 0 && areas[i - 1][2] == 2 && areas[i - 1][1] == areas[i][0];
		bool after = i + 1 < count && areas[i + 1][2] == 2 && areas[i][1] == areas[i + 1][0];
		from = areas[i][0] + huge - 1;
		to = areas[i][1];
		if (before || after) {
			if (after && areas[i + 1][1] >= ((to + huge - 1) & ~(huge - 1))) to += huge - 1;
			if (before && areas[i - 1][0] <= (areas[i][0] & ~(huge - 1))) from = areas[i][0];
		}
		from &= ~(huge - 1);
		to &= ~(huge - 1);
		if (from < to && move_into_huge_pages(from, to - from, PROT_READ | PROT_EXEC | (before || after ? PROT_WRITE : 0))) moved += (int64_t) (to - from);
	}
	return int_value(env, moved);
}

extern pid_t _Fork(void) __attribute__((weak));

/* `bare`: without what the C library does around a fork. It takes the locks of its memory, its files and its name services, so that
 * a child finds none of them held by a thread that it does not have; writes to a dozen pages, twice; and runs libuv's handler, which makes new pipes for
 * signals. In a postmaster that serves no other thread runs, and its children use nothing of libuv's. */
static pid_t fork_quietly(bool bare)
{
	sigset_t all, before;
	make_everything_forkable();
	/* No signal may be handled in the child before its counts are its own. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid_t pid = bare && _Fork ? _Fork() : fork();
	int error = errno;
	if (pid == 0) {
		memset((void *) signal_counts, 0, sizeof signal_counts);
		memset((void *) timers_fired, 0, sizeof timers_fired);
		memset(timer_made, 0, sizeof timer_made);	/* timers are not inherited */
		unseen = 0;
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	errno = error;
	return pid;
}

static napi_value Fork(napi_env env, napi_callback_info info)
{
	ARGUMENTS(1);
	FLAG(0, use_event_loop);
	uv_loop_t *loop;
	if (napi_get_uv_event_loop(env, &loop) != napi_ok) return bad_argument(env, __func__);
	pid_t pid = fork_quietly(false);
	if (pid == 0 && use_event_loop && uv_loop_fork(loop) != 0) _exit(99);
	return outcome(env, pid);
}

/* heap.c holds back the signals that were blocked when the program began. */
extern void posthouse_release_signals(void) __attribute__((weak));

static napi_value releaseSignals(napi_env env, napi_callback_info info)
{
	(void) env, (void) info;
	if (posthouse_release_signals) posthouse_release_signals();
	return NULL;
}

/* Another program in the place of this one. What comes between the caller's last look at the signals and the first look of the
 * new program waits: it is blocked, and pending. Without heap.c it is as with every start of Node: it ends the process. */
static napi_value Exec(napi_env env, napi_callback_info info)
{
	extern char **environ;
	ARGUMENTS(4);
	TEXT(0, file, PATH_MAX);
	ARRAY(1, line, napi_uint8_array);
	ARRAY(2, keep, napi_int32_array);
	INT(3, known);
	static const int later[] = { SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGTERM, SIGCHLD };
	char *words[256];
	size_t count = 0;
	sigset_t block, before;
	Dl_info heap;
	for (char *word = line, *end = word + line_count; word < end; word += strlen(word) + 1) {
		if (count == sizeof words / sizeof *words - 1 || !memchr(word, 0, (size_t) (end - word))) return int_value(env, -E2BIG);
		words[count++] = word;
	}
	words[count] = NULL;
	sigemptyset(&block);
	for (size_t i = 0; i < sizeof later / sizeof *later; i++) sigaddset(&block, later[i]);
	sigprocmask(SIG_BLOCK, &block, &before);
	int error = EINTR;
	if (signal_counts[0] == known) {
		stop_nudging();	/* an interval timer outlives the program that set it */
		if (&posthouse_heap && posthouse_heap && dladdr(&posthouse_heap, &heap)) setenv("LD_PRELOAD", heap.dli_fname, 1), setenv("LD_BIND_NOW", "1", 1);
		if (syscall(CLOSE_RANGE, 3, ~0U, CLOSE_RANGE_ON_EXEC) != 0)
			for (int fd = (int) sysconf(_SC_OPEN_MAX) - 1; fd > 2; fd--) fcntl(fd, F_SETFD, FD_CLOEXEC);
		for (int fd = 0; fd <= 2; fd++) fcntl(fd, F_SETFD, 0);
		for (size_t i = 0; i < keep_count; i++) fcntl(((int32_t *) keep)[i], F_SETFD, 0);
		execve(file, words, environ);
		error = errno;
		unsetenv("LD_PRELOAD");
		unsetenv("LD_BIND_NOW");
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return int_value(env, -error);
}

/* A command of the shell with a pipe to its input, or from its output: [descriptor, pid]. It starts with the signals as a
 * program expects them. */
static napi_value openProgram(napi_env env, napi_callback_info info)
{
	extern char **environ;
	ARGUMENTS(2);
	TEXT(0, command, 65536);
	FLAG(1, reading);
	char *words[] = { "sh", "-c", command, NULL };
	int fds[2], error;
	pid_t pid;
	sigset_t all, none;
	posix_spawnattr_t attributes;
	posix_spawn_file_actions_t actions;
	if (pipe2(fds, O_CLOEXEC) < 0) return outcome(env, -1);
	sigfillset(&all);
	sigemptyset(&none);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[reading ? 1 : 0], reading ? STDOUT_FILENO : STDIN_FILENO);
	error = posix_spawn(&pid, "/bin/sh", &actions, &attributes, words, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	close(fds[reading ? 1 : 0]);
	if (error == 0) return pair(env, fds[reading ? 0 : 1], pid);
	close(fds[reading ? 0 : 1]);
	return int_value(env, -error);
}

/* How a child ended, when it has; waits for that. */
static napi_value waitFor(napi_env env, napi_callback_info info)
{
	ARGUMENTS(1);
	INT(0, pid);
	int status;
	while (waitpid(pid, &status, 0) < 0) if (errno != EINTR) return outcome(env, -1);
	return int_value(env, status);
}

/* The same, if it has ended by now; else -EAGAIN. */
static napi_value hasEnded(napi_env env, napi_callback_info info)
{
	ARGUMENTS(1);
	INT(0, pid);
	int status;
	pid_t ended = waitpid(pid, &status, WNOHANG);
	return ended < 0 ? outcome(env, -1) : int_value(env, ended == 0 ? -EAGAIN : status);
}

static napi_value Exit(napi_env env, napi_callback_info info)
{
	ARGUMENTS(1);
	INT(0, code);
	_exit(code);
}

static napi_value Getpid(napi_env env, napi_callback_info info) { (void) info; return int_value(env, getpid()); }
static napi_value Getppid(napi_env env, napi_callback_info info) { (void) info; return int_value(env, getppid()); }

/* The bytes that are in huge pages for certain. */
static int64_t collapse(uintptr_t from, uintptr_t to)
{
	const uintptr_t huge = 2 << 20;
	if (from >= to) return 0;
	/* In one call, if it can be: each waits until all processors have put away what they have at hand. A page that somebody
	 * looks at just now stays where it is, and the others are gone on with. */
	for (int tries = 0; tries < 3; tries++) {
		if (madvise((void *) from, to - from, MADV_COLLAPSE) == 0) return (int64_t) (to - from);
		if (errno != EAGAIN) break;
	}
	if (errno == EAGAIN) return 0;
	int64_t bytes = 0;
	for (; from < to; from += huge) if (madvise((void *) from, huge, MADV_COLLAPSE) == 0) bytes += (int64_t) huge;
	return bytes;
}

/* Puts what memory there is into huge pages: a fork then copies an entry for 2 MB instead of 512, and a child that
 * writes still copies 4 kB only (the kernel splits the entry). The bytes that are in huge pages now. */
static napi_value collapseMemory(napi_env env, napi_callback_info info)
{
	(void) info;
	const uintptr_t huge = 2 << 20;
	static uintptr_t areas[1024][2];
	char line[PATH_MAX + 200], permissions[8];
	unsigned long from, to;
	int count = 0;
	int64_t bytes = 0;
	FILE *maps = fopen("/proc/self/maps", "re");
	while (maps && count < 1024 && fgets(line, sizeof line, maps)) {
		if (sscanf(line, "%lx-%lx %4s", &from, &to, permissions) != 3 || strncmp(permissions, "rw", 2) || permissions[3] != 'p') continue;
		if (strchr(line, '/') || strstr(line, "[stack]")) continue;
		areas[count][0] = (from + huge - 1) & ~(huge - 1);
		areas[count++][1] = to & ~(huge - 1);
	}
	if (maps) fclose(maps);
	int present = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	for (int i = 0; i < count; i++) {
		uintptr_t from = areas[i][0], at = from;
		for (; at < areas[i][1]; at += huge) {
			/* Less is not worth 2 MB: a huge page takes them all. */
			static uint64_t pages[512];
			int used = 0;
			if (present < 0 || pread(present, pages, sizeof pages, (off_t) (at / 4096 * 8)) != sizeof pages) continue;
			for (int k = 0; k < 512; k++) used += pages[k] >> 63;
			if (used >= 224) continue;
			bytes += collapse(from, at);
			from = at + huge;
		}
		bytes += collapse(from, at);
	}
	if (present >= 0) close(present);
	return int_value(env, bytes);
}

/* Lets go of what comes back by itself: free memory of the C library, and pages of files that are mapped for reading and
 * of which no page has been changed (the program). */
static napi_value releaseMemory(napi_env env, napi_callback_info info)
{
	(void) info;
	char line[PATH_MAX + 200], permissions[8];
	unsigned long from, to, start = 0, end = 0, anonymous;
	malloc_trim(0);
	FILE *maps = fopen("/proc/self/smaps", "re");
	while (maps && fgets(line, sizeof line, maps)) {
		if (sscanf(line, "%lx-%lx %4s", &from, &to, permissions) == 3) {
			bool wanted = permissions[0] == 'r' && permissions[1] == '-' && permissions[3] == 'p' && strchr(line, '/');
			start = wanted ? from : 0;
			end = to;
		} else if (start && sscanf(line, "Anonymous: %lu kB", &anonymous) == 1) {
			if (anonymous == 0) madvise((void *) start, end - start, MADV_DONTNEED);
			start = 0;
		}
	}
	if (maps) fclose(maps);
	return int_value(env, 0);
}

/* Fills the holes in the C library's memory for good, so that children allocate from its end: a child that takes its
 * small blocks from holes all over copies a page of its parent's for nearly each of them. The bytes filled. */
static napi_value packMemory(napi_env env, napi_callback_info info)
{
	(void) info;
	int64_t filled = 0;
	malloc_trim(0);
	mallopt(M_TOP_PAD, 1 << 20);
	mallopt(M_TRIM_THRESHOLD, 8 << 20);
	mallopt(M_MMAP_THRESHOLD, 4 << 20);
	/* What is taken from behind here is from the end. */
	uintptr_t end = (uintptr_t) sbrk(0) - mallinfo2().keepcost;
	for (size_t size = 1 << 16; size >= 16; size -= size > 4096 ? 1024 : 16)
		for (;;) {
			char *block = malloc(size);
			if (!block) break;
			if ((uintptr_t) block >= end) {
				free(block);
				break;
			}
			filled += (int64_t) size;
		}
	return int_value(env, filled);
}

/* OpenSSL seeds itself anew after a fork, at some cost; the kernel's generator is always ready. */
static napi_value randomInt(napi_env env, napi_callback_info info)
{
	(void) info;
	int32_t i;
	if (getrandom(&i, sizeof i, 0) != sizeof i) return bad_argument(env, __func__);
	return int_value(env, i);
}

static napi_value Waitpid(napi_env env, napi_callback_info info)
{
	(void) info;
	int status = 0;
	pid_t pid = waitpid(-1, &status, WNOHANG);
	return pair(env, pid < 0 ? -errno : pid, status);
}

static napi_value sharedMemory(napi_env env, napi_callback_info info)
{
	ARGUMENTS(1);
	INT(0, length);
	napi_value v;
	if (length <= 0) return bad_argument(env, __func__);
	void *memory = mmap(NULL, (size_t) length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED) { napi_throw_error(env, NULL, strerror(errno)); return NULL; }
	/* Never unmapped: it lives as long as the postmaster. */
	return napi_create_external_arraybuffer(env, memory, (size_t) length, NULL, NULL, &v) == napi_ok ? v : NULL;
}

static void unmap(napi_env env, void *memory, void *length)
{
	(void) env;
	munmap(memory, (size_t) (uintptr_t) length);
}

/* The first bytes of a file as they are at any moment. */
static napi_value map_file(napi_env env, napi_callback_info info, int protection)
{
	ARGUMENTS(2);
	INT(0, fd);
	INT(1, length);
	napi_value v;
	struct stat about;
	if (length <= 0) return bad_argument(env, __func__);
	void *memory = fstat(fd, &about) == 0 && about.st_size >= length
		? mmap(NULL, (size_t) length, protection, MAP_SHARED, fd, 0) : MAP_FAILED;
	if (memory == MAP_FAILED) return int_value(env, -EINVAL);
	return napi_create_external_arraybuffer(env, memory, (size_t) length, unmap, (void *) (uintptr_t) length, &v) == napi_ok ? v : NULL;
}

static napi_value mapFile(napi_env env, napi_callback_info info)
{
	return map_file(env, info, PROT_READ);
}

/* A file that is memory only, full of zeros; others open it as /proc/<pid>/fd/<fd>. */
static napi_value memoryFile(napi_env env, napi_callback_info info)
{
	ARGUMENTS(1);
	INT(0, length);
	int fd = memfd_create("posthouse", MFD_CLOEXEC);
	if (fd < 0) return int_value(env, -errno);
	if (ftruncate(fd, length) == 0) return int_value(env, fd);
	int error = errno;
	close(fd);
	return int_value(env, -error);
}

/* The same to write in. Not for files on a disk: when it is full, who touches a hole gets SIGBUS. */
static napi_value mapShared(napi_env env, napi_callback_info info)
{
	return map_file(env, info, PROT_READ | PROT_WRITE);
}

/* A stretch of a file on a disk, from the beginning of a page on, to read and to change: memory that the kernel can have back by
 * writing it to the file, and so not of the process. There must be no hole in it (see above). */
static napi_value mapPart(napi_env env, napi_callback_info info)
{
	ARGUMENTS(3);
	INT(0, fd);
	napi_value v;
	int64_t offset, length;
	if (napi_get_value_int64(env, args[1], &offset) != napi_ok || napi_get_value_int64(env, args[2], &length) != napi_ok) return bad_argument(env, __func__);
	if (length <= 0 || offset < 0) return bad_argument(env, __func__);
	void *memory = mmap(NULL, (size_t) length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
	if (memory == MAP_FAILED) return int_value(env, -errno);
	/* A finalizer would run in the event loop, which most processes have not: unmapPart. */
	if (napi_create_external_arraybuffer(env, memory, (size_t) length, NULL, NULL, &v) != napi_ok) { munmap(memory, (size_t) length); return NULL; }
	return v;
}

/* Lets go of it: who still reads it gets SIGSEGV. Its addresses stay taken, as the view of them is still there (and to detach
 * that would make V8 look twice at every typed array from then on). */
static napi_value unmapPart(napi_env env, napi_callback_info info)
{
	ARGUMENTS(1);
	void *memory;
	size_t length;
	if (napi_get_arraybuffer_info(env, args[0], &memory, &length) != napi_ok || length == 0) return bad_argument(env, __func__);
	mmap(memory, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
	return NULL;
}

static napi_value Umask(napi_env env, napi_callback_info info)
{
	ARGUMENTS(1);
	INT(0, mode);
	return int_value(env, umask((mode_t) mode));
}

/* The memory that ps shows as the command line: the argument strings and, moved out of the way, the environment behind
 * them. [title_from, title_to) */
static char *title_from, *title_to;

static void find_title_area(void)
{
	extern char **environ;
	char text[4096];
	unsigned long value, area[4] = { 0 };	/* arg_start, arg_end, env_start, env_end: fields 48 to 51 */
	int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (fd >= 0) close(fd);
	if (n <= 0) return;
	text[n] = 0;
	char *p = strrchr(text, ')');
	for (int field = 3; p && field <= 51; field++) {
		if (!(p = strchr(p + 1, ' '))) return;
		value = strtoul(p, NULL, 10);
		if (field >= 48) area[field - 48] = value;
	}
	if (!p || !area[0] || area[1] <= area[0]) return;
	title_to = (char *) area[1];
	if (area[2] == area[1] && area[3] > area[2]) {
		size_t count = 0;
		while (environ[count]) count++;
		char **copy = malloc((count + 1) * sizeof *copy);
		if (copy) {
			size_t i;
			for (i = 0; i < count && (copy[i] = strdup(environ[i])); i++) ;
			if (i == count) {
				copy[count] = NULL;
				environ = copy;
				title_to = (char *) area[3];
			}
		}
	}
	title_from = (char *) area[0];
}

static napi_value titleArea(napi_env env, napi_callback_info info)
{
	(void) info;
	static char fallback[64];
	napi_value buffer, v;
	if (!title_from) find_title_area();
	char *from = title_from ? title_from : fallback;
	size_t length = title_from ? (size_t) (title_to - title_from) : sizeof fallback;
	memset(from, 0, length);
	if (napi_create_external_arraybuffer(env, from, length, NULL, NULL, &buffer) != napi_ok ||
		napi_create_typedarray(env, napi_uint8_array, length, buffer, 0, &v) != napi_ok) return NULL;
	return v;
}

static napi_value setProcessName(napi_env env, napi_callback_info info)
{
	ARGUMENTS(1);
	TEXT(0, name, 16);
	return outcome(env, prctl(PR_SET_NAME, name, 0, 0, 0));
}

/* ---- descriptors ---------------------------------------------------------------------------------------------- */

/* A Unix socket wakes who waits in recv also when the peer has read what he was sent; not who waits in poll. */
static napi_value Recv(napi_env env, napi_callback_info info)
{
	ARGUMENTS(5);
	INT(0, fd);
	ARRAY(1, bytes, napi_uint8_array);
	INT(2, offset);
	INT(3, length);
	FLAG(4, in_poll);
	if (offset < 0 || length < 0 || (size_t) offset + (size_t) length > bytes_count) return bad_argument(env, __func__);
	for (;;) {
		if (interrupted()) return int_value(env, -EINTR);
		ssize_t n = recv(fd, (char *) bytes + offset, (size_t) length, in_poll ? MSG_DONTWAIT : 0);
		if (n >= 0 || !in_poll || errno != EAGAIN) return int_value(env, n < 0 ? interruption() : n);
		struct pollfd one = { fd, POLLIN, 0 };
		if (poll(&one, 1, -1) < 0) return int_value(env, interruption());
	}
}

static napi_value Send(napi_env env, napi_callback_info info)
{
	ARGUMENTS(4);
	INT(0, fd);
	ARRAY(1, bytes, napi_uint8_array);
	INT(2, offset);
	INT(3, length);
	if (offset < 0 || length < 0 || (size_t) offset + (size_t) length > bytes_count) return bad_argument(env, __func__);
	/* Most sends do not block, so a pending signal does not stop one from starting; the nudge ends one that hangs. */
	size_t sent = 0;
	while (sent < (size_t) length) {
		ssize_t n = send(fd, (char *) bytes + offset + sent, (size_t) length - sent, MSG_NOSIGNAL);
		if (n < 0) {
			int error = interruption();
			return int_value(env, sent > 0 ? (int64_t) sent : error);
		}
		sent += (size_t) n;
	}
	return int_value(env, (int64_t) sent);
}

static napi_value Poll(napi_env env, napi_callback_info info)
{
	ARGUMENTS(5);
	ARRAY(0, fds, napi_int32_array);
	ARRAY(1, events, napi_int16_array);
	ARRAY(2, revents, napi_int16_array);
	INT(3, count);
	INT(4, timeout);
	static struct pollfd set[POLL_LIMIT];
	if (count < 0 || count > POLL_LIMIT || (size_t) count > fds_count || (size_t) count > events_count ||
		(size_t) count > revents_count) return bad_argument(env, __func__);
	for (int i = 0; i < count; i++) set[i] = (struct pollfd) { ((int32_t *) fds)[i], ((int16_t *) events)[i], 0 };
	if (interrupted()) return int_value(env, -EINTR);
	int n = poll(set, (nfds_t) count, timeout);
	if (n < 0) return int_value(env, interruption());
	for (int i = 0; i < count; i++) ((int16_t *) revents)[i] = set[i].revents;
	return int_value(env, n);
}

/* Serving connections without a turn of JavaScript for each: whatever JavaScript writes in the postmaster while children
 * live breaks up huge pages, and every later fork copies 512 entries for each. What is out of the ordinary goes back to
 * the caller, as what[0]: */
enum { SERVE_LOOK, SERVE_CHILD, SERVE_ENDED, SERVE_FULL, SERVE_NO_ACCEPT, SERVE_NO_FORK, SERVE_LOST };
#define ACCEPTS_PER_TURN 64

static int64_t milliseconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int32_t *find_pid(int32_t *pids, size_t count, pid_t pid)
{
	for (size_t i = 0; i < count; i++) if (pids[i] == pid) return &pids[i];
	return NULL;
}

/* The file that says whose the site is. */
static char watched[PATH_MAX];
static int watched_fd = -1;
static int64_t watch_every, watch_at;

static napi_value watchFile(napi_env env, napi_callback_info info)
{
	ARGUMENTS(3);
	INT(0, fd);
	TEXT(1, path, PATH_MAX);
	INT(2, every);
	strcpy(watched, path);
	watched_fd = fd;
	watch_every = every;
	watch_at = milliseconds() + every;
	return NULL;
}

/* The file at the path is no longer the one that is open. */
static bool watched_is_lost(void)
{
	struct stat here, ours;
	return lstat(watched, &here) < 0 || fstat(watched_fd, &ours) < 0 || here.st_ino != ours.st_ino;
}

static napi_value Serve(napi_env env, napi_callback_info info)
{
	ARGUMENTS(8);
	ARRAY(0, fds, napi_int32_array);
	ARRAY(1, revents, napi_int16_array);
	INT(2, count);
	INT(3, listeners);
	INT(4, timeout);
	ARRAY(5, pids, napi_int32_array);
	FLAG(6, tell);
	ARRAY(7, what, napi_int32_array);
	static struct pollfd set[POLL_LIMIT];
	static int32_t seen, reaped;
	if (count < 0 || count > POLL_LIMIT || (size_t) count > fds_count || (size_t) count > revents_count || listeners < 0 ||
		listeners > count || what_count < 4) return bad_argument(env, __func__);
	int32_t *out = what;
	for (int i = 0; i < count; i++) set[i] = (struct pollfd) { ((int32_t *) fds)[i], POLLIN, 0 };
	memset(revents, 0, (size_t) count * sizeof(int16_t));
	int64_t until = milliseconds() + timeout;
	bool changed = false;
	int accepted = 0;
#define SAY(kind, a, b) return (out[0] = (kind), out[1] = (a), out[2] = (b), out[3] = accepted, NULL)
	for (;;) {
		while (reaped != signal_counts[SIGCHLD]) {
			int32_t now = signal_counts[SIGCHLD];
			int status;
			pid_t pid;
			while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
				int32_t *known = find_pid(pids, pids_count, pid);
				if (known) *known = 0;
				if (!known || !WIFEXITED(status) || WEXITSTATUS(status) > 1) SAY(SERVE_ENDED, pid, status);
				changed = true;
			}
			reaped = now;
		}
		int32_t others = signal_counts[0] - signal_counts[SIGCHLD];
		if (others != seen || (tell && changed)) {
			seen = others;
			SAY(SERVE_LOOK, 0, 0);
		}
		int64_t now = milliseconds();
		if (watched_fd >= 0 && now >= watch_at) {
			watch_at = now + watch_every;
			if (watched_is_lost()) SAY(SERVE_LOST, 0, 0);
		}
		int64_t left = (watched_fd >= 0 && watch_at < until ? watch_at : until) - now;
		unseen = 0;	/* a signal from here on lets the nudge interrupt poll */
		if (reaped != signal_counts[SIGCHLD] || signal_counts[0] - signal_counts[SIGCHLD] != seen) continue;
		int n = poll(set, (nfds_t) count, left > 0 ? (int) left : 0);
		if (n < 0) {
			if (interruption() == -EINTR) continue;
			SAY(SERVE_LOOK, 0, 0);
		}
		if (n == 0 && milliseconds() >= until) SAY(SERVE_LOOK, 0, 0);
		/* Nothing is written where nothing is: the page is shared with children. */
		for (int i = listeners; i < count; i++) if (set[i].revents != 0) ((int16_t *) revents)[i] = set[i].revents, changed = tell = true;
		for (int i = 0; i < listeners; i++) {
			for (int k = 0; set[i].revents != 0 && k < ACCEPTS_PER_TURN; k++) {
				int fd = accept4(set[i].fd, NULL, NULL, SOCK_CLOEXEC);
				if (fd < 0) {
					if (errno == EAGAIN || errno == EINTR) break;
					/* These stay for a while; errors of the one connection do not matter. */
					if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) SAY(SERVE_NO_ACCEPT, -errno, 0);
					continue;
				}
				int32_t *place = find_pid(pids, pids_count, 0);
				if (!place) SAY(SERVE_FULL, fd, 0);
				pid_t pid = fork_quietly(true);
				if (pid == 0) SAY(SERVE_CHILD, fd, 0);
				if (pid < 0) SAY(SERVE_NO_FORK, fd, -errno);
				*place = pid;
				accepted++;
				close(fd);
				changed = true;
			}
		}
	}
#undef SAY
}

static napi_value Close(napi_env env, napi_callback_info info)
{
	ARGUMENTS(1);
	INT(0, fd);
	return outcome(env, close(fd));
}

static napi_value Shutdown(napi_env env, napi_callback_info info)
{
	ARGUMENTS(1);
	INT(0, fd);
	return outcome(env, shutdown(fd, SHUT_WR));
}

static napi_value setBlocking(napi_env env, napi_callback_info info)
{
	ARGUMENTS(2);
	INT(0, fd);
	FLAG(1, blocking);
	int flags = fcntl(fd, F_GETFL);
	if (flags < 0) return outcome(env, -1);
	return outcome(env, fcntl(fd, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK));
}

static napi_value setNoDelay(napi_env env, napi_callback_info info)
{
	ARGUMENTS(1);
	INT(0, fd);
	int on = 1;
	return outcome(env, setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
}

static napi_value setKeepAlive(napi_env env, napi_callback_info info)
{
	ARGUMENTS(4);
	INT(0, fd);
	INT(1, idle);
	INT(2, interval);
	INT(3, count);
	int on = 1;
	if (setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) < 0) return outcome(env, -1);
	if (idle > 0 && setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle) < 0) return outcome(env, -1);
	if (interval > 0 && setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval) < 0) return outcome(env, -1);
	if (count > 0 && setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count) < 0) return outcome(env, -1);
	return int_value(env, 0);
}

static napi_value Accept(napi_env env, napi_callback_info info)
{
	ARGUMENTS(1);
	INT(0, fd);
	if (interrupted()) return int_value(env, -EINTR);
	int connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	return int_value(env, connection < 0 ? interruption() : connection);
}

static napi_value Socketpair(napi_env env, napi_callback_info info)
{
	(void) info;
	int fds[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) return outcome(env, -1);
	return pair(env, fds[0], fds[1]);
}

static napi_value Pipe(napi_env env, napi_callback_info info)
{
	(void) info;
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) < 0) return outcome(env, -1);
	return pair(env, fds[0], fds[1]);
}

static napi_value lockFile(napi_env env, napi_callback_info info)
{
	ARGUMENTS(1);
	INT(0, fd);
	return outcome(env, flock(fd, LOCK_EX | LOCK_NB));
}

/* ---- addresses ------------------------------------------------------------------------------------------------ */

/* Fills in a Unix address; "@name" is an abstract one. The length, or 0 when the path is too long. */
static socklen_t unix_address(const char *path, size_t length, struct sockaddr_un *address)
{
	memset(address, 0, sizeof *address);
	address->sun_family = AF_UNIX;
	if (length == 0 || length >= sizeof address->sun_path) return 0;
	memcpy(address->sun_path, path, length);
	if (path[0] != '@') return sizeof *address;
	address->sun_path[0] = 0;
	return (socklen_t) (offsetof(struct sockaddr_un, sun_path) + length);
}

/* Closes after a failure, keeping its errno. */
static int failed(int fd)
{
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

static napi_value listenUnix(napi_env env, napi_callback_info info)
{
	ARGUMENTS(3);
	TEXT(0, path, 256);
	INT(1, mode);
	INT(2, backlog);
	struct sockaddr_un address;
	socklen_t length = unix_address(path, path_length, &address);
	if (!length) return int_value(env, -ENAMETOOLONG);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) return outcome(env, -1);
	mode_t before = umask(~(mode_t) mode & 0777);
	int result = bind(fd, (struct sockaddr *) &address, length);
	umask(before);
	if (result < 0 || listen(fd, backlog) < 0) return outcome(env, failed(fd));
	return int_value(env, fd);
}

/* All addresses of a host name (empty: every interface), as [descriptor or -errno, ...]; or the resolver's words. */
static napi_value listenTcp(napi_env env, napi_callback_info info)
{
	ARGUMENTS(3);
	TEXT(0, host, 256);
	INT(1, port);
	INT(2, backlog);
	char service[16];
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE }, *all;
	napi_value v;
	snprintf(service, sizeof service, "%d", port);
	int error = getaddrinfo(host_length ? host : NULL, service, &hints, &all);
	if (error)
		return napi_create_string_utf8(env, gai_strerror(error), NAPI_AUTO_LENGTH, &v) == napi_ok ? v : NULL;
	uint32_t n = 0;
	if (napi_create_array(env, &v) == napi_ok)
		for (struct addrinfo *a = all; a && n < LISTEN_LIMIT; a = a->ai_next) {
			int on = 1, fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
			if (fd >= 0) {
				setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
				if (a->ai_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
				if (bind(fd, a->ai_addr, a->ai_addrlen) < 0 || listen(fd, backlog) < 0) fd = failed(fd);
			}
			napi_set_element(env, v, n++, outcome(env, fd));
		}
	freeaddrinfo(all);
	return v;
}

static napi_value connectUnix(napi_env env, napi_callback_info info)
{
	ARGUMENTS(1);
	TEXT(0, path, 256);
	struct sockaddr_un address;
	socklen_t length = unix_address(path, path_length, &address);
	if (!length) return int_value(env, -ENAMETOOLONG);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) return outcome(env, -1);
	if (connect(fd, (struct sockaddr *) &address, length) < 0) {
		failed(fd);
		return int_value(env, interruption());
	}
	return int_value(env, fd);
}

static napi_value sendDatagram(napi_env env, napi_callback_info info)
{
	ARGUMENTS(2);
	TEXT(0, path, 256);
	ARRAY(1, bytes, napi_uint8_array);
	struct sockaddr_un address;
	socklen_t length = unix_address(path, path_length, &address);
	if (!length) return int_value(env, -ENAMETOOLONG);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0) return outcome(env, -1);
	ssize_t n = sendto(fd, bytes, bytes_count, MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *) &address, length);
	int error = n < 0 ? -errno : 0;
	close(fd);
	return int_value(env, error);
}

static napi_value peerCredentials(napi_env env, napi_callback_info info)
{
	ARGUMENTS(1);
	INT(0, fd);
	struct ucred peer;
	socklen_t length = sizeof peer;
	napi_value v;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) return outcome(env, -1);
	if (napi_create_object(env, &v) != napi_ok) return NULL;
	set_int(env, v, "pid", peer.pid);
	set_int(env, v, "uid", peer.uid);
	set_int(env, v, "gid", peer.gid);
	return v;
}

/* The name of an account, or undefined. */
static napi_value userName(napi_env env, napi_callback_info info)
{
	ARGUMENTS(1);
	INT(0, uid);
	char text[4096];
	struct passwd entry, *found;
	napi_value v;
	if (getpwuid_r((uid_t) uid, &entry, text, sizeof text, &found) != 0 || !found)
		return napi_get_undefined(env, &v) == napi_ok ? v : NULL;
	return napi_create_string_utf8(env, found->pw_name, NAPI_AUTO_LENGTH, &v) == napi_ok ? v : NULL;
}

static napi_value describe_address(napi_env env, int error, const struct sockaddr_storage *address, socklen_t length)
{
	char text[INET6_ADDRSTRLEN + 110] = "";
	int port = 0;
	napi_value v;
	if (error < 0) return outcome(env, -1);
	if (napi_create_object(env, &v) != napi_ok) return NULL;
	if (address->ss_family == AF_INET) {
		const struct sockaddr_in *a = (const void *) address;
		inet_ntop(AF_INET, &a->sin_addr, text, sizeof text);
		port = ntohs(a->sin_port);
	} else if (address->ss_family == AF_INET6) {
		const struct sockaddr_in6 *a = (const void *) address;
		inet_ntop(AF_INET6, &a->sin6_addr, text, sizeof text);
		port = ntohs(a->sin6_port);
	} else if (address->ss_family == AF_UNIX && length > offsetof(struct sockaddr_un, sun_path)) {
		const struct sockaddr_un *a = (const void *) address;
		size_t n = length - offsetof(struct sockaddr_un, sun_path);
		if (n > sizeof a->sun_path) n = sizeof a->sun_path;
		if (n >= sizeof text) n = sizeof text - 1;
		memcpy(text, a->sun_path, n);
		text[n] = 0;
		if (text[0] == 0 && n > 0) text[0] = '@';
	}
	set_text(env, v, "family", address->ss_family == AF_INET ? "inet" : address->ss_family == AF_INET6 ? "inet6" : "unix");
	set_text(env, v, "address", text);
	set_int(env, v, "port", port);
	return v;
}

static napi_value peerAddress(napi_env env, napi_callback_info info)
{
	ARGUMENTS(1);
	INT(0, fd);
	struct sockaddr_storage address = { 0 };
	socklen_t length = sizeof address;
	int result = getpeername(fd, (struct sockaddr *) &address, &length);
	return describe_address(env, result, &address, length);
}

static napi_value socketAddress(napi_env env, napi_callback_info info)
{
	ARGUMENTS(1);
	INT(0, fd);
	struct sockaddr_storage address = { 0 };
	socklen_t length = sizeof address;
	int result = getsockname(fd, (struct sockaddr *) &address, &length);
	return describe_address(env, result, &address, length);
}

/* ---- mathematics ---------------------------------------------------------------------------------------------- */

#define FUNCTIONS_OF_ONE(each) \
	each(exp) each(log) each(log10) each(cbrt) each(sin) each(cos) each(tan) each(asin) each(acos) each(atan) \
	each(sinh) each(cosh) each(tanh) each(asinh) each(acosh) each(atanh)
#define FUNCTIONS_OF_TWO(each) each(pow) each(atan2)

#define DOUBLE(i, name) \
	double name; \
	if (napi_get_value_double(env, args[i], &name) != napi_ok) return bad_argument(env, __func__)

static napi_value double_value(napi_env env, double d)
{
	napi_value v;
	return napi_create_double(env, d, &v) == napi_ok ? v : NULL;
}

#define OF_ONE(name) static napi_value math_##name(napi_env env, napi_callback_info info) \
{ ARGUMENTS(1); DOUBLE(0, x); return double_value(env, name(x)); }
#define OF_TWO(name) static napi_value math_##name(napi_env env, napi_callback_info info) \
{ ARGUMENTS(2); DOUBLE(0, x); DOUBLE(1, y); return double_value(env, name(x, y)); }
FUNCTIONS_OF_ONE(OF_ONE)
FUNCTIONS_OF_TWO(OF_TWO)

/* ---- the module ----------------------------------------------------------------------------------------------- */

static void export_counts(napi_env env, napi_value exports, const char *name, volatile int32_t *counts, size_t length)
{
	napi_value buffer, v;
	if (napi_create_external_arraybuffer(env, (void *) counts, length * sizeof *counts, NULL, NULL, &buffer) == napi_ok &&
		napi_create_typedarray(env, napi_int32_array, length, buffer, 0, &v) == napi_ok)
		napi_set_named_property(env, exports, name, v);
}

struct export { const char *name; napi_callback call; };

static void export_functions(napi_env env, napi_value object, const struct export *all, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		napi_value call;
		if (napi_create_function(env, all[i].name, NAPI_AUTO_LENGTH, all[i].call, NULL, &call) == napi_ok)
			napi_set_named_property(env, object, all[i].name, call);
	}
}

napi_value icu_exports(napi_env env); /* icu.c */

static napi_value Init(napi_env env, napi_value exports)
{
	static const struct export all[] = {
		{ "fork", Fork }, { "_exit", Exit }, { "exec", Exec }, { "releaseSignals", releaseSignals }, { "openProgram", openProgram }, { "waitFor", waitFor }, { "hasEnded", hasEnded }, { "getpid", Getpid }, { "getppid", Getppid }, { "kill", Kill },
		{ "watchFile", watchFile }, { "hugeText", hugeText }, { "packMemory", packMemory }, { "releaseMemory", releaseMemory }, { "collapseMemory", collapseMemory }, { "randomInt", randomInt }, { "waitpid", Waitpid }, { "sharedMemory", sharedMemory }, { "mapFile", mapFile }, { "memoryFile", memoryFile }, { "mapShared", mapShared }, { "mapPart", mapPart }, { "unmapPart", unmapPart }, { "setSignal", setSignal }, { "interruptible", interruptible },
		{ "setParentDeathSignal", setParentDeathSignal }, { "setTimer", setTimer }, { "recv", Recv }, { "send", Send },
		{ "poll", Poll }, { "listenUnix", listenUnix }, { "listenTcp", listenTcp }, { "connectUnix", connectUnix },
		{ "accept", Accept }, { "socketpair", Socketpair }, { "pipe", Pipe }, { "close", Close }, { "shutdown", Shutdown },
		{ "setBlocking", setBlocking }, { "setNoDelay", setNoDelay }, { "setKeepAlive", setKeepAlive },
		{ "peerCredentials", peerCredentials }, { "peerAddress", peerAddress }, { "socketAddress", socketAddress },
		{ "titleArea", titleArea }, { "setProcessName", setProcessName }, { "sendDatagram", sendDatagram },
		{ "userName", userName }, { "lockFile", lockFile }, { "umask", Umask }, { "serve", Serve },
	};
#define MATH(name) { #name, math_##name },
	static const struct export math[] = { FUNCTIONS_OF_ONE(MATH) FUNCTIONS_OF_TWO(MATH) };
	napi_value libm, icu = icu_exports(env);
	export_functions(env, exports, all, sizeof all / sizeof *all);
	if (napi_create_object(env, &libm) == napi_ok && napi_set_named_property(env, exports, "libm", libm) == napi_ok)
		export_functions(env, libm, math, sizeof math / sizeof *math);
	if (icu != NULL) napi_set_named_property(env, exports, "icu", icu);
	export_counts(env, exports, "signals", signal_counts, SIGNAL_COUNT);
	export_counts(env, exports, "timers", timers_fired, TIMER_COUNT);
	return exports;
}

NAPI_MODULE(port, Init)
