// Regular expressions: golden cases, and the same patterns over the same texts against a real PostgreSQL.
import test from 'ava';
import { askOracle, callOurs, callSql, oracleAvailable, type Call } from './harness.ts';

const PATTERNS = ['a', 'a|ab', 'foo|foobar', '^(.*?)(\\d+)$', '(.*?)(\\d+)', '\\s*(.*?)\\s*', '^\\s*(.*?)\\s*$', 'Y*?([0-9]{1,3})', 'Y*([0-9]{1,3})',
  '[[:alpha:]]+', '[^[:space:]]+', '\\mfoo\\M', '\\yfoo\\y', '(\\w+) (\\w+)', '\\Afoo', 'bar\\Z', '(a)(b)?', 'x*', 'a{2,3}', 'a{2,3}?', '(?i)ABC',
  '(?:a|b)+', '(?=b)', 'a(?!b)', '(?<=a)b', '(?<!a)b', '([a-c])\\1', '[]a]', '[^]a]', '[a\\]b]', '[[.a.]]', '.', '^', '$', '(^|,)b', '(', '[a', ')', 'a**',
  'a{3,2}', '\\', '*a', 'a{', 'a{1', '\\xyz', '\\u0041', '[b-a]', '[[:foo:]]', '(a+|b)*c', '.*?b', 'a.*c', '(?x)a b # c', '***=a.b', '\\.', '\\d+', '[\\d.]+',
  '\\D+', '\\S+$', '^\\w+', 'é', '[äöü]+', '(.)(.)', '()', 'a||b', '(?n)^.$', '(?s)a.c', 'a\\nb', '[0-9]+(\\.[0-9]+)?', '(ab|a)(bc)?', '(foo(bar)?)+', '([^,]*),?',
  '(\\d+)-(\\d+)', '^(a|ab|abc)$', '[[:<:]]foo', 'a{0}', '(a{0})b'];
const SUBJECTS = ['abcd', 'foobar foo bar', 'abc123', '  trim me  ', 'XY1234Z', 'aabbcc', '', 'a,b,,c', '日本語 é äöü', 'x\ny\nz', 'foo', '12.5-7', 'ABCabc', 'a.b', 'aaaa'];

function calls(): Call[] {
  const text = ['text', 'text'];
  return PATTERNS.flatMap((pattern) => SUBJECTS.flatMap((subject): Call[] => [
    { prosrc: 'regexp_match_no_flags', proname: 'regexp_match', args: text, values: [subject, pattern], result: 'text[]' },
    { prosrc: 'textregexeq', proname: 'textregexeq', args: text, values: [subject, pattern], result: 'boolean' },
    { prosrc: 'textregexreplace', proname: 'regexp_replace', args: [...text, ...text], values: [subject, pattern, '<\\1\\&>', 'g'], result: 'text' },
    { prosrc: 'regexp_split_to_array_no_flags', proname: 'regexp_split_to_array', args: text, values: [subject, pattern], result: 'text[]' },
  ]));
}

(oracleAvailable ? test : test.skip)('as PostgreSQL', (t) => {
  const all = calls();
  const theirs = askOracle(all.map(callSql));
  t.deepEqual(all.flatMap((call, i) => (callOurs(call) === theirs[i] ? [] : [`${callSql(call)}: ${callOurs(call)} | ${theirs[i]}`])), []);
});

const match = (subject: string, pattern: string): string =>
  callOurs({ prosrc: 'regexp_match_no_flags', proname: '', args: ['text', 'text'], values: [subject, pattern], result: 'text[]' });

test('the longest of several alternatives', (t) => {
  t.is(match('foobar', 'foo|foobar'), '{foobar}');
});

test('a regular expression is greedy or not as a whole', (t) => {
  t.is(match('XY1234Z', 'Y*([0-9]{1,3})'), '{123}');
  t.is(match('XY1234Z', 'Y*?([0-9]{1,3})'), '{1}');
  t.is(match('  trim me  ', '^\\s*(.*?)\\s*$'), '{"trim me"}');
});
