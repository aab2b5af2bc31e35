// Names for objects that the user did not name; the rest is in catalog/pg_constraint.ts.

const MAX_NAME_BYTES = 63;

/** "a_b_c": column names joined, as part of the name of an index or constraint (ChooseIndexNameAddition). */
export function joinColumnNames(names: readonly string[]): string {
  let text = '';
  for (const name of names) {
    if (text !== '') text += '_';
    text += name;
    if (Buffer.byteLength(text) >= MAX_NAME_BYTES) break;
  }
  return text;
}
