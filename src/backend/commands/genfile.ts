// Files of the server as functions (PostgreSQL's genfile.c): pg_read_file, pg_stat_file, pg_ls_dir, ... Only members of
// pg_read_server_files get at what lies outside the site.
import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { isAbsolute, normalize, relative } from 'node:path';
import { PgError } from '../../common/errors.ts';
import { strerror } from '../../common/strerror.ts';
import { hasRoleByName } from '../catalog/aclchk.ts';
import { int8, type Datum, type Int8 } from '../types/datum.ts';
import { registerBuiltins, type FunctionContext } from '../types/fmgr.ts';
import { decodeUtf8 } from '../types/wire.ts';
import { getString } from '../utils/guc.ts';
import { session } from '../utils/session.ts';
import { fileCondition } from './copy.ts';
import { rowMaker } from './set_results.ts';

const isMissing = (error: unknown): boolean => (error as { code?: string }).code === 'ENOENT';
const failed = (what: string, name: string, error: unknown, after = ''): PgError => new PgError(fileCondition(error), `could not ${what} "${name}"${after}: ${strerror(error)}`);
/** A Date as microseconds since 2000-01-01. */
const instant = (date: Date): number => (date.getTime() - 946_684_800_000) * 1000;

/** convert_and_check_filename. */
function checked(name: string): string {
  const path = normalize(name).replace(/(.)\/$/, '$1');
  if (session.isSuperuser || hasRoleByName(session.currentUser, 'pg_read_server_files')) return path;
  if (isAbsolute(path)) {
    if (relative(getString('data_directory'), path).startsWith('..')) throw new PgError('insufficient_privilege', 'absolute path not allowed');
  } else if (path.startsWith('..')) throw new PgError('insufficient_privilege', 'path must be in or below the current directory');
  return path;
}

/** `length` bytes from `offset`, which counts from the end when negative; null: there is no such file, which may be. */
function readBytes(name: string, offset: number, length: number, missingOk: boolean): Buffer | null {
  let file: number;
  try {
    file = openSync(name, 'r');
  } catch (error) {
    if (missingOk && isMissing(error)) return null;
    throw failed('open file', name, error, ' for reading');
  }
  try {
    const { size } = fstatSync(file);
    const from = offset < 0 ? size + offset : offset;
    if (from < 0) throw new PgError('invalid_parameter_value', `could not seek in file "${name}": Invalid argument`);
    const parts: Buffer[] = [];
    // Some files do not know how long they are.
    for (let at = from, left = length; left > 0;) {
      const part = Buffer.alloc(Math.min(left, Math.max(65_536, size - at)));
      const n = readSync(file, part, 0, part.length, offset === 0 ? null : at);
      if (n === 0) break;
      parts.push(part.subarray(0, n));
      at += n;
      left -= n;
    }
    return Buffer.concat(parts);
  } catch (error) {
    throw error instanceof PgError ? error : failed('read file', name, error);
  } finally {
    closeSync(file);
  }
}

function part(name: string, offset: Int8, length: Int8, missingOk = false): Buffer | null {
  const path = checked(name);
  if (length < 0) throw new PgError('invalid_parameter_value', 'requested length cannot be negative');
  return readBytes(path, Number(offset), Number(length), missingOk);
}
const whole = (name: string): Buffer | null => readBytes(checked(name), 0, Infinity, false);
const text = (bytes: Buffer | null): string | null => (bytes === null ? null : decodeUtf8(bytes));

function statFile(context: FunctionContext, name: string, missingOk = false): Datum {
  try {
    const s = statSync(checked(name));
    return rowMaker(context).named({ size: int8(BigInt(s.size)), access: instant(s.atime), modification: instant(s.mtime), change: instant(s.ctime), isdir: s.isDirectory() });
  } catch (error) {
    if (error instanceof PgError) throw error;
    if (missingOk && isMissing(error)) return null;
    throw failed('stat file', name, error);
  }
}

function entriesOf(name: string, missingOk: boolean, withDots: boolean): string[] {
  try {
    return [...(withDots ? ['.', '..'] : []), ...readdirSync(checked(name))];
  } catch (error) {
    if (error instanceof PgError) throw error;
    if (missingOk && isMissing(error)) return [];
    throw failed('open directory', name, error);
  }
}

/** Plain files of a folder with their sizes and times. */
function* plainFiles(context: FunctionContext, folder: string): Generator<Datum> {
  const { named } = rowMaker(context);
  for (const name of entriesOf(folder, true, false)) {
    const s = statSync(`${folder}/${name}`, { throwIfNoEntry: false });
    if (s?.isFile() === true && !name.startsWith('.')) yield named({ name, size: int8(BigInt(s.size)), modification: instant(s.mtime) });
  }
}

registerBuiltins({
  pure: {
    pg_read_file_all: (name: string) => text(whole(name)),
    pg_read_file_off_len: (name: string, offset: Int8, length: Int8) => text(part(name, offset, length)),
    pg_read_file_v2: (name: string, offset: Int8, length: Int8, missingOk: boolean) => text(part(name, offset, length, missingOk)),
    pg_read_binary_file_all: whole,
    pg_read_binary_file_off_len: part,
    pg_read_binary_file: part,
  },
  context: {
    pg_stat_file_1arg: (context, name: string) => statFile(context, name),
    pg_stat_file: statFile,
  },
  set: {
    * pg_ls_dir_1arg(_context, name: string) {
      yield* entriesOf(name, false, false);
    },
    * pg_ls_dir(_context, name: string, missingOk: boolean, withDots: boolean) {
      yield* entriesOf(name, missingOk, withDots);
    },
    * pg_ls_tmpdir_noargs(context) {
      yield* plainFiles(context, 'tmp');
    },
  },
});
