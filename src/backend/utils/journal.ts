// The journal's own protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): when standard error leads to it anyway, messages go there as
// fields, so that `journalctl SITE=main SQLSTATE=57014` finds them.
import { fstatSync } from 'node:fs';
import { port } from '../../port/port.ts';

const SOCKET = '/run/systemd/journal/socket';
const LINE_END = 10;

let leadsThere: boolean | null = null;

/** Whether standard error is the journal's stream. */
export function journalListens(): boolean {
  if (leadsThere !== null) return leadsThere;
  const stream = process.env['JOURNAL_STREAM'];
  if (stream === undefined) return leadsThere = false;
  const { dev, ino } = fstatSync(2, { bigint: true });
  return leadsThere = stream === `${dev}:${ino}`;
}

/** One message; a field that is empty is left out. False: it could not be sent (too long, or nobody there). */
export function sendToJournal(fields: Readonly<Record<string, string>>): boolean {
  const parts: Buffer[] = [];
  for (const [name, value] of Object.entries(fields)) {
    if (value === '') continue;
    const bytes = Buffer.from(value, 'utf8');
    if (!bytes.includes(LINE_END)) {
      parts.push(Buffer.from(`${name}=`), bytes, Buffer.of(LINE_END));
      continue;
    }
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(bytes.length));
    parts.push(Buffer.from(`${name}\n`), length, bytes, Buffer.of(LINE_END));
  }
  return port.sendDatagram(SOCKET, Buffer.concat(parts)) >= 0;
}
