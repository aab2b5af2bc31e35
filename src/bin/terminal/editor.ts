// Texts in the editor of the one who sits there (do_edit of command.c).
import { mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { strerror } from '../../common/strerror.ts';
import { logError, stdout, toBytes } from './output.ts';
import { pset } from './settings.ts';
import { runShell } from './shell.ts';

/**
 * Lets somebody edit a text, or a file. What the file holds then; 'unchanged' when nobody has written to it; null, after
 * saying why, when it cannot be edited or the editor failed.
 */
export function editText(text: string, line: number | null, file: string | null): { text: string } | 'unchanged' | null {
  const editor = process.env['PSQL_EDITOR'] || process.env['EDITOR'] || process.env['VISUAL'] || 'vi';
  const folder = file === null ? mkdtempSync(join(tmpdir(), 'psql.edit.')) : null, path = file ?? join(folder!, 'query.sql');
  try {
    if (file === null) writeFileSync(path, toBytes(text === '' || text.endsWith('\n') ? text : `${text}\n`), { mode: 0o600 });
    const before = statSync(path), earlier = Date.now() / 1000 - 2;
    // So that a change within the same second is seen, too. Somebody else's file may not let us.
    try {
      utimesSync(path, earlier, earlier);
    } catch { /* its time is old enough, then */ }
    const { mtimeMs } = statSync(path);
    const place = line === null ? '' : `${process.env['PSQL_EDITOR_LINENUMBER_ARG'] ?? '+'}${line} `;
    stdout.flush();
    const { status, error } = runShell(`exec ${editor} ${place}'${path}'`);
    if (error !== undefined) logError(`could not start editor "${editor}"`);
    if (status !== 0) return null;
    const after = statSync(path);
    return after.size === before.size && after.mtimeMs === mtimeMs ? 'unchanged' : { text: pset.encoding.decode(readFileSync(path)) };
  } catch (error) {
    logError(`${path}: ${strerror(error)}`);
    return null;
  } finally {
    if (folder !== null) rmSync(folder, { recursive: true });
  }
}
