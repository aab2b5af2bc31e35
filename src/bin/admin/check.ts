// posthouse site check: every file of a site (owner, mode, type, links), as the postmaster looks at it before it starts;
// --fix mends what can be mended.
import { spawnSync } from 'node:child_process';
import { closeSync, constants, fchownSync, fstatSync, openSync, readlinkSync } from 'node:fs';
import { checkSite, configFilesIn, type SiteFault } from '../../backend/postmaster/site_check.ts';
import { isRoot, mustOwn, ownerOf, sizeOf, type Account, type Site } from './sites.ts';
import { Failure, paint, progress, say, table } from './terminal.ts';
import { stateOf } from './units.ts';

export function checkSiteFiles(site: Site, fix: boolean): number {
  mustOwn(site);
  const owner = ownerOf(site), told = progress(`checking site ${site.name}`);
  let { files } = sizeOf(site.data, (n) => told.at(`${n} files`));
  let faults = checkSite(site.data, configFilesIn(site.config), owner.uid);
  told.end('');
  if (faults.length > 0 && fix) {
    const running = stateOf(site).state;
    if (running === 'running' || running === 'starting') throw new Failure(`site "${site.name}" is running`, `Stop it first: posthouse site stop ${site.name}`);
    for (const fault of faults) mend(fault, site, owner);
    const before = faults.length;
    faults = checkSite(site.data, configFilesIn(site.config), owner.uid);
    ({ files } = sizeOf(site.data));
    say(`${before - faults.length} of ${before} mended`);
  }
  if (faults.length === 0) {
    say(`site ${site.name}: ${paint('green', 'nothing is wrong')} (${files} files and folders, all of ${owner.name})`);
    return 0;
  }
  table(['file', 'what is wrong', 'how to mend it'], faults.map((f) => [f.path, f.what, f.mend]));
  if (!fix) say(`\n${faults.length} fault${faults.length === 1 ? '' : 's'}. The site does not start like this. To mend: posthouse site check ${site.name} --fix`);
  return 1;
}

const NEEDS_A_COPY = /^restore /;

/** Owners are changed by root, through a descriptor that is proved to be a file of the site with one name; everything else is
 * done as the owner, who cannot harm others by it. */
function mend(fault: SiteFault, site: Site, owner: Account): void {
  if (NEEDS_A_COPY.test(fault.mend)) return;
  if (/^is owned by/.test(fault.what)) {
    if (!isRoot()) return;
    const fd = openSync(fault.path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(fd), real = readlinkSync(`/proc/self/fd/${fd}`);
      const within = [site.data, site.config].some((folder) => real === folder || real.startsWith(`${folder}/`));
      if (within && (stat.isDirectory() || (stat.isFile() && stat.nlink === 1))) fchownSync(fd, owner.uid, owner.gid);
    } finally {
      closeSync(fd);
    }
    return;
  }
  const { status, stderr } = spawnSync('/bin/sh', ['-c', fault.mend.replace(/ -o \S+/, '')],
    { encoding: 'utf8', cwd: '/', ...(isRoot() ? { uid: owner.uid, gid: owner.gid } : {}) });
  if (status !== 0) say(`${fault.mend}: ${stderr.trim()}`);
}
