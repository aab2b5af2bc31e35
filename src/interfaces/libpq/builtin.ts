// Parts of Node that cost much to load and are seldom used: TLS alone is as much work as all the rest of a short psql run.
import type { TLSSocket } from 'node:tls';
import { builtin } from '../../common/builtin.ts';

export const tls = (): typeof import('node:tls') => builtin('node:tls');
export const crypto = (): typeof import('node:crypto') => builtin('node:crypto');
export const dns = (): typeof import('node:dns/promises') => builtin('node:dns/promises');

export const isTls = (socket: object): socket is TLSSocket => (socket as { encrypted?: boolean }).encrypted === true;
