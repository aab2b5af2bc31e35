// Time zones: from names to histories of offsets, and between local and universal time, after PostgreSQL's pgtz.c and
// localtime.c. Histories come from the TZif files of the host where there are any, otherwise from the tables inside
// Node (ICU). Times here are seconds since 1970 UTC; offsets are seconds EAST of Greenwich unless said otherwise.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { date2j, EPOCH_SHIFT_SECS, isValidJulian, makeTimestamp, SECS_PER_DAY, type Tm, UNIX_EPOCH_JDATE,
  USECS_PER_SEC } from './calendar.ts';
import type { Int8 } from './datum.ts';
import { parsePosixZone, type PosixZone, ruleTime } from './timezone_posix.ts';

export interface LocalTimeType {
  readonly offset: number;
  readonly isDst: boolean;
  readonly abbreviation: string;
}

/** What a zone is made from. `times` ascend; `types[i]` (an index into localTypes) holds from times[i] on. */
interface ZoneData {
  times: number[];
  types: number[];
  localTypes: LocalTimeType[];
  /** The pattern repeats every 400 years before the first, after the last change. */
  repeatsBackward: boolean;
  repeatsForward: boolean;
}

const SECS_PER_400_YEARS = 146097 * SECS_PER_DAY;
const TWO_DAYS = 2 * SECS_PER_DAY;

export class TimeZone {
  readonly name: string;
  private readonly data: ZoneData;
  // The stretch looked at last: it answers nearly all questions.
  private start = 1;
  private end = 0;
  private current: LocalTimeType;

  constructor(name: string, data: ZoneData) {
    this.name = name;
    this.data = data;
    this.current = data.localTypes[0]!;
  }

  /** What holds at a time. */
  at(time: number): LocalTimeType {
    if (time >= this.start && time < this.end) return this.current;
    const { times, types, localTypes } = this.data;
    const folded = this.fold(time);
    const next = this.firstAfter(folded);
    const shift = time - folded;
    this.start = next === 0 ? -Infinity : times[next - 1]! + shift;
    this.end = next === times.length ? Infinity : times[next]! + shift;
    if (next === 0 && this.data.repeatsBackward) this.end = this.start; // not to be kept
    if (next === times.length && this.data.repeatsForward) this.end = time + 1;
    this.current = localTypes[next === 0 ? 0 : types[next - 1]!]!;
    return this.current;
  }

  /** Brings a time outside the table into it, by whole cycles of 400 years. */
  private fold(time: number): number {
    const { times, repeatsBackward, repeatsForward } = this.data;
    if (times.length === 0) return time;
    const first = times[0]!, last = times[times.length - 1]!;
    if (repeatsBackward && time < first) {
      return time + (Math.floor((first - time - 1) / SECS_PER_400_YEARS) + 1) * SECS_PER_400_YEARS;
    }
    if (repeatsForward && time > last) {
      return time - (Math.floor((time - last - 1) / SECS_PER_400_YEARS) + 1) * SECS_PER_400_YEARS;
    }
    return time;
  }

