// Arrays as text ({1,NULL,"a b"}) and in the binary format, to nested JavaScript arrays and back. Bounds other than 1
// ("[0:1]={…}") are read and dropped.

/** Throws a SyntaxError when it is no array. */
export function parseArray<T>(text: string, element: (text: string) => T, separator = ','): unknown[] {
  let at = text.startsWith('[') ? text.indexOf('=') + 1 : 0;
  const malformed = (): SyntaxError => new SyntaxError(`malformed array: ${text.slice(0, 100)}`);

  function list(): unknown[] {
    if (text[at] !== '{') throw malformed();
    const items: unknown[] = [];
    at++;
    if (text[at] === '}') {
      at++;
      return items;
    }
    for (;;) {
      if (text[at] === '{') items.push(list());
      else if (text[at] === '"') items.push(element(quoted()));
      else {
        const from = at;
        while (at < text.length && text[at] !== separator && text[at] !== '}') at++;
        const word = text.slice(from, at);
        items.push(word === 'NULL' ? null : element(word));
      }
      const c = text[at++];
      if (c === '}') return items;
      if (c !== separator) throw malformed();
    }
  }

  function quoted(): string {
    let value = '', from = ++at;
    for (; ; at++) {
      const c = text[at];
      if (c === undefined) throw malformed();
      if (c !== '"' && c !== '\\') continue;
      value += text.slice(from, at);
      if (c === '"') {
        at++;
        return value;
      }
      from = ++at;
    }
  }

  const items = list();
  if (at !== text.length) throw malformed();
  return items;
}

/** An array literal; `element` gives a text, or null. */
export function formatArray(items: readonly unknown[], element: (item: unknown) => string | null, separator = ','): string {
  let text = '{';
  for (let i = 0; i < items.length; i++) {
    if (i > 0) text += separator;
    const item = items[i];
    if (Array.isArray(item)) text += formatArray(item, element, separator);
    else {
      const value = item === null || item === undefined ? null : element(item);
      text += value === null ? 'NULL' : `"${value.replace(/["\\]/g, '\\$&')}"`;
    }
  }
  return `${text}}`;
}

/** array_send's format; `element` reads one value, told its type. */
export function readBinaryArray(buffer: Buffer, at: number, element: (typeOid: number, at: number, end: number) => unknown): unknown[] {
  const dimensions = buffer.readInt32BE(at), typeOid = buffer.readUInt32BE(at + 8);
  if (dimensions === 0) return [];
  if (dimensions < 0 || dimensions > 6) throw new SyntaxError(`array with ${dimensions} dimensions`);
  const lengths = Array.from({ length: dimensions }, (_, i) => buffer.readInt32BE(at + 12 + 8 * i));
  at += 12 + 8 * dimensions;
  const list = (depth: number): unknown[] => {
    const items: unknown[] = [];
    for (let i = 0; i < lengths[depth]!; i++) {
      if (depth + 1 < dimensions) {
        items.push(list(depth + 1));
        continue;
      }
      const length = buffer.readInt32BE(at);
      at += 4;
      if (length < 0) items.push(null);
      else items.push(element(typeOid, at, at += length));
    }
    return items;
  };
  return list(0);
}
