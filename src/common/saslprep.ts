// SASLprep (RFC 4013) for passwords: the same letters typed on different keyboards become the same bytes. As in
// PostgreSQL, a password that is not allowed by it is used as it is.

/** RFC 3454, table B.1 (mapped to nothing) and C.1.2 (mapped to space). */
const NOTHING = /[\u00ad\u034f\u1806\u180b-\u180d\u200b-\u200d\u2060\ufe00-\ufe0f\ufeff]/g;
const SPACE = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g;
/** Tables C.2 to C.9 and unassigned code points. */
const PROHIBITED = /[\p{Cc}\p{Co}\p{Cs}\p{Cn}\u06dd\u070f\u180e\u200e\u200f\u2028-\u202e\u2061-\u2063\u206a-\u206f\ufff9-\ufffd\u0340\u0341\u2ff0-\u2ffb]|[\u{1d173}-\u{1d17a}\u{e0001}\u{e0020}-\u{e007f}]/u;
const RIGHT_TO_LEFT = /[\u0590-\u05ff\u0600-\u07bf\ufb1d-\ufdff\ufe70-\ufefc]/u;

export function saslprep(password: string): string {
  if (/^[\x20-\x7e]*$/.test(password)) return password;
  const prepared = password.replace(SPACE, ' ').replace(NOTHING, '').normalize('NFKC');
  if (prepared === '' || PROHIBITED.test(prepared)) return password;
  if (RIGHT_TO_LEFT.test(prepared)) {
    const letters = [...prepared];
    const strong = /\p{L}/u;
    const mixed = letters.some((c) => strong.test(c) && !RIGHT_TO_LEFT.test(c));
    if (mixed || !RIGHT_TO_LEFT.test(letters[0]!) || !RIGHT_TO_LEFT.test(letters.at(-1)!)) return password;
  }
  return prepared;
}
