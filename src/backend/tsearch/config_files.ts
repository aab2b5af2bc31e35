// The files of dictionaries (ts_utils.c, ts_locale.c): <site>/tsearch_data, those that come with the stemmers, or where
// PostgreSQL's own are installed.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PgError } from '../../common/errors.ts';
import { strerror } from '../../common/strerror.ts';
import { lowerText } from '../types/string_ops.ts';
import { getString } from '../utils/guc.ts';
import { snowballFile } from './snowball.ts';

const INSTALLED = '/usr/share/postgresql/15/tsearch_data';

/** get_tsearch_config_filename: the name may not lead anywhere else. */
function fileNamed(name: string, extension: string): string {
  if (!/^[a-z0-9_]*$/.test(name)) throw new PgError('invalid_parameter_value', `invalid text search configuration file name "${name}"`);
  const own = join(getString('data_directory'), 'tsearch_data', `${name}.${extension}`);
  if (existsSync(own)) return own;
  const ours = snowballFile(`${name}.${extension}`);
  return existsSync(ours) ? fileURLToPath(ours) : join(INSTALLED, `${name}.${extension}`);
}

/** The lines of a dictionary's file. `kind`: what a message calls it. */
export function readLines(name: string, extension: string, kind: string): string[] {
  const path = fileNamed(name, extension);
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (e) {
    throw new PgError('config_file_error', `could not open ${kind} file "${path}": ${strerror(e)}`);
  }
  const lines = bytes.toString('utf8').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

export const configFileError = (message: string): PgError => new PgError('config_file_error', message);

const DEFAULT_COLLATION = 100;
/** A word in small letters, letter by letter (lowerstr). */
export const lowerString = (text: string): string => lowerText(text, DEFAULT_COLLATION);
