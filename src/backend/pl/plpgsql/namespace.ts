// The names a place in a function can see (plpgsql_ns_* of pl_funcs.c): levels, each with a label, the innermost first. A level
// grows by new items in front, so an expression keeps the list as it was where the expression stood.
import type { PlRec, PlVar } from './nodes.ts';

export type Namespace = NamespaceItem | null;

export interface NamespaceItem {
  readonly kind: 'label' | 'var' | 'rec';
  readonly name: string;
  readonly labelKind: 'block' | 'loop' | 'other';
  readonly datum: PlVar | PlRec | null;
  readonly previous: Namespace;
}

export const pushLabel = (previous: Namespace, name: string | null, labelKind: 'block' | 'loop' | 'other'): NamespaceItem =>
  ({ kind: 'label', name: name ?? '', labelKind, datum: null, previous });

export const pushDatum = (previous: Namespace, name: string, datum: PlVar | PlRec): NamespaceItem =>
  ({ kind: datum.kind, name, labelKind: 'other', datum, previous });

/** The variable meant by up to three names, and how many of them it took (plpgsql_ns_lookup). */
export function lookup(from: Namespace, localOnly: boolean, name1: string, name2: string | null = null, name3: string | null = null): { datum: PlVar | PlRec; names: number } | null {
  let level = from;
  while (level !== null) {
    let item: NamespaceItem | null = level;
    for (; item !== null && item.kind !== 'label'; item = item.previous) {
      if (item.name === name1 && (name2 === null || item.kind !== 'var')) return { datum: item.datum!, names: 1 };
    }
    if (item === null) return null;
    if (name2 !== null && item.name === name1) {
      for (let i: NamespaceItem | null = level; i !== null && i.kind !== 'label'; i = i.previous) {
        if (i.name === name2 && (name3 === null || i.kind !== 'var')) return { datum: i.datum!, names: 2 };
      }
    }
    if (localOnly) return null;
    level = item.previous;
  }
  return null;
}

/** The label of that name around this place. */
export function lookupLabel(from: Namespace, name: string): NamespaceItem | null {
  for (let i = from; i !== null; i = i.previous) if (i.kind === 'label' && i.name === name) return i;
  return null;
}

export function nearestLoop(from: Namespace): NamespaceItem | null {
  for (let i = from; i !== null; i = i.previous) if (i.kind === 'label' && i.labelKind === 'loop') return i;
  return null;
}
