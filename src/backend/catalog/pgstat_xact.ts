// Objects that come and go with their statistics: those of what was dropped go when the transaction commits, those of what was created
// when it does not (PostgreSQL's pgstat_xact.c). A table that was truncated has no live rows, if it stays so.
import { currentSubTransactionId, registerCallback } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { createStatistics, dropStatistics, truncateCommitted, truncated, untruncated } from '../utils/pgstat.ts';

interface Note {
  what: 'created' | 'dropped' | 'truncated';
  kind: 'relation' | 'function';
  oid: Oid;
  subid: number;
  /** Rows there were before, as far as they have not been handed over. */
  before: { live: number; dead: number } | null;
}
let notes: Note[] = [];

/** To be called when the object's row is made or goes, or its content. */
export function noteStatistics(what: Note['what'], kind: Note['kind'], oid: Oid): void {
  if (what === 'created' && kind === 'relation') createStatistics(oid);
  notes.push({ what, kind, oid, subid: currentSubTransactionId(), before: what === 'truncated' ? truncated(oid) : null });
}

function commit({ what, kind, oid }: Note): void {
  if (what === 'dropped') dropStatistics(kind, oid);
  else if (what === 'truncated') truncateCommitted(oid);
}
function abort({ what, kind, oid, before }: Note): void {
  if (what === 'created') dropStatistics(kind, oid);
  else if (before !== null) untruncated(oid, before);
}

registerCallback({
  onCommit: () => {
    if (notes.length === 0) return;
    notes.forEach(commit);
    notes = [];
  },
  // How it ends nobody will tell us.
  onPrepare: () => { notes = []; },
  onAbort: () => {
    notes.forEach(abort);
    notes = [];
  },
  onSubCommit: (subid, parent) => { for (const note of notes) if (note.subid === subid) note.subid = parent; },
  onSubAbort: (subid) => {
    notes.filter((note) => note.subid === subid).forEach(abort);
    notes = notes.filter((note) => note.subid !== subid);
  },
});
