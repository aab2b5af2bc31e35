// posthouse site drop, rename.
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SITE_INI } from '../../common/site.ts';
import { checkName, countDatabases, mustBeRoot, portOf, siteExists, siteOf, sizeOf, withSetting, type Site } from './sites.ts';
import { Failure, confirm, humanSize, paint, progress, say } from './terminal.ts';
import { disable, enable, removeUnits, stateOf, stop, systemdRuns, writeUnits } from './units.ts';

export async function dropSite(site: Site, yes: boolean): Promise<void> {
  mustBeRoot('dropping a site');
  const { bytes, files } = sizeOf(site.data), databases = countDatabases(site);
  if (!yes) {
    const what = `Drop site ${paint('bold', site.name)}: ${databases} database${databases === 1 ? '' : 's'}, ${humanSize(bytes)}, for ever?`;
    if (!await confirm(what)) throw new Failure('nothing was dropped');
  }
  if (systemdRuns()) stop(site);
  disable(site);
  const told = progress(`dropping site ${site.name}`);
  let gone = 0;
  const remove = (folder: string): void => {
    if (!existsSync(folder)) return;
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) remove(path);
      else rmSync(path, { force: true });
      told.at(`${++gone} of ${files} files`);
    }
    rmSync(folder, { recursive: true, force: true });
  };
  remove(site.data);
  remove(site.config);
  removeUnits(site);
  told.end('');
  say(`site ${site.name} is gone`);
}

export function renameSite(site: Site, newName: string): void {
  mustBeRoot('renaming a site');
  checkName(newName);
  const renamed = siteOf(newName);
  if (siteExists(renamed) || existsSync(renamed.data)) throw new Failure(`site "${newName}" is there already`);
  const { state } = stateOf(site), listened = state !== 'stopped' && state !== 'unknown';
  if (systemdRuns()) stop(site);
  disable(site);
  const ini = join(site.config, SITE_INI);
  writeFileSync(ini, withSetting(readFileSync(ini, 'utf8'), 'unix_socket_directories', renamed.socket));
  renameSync(site.data, renamed.data);
  renameSync(site.config, renamed.config);
  removeUnits(site);
  writeUnits(renamed);
  enable(renamed, listened);
  say(`site ${site.name} is ${paint('bold', newName)} now; its socket is in ${renamed.socket}, its port still ${portOf(renamed)}`);
}
