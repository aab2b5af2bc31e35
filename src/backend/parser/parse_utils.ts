// Words and lists that several files of the parser share.

/** "This operation is not supported for ...s": the plural noun of a relkind. */
export function relationKindNoun(kind: string): string {
  switch (kind) {
    case 'r': return 'tables';
    case 'i': return 'indexes';
    case 'I': return 'partitioned indexes';
    case 'S': return 'sequences';
    case 't': return 'TOAST tables';
    case 'v': return 'views';
    case 'm': return 'materialized views';
    case 'c': return 'composite types';
    case 'f': return 'foreign tables';
    case 'p': return 'partitioned tables';
    default: return `relations of kind ${kind}`;
  }
}
