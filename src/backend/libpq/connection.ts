// What start-up knows of a connection when it hands it to the traffic cop.
import type { Frontend } from './pqcomm.ts';

export interface Connection {
  readonly frontend: Frontend;
  readonly user: string;
  readonly database: string;
  /** Settings from the start-up packet, `options` already taken apart. */
  readonly settings: ReadonlyMap<string, string>;
  readonly cancelKey: number;
  /** Null for a Unix socket. */
  readonly remoteAddress: string | null;
  readonly remotePort: number;
  /** Index of this backend among max_connections. */
  readonly slot: number;
}