  /** Index of the first change after a time. */
  private firstAfter(time: number): number {
    const { times } = this.data;
    let low = 0, high = times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (times[middle]! <= time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private lowestStandardType(): LocalTimeType {
    return this.data.localTypes.find((type) => !type.isDst) ?? this.data.localTypes[0]!;
  }

  /** pg_next_dst_boundary: what holds now, when that ends, and what holds afterwards. */
  private nextBoundary(time: number): { before: LocalTimeType; boundary: number; after: LocalTimeType } | LocalTimeType {
    const { times, types, localTypes } = this.data;
    if (times.length === 0) return this.lowestStandardType();
    const folded = this.fold(time);
    const next = this.firstAfter(folded);
    if (next === times.length) return localTypes[types[next - 1]!]!;
    return {
      before: next === 0 ? this.lowestStandardType() : localTypes[types[next - 1]!]!,
      boundary: times[next]! + (time - folded),
      after: localTypes[types[next]!]!,
    };
  }

  /** What a local time (as if it were UTC) means: of two possible ones the later in autumn; in a gap of spring, what
   * held before it. */
  ofLocalTime(local: number): LocalTimeType {
    if (local > this.start + TWO_DAYS && local < this.end - TWO_DAYS) return this.current;
    const found = this.nextBoundary(local - SECS_PER_DAY);
    if (!('boundary' in found)) return found;
    const { before, boundary, after } = found;
    const beforeTime = local - before.offset;
    const afterTime = local - after.offset;
    if (beforeTime < boundary && afterTime < boundary) return before;
    if (beforeTime > boundary && afterTime >= boundary) return after;
    return beforeTime > afterTime ? before : after;
  }

  /** What an abbreviation (upper case) meant in this zone at or before a time, else the first time after it. */
  interpretAbbreviation(abbreviation: string, time: number): LocalTimeType | undefined {
    const { times, types, localTypes } = this.data;
    const cutoff = this.firstAfter(time);
    for (let i = cutoff - 1; i >= 0; i--) {
      const type = localTypes[types[i]!]!;
      if (type.abbreviation === abbreviation) return type;
    }
    for (let i = cutoff; i < times.length; i++) {
      const type = localTypes[types[i]!]!;
      if (type.abbreviation === abbreviation) return type;
    }
    return undefined;
  }

  /** The offset of a zone that never had another one, else undefined. */
  get fixedOffset(): number | undefined {
    const [first, ...others] = this.data.localTypes;
    return others.every((type) => type.offset === first!.offset) ? first!.offset : undefined;
  }

  /** Files below `right/` count leap seconds, which PostgreSQL does not accept; an offset with seconds looks like them (pg_tz_acceptable). */
  get usesLeapSeconds(): boolean {
    if (this.name.startsWith('right/')) return true;
    const { fixedOffset } = this;
    return fixedOffset !== undefined && fixedOffset % 60 !== 0;
  }
}

function fixedZone(name: string, abbreviation: string, offset: number): TimeZone {
  const localTypes = [{ offset, isDst: false, abbreviation }];
  return new TimeZone(name, { times: [], types: [], localTypes, repeatsBackward: false, repeatsForward: false });
}

/** The changes of a POSIX zone in the years from `from` to `to`. */
function ruleChanges(daylight: NonNullable<PosixZone['daylight']>, standardOffset: number, from: number, to: number,
  add: (time: number, isDst: boolean) => void): void {
  for (let year = from; year <= to; year++) {
    const start = ruleTime(daylight.start, year) - standardOffset;
    const end = ruleTime(daylight.end, year) - daylight.offset;
    const yearSecs = ruleTime({ kind: 'N', month: 0, week: 0, day: 0, time: 0 }, year + 1) -
      ruleTime({ kind: 'N', month: 0, week: 0, day: 0, time: 0 }, year);
    const reversed = end < start;
    if (!reversed && !(start < end && end - start < yearSecs + (daylight.offset - standardOffset))) continue;
    add(reversed ? end : start, !reversed);
    add(reversed ? start : end, reversed);
  }
}

function posixZone(name: string, zone: PosixZone): TimeZone {
  const standard = { offset: zone.standardOffset, isDst: false, abbreviation: zone.standardName };
  if (zone.daylight === null) return fixedZone(name, zone.standardName, zone.standardOffset);
  const daylight = { offset: zone.daylight.offset, isDst: true, abbreviation: zone.daylight.name };
  const times: number[] = [], types: number[] = [];
  ruleChanges(zone.daylight, zone.standardOffset, 1770, 2171, (time, isDst) => {
    times.push(time);
    types.push(isDst ? 1 : 0);
  });
  const localTypes = times.length === 0 ? [daylight] : [standard, daylight]; // perpetual daylight saving
  const repeats = times.length > 0;
  return new TimeZone(name, { times, types, localTypes, repeatsBackward: repeats, repeatsForward: repeats });
}

/** A TZif file of RFC 8536; undefined when it is none. */
function parseTzif(name: string, bytes: Buffer): TimeZone | undefined {
  if (bytes.length < 44 || bytes.toString('latin1', 0, 4) !== 'TZif') return undefined;
  let at = 0;
  let wide = false;
  const counts = (): number[] => [0, 1, 2, 3, 4, 5].map((i) => bytes.readUInt32BE(at + 20 + 4 * i));
  let [isUtc, isStd, leaps, timeCount, typeCount, charCount] = counts() as [number, number, number, number, number, number];
  if (bytes[4]! >= 0x32) { // version 2 and later: the 32-bit part comes first, then all again in 64 bits
    at += 44 + timeCount * 5 + typeCount * 6 + charCount + leaps * 8 + isStd + isUtc;
    wide = true;
    [isUtc, isStd, leaps, timeCount, typeCount, charCount] = counts() as [number, number, number, number, number, number];
  }
  at += 44;
  const times: number[] = [], types: number[] = [];
  for (let i = 0; i < timeCount; i++) {
    times.push(wide ? Number(bytes.readBigInt64BE(at + i * 8)) : bytes.readInt32BE(at + i * 4));
  }
  at += timeCount * (wide ? 8 : 4);
  for (let i = 0; i < timeCount; i++) types.push(bytes[at + i]!);
  at += timeCount;
  const names = bytes.toString('latin1', at + typeCount * 6, at + typeCount * 6 + charCount);
  const localTypes: LocalTimeType[] = [];
  for (let i = 0; i < typeCount; i++) {
    const nameAt = bytes[at + i * 6 + 5]!;
    localTypes.push({
      offset: bytes.readInt32BE(at + i * 6),
      isDst: bytes[at + i * 6 + 4] !== 0,
      abbreviation: names.slice(nameAt, names.indexOf('\0', nameAt)),
    });
  }
  at += typeCount * 6 + charCount + leaps * (wide ? 12 : 8) + isStd + isUtc;
  const data: ZoneData = { times, types, localTypes, repeatsBackward: false, repeatsForward: false };
  const footer = wide ? bytes.toString('latin1', at).trim() : '';
  if (footer !== '') extend(data, footer);
  return new TimeZone(name, data);
}

/** Adds 400 years by the rule in the footer. */
function extend(data: ZoneData, footer: string): void {
  const zone = parsePosixZone(footer);
  if (zone === undefined || zone.daylight === null) return;
  const { times, types, localTypes } = data;
  while (times.length > 1 && types[types.length - 1] === types[types.length - 2]) {
    times.pop();
    types.pop();
  }
  const standard = localTypes.push({ offset: zone.standardOffset, isDst: false, abbreviation: zone.standardName }) - 1;
  const daylight = localTypes.push({ offset: zone.daylight.offset, isDst: true, abbreviation: zone.daylight.name }) - 1;
  const last = times[times.length - 1] ?? -Infinity;
  const from = times.length === 0 ? 1770 : new Date(last * 1000).getUTCFullYear();
  ruleChanges(zone.daylight, zone.standardOffset, from, from + 401, (time, isDst) => {
    if (time <= last) return;
    times.push(time);
    types.push(isDst ? daylight : standard);
  });
  data.repeatsForward = times.length > 0;
}

/** From the tables inside Node, for hosts without TZif files. */
function fromIcu(name: string): TimeZone | undefined {
  const canonical = icuNames().get(name.toLowerCase());
  if (canonical === undefined) return undefined;
  const format = new Intl.DateTimeFormat('en-US', { timeZone: canonical, timeZoneName: 'short' });
  const abbreviationAt = (time: number): string => {
    const part = format.formatToParts(new Date(time * 1000)).find(({ type }) => type === 'timeZoneName')!.value;
    const numeric = /^(?:GMT|UTC)([+-])(\d+)(?::(\d+))?/.exec(part);
    return numeric === null ? part : `${numeric[1]}${numeric[2]!.padStart(2, '0')}${numeric[3] ?? ''}`;
  };
  let moment: Temporal.ZonedDateTime | null = Temporal.Instant.from('1800-01-01T00:00Z').toZonedDateTimeISO(canonical);
  const offsets = [moment.offsetNanoseconds / 1e9];
  const times: number[] = [];
  while ((moment = moment.getTimeZoneTransition('next')) !== null && moment.year < 2440) {
    times.push(Math.floor(moment.epochMilliseconds / 1000));
    offsets.push(moment.offsetNanoseconds / 1e9);
  }
  const localTypes = [{ offset: offsets[0]!, isDst: false, abbreviation: 'LMT' }];
  const types = times.map((time, i) => {
    const offset = offsets[i + 1]!;
    const isDst = offset > offsets[i]! && i + 1 < times.length && offset > offsets[i + 2]! &&
      times[i + 1]! - time < 330 * SECS_PER_DAY;
    const known = localTypes.findIndex((type, k) => k > 0 && type.offset === offset && type.isDst === isDst);
    return known > 0 ? known : localTypes.push({ offset, isDst, abbreviation: abbreviationAt(time) }) - 1;
  });
  const repeatsForward = times.length > 0 && times[times.length - 1]! > 1e10;
  if (times.length === 0) localTypes[0] = { offset: offsets[0]!, isDst: false, abbreviation: abbreviationAt(0) };
  return new TimeZone(canonical, { times, types, localTypes, repeatsBackward: false, repeatsForward });
}

let icuNameMap: Map<string, string> | undefined;

function icuNames(): Map<string, string> {
  icuNameMap ??= new Map([...Intl.supportedValuesOf('timeZone'), 'UTC', 'Etc/UTC', 'Etc/GMT', 'GMT', 'Zulu', 'EST', 'MST',
    'HST', 'EST5EDT', 'CST6CDT', 'MST7MDT', 'PST8PDT', 'CET', 'EET', 'MET', 'WET'].map((name) => [name.toLowerCase(), name]));
  return icuNameMap;
}

const ZONE_FOLDERS = ['/usr/share/zoneinfo', '/usr/lib/zoneinfo', '/usr/share/lib/zoneinfo'];
let folder: string | null | undefined;

/** Where the TZif files are; null: nowhere. Overridden in tests. */
export function zoneFolder(): string | null {
  folder ??= ZONE_FOLDERS.find((path) => existsSync(path)) ?? null;
  return folder;
}

export function setZoneFolder(path: string | null): void {
  folder = path;
  zones.clear();
  listings.clear();
}

/** The entries of a folder by their lower-case names, as long as no file is wanted but those that are there. */
const listings = new Map<string, Map<string, string>>();

function listing(path: string): Map<string, string> {
  let entries = listings.get(path);
  if (entries === undefined) {
    entries = new Map();
    try {
      for (const name of readdirSync(path)) if (!name.startsWith('.')) entries.set(name.toLowerCase(), name);
    } catch {
      // Not a folder: nothing in it.
    }
    listings.set(path, entries);
  }
  return entries;
}

function loadFile(name: string): TimeZone | undefined {
  const root = zoneFolder();
  if (root === null) return fromIcu(name);
  let path = root;
  const proper: string[] = [];
  for (const part of name.toLowerCase().split('/')) {
    const found = listing(path).get(part);
    if (found === undefined) return undefined;
    proper.push(found);
    path += `/${found}`;
  }
  try {
    return parseTzif(proper.join('/'), readFileSync(path));
  } catch {
    return undefined;
  }
}

/** By lower-case name; null: there is no such zone. */
const zones = new Map<string, TimeZone | null>();
const MAX_ZONES = 4096;
const MAX_NAME_LENGTH = 255;

/** pg_tzset: a zone by its name in any case, or by a POSIX string; undefined when it is neither. */
export function findTimeZone(name: string): TimeZone | undefined {
  const key = name.toLowerCase();
  let zone = zones.get(key);
  if (zone === undefined) {
    if (name.length > MAX_NAME_LENGTH) return undefined;
    const upper = name.toUpperCase();
    if (upper === 'GMT') {
      zone = fixedZone('GMT', 'GMT', 0);
    } else {
      zone = loadFile(key.startsWith(':') ? key.slice(1) : key) ?? null;
      if (zone === null && !key.startsWith(':')) {
        const posix = parsePosixZone(upper);
        if (posix !== undefined) zone = posixZone(upper, posix);
      }
    }
    if (zones.size >= MAX_ZONES) zones.clear();
    zones.set(key, zone);
  }
  return zone ?? undefined;
}

/** pg_tzset_offset: a zone that is always so many seconds WEST of Greenwich. */
export function offsetTimeZone(west: number): TimeZone {
  const magnitude = Math.abs(west);
  const two = (value: number): string => String(value).padStart(2, '0');
  let text = two(Math.floor(magnitude / 3600));
  const rest = magnitude % 3600;
  if (rest !== 0) text += `:${two(Math.floor(rest / 60))}`;
  if (rest % 60 !== 0) text += `:${two(rest % 60)}`;
  return findTimeZone(west > 0 ? `<-${text}>+${text}` : `<+${text}>-${text}`)!;
}

/** All names, as pg_timezone_names shows them, with their zones; zones that count leap seconds are left out. */
export function* allTimeZones(): Generator<TimeZone> {
  const root = zoneFolder();
  if (root === null) {
    for (const name of icuNames().values()) yield findTimeZone(name)!;
    return;
  }
  const pending = [''];
  while (pending.length > 0) {
    const prefix = pending.pop()!;
    for (const entry of readdirSync(`${root}/${prefix}`)) {
      if (entry.startsWith('.')) continue;
      const name = prefix + entry;
      // Hosts link whole folders: what counts is what a name leads to.
      if (statSync(`${root}/${name}`, { throwIfNoEntry: false })?.isDirectory() === true) {
        if (name !== 'right') pending.push(`${name}/`);
        continue;
      }
      const zone = findTimeZone(name);
      if (zone !== undefined && zone.name === name) yield zone;
      else if (zone !== undefined && name === 'GMT') yield zone;
    }
  }
}

// Timestamps (microseconds since 2000) and zones.

/** Seconds since 1970 of a finite timestamp. */
export function unixSeconds(timestamp: Int8): number {
  if (typeof timestamp === 'number') return Math.floor(timestamp / USECS_PER_SEC) + EPOCH_SHIFT_SECS;
  const seconds = timestamp / 1_000_000n;
  return Number(timestamp < 0n && seconds * 1_000_000n !== timestamp ? seconds - 1n : seconds) + EPOCH_SHIFT_SECS;
}

/** Seconds since 1970, as if UTC, of a broken-down local time; undefined when there is no such day. */
function localSeconds(tm: Tm): number | undefined {
  if (!isValidJulian(tm.year, tm.mon, tm.mday)) return undefined;
  return (date2j(tm.year, tm.mon, tm.mday) - UNIX_EPOCH_JDATE) * SECS_PER_DAY + tm.hour * 3600 + tm.min * 60 + tm.sec;
}

/** Seconds WEST of Greenwich for a local time; sets tm.isdst. */
export function determineTimeZoneOffset(tm: Tm, zone: TimeZone): number {
  const local = localSeconds(tm);
  if (local === undefined) {
    tm.isdst = 0;
    return 0;
  }
  const type = zone.ofLocalTime(local);
  tm.isdst = type.isDst ? 1 : 0;
  return 0 - type.offset;
}

/** Seconds WEST for a local time that was given with an abbreviation whose meaning the zone's history decides. */
export function determineAbbreviationOffset(tm: Tm, abbreviation: string, zone: TimeZone): number {
  const local = localSeconds(tm);
  if (local === undefined) {
    tm.isdst = 0;
    return 0;
  }
  const plain = zone.ofLocalTime(local);
  const type = zone.interpretAbbreviation(abbreviation.toUpperCase(), local - plain.offset) ?? plain;
  tm.isdst = type.isDst ? 1 : 0;
  return 0 - type.offset;
}

/** Seconds WEST for a point in time that was given with such an abbreviation. */
export function abbreviationOffsetAt(timestamp: Int8, abbreviation: string, zone: TimeZone): LocalTimeType {
  const time = unixSeconds(timestamp);
  return zone.interpretAbbreviation(abbreviation.toUpperCase(), time) ?? zone.at(time);
}

/** The local timestamp of a finite timestamptz. */
export function toLocal(timestamp: Int8, zone: TimeZone): Int8 {
  const { offset } = zone.at(unixSeconds(timestamp));
  if (typeof timestamp === 'number') {
    const local = timestamp + offset * USECS_PER_SEC;
    if (Number.isSafeInteger(local)) return local;
  }
  return shift(timestamp, offset);
}

/** The timestamptz of a finite local timestamp; the range is not checked. */
export function fromLocal(timestamp: Int8, zone: TimeZone): Int8 {
  const { offset } = zone.ofLocalTime(unixSeconds(timestamp));
  if (typeof timestamp === 'number') {
    const universal = timestamp - offset * USECS_PER_SEC;
    if (Number.isSafeInteger(universal)) return universal;
  }
  return shift(timestamp, -offset);
}

function shift(timestamp: Int8, seconds: number): Int8 {
  const moved = BigInt(timestamp) + BigInt(seconds) * 1_000_000n;
  const day = moved / 86_400_000_000n;
  return makeTimestamp(Number(day), Number(moved - day * 86_400_000_000n));
}
