// What the C library says of a failed system call (strerror), by Node's error codes. Node's own words are other ones.
const TEXTS: Readonly<Record<string, string>> = {
  E2BIG: 'Argument list too long', EACCES: 'Permission denied', EADDRINUSE: 'Address already in use', EAGAIN: 'Resource temporarily unavailable', EBADF: 'Bad file descriptor', EBUSY: 'Device or resource busy',
  ECONNREFUSED: 'Connection refused', ECONNRESET: 'Connection reset by peer', EEXIST: 'File exists', EFBIG: 'File too large', EHOSTUNREACH: 'No route to host', EINVAL: 'Invalid argument',
  EIO: 'Input/output error', EISDIR: 'Is a directory', ELOOP: 'Too many levels of symbolic links', EMFILE: 'Too many open files', ENAMETOOLONG: 'File name too long', ENETUNREACH: 'Network is unreachable',
  ENFILE: 'Too many open files in system', ENODEV: 'No such device', ENOENT: 'No such file or directory', ENOEXEC: 'Exec format error', ENOMEM: 'Cannot allocate memory', ENOSPC: 'No space left on device',
  ENOTDIR: 'Not a directory', ENOTEMPTY: 'Directory not empty', ENOTSOCK: 'Socket operation on non-socket', ENXIO: 'No such device or address', EPERM: 'Operation not permitted', EPIPE: 'Broken pipe',
  EROFS: 'Read-only file system', ESPIPE: 'Illegal seek', ETIMEDOUT: 'Connection timed out', ETXTBSY: 'Text file busy', EDQUOT: 'Disk quota exceeded', EXDEV: 'Invalid cross-device link',
};

/** The words for an error of the system; of any other error its own message. */
export function strerror(error: unknown): string {
  const { code, message } = error as { code?: string; message: string };
  return (code !== undefined && TEXTS[code]) || message;
}
