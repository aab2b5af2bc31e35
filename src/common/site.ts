// A site on disk: what lies where below its folder. Processes of a site run with it as their working directory, so these
// names are relative.
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

export const SITE_VERSION_FILE = 'SITE_VERSION';
/** What SITE_VERSION holds, and a line end. */
export const SITE_VERSION = '1';
export const SITE_INI = 'site.ini';
/** What ALTER SYSTEM writes; read after site.ini. */
export const AUTO_INI = 'site.auto.ini';
export const HBA_CONF = 'hba.conf';
export const IDENT_CONF = 'ident.conf';
export const POSTMASTER_PID = 'postmaster.pid';
/** Random bytes that only this site knows; made at the first start. */
export const SITE_SECRET = 'SITE_SECRET';
/** Activity statistics, from an orderly stop to the next start. */
export const STATISTICS = 'statistics';
export const GLOBAL = 'global';
export const BASE = 'base';
export const TMP = 'tmp';
export const POSTMASTER_SOCKET = 'tmp/postmaster.sock';
export const managerSocket = (databaseOid: number): string => `tmp/manager.${databaseOid}.sock`;
export const databaseFolder = (databaseOid: number): string => `base/${databaseOid}`;

/** The folder of a tablespace "in place". */
export const tablespaceFolder = (oid: number): string => `pg_tblspc/${oid}`;

export const FOLDER_MODE = 0o700;
export const FILE_MODE = 0o600;

/** Opens a file of the site and checks, by descriptor, that it is what it must be. Throws an Error that says what is not. */
export function openSiteFile(path: string, flags: number = constants.O_RDONLY): number {
  const fd = openSync(path, flags | constants.O_NOFOLLOW, FILE_MODE);
  const fault = fileFault(fd);
  if (fault === null) return fd;
  closeSync(fd);
  throw new Error(`file "${path}" ${fault}`);
}

/** What is wrong with an open file of the site; null: nothing. */
function fileFault(fd: number): string | null {
  const stat = fstatSync(fd);
  if (!stat.isFile()) return 'is not a regular file';
  if (stat.uid !== process.geteuid!()) return 'has the wrong owner';
  if ((stat.mode & 0o7777) !== FILE_MODE) return `has mode ${(stat.mode & 0o7777).toString(8).padStart(4, '0')}, not 0600`;
  if (stat.nlink !== 1) return `has ${stat.nlink} hard links`;
  return null;
}

export function readSiteFile(path: string): string {
  const fd = openSiteFile(path);
  try {
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}
