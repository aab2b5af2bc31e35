// Bash completion of the classic commands, as a package has it: options from --help, names from the server that the line asks for.
import test from 'ava';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runFolder } from '../support/run.ts';

const { commandCompletion } = await import('../../packaging/completion.cjs' as string) as { commandCompletion: (helps: Record<string, string>) => string };
const bin = join(import.meta.dirname, '../../dist/bin'), folder = join(runFolder(), 'completion');
const PROGRAMS = ['clusterdb', 'createdb', 'createuser', 'dropdb', 'dropuser', 'initdb', 'pg_isready', 'postgres', 'postmaster', 'psql', 'reindexdb', 'vacuumdb'];

test.before(() => {
  mkdirSync(folder);
  writeFileSync(join(folder, 'commands.bash'), commandCompletion(Object.fromEntries(PROGRAMS.map((name) => [name, execFileSync(join(bin, name), ['--help'], { encoding: 'utf8' })]))));
  // A server's answer, and what was asked.
  writeFileSync(join(folder, 'psql'), '#!/bin/sh\necho "$@" >"$0.asked"\nprintf "%s\\n" shop shelf "two words" "\\$(touch $0.harm)"\n');
  chmodSync(join(folder, 'psql'), 0o755);
});

const complete = (...words: string[]): string[] => execFileSync('bash', ['--norc', '-c', `. ./commands.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _posthouse_command; printf '%s\\n' "\${COMPREPLY[@]}"`, 'bash', ...words],
  { cwd: folder, encoding: 'utf8', env: { PATH: `${folder}:${process.env['PATH']}` } }).split('\n').slice(0, -1);
const asked = (): string => readFileSync(join(folder, 'psql.asked'), 'utf8').trim();

test.serial('options, and what they take', (t) => {
  t.deepEqual(complete('psql', '--fi'), ['--file=', '--field-separator=', '--field-separator-zero']);
  t.deepEqual(complete('psql', '-'), complete('psql', '--'), 'there are long names for all');
  t.deepEqual(complete('createuser', '--no-s'), ['--no-superuser']);
  t.deepEqual(complete('initdb', '-A', 's'), ['scram-sha-256']);
  t.deepEqual(complete('createdb', '--strategy', '=', ''), ['wal_log', 'file_copy']);
  t.deepEqual(complete('psql', '-P', 'pager'), ['pager', 'pager_min_lines']);
  t.deepEqual(complete('psql', '-f', 'comm'), ['commands.bash']);
  t.deepEqual(complete('psql', '-c', ''), ['']);
  t.true(complete('postmaster', '-').includes('-D'));
  for (const name of PROGRAMS) t.true(complete(name, '--v').includes('--version'), name);
});

test.serial('names are those of the server and database that the line has', (t) => {
  t.deepEqual(complete('psql', '-h', 'there', '-p', '77', 'sh'), ['shop', 'shelf']);
  t.regex(asked(), /^-XAtqw -h there -p 77 -d postgres -c select datname /);
  complete('psql', 'shop', '');
  t.regex(asked(), /rolname/);
  complete('vacuumdb', '-Uclerk', '-d', '=', 'shop', '-t', '');
  t.regex(asked(), /^-XAtqw -Uclerk -d shop -c select oid::regclass .*'r', 'p', 'm'/);
  complete('reindexdb', '--index', '=', 's');
  t.regex(asked(), /'i', 'I'/);
});

test.serial('a name is one word, and nothing in it is run', (t) => {
  t.deepEqual(complete('dropdb', 't'), ['two\\ words']);
  t.is(complete('dropdb', '').length, 4);
  t.throws(() => readFileSync(join(folder, 'psql.harm')));
});
