// MD5 passwords, as PostgreSQL had them before SCRAM: "md5" and the hash of password and role name. Whoever has the hash
// can log in with it; they are here because old clients and dumps have nothing better.
import { crypto } from './builtin.ts';

const md5 = (...parts: (string | Uint8Array)[]): string => {
  const hash = crypto().createHash('md5');
  for (const part of parts) hash.update(part);
  return `md5${hash.digest('hex')}`;
};

/** As pg_authid keeps it. */
export const md5Secret = (password: string, role: string): string => md5(password, role);

/** What proves knowledge of the secret to a server that has sent this salt. */
export const md5Proof = (secret: string, salt: Uint8Array): string => md5(secret.slice(3), salt);

export const isMd5Secret = (secret: string): boolean => /^md5[0-9a-f]{32}$/.test(secret);
