// Random bytes of the kernel's: fresh in every process, where Node's would first load its cryptography (20 ms) and draw in advance.
import { port } from './port.ts';

/** So many random bytes, as hexadecimal digits. */
export function randomHex(lengthBytes: number): string {
  let text = '';
  while (text.length < 2 * lengthBytes) text += (port.randomInt() >>> 0).toString(16).padStart(8, '0');
  return text.slice(0, 2 * lengthBytes);
}
