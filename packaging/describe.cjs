// Writes what the programs say of themselves as man pages and bash completion: describe.cjs <lib> <folder>
// So that the three never differ.
'use strict';
const { mkdirSync, writeFileSync } = require('node:fs');
const { spawnSync } = require('node:child_process');
const { join } = require('node:path');
const { commandCompletion } = require('./completion.cjs');

const [lib, to] = process.argv.slice(2);
const date = new Date(Number(process.env['SOURCE_DATE_EPOCH']) * 1000).toISOString().slice(0, 10);
const { use } = require(join(lib, 'start.cjs'));
const programs = use.programs.map((place) => place.replace(/^bin\/|\.js$/g, '')).filter((name) => name !== 'posthouse');

const roff = (text) => text.replace(/\\/g, '\\e').replace(/-/g, '\\-').replace(/^([.'])/gm, '\\&$1');
const header = (name, section, title) => `.TH ${name.toUpperCase()} ${section} "${date}" "Posthouse" "${title}"\n`;
const upperFirst = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** The text of --help: paragraphs, headings ("Options:"), lines of option and meaning. */
function page(name, help) {
  const lines = help.trimEnd().split('\n'), summary = lines[0].replace(new RegExp(`^${name} (is )?`), '').replace(/\.$/, '');
  let out = `${header(name, 1, 'User commands')}.SH NAME\n${name} \\- ${roff(summary)}\n`, section = '';
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i], heading = /^([A-Z][A-Za-z -]*):$/.exec(line), item = /^ {1,6}(\S.*?)(?: {2,}(.*))?$/.exec(line);
    if (heading) {
      section = heading[1];
      out += `.SH ${section === 'Usage' ? 'SYNOPSIS' : roff(section.toUpperCase())}\n`;
    } else if (line.trim() === '') out += '.PP\n';
    else if (item && section === 'Usage') out += `.B ${roff(item[1])}${item[2] ? `\n${roff(item[2])}` : ''}\n.br\n`;
    else if (item && section === 'Example') out += `.nf\n${roff(line)}\n.fi\n`;
    else if (item && /^[-[]|^[A-Z]+$/.test(item[1])) out += `.TP\n.B ${roff(item[1])}\n${item[2] ? `${roff(upperFirst(item[2]))}\n` : ''}`;
    else if (/^ {7,}/.test(line)) out += `${roff(/^\.B .*\n$/.test(out.slice(out.lastIndexOf('.TP\n') + 4)) ? upperFirst(line.trim()) : line.trim())}\n`;
    else {
      if (section === 'Options' || section === 'Connection options' || section === 'Usage') {
        out += '.SH NOTES\n';
        section = 'Notes';
      }
      out += `${roff(line.trim())}\n`;
    }
  }
  return `${out}.SH SEE ALSO\n.BR posthouse (8)\n`.replace(/(\.PP\n)+(?=\.SH|\.PP)/g, '').replace(/(\.SH [^\n]*\n)\.PP\n/g, '$1');
}

function posthousePage(commands) {
  let out = `${header('posthouse', 8, 'System administration')}.SH NAME
posthouse \\- look after the Posthouse sites of a machine
.SH SYNOPSIS
.B posthouse
.I COMMAND
.RI [ ARGUMENT "]... [" OPTION ]...
.SH DESCRIPTION
A
.I site
is a collection of databases with a name, an owner, a port and a Unix socket. Its postmaster is started by systemd at the
first connection, and ends when nobody has been connected for
.B idle_exit
(in site.ini). One that has been busy has grown, by what connections are fast by: when nobody has been connected for
.B idle_restart
(one minute), it starts itself anew, as the same process, and who connects meanwhile is served a moment later. Settings marked
[restart] in site.ini take effect then, too.
.PP
Installing the package makes the site
.BR main .
.SH COMMANDS\n`;
  for (const command of commands) {
    out += `.TP\n.B ${roff(command.words)}${command.args.length > 0 ? ` \\fI${command.args.join(' ')}\\fB` : ''}\n${upperFirst(roff(command.summary))}.\n`;
    for (const [name, meaning] of command.options) out += `.RS\n.TP\n.B \\-\\-${roff(name)}\n${upperFirst(roff(meaning))}.\n.RE\n`;
    out += `.RS\n.PP\nExample:\n.B ${roff(command.example)}\n.RE\n`;
  }
  return `${out}.SH EXIT STATUS
0: done. 1: it failed. 2: the command line is wrong. 3: the site is not running. 4: there is no such site.
.SH FILES
.TP
.I /usr/lib/posthouse/bin/
initdb, postmaster, createdb, psql and the others, by these names; the package posthouse\\-commands puts them into /usr/bin. Their pages
are in section 1posthouse: man 1posthouse psql
.TP
.I /etc/posthouse/SITE/
site.ini (settings), hba.conf (who may connect), ident.conf (which account may be which user). Samples with comments are in
/usr/share/doc/posthouse/examples.
.TP
.I /var/lib/posthouse/SITE/
The data.
.TP
.I /run/posthouse/SITE/
The Unix socket: psql \\-h /run/posthouse/SITE
.TP
.I /etc/posthouse/no\\-default\\-site
When it is there, installing the package makes no site.
.TP
.I /etc/posthouse/purge\\-sites
When it is there, purging the package removes all sites with their data.
.SH SYSTEMD
.B posthouse@SITE.socket
and
.B posthouse@SITE.service
belong to a site,
.B posthouse.target
to all of them. Limits (MemoryMax=, TasksMax=, CPUQuota=) go into a drop\\-in: systemctl edit posthouse@SITE.service.
.PP
An owner (posthouse site create \\-\\-owner) may run a site as a unit of their own, without root, while the system's units of it
are stopped: posthouse site start SITE, or systemctl \\-\\-user start posthouse@SITE.service. It then runs as long as the owner is
logged in, or for good after: loginctl enable\\-linger OWNER.
.PP
Each line of the journal has the fields SITE, DATABASE, USER, BACKEND_PID and SQLSTATE. posthouse site log finds lines by SITE,
also those of a session that was over before the journal could look to which unit it belonged.
.PP
The log of a site is open to root, to members of the group systemd\\-journal, and to its owner, if that is no account of the system
and journals are kept on disk (Storage= in journald.conf(5)).
.SH SEE ALSO
.BR postmaster (1posthouse),
.BR initdb (1posthouse),
.BR psql (1posthouse),
.BR systemctl (1)
`;
}

function completion(commands) {
  const groups = new Map();
  for (const { words, args, options } of commands) {
    const [group, verb] = words.split(' ');
    if (!groups.has(group)) groups.set(group, []);
    groups.get(group).push({ verb, site: args[0] === 'NAME' && group === 'site' && verb !== 'create', options: options.map(([name]) => `--${name.split('=')[0]}`).concat('--help') });
  }
  const cases = [...groups].flatMap(([group, list]) => list.map(({ verb, site, options }) => `    '${group} ${verb}') words='${options.join(' ')}'; site=${site ? 1 : ''} ;;`));
  return `# bash completion for posthouse
_posthouse_sites() { local f; for f in /etc/posthouse/*/; do [ -d "$f" ] && basename "$f"; done; }
_posthouse() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} words='' site=''
  COMPREPLY=()
  if [ "$COMP_CWORD" = 1 ]; then
    mapfile -t COMPREPLY < <(compgen -W '${[...groups.keys()].join(' ')} --help --version' -- "$cur")
    return
  fi
  if [ "$COMP_CWORD" = 2 ]; then
    case \${COMP_WORDS[1]} in
${[...groups].map(([group, list]) => `      ${group}) words='${list.map((c) => c.verb).join(' ')}' ;;`).join('\n')}
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
    return
  fi
  case $prev in
    --site) mapfile -t COMPREPLY < <(compgen -W "$(_posthouse_sites)" -- "$cur"); return ;;
    --owner) mapfile -t COMPREPLY < <(compgen -u -- "$cur"); return ;;
    --password-file) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
  esac
  case "\${COMP_WORDS[1]} \${COMP_WORDS[2]}" in
${cases.join('\n')}
  esac
  [ -z "$site" ] || [ "$COMP_CWORD" != 3 ] || words="$words $(_posthouse_sites)"
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _posthouse posthouse
`;
}

mkdirSync(to, { recursive: true });
const helps = {};
for (const name of programs) {
  // psql names the account that asks: who builds the package is nobody's business.
  const { stdout, status } = spawnSync(process.execPath, [join(lib, 'start.cjs'), name, '--help'], { encoding: 'utf8', env: { PGUSER: 'your account' } });
  if (status !== 0) throw new Error(`${name} --help`);
  const help = helps[name] = stdout.replaceAll('"your account"', 'the name of your account');
  writeFileSync(join(to, `${name}.1`), page(name, help));
}
const commands = use('bin/admin/commands.js').COMMANDS.filter((c) => !c.internal);
writeFileSync(join(to, 'posthouse.8'), posthousePage(commands));
writeFileSync(join(to, 'posthouse.bash'), completion(commands));
writeFileSync(join(to, 'commands.bash'), commandCompletion(helps));
