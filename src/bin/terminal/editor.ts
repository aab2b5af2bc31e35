// Texts in the editor of the one who sits there (do_edit of command.c).
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { childProcess } from '../prompt.ts';
import { strerror } from '../../common/strerror.ts';
import { logError, stdout } from './output.ts';

/** The editor's new text; null when it could not be run. */
export function editText(text: string, line: number | null, file: string | null): string | null {
  const editor = process.env['PSQL_EDITOR'] || process.env['EDITOR'] || process.env['VISUAL'] || 'vi';
  const folder = file === null ? mkdtempSync(join(tmpdir(), 'psql.edit.')) : null, path = file ?? join(folder!, 'query.sql');
  try {
    if (file === null) writeFileSync(path, text === '' || text.endsWith('\n') ? text : `${text}\n`, { mode: 0o600 });
    const place = line === null ? '' : `${process.env['PSQL_EDITOR_LINENUMBER_ARG'] ?? '+'}${line} `;
    stdout.flush();
    const { status } = childProcess().spawnSync('/bin/sh', ['-c', `exec ${editor} ${place}'${path}'`], { stdio: 'inherit' });
    if (status !== 0) {
      logError(`could not start editor "${editor}"`);
      return null;
    }
    return readFileSync(path, 'utf8');
  } catch (error) {
    logError(`${path}: ${strerror(error)}`);
    return null;
  } finally {
    if (folder !== null) rmSync(folder, { recursive: true });
  }
}
