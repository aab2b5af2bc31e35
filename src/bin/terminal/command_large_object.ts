// \lo_import, \lo_export, \lo_unlink (large_obj.c): each in a transaction of its own unless one is open.
import type { Session } from '../../interfaces/libpq/session.ts';
import { escapeLiteral } from '../../interfaces/libpq/escape.ts';
import { defineCommands, type CommandContext, type CommandStatus } from './command.ts';
import { showError } from './common.ts';
import { logError } from './output.ts';
import { htmlEscape } from './print_markup.ts';
import { pset } from './settings.ts';
import { setVariable } from './variables.ts';

async function inTransaction(name: string, run: (session: Session) => Promise<void>): Promise<CommandStatus> {
  const { db } = pset;
  if (db === null) {
    logError(`${name}: not connected to a database`);
    return 'error';
  }
  if (db.transactionStatus === 'in error') {
    logError(`${name}: current transaction is aborted`);
    return 'error';
  }
  try {
    if (db.transactionStatus === 'idle') await db.begin((tx) => run(tx));
    else await run(db);
    return 'skip';
  } catch (error) {
    showError(error as Error, undefined);
    return 'error';
  }
}

function say(text: string): void {
  if (!pset.quiet) pset.out.write(pset.popt.format === 'html' ? `<p>${htmlEscape(text)}</p>\n` : `${text}\n`);
}

function oidOf(text: string): number {
  return /^\s*\d+/.test(text) ? Number.parseInt(text, 10) >>> 0 : 0;
}

function missing({ name }: CommandContext): CommandStatus {
  logError(`\\${name}: missing required argument`);
  return 'error';
}

const path = (text: string): string => text.replace(/^~(?=\/|$)/, process.env['HOME'] ?? '~');

defineCommands({
  'lo_import': async (context) => {
    const file = context.arg('normal', true), comment = context.arg('normal', true);
    if (file === null) return missing(context);
    let oid = 0;
    const status = await inTransaction('\\lo_import', async (session) => {
      oid = await session.largeObjects.import(path(file));
      if (comment !== null) await session.exec(`COMMENT ON LARGE OBJECT ${oid} IS ${escapeLiteral(comment)}`);
    });
    if (status !== 'error') {
      say(`lo_import ${oid}`);
      setVariable('LASTOID', String(oid));
    }
    return status;
  },
  'lo_export': async (context) => {
    const oid = context.arg(), file = oid === null ? null : context.arg();
    if (oid === null || file === null) return missing(context);
    const status = await inTransaction('\\lo_export', (session) => session.largeObjects.export(oidOf(oid), path(file)));
    if (status !== 'error') say('lo_export');
    return status;
  },
  'lo_unlink': async (context) => {
    const oid = context.arg();
    if (oid === null) return missing(context);
    const status = await inTransaction('\\lo_unlink', (session) => session.largeObjects.unlink(oidOf(oid)));
    if (status !== 'error') say(`lo_unlink ${oidOf(oid)}`);
    return status;
  },
});
