// The client's encoding (PostgreSQL's mbutils.c): what texts are on the wire. Ours are UTF-8, and so are most clients',
// for whom `client.encoding` is null and nothing is done. encode.ts sets it as the setting client_encoding changes.

export interface ClientEncoding {
  /** As PostgreSQL writes it. */
  readonly name: string;
  /** 22P05 for a character that the encoding does not have. */
  encode(text: string): Uint8Array;
  /** 22021 for bytes that are no text in it, 22P05 for characters that we do not have. */
  decode(bytes: Uint8Array): string;
}

export const client: { encoding: ClientEncoding | null } = { encoding: null };
