// Finds the messages in what the socket brings. A message is handled where it lies in the piece that was read; only one
// that is cut in two is copied together.

/** `buffer[at..end)` is the body. It is valid during the call only. */
export type MessageHandler = (type: number, buffer: Buffer, at: number, end: number) => void;

/** Types that may be longer than this: T D d V E N A (VALID_LONG_MESSAGE_TYPE). Any other that claims more is garbage. */
export const SHORT_BYTES = 30000;
const LONG_TYPES = new Set(['T', 'D', 'd', 'V', 'E', 'N', 'A'].map((c) => c.charCodeAt(0)));
const MAX_BYTES = 0x3fffffff;

class LostSynchronization extends Error {
  constructor(type: number, length: number) {
    super(`lost synchronization with server: got message type "${String.fromCharCode(type)}", length ${length}`);
    this.name = 'LostSynchronization';
  }
}

export class MessageReader {
  /** The beginning of a message whose end has not come. */
  private parts: Buffer[] = [];
  private partBytes = 0;
  private wanted = 0;
  private stopped = false;
  private readonly longestBytes: number;

  /** `longestBytes`: a server that nobody knows yet has less to say, lest it fill the memory. */
  constructor(longestBytes = MAX_BYTES) {
    this.longestBytes = longestBytes;
  }

  /** Handles every message that is whole. Throws LostSynchronization when there is no sense in what came. */
  feed(chunk: Buffer, handle: MessageHandler): void {
    let buffer = chunk;
    if (this.partBytes > 0) {
      this.parts.push(chunk);
      this.partBytes += chunk.length;
      if (this.partBytes < this.wanted) return;
      buffer = Buffer.concat(this.parts, this.partBytes);
      this.parts = [];
      this.partBytes = 0;
    }
    const end = buffer.length;
    let at = 0;
    while (end - at >= 5) {
      const length = (buffer[at + 1]! << 24) | (buffer[at + 2]! << 16) | (buffer[at + 3]! << 8) | buffer[at + 4]!;
      const type = buffer[at]!;
      if (length < 4 || length > this.longestBytes || (length > SHORT_BYTES && !LONG_TYPES.has(type))) throw new LostSynchronization(type, length);
      const next = at + 1 + length;
      if (next > end) {
        this.wanted = 1 + length;
        break;
      }
      handle(type, buffer, at + 5, next);
      at = next;
      if (this.stopped) break;
    }
    if (at < end) {
      if (end - at < 5) this.wanted = 5;
      // A copy: the piece it lies in may be large, or used again.
      this.parts = [Buffer.from(buffer.subarray(at))];
      this.partBytes = end - at;
    }
  }

  /** Called from a handler: what follows its message stays here until `rest` asks for it. */
  stop(): void {
    this.stopped = true;
  }

  rest(): Buffer {
    const bytes = Buffer.concat(this.parts, this.partBytes);
    this.parts = [];
    this.partBytes = 0;
    this.stopped = false;
    return bytes;
  }
}
