// How far a \copy has come: one line on the terminal that goes away again. A short one, or one nobody watches, shows nothing.
import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { pset } from './settings.ts';

const AFTER_MS = 500, EVERY_MS = 200;
const UNITS = ['kB', 'MB', 'GB', 'TB'];

function size(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} bytes`;
  let value = bytes / 1000, unit = 0;
  for (; value >= 1000 && unit < UNITS.length - 1; unit++) value /= 1000;
  return `${value.toFixed(value < 10 ? 1 : 0)} ${UNITS[unit]}`;
}

function time(seconds: number): string {
  const s = Math.ceil(seconds), pad = (n: number): string => String(n).padStart(2, '0');
  return s < 3600 ? `${Math.floor(s / 60)}:${pad(s % 60)}` : `${Math.floor(s / 3600)}:${pad(Math.floor(s / 60) % 60)}:${pad(s % 60)}`;
}

export class Progress {
  /** Bytes there will be; null: nobody knows. */
  private readonly total: number | null;
  private readonly began = performance.now();
  private next = this.began + AFTER_MS;
  private bytes = 0;
  private shown = false;

  constructor(total: number | null) {
    this.total = total;
    if (pset.quiet || process.env['TERM'] === 'dumb' || !isatty(2)) this.next = Infinity;
  }

  add(bytes: number): void {
    this.bytes += bytes;
    const now = performance.now();
    if (now < this.next) return;
    this.next = now + EVERY_MS;
    const seconds = (now - this.began) / 1000, rate = this.bytes / seconds;
    let text = `\\copy: ${size(this.bytes)}`;
    if (this.total !== null && this.total >= this.bytes) text += ` of ${size(this.total)} (${Math.floor((100 * this.bytes) / this.total)} %), ${size(rate)}/s, ${time((this.total - this.bytes) / rate)} left`;
    else text += `, ${size(rate)}/s`;
    writeSync(2, `\r${text}\x1b[K`);
    this.shown = true;
  }

  end(): void {
    if (this.shown) writeSync(2, '\r\x1b[K');
  }
}
