// How far PostgreSQL's own compression (pg_lzcompress.c) takes a value down. Nothing here is stored that way; but whether PostgreSQL takes
// a long value into an index depends on it.

const HISTORY = 4096, MAX_MATCH = 273, MAX_OFFSET = 0xfff;
const MIN_INPUT_BYTES = 32, FIRST_SUCCESS_BYTES = 1024;

/** The bytes that are left without headers (pglz_compress with the default strategy); null: too little is saved. */
export function pglzSize(input: Uint8Array): number | null {
  const { length } = input;
  if (length < MIN_INPUT_BYTES) return null;
  const most = Math.floor((length * 75) / 100);
  const mask = (length < 128 ? 512 : length < 256 ? 1024 : length < 512 ? 2048 : length < 1024 ? 4096 : 8192) - 1;
  // Places with the same hash are a list, the newest first; places of the history are used again in turn.
  const heads = new Int32Array(mask + 1).fill(-1);
  const places = new Int32Array(HISTORY), next = new Int32Array(HISTORY).fill(-1), previous = new Int32Array(HISTORY).fill(-1), hashes = new Int32Array(HISTORY).fill(-1);
  let turn = 0;
  const signed = (at: number): number => (input[at]! << 24) >> 24;
  const hashAt = (at: number): number => (length - at < 4 ? signed(at) : (signed(at) << 6) ^ (signed(at + 1) << 4) ^ (signed(at + 2) << 2) ^ signed(at + 3)) & mask;
  const remember = (at: number): void => {
    const hash = hashAt(at), i = turn;
    if (hashes[i] !== -1) {
      if (previous[i] === -1) heads[hashes[i]!] = next[i]!;
      else next[previous[i]!] = next[i]!;
      if (next[i] !== -1) previous[next[i]!] = previous[i]!;
    }
    next[i] = heads[hash]!;
    previous[i] = -1;
    hashes[i] = hash;
    places[i] = at;
    if (heads[hash] !== -1) previous[heads[hash]!] = i;
    heads[hash] = i;
    turn = (turn + 1) % HISTORY;
  };
  const matchAt = (at: number): number => {
    let longest = 0, good = 128;
    for (let i = heads[hashAt(at)]!; i !== -1; i = next[i]!) {
      const from = places[i]!;
      if (at - from >= MAX_OFFSET) break;
      let n = 0;
      while (at + n < length && n < MAX_MATCH && input[at + n] === input[from + n]) n++;
      if (n > longest) longest = n;
      if (next[i] === -1 || longest >= good) break;
      good -= Math.trunc((good * 10) / 100);
    }
    return longest;
  };
  // A control byte stands before every eight literals and tags.
  let size = 0, items = 0, found = false;
  for (let at = 0; at < length;) {
    if (size >= most || (!found && size >= FIRST_SUCCESS_BYTES)) return null;
    if (items++ % 8 === 0) size++;
    const n = matchAt(at);
    if (n <= 2) {
      size++;
      remember(at++);
      continue;
    }
    size += n > 17 ? 3 : 2;
    for (const end = at + n; at < end; at++) remember(at);
    found = true;
  }
  return size >= most ? null : size;
}
