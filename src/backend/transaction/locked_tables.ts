// In which databases tables are locked against readers (ACCESS EXCLUSIVE, held or waited for): how many, in memory that all processes
// of a site share. A statement outside a transaction block locks nothing that it only reads, and looks here instead, so that it
// neither needs a transaction manager nor writes anything. Pairs of words: a database's oid + 1, once and for all, and its count.
//
// A manager that is killed leaves its count behind, until the next one of its database begins: readers ask for locks meanwhile.
import { port } from '../../port/port.ts';
import type { Oid } from '../types/datum.ts';

const PLACES = 1024;
let words = new Int32Array(2 * PLACES);
/** The database that was asked for last, and where its count is. */
let known = -1, at = 0;

/** In the postmaster, before the first fork. */
export function shareLockedTables(): void {
  words = new Int32Array(port.sharedMemory(8 * PLACES));
  known = -1;
}

/** Each session asks for its database once; the rehearsed ones do, too. */
export function forgetLockedTables(): void {
  known = -1;
}

export function areTablesLocked(database: Oid): boolean {
  if (database !== known) {
    at = countOf(database);
    known = database;
  }
  return at < 0 || words[at] !== 0;
}

/** Where the count of a database is; -1: there are too many databases. */
function countOf(database: Oid): number {
  const key = (database + 1) | 0;
  for (let n = 0, place = Math.imul(database, 0x9e3779b1) >>> 22; n < PLACES; n++, place = (place + 1) % PLACES) {
    const there = Atomics.compareExchange(words, 2 * place, 0, key);
    if (there === 0 || there === key) return 2 * place + 1;
  }
  return -1;
}

/** A manager begins: it knows of no lock. */
export function noTableLocked(database: Oid): void {
  const count = countOf(database);
  if (count >= 0) Atomics.store(words, count, 0);
}

/** Its manager tells. */
export function countLockedTable(database: Oid, change: 1 | -1): void {
  const count = countOf(database);
  if (count >= 0) Atomics.add(words, count, change);
}
