// The files of dictionaries (ts_utils.c, ts_locale.c): <site>/tsearch_data, or where PostgreSQL's own are installed.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PgError } from '../../common/errors.ts';
import { strerror } from '../../common/strerror.ts';
import { getString } from '../utils/guc.ts';

const INSTALLED = '/usr/share/postgresql/15/tsearch_data';

/** get_tsearch_config_filename: the name may not lead anywhere else. */
function fileNamed(name: string, extension: string): string {
  if (!/^[a-z0-9_]*$/.test(name)) throw new PgError('invalid_parameter_value', `invalid text search configuration file name "${name}"`);
  const own = join(getString('data_directory'), 'tsearch_data', `${name}.${extension}`);
  return existsSync(own) ? own : join(INSTALLED, `${name}.${extension}`);
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
