// Bash completion of the classic commands, made of their --help: options, and for each that takes a value what may stand there.
'use strict';

/** What the name of a value in --help means. */
const KINDS = [
  [/^(DBNAME|TEMPLATE)$/, 'database'], [/^(USERNAME|ROLENAME|ROLE|OWNER)$/, 'role'], [/^(FILENAME|FILE)$/, 'file'], [/^(DATADIR|DIRECTORY)$/, 'directory'],
  [/^HOSTNAME$/, 'host'], [/^'?TABLE(?!SPACE)/, 'table'], [/^INDEX$/, 'index'], [/^SCHEMA$/, 'schema'], [/^TABLESPACE$/, 'tablespace'], [/^METHOD$/, 'trust reject scram-sha-256 md5 password peer'],
  [/^VAR\[/, 'border columns csv_fieldsep expanded fieldsep fieldsep_zero footer format linestyle null numericlocale pager pager_min_lines recordsep recordsep_zero tableattr title tuples_only '
    + 'unicode_border_linestyle unicode_column_linestyle unicode_header_linestyle'], [/^STRATEGY$/, 'wal_log file_copy'],
];
const kindOf = (value) => KINDS.find(([pattern]) => pattern.test(value))?.[1] ?? (/^\{.*\}$/.test(value) ? value.slice(1, -1).replaceAll('|', ' ') : 'any');

/** Options of a --help, those with a value and its kind, and the kinds of what stands without an option. */
function describe(help) {
  const options = [], values = new Map(), all = [];
  for (const line of help.split('\n')) {
    const m = /^ {1,6}\[?(-(?:(?! {2,}).)*)/.exec(line);
    if (m === null) continue;
    const value = /[a-z]=\]?([A-Z'{]\S*)/.exec(m[1])?.[1] ?? /^-\w ([A-Z1]\S*)/.exec(m[1])?.[1], kind = value === undefined ? '' : kindOf(value);
    for (const name of m[1].match(/(?<![\w-])(?:--[a-z][\w-]*|-[\w?])/g) ?? []) {
      all.push(name);
      if (name.startsWith('--')) options.push(kind === '' ? name : `${name}=`);
      if (kind !== '') values.set(kind, [...values.get(kind) ?? [], name]);
    }
  }
  const usage = /^Usage:\n(?:.*as postmaster.*\n)?(.*)$/m.exec(help)?.[1] ?? '';
  const places = (usage.replace('[OPTION]', '').match(/[A-Z]{3,}/g) ?? []).map(kindOf);
  return { options: options.length > 2 ? [...new Set(options)] : [...new Set(all)], values: [...values].map(([kind, names]) => `${names.join(' | ')}) kind='${kind}' ;;`), places };
}

/** One script for all of them; `helps` has what each says for --help. */
exports.commandCompletion = (helps) => {
  const programs = Object.entries(helps).map(([name, help]) => ({ name, ...describe(help) }));
  return `# bash completion for ${programs.map((p) => p.name).join(' ')}
_posthouse_command() {
  local IFS=$'\\n' cur=\${COMP_WORDS[COMP_CWORD]} prev='' word kind='' options='' places=() to=() at=0 i program=\${COMP_WORDS[0]##*/}
  local psql=\${COMP_WORDS[0]%"$program"}psql
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    [ "$word" = '=' ] && continue
    # The server and user asked for are those who know what there is.
    case $prev in
      -h|--host|-p|--port|-U|--username|-d|--dbname) [ "$program$prev" = postmaster-h ] || to+=("$prev" "$word") ;;
    esac
    case $word in
      -[hpUd]?*) to+=("$word") ;;
    esac
    _posthouse_value "$prev"
    [ -n "$kind" ] || [[ $word == -* ]] || { at=$((at + 1)); [ $at != 1 ] || [ "\${places[0]}" != database ] || to+=(-d "$word"); }
    prev=$word
  done
  [ "$cur" != '=' ] || cur=''
  _posthouse_value "$prev"
  [ -n "$kind" ] || if [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
    [[ \${COMPREPLY[0]} != *= ]] || compopt -o nospace 2>/dev/null
    return
  else kind=\${places[at]}; fi
  case $kind in
    '' | any) ;;
    file) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    directory) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
    host) mapfile -t COMPREPLY < <(compgen -A hostname -- "$cur"; compgen -d -- "$cur") ;;
    database) _posthouse_ask "select datname from pg_database where datallowconn" postgres ;;
    role) _posthouse_ask "select rolname from pg_roles where rolname !~ '^pg_'" postgres; [ -n "\${COMPREPLY[0]}" ] || mapfile -t COMPREPLY < <(compgen -u -- "$cur") ;;
    table | index) _posthouse_ask "select oid::regclass from pg_class where relkind in ($([ "$kind" = index ] && echo "'i', 'I'" || echo "'r', 'p', 'm'")) and relnamespace::regnamespace::text !~ '^pg_|^information_schema'" ;;
    schema) _posthouse_ask "select nspname from pg_namespace where nspname !~ '^pg_(toast|temp)'" ;;
    tablespace) _posthouse_ask "select spcname from pg_tablespace" postgres ;;
    *) mapfile -t COMPREPLY < <(compgen -W "\${kind// /$IFS}" -- "$cur") ;;
  esac
}
# Sets what may follow an option, and on the way what the program knows.
_posthouse_value() {
  kind=''
  case $program in
${programs.map(({ name, options, values, places }) => `    ${name})
      options=$'${options.join('\\n')}' places=(${places.join(' ')})
      case $1 in
${values.map((v) => `        ${v}`).join('\n')}
      esac ;;`).join('\n')}
  esac
}
# What a server answers; nobody waits for a password.
_posthouse_ask() {
  local args=("\${to[@]}")
  [ -z "$2" ] || args+=(-d "$2")
  # Not by compgen -W: that would run what a name has in $(…).
  while read -r; do [[ $REPLY != "$cur"* ]] || COMPREPLY+=("$(printf %q "$REPLY")"); done < <(PGCONNECT_TIMEOUT=2 "$psql" -XAtqw "\${args[@]}" -c "$1 order by 1" 2>/dev/null </dev/null)
}
complete -F _posthouse_command ${programs.map((p) => p.name).join(' ')}
`;
};
